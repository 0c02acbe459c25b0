"""Pictures in idx files, the format of LeCun's MNIST pages."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.sets import PictureSet
from plaudit.domains.image.sizing import fitted
from plaudit.errors import InputError
from plaudit.media.limits import Limits, read_bytes

_IDX = Limits(file_bytes=64 * 2**20)
_MOST_VALUES = 512 * 2**20


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one idx file of bytes, plain or `.gz`; raises only `InputError`."""
    content, place = read_bytes(path, _IDX), str(path)
    if content[:2] == b"\x1f\x8b":
        content = _unzipped(content, place)
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or not 1 <= content[3] <= 4:
        raise InputError("is not an idx file of bytes.", place=place)
    head = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, head, 4))
    if len(content) < head or len(content) - head != np.prod(shape, dtype=object):
        raise InputError(f"promises {shape} bytes and holds {max(len(content) - head, 0):,}.", place=place)
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def _unzipped(content: bytes, place: str) -> bytes:
    """Unpack gzip under a limit."""
    try:
        unpacker = zlib.decompressobj(wbits=31)
        unpacked = unpacker.decompress(content, _MOST_VALUES)
    except zlib.error as error:
        raise InputError(f"is not gzip: {error}.", place=place) from error
    if unpacker.unconsumed_tail:
        raise InputError(f"unpacks to more than {_MOST_VALUES:,} bytes.", place=place)
    if not unpacker.eof:
        raise InputError("is cut off.", place=place)
    return unpacked


VALIDATION_SHARE = 1 / 6
"""Of a set's training files that are kept for judges: 10,000 of MNIST's 60,000."""


def idx_folder(folder: Path, side: int | None = None) -> PictureSet:
    """Read a folder of MNIST's four idx files, plain or `.gz`; raises only `InputError`."""
    images, labels, splits = [], [], []
    for prefix in ("train", "t10k"):
        pictures = read_idx(_either(folder, f"{prefix}-images-idx3-ubyte"))
        classes = read_idx(_either(folder, f"{prefix}-labels-idx1-ubyte"))
        if pictures.ndim != 3 or classes.shape != pictures.shape[:1]:
            raise InputError(
                f"{prefix}: pictures {pictures.shape} and labels {classes.shape} do not match.",
                place=str(folder),
            )
        held_out = int(len(pictures) * VALIDATION_SHARE) if prefix == "train" else 0
        split = np.zeros(len(pictures), np.int8) if prefix == "train" else np.full(len(pictures), 2, np.int8)
        split[len(pictures) - held_out :] = 1 if held_out else split[:1]
        if 0 in pictures.shape:
            raise InputError(f"{prefix}: holds no pictures.", place=str(folder))
        images.append(fitted(pictures[..., None], side))
        labels.append(classes.astype(np.int64))
        splits.append(split)
    if images[0].shape[1:] != images[1].shape[1:]:
        raise InputError("its two parts hold pictures of different sizes.", place=str(folder))
    every = np.concatenate(labels)
    names = tuple(str(k) for k in range(int(every.max()) + 1))
    return PictureSet(np.concatenate(images), every, names, np.concatenate(splits), str(folder))


def _either(folder: Path, name: str) -> Path:
    """The plain file, or the packed one."""
    return folder / name if (folder / name).exists() else folder / f"{name}.gz"
