"""Pictures in a `.parquet` file: a column of encoded pictures and one of labels, as sets are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from plaudit.domains.image.folder import finished
from plaudit.domains.image.sets import UNLABELLED, PictureSet, Skipped, class_name, shown
from plaudit.domains.image.sizing import LARGEST, checked_side, squared, stacked
from plaudit.errors import InputError, MissingExtra
from plaudit.media.picture import decode_picture

IMAGE_COLUMNS = ("image", "img", "picture", "images", "bytes")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target", "y")
_MOST_BYTES = 2**30
_MOST_ROWS = 200_000


def parquet_file(path: Path, side: int | None = None) -> PictureSet:
    """Read one file; raises `InputError`, or `MissingExtra` without pyarrow.

    The column of pictures holds bytes, or structs with a field "bytes"; labels are whole numbers or words.
    """
    checked_side(side, 0, 3)
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra(
            "parquet files are read by pyarrow.", hint="pip install 'plaudit[image]'"
        ) from error
    place = shown(path)
    try:
        with parquet.ParquetFile(path) as file:
            return _read(file, side, place)
    except InputError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"is not a parquet file that can be read: {reason}.", place=place) from error


def _read(file: Any, side: int | None, place: str) -> PictureSet:
    columns = file.schema_arrow.names
    image = next((name for name in IMAGE_COLUMNS if name in columns), None)
    label = next((name for name in LABEL_COLUMNS if name in columns), None)
    if image is None:
        raise InputError(
            f"has the columns {columns[:8]}.", place=place, hint=f"Pictures stand in one of {IMAGE_COLUMNS}."
        )
    groups = [file.metadata.row_group(at) for at in range(file.num_row_groups)]
    if file.metadata.num_rows > _MOST_ROWS or sum(group.total_byte_size for group in groups) > _MOST_BYTES:
        raise InputError(f"holds more than {_MOST_ROWS:,} rows or {_MOST_BYTES:,} bytes.", place=place)
    pictures, labels, skipped = [], [], []
    row = 0
    for batch in file.iter_batches(batch_size=256, columns=[image] + ([label] if label else [])):
        marks = batch.column(label).to_pylist() if label else [None] * len(batch)
        for cell, mark in zip(batch.column(image).to_pylist(), marks, strict=True):
            _one(cell, mark, f"{place} (row {row})", side, pictures, labels, skipped)
            row += 1
    if not pictures:
        raise InputError("holds no picture that can be read.", place=place, hint=str(next(iter(skipped), "")))
    numbers, names = _classes(labels, _published_names(file, label))
    return finished(stacked(pictures, side), numbers, names, place, tuple(skipped))


def _one(
    cell: Any, mark: Any, place: str, side: int | None, pictures: list, labels: list, skipped: list
) -> None:
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    try:
        if not isinstance(content, bytes):
            raise InputError("holds no bytes of a picture.")
        pixels = decode_picture(content, place)
    except InputError as error:
        skipped.append(Skipped(place, error.message))
        return
    pictures.append(squared(pixels, side or min(*pixels.shape[:2], LARGEST)))
    labels.append(mark)


def _published_names(file: Any, label: str | None) -> list[str]:
    """The names of classes that Hugging Face's `datasets` writes into the schema, [] where there are none."""
    try:
        about = json.loads((file.schema_arrow.metadata or {})[b"huggingface"])
        return [str(name) for name in about["info"]["features"][label]["names"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []


def _classes(
    marks: list[Any], names: list[str]
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], tuple[str, ...]]:
    if any(mark is None for mark in marks):
        return np.full(len(marks), UNLABELLED, np.int64), ()
    if all(isinstance(mark, int) and 0 <= mark < 10_000 for mark in marks):
        numbers = np.array(marks, np.int64)
        count = int(numbers.max()) + 1
        given = tuple(class_name(name) for name in names)
        return numbers, given if len(given) >= count else tuple(str(k) for k in range(count))
    words = sorted({str(mark) for mark in marks})
    place = {word: at for at, word in enumerate(words)}
    return np.array([place[str(mark)] for mark in marks], np.int64), tuple(map(class_name, words))
