"""Sets of small pictures as arrays, split for training, checking and judging.

Whatever a set comes from, it is read once to `PictureSet`. The idx files are those of LeCun's MNIST pages.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError
from plaudit.media.limits import Limits, read_bytes

SPLITS = ("train", "validation", "test")
UNLABELLED = -1
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class PictureSet:
    """Pictures of one size.

    Attributes:
        images: `(N, H, W, C)` uint8, C 1 (grey) or 3 (RGB).
        labels: `(N,)` int64, `UNLABELLED` where there is none.
        names: of the classes, in the order of their labels.
        split: `(N,)` int8, an index into `SPLITS`: judges learn from the validation split, figures are taken
            on the test split, and neither is ever trained on by a generator or a reward.
        source: where it came from, for the record.
    """

    images: Pixels
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    split: NDArray[np.int8]
    source: str

    def part(self, split: str) -> PictureSet:
        """The pictures of one split."""
        at = self.split == SPLITS.index(split)
        return PictureSet(self.images[at], self.labels[at], self.names, self.split[at], self.source)

    def __len__(self) -> int:
        return len(self.images)


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


def idx_folder(folder: Path) -> PictureSet:
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
        images.append(pictures[..., None])
        labels.append(classes.astype(np.int64))
        splits.append(split)
    every = np.concatenate(labels)
    names = tuple(str(k) for k in range(int(every.max()) + 1))
    return PictureSet(np.concatenate(images), every, names, np.concatenate(splits), str(folder))


def _either(folder: Path, name: str) -> Path:
    """The plain file, or the packed one."""
    return folder / name if (folder / name).exists() else folder / f"{name}.gz"
