"""Pictures in `.npz` files: images with labels, named as Keras or MedMNIST do. No pickle."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from plaudit.domains.image.folder import finished
from plaudit.domains.image.sets import UNLABELLED, PictureSet, class_name, shown
from plaudit.domains.image.sizing import checked_side, fitted
from plaudit.errors import InputError

_MOST_BYTES = 2**30
_WHOLE = (("images", "labels"), ("x", "y"), ("X", "y"), ("data", "target"))
_PARTS = (
    (("x_train", "y_train", 0), ("x_test", "y_test", 2)),
    (("train_images", "train_labels", 0), ("val_images", "val_labels", 1), ("test_images", "test_labels", 2)),
)
_WANTED = (
    'It holds "images" and "labels", "x" and "y", or their parts "x_train", "y_train", "x_test", "y_test".'
)
_VALIDATION = 1 / 6
"""Of the training pictures, kept for judges where the file has no part for them."""


def npz_file(path: Path, side: int | None = None) -> PictureSet:
    """Read one `.npz` file; raises only `InputError`.

    Images are `(N, H, W)`, `(N, H, W, C)` or `(N, C, H, W)`, bytes or floats in [0, 1]; labels are whole
    numbers `(N,)`, or absent; `names` are those of the classes.
    """
    checked_side(side, 0, 3)
    try:
        return _set_of(npz_file_arrays(path), side, shown(path))
    except InputError:
        raise
    # Hostile arrays show themselves in many ways.
    except Exception as error:
        raise InputError(f"is not an npz file that can be read: {error}.", place=shown(path)) from error


def npz_file_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """All arrays of an `.npz` file under limits, without pickle; raises only `InputError`."""
    try:
        return _arrays(path)
    except InputError:
        raise
    # A damaged zip or header shows itself in many ways, a hostile one in MemoryError too.
    except Exception as error:
        raise InputError(f"is not an npz file that can be read: {error}.", place=shown(path)) from error


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Every array by name, each checked by its header before memory is taken for it."""
    found, total = {}, 0
    with zipfile.ZipFile(path) as file:
        for info in file.infolist():
            total += info.file_size
            if total > _MOST_BYTES:
                raise InputError(f"unpacks to more than {_MOST_BYTES:,} bytes.", place=shown(path))
            with file.open(info) as member:
                major, _ = npy.read_magic(member)
                read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
                shape, _, dtype = read(member)
            if dtype.hasobject or np.prod(shape, dtype=object) * dtype.itemsize > info.file_size:
                raise InputError(f'its "{info.filename}" is not what it says.', place=shown(path))
            with file.open(info) as member:
                array = npy.read_array(member, allow_pickle=False)
            found[info.filename.removesuffix(".npy")] = array
    return found


def _set_of(arrays: dict[str, NDArray[np.generic]], side: int | None, source: str) -> PictureSet:
    for parts in _PARTS:
        if parts[0][0] in arrays:
            return _in_parts(arrays, [part for part in parts if part[0] in arrays], side, source)
    for image_name, label_name in _WHOLE:
        if image_name in arrays:
            images = fitted(as_pictures(arrays[image_name], source), side)
            labels = _labels(arrays.get(label_name), len(images), source)
            return finished(images, labels, _names(arrays, labels), source)
    raise InputError(
        f"holds {sorted(arrays)[:8]}, none of them pictures by name.", place=source, hint=_WANTED
    )


def _in_parts(
    arrays: dict[str, NDArray[np.generic]], parts: list[tuple[str, str, int]], side: int | None, source: str
) -> PictureSet:
    images = [fitted(as_pictures(arrays[name], source), side) for name, _, _ in parts]
    if len({one.shape[1:] for one in images}) > 1:
        raise InputError("its parts hold pictures of different sizes.", place=source)
    labels = [
        _labels(arrays.get(name), len(one), source) for (_, name, _), one in zip(parts, images, strict=True)
    ]
    splits = [np.full(len(one), part[2], np.int8) for part, one in zip(parts, images, strict=True)]
    found = {part[2] for part in parts}
    every, known = np.concatenate(images), np.concatenate(labels)
    if 2 not in found:
        return finished(every, known, _names(arrays, known), source)
    if 1 not in found:
        splits[0][len(splits[0]) - int(len(splits[0]) * _VALIDATION) :] = 1
    return PictureSet(every, known, _names(arrays, known), np.concatenate(splits), source)


def as_pictures(values: NDArray[np.generic], source: str) -> NDArray[np.uint8]:
    """Any usual layout to `(N, H, W, 1 or 3)` bytes; raises `InputError`."""
    images = values[..., None] if values.ndim == 3 else values
    if images.ndim != 4 or 0 in images.shape:
        raise InputError(f"its images have the shape {values.shape}, not (N, H, W, C).", place=source)
    if images.shape[-1] not in (1, 3, 4) and images.shape[1] in (1, 3, 4):
        images = images.transpose(0, 2, 3, 1)
    if images.shape[-1] not in (1, 3, 4):
        raise InputError(f"its images have {images.shape[-1]} channels, not 1, 3 or 4.", place=source)
    pixels = _bytes(images, source)
    if pixels.shape[-1] == 4:
        alpha = pixels[..., 3:].astype(np.float32) / 255
        over = pixels[..., :3] * alpha + 255 * (1 - alpha)
        pixels = np.rint(over).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def _bytes(images: NDArray[np.generic], source: str) -> NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return np.asarray(images, np.uint8)
    # NaN fails both comparisons.
    numbers = images.dtype.kind in "fiub"
    low, high = (float(images.min()), float(images.max())) if numbers else (-1.0, -1.0)
    if images.dtype.kind == "f" and 0.0 <= low and high <= 1.0:
        return np.rint(np.asarray(images, np.float32) * 255).astype(np.uint8)
    if numbers and 0 <= low and high <= 255:
        return np.asarray(images).astype(np.uint8)
    raise InputError(
        f"its images are {images.dtype} from {low:g} to {high:g}.",
        place=source,
        hint="Bytes 0..255 or floats in [0, 1].",
    )


def _labels(values: NDArray[np.generic] | None, count: int, source: str) -> NDArray[np.int64]:
    if values is None:
        return np.full(count, UNLABELLED, np.int64)
    flat = values.reshape(-1)
    if flat.shape != (count,) or flat.dtype.kind not in "iu" or flat.min() < 0 or flat.max() >= 10_000:
        raise InputError(
            f"its labels are {values.dtype} {values.shape} for {count} pictures.",
            place=source,
            hint="One whole number from 0 a picture.",
        )
    return np.asarray(flat).astype(np.int64)


def _names(arrays: dict[str, NDArray[np.generic]], labels: NDArray[np.int64]) -> tuple[str, ...]:
    count = int(labels.max()) + 1
    given = [class_name(name) for name in arrays.get("names", np.array([])).reshape(-1)]
    return tuple(given) if len(given) >= count > 0 else tuple(str(k) for k in range(count))
