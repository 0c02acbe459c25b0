"""What generators that draw in one step learn from: a set's pictures, what drawn ones are worth, how far off.

The learners of `engine/gan` and `engine/vae` ask for items and labels in another order than flows do, and
steer by a distance; this is their side of `picture_source.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.image.picture_reference import Reference
from plaudit.domains.image.picture_source import JudgedPictureReward, PictureReward, PictureSource
from plaudit.domains.image.pictures import as_pixels, from_model
from plaudit.engine.flow.model import FlowShape
from plaudit.engine.gan.distance import Distance
from plaudit.engine.nets.generator import ItemShape
from plaudit.engine.random import RowRandom
from plaudit.measure.frechet import frechet_distance, frechet_left_out, moments

_SEED = 0xD157
"""Of the pictures that the distance is taken on: none that anything else is drawn with."""
_DRAWN = 2
"""Pictures of the distance for each training picture whose features are kept."""
_PARTS = 10
"""Parts of them for its jackknife."""


class PictureItems:
    """Items of a set in [-1, 1].

    Attributes:
        shape: of the pictures, and the number of classes.
    """

    def __init__(self, source: PictureSource) -> None:
        self.source, self.shape = source, item_shape(source.shape)

    def batch(self, n: int, random: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """n training pictures `(n, C, H, W)` and their classes `(n,)`."""
        return self.source.batch(n, random)

    def validation(self, n: int) -> tuple[Tensor, Tensor | None]:
        """The first n pictures of the validation split."""
        return self.source.validation(n)


class PaidItems:
    """What items are worth, and how far a generator is from the set."""

    def __init__(self, reward: PictureReward, reference: Reference) -> None:
        self.reward, self.reference, self.shape = reward, reference, item_shape(reward.shape)
        self._real = moments(reference.train[0])

    def score(self, items: Tensor, labels: Tensor | None) -> NDArray[np.float64]:
        """Columns `(B, K)` of `items (B, C, H, W)`; a batch is one group to terms of groups."""
        return self.reward.score(labels, items)

    def columns(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """The same, differentiable by the items."""
        return self.reward.value(labels, items)

    def distance(self, policy: Any) -> Distance:
        """Frechet distance of what the policy draws from training pictures, by the reward's features.

        The judge's features would make the judge a part of the reward.
        """
        features, labels = self.reference.train
        rows = _DRAWN * len(features)
        noise = policy.noise(RowRandom(_SEED + np.arange(rows)))
        asked = torch.from_numpy(np.tile(labels, _DRAWN)) if self.shape.classes else None
        drawn = self.reference.reward.features(as_pixels(from_model(policy.draw(noise, asked))))
        parts = [moments(part) for part in np.array_split(drawn, _PARTS)]
        left_out = frechet_left_out(parts, self._real)
        return Distance(frechet_distance(moments(drawn), self._real), tuple(left_out.tolist()))


class PaidPictures(PaidItems, PictureItems):
    """Items of a set, and what others are worth: a game with a reward term."""

    def __init__(self, source: PictureSource, reward: PictureReward, reference: Reference) -> None:
        PictureItems.__init__(self, source)
        PaidItems.__init__(self, reward, reference)


class JudgedPictures(PaidPictures):
    """A game whose reward brings a judge that is never optimised."""

    reward: JudgedPictureReward

    def judge(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """What the judge says `(B,)` of `items (B, C, H, W)`."""
        return self.reward.judge(labels, items)


def item_shape(shape: FlowShape) -> ItemShape:
    """A flow's shape as a generator's."""
    return ItemShape(shape.size, shape.classes)
