"""A set of small pictures as arrays, split for training, checking and judging."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
UNLABELLED = -1
_SHARES = (0.7, 0.85)
"""Where validation and test begin in a set that brings no split of its own."""
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Skipped:
    """A picture that was left out, or a part of it, and why."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


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
        skipped: what the source held besides.
    """

    images: Pixels
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    split: NDArray[np.int8]
    source: str
    skipped: tuple[Skipped, ...] = ()

    def part(self, split: str) -> PictureSet:
        """The pictures of one split."""
        return self.take(self.split == SPLITS.index(split))

    def take(self, at: Any) -> PictureSet:
        """The pictures at a mask or at indices."""
        return replace(self, images=self.images[at], labels=self.labels[at], split=self.split[at])

    @property
    def labelled(self) -> bool:
        """Whether there are classes to tell apart."""
        return len(self.names) > 1 and bool((self.labels >= 0).all())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that a net can learn from it, so that what was learned can be found again."""
        seen = hashlib.sha256(repr((self.images.shape, self.names)).encode())
        for array in (self.images, self.labels, self.split):
            seen.update(np.ascontiguousarray(array).data)
        return seen.hexdigest()

    def __len__(self) -> int:
        return len(self.images)


def split_by_content(images: Sequence[Pixels] | Pixels) -> NDArray[np.int8]:
    """Split `(N,)` by the rank of each picture's hash: 70 / 15 / 15 %, and twins stay together.

    Neither order nor name matters. Ranks rather than hashes are cut: no split of a small set is empty.
    """
    hashes = [hashlib.sha256(image.tobytes()).digest() for image in images]
    rank = {value: at for at, value in enumerate(sorted(set(hashes)))}
    share = np.array([(rank[value] + 0.5) / len(rank) for value in hashes])
    return np.searchsorted(_SHARES, share, side="right").astype(np.int8)


def class_name(text: object) -> str:
    """A class's name as it may be shown and be part of a file's name: one line of at most 60 letters."""
    plain = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in str(text))
    return plain.strip(" .")[:60] or "_"


def shown(place: object) -> str:
    """A file's name in one printable line, whatever bytes it is made of."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in str(place)
    )
