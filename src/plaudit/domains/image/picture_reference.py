"""What is known of a set of pictures without having it at hand: classes, two classifiers, features, moments.

Terms, judge, baselines and requests ask it. For "glyphs", "shapes" and the set of the preset it comes with
the package; for any other it is learned once, which takes minutes, and kept in the user's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.image.classifier import Classifier
from plaudit.domains.image.data import load_pictures
from plaudit.domains.image.judges import judges_of
from plaudit.domains.image.picture_moments import Moments, moments_of
from plaudit.domains.image.sets import PictureSet
from plaudit.errors import InputError
from plaudit.measure.neighbours import distance_blocks
from plaudit.media import cache

VERSION = "reference 1"
"""Of the files: raised whenever what they hold changes."""
SHIPPED = Path(__file__).parent / "presets" / "references"
KEPT = 1000
"""Pictures of the train split, and of the test split, whose features are kept."""
NEIGHBOURS = 5
Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Facts:
    """What a set is, as far as a request is concerned.

    Attributes:
        names: of the classes; empty where there are none.
        shape: of a picture, `(H, W, C)`.
        digest: of all its pictures.
    """

    source: str
    names: tuple[str, ...]
    shape: tuple[int, int, int]
    digest: str

    @property
    def classes(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Reference:
    """All that is known of a set.

    Attributes:
        reward: a classifier learned from the train split, which terms may ask.
        judge: another one, learned from the validation split, which terms never ask.
        train: features `(n, d)` that `reward` has of training pictures, and their classes `(n,)`.
        real: features `(m, e)` that `judge` has of test pictures, and their classes `(m,)`.
        moments: of the training pictures' pixels: what the baseline draws from.
    """

    facts: Facts
    reward: Classifier
    judge: Classifier
    train: tuple[Floats, Labels]
    real: tuple[Floats, Labels]
    moments: Moments

    @cached_property
    def train_tensor(self) -> Tensor:
        """`train` features as a tensor `(n, d)`."""
        return torch.from_numpy(self.train[0])

    @cached_property
    def unit(self) -> float:
        """The usual distance of a training picture to its neighbours in `reward`'s features."""
        half = len(self.train[0]) // 2
        return float(np.median(near(self.train[0][half:], self.train[0][:half]))) or 1.0

    @cached_property
    def width(self) -> float:
        """The usual distance between two training pictures in `reward`'s features."""
        rows = self.train[0][:400]
        far = np.concatenate([found for _, found in distance_blocks(rows, rows)])
        return float(np.median(far[np.triu_indices(len(rows), 1)])) or 1.0

    @cached_property
    def usual(self) -> float:
        """The distance to real pictures in `judge`'s features that 95 % of other real ones keep."""
        half = len(self.real[0]) // 2
        return float(np.quantile(near(self.real[0][half:], self.real[0][:half]), 0.95))

    @cached_property
    def twin(self) -> float:
        """The distance in `judge`'s features below which two pictures count as one.

        1 % of real pictures have another one nearer than that among some hundred.
        """
        half = len(self.real[0]) // 2
        rows = self.real[0][: min(half, 100)]
        found = np.concatenate([part for _, part in distance_blocks(self.real[0][half:], rows)])
        return float(np.quantile(found.min(1), 0.01))

    def away(self, features: Floats) -> NDArray[np.float64]:
        """How far `(B,)` pictures with these features of `judge` are from real ones; see `usual`."""
        return near(features, self.real[0][: len(self.real[0]) // 2])

    @property
    def names(self) -> tuple[str, ...]:
        return self.facts.names

    def label_of(self, name: str) -> int:
        """The number of a class, -1 for none of them."""
        return self.names.index(name) if name in self.names else -1


def near(rows: Floats, others: Floats) -> NDArray[np.float64]:
    """The mean distance `(n,)` of each row to its nearest `NEIGHBOURS` others."""
    k = min(NEIGHBOURS, len(others))
    parts = [np.partition(found, k - 1, 1)[:, :k].mean(1) for _, found in distance_blocks(rows, others)]
    return np.concatenate(parts)


@lru_cache(maxsize=2)
def pictures_of(place: str, side: int | None) -> PictureSet:
    """The set itself; raises `InputError` where it is not at hand."""
    return load_pictures(place, side, cache.to_stderr)


@lru_cache(maxsize=8)
def facts_of(place: str, side: int | None) -> Facts:
    """Facts of a set, from the package where they come with it; raises `InputError`."""
    shipped = shipped_reference(place, side)
    return shipped.facts if shipped is not None else facts_about(pictures_of(place, side))


def facts_about(pictures: PictureSet) -> Facts:
    """Facts of a set that is at hand."""
    height, width, channels = pictures.images.shape[1:]
    names = pictures.names if pictures.labelled else ()
    return Facts(pictures.source, names, (height, width, channels), pictures.digest)


@lru_cache(maxsize=4)
def reference_of(place: str, side: int | None) -> Reference:
    """The reference of a set: shipped, kept, or learned now; raises `InputError`."""
    from plaudit.domains.image.picture_reference_file import keep_reference, kept_reference

    shipped = shipped_reference(place, side)
    if shipped is not None:
        return shipped
    pictures = pictures_of(place, side)
    held = kept_reference(pictures.digest)
    if held is None:
        held = make_reference(pictures)
        keep_reference(held)
    return held


@lru_cache(maxsize=8)
def shipped_reference(place: str, side: int | None) -> Reference | None:
    """The reference of a set by name, if the package brings it and for this side."""
    from plaudit.domains.image.picture_reference_file import read_reference

    path = SHIPPED / f"{place}.safetensors"
    if not place.isidentifier() or not path.is_file():
        return None
    found = read_reference(path)
    return found if side in (None, found.facts.shape[0]) else None


def make_reference(pictures: PictureSet, steps: int | None = None) -> Reference:
    """Learn two classifiers of a set and take from it what is kept; `steps` bounds their updates."""
    judges = judges_of(pictures, steps=steps)
    train, test = pictures.part("train"), pictures.part("test")
    if min(len(train), len(test)) < 2:
        raise InputError("has too few pictures to judge others by.", place=pictures.source)
    rng = np.random.default_rng(0)
    kept, real = (part.take(rng.permutation(len(part))[:KEPT]) for part in (train, test))
    return Reference(
        facts_about(pictures),
        judges.reward,
        judges.judge,
        (judges.reward.features(kept.images), kept.labels),
        (judges.judge.features(real.images), real.labels),
        moments_of(train.images, train.labels, len(pictures.names) if pictures.labelled else 0),
    )
