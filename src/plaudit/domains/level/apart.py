"""Keeping levels apart without looking at each other: edits steered away from the neighbours' starts.

Every item knows the code words of its block of seeds (`seeds.py`), and no other item strays far from its
own word. An edit that moves a map away from the nearest foreign words keeps it away from the items that
began there; a small bonus for walls keeps the share of open cells near one half, where maps differ most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps, Size
from plaudit.domains.level.seeds import code_words, place_of


@dataclass(frozen=True)
class Steering:
    """How strongly edits are steered: added to the policy's log-probabilities."""

    weight: float = 3.0
    """Of the gain, which lies in [-1 - walls, 1 + walls], at first."""
    nearness: float = 2.0
    """Cells of distance over which the nearest foreign words share the attention."""
    walls: float = 0.5
    """Bonus for closing a cell, and price of opening one."""
    fade: float = 0.25
    """Steps for each cell of the map over which the steering of an item fades to nothing."""


class Apart:
    """The gain of flipping each cell, for items that are known by their seeds."""

    def __init__(self, seeds: NDArray[np.int64], size: Size, steering: Steering) -> None:
        self.steering = steering
        self.block, self.own = place_of(seeds, size)
        self.words = {
            key: 2.0 * code_words(*key, size).astype(np.float32) - 1.0
            for key in {(int(series), int(block)) for series, block in self.block}
        }

    def bias(
        self, items: NDArray[np.int64], maps: Maps, taken: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """What to add to the log-probabilities `(R, H * W)` of flips of `maps (R, H, W)` of items `(R,)`.

        Items that have `taken (R,)` many steps are hard ones, and are left to the policy alone.
        """
        signs = 2.0 * maps.reshape(len(maps), -1).astype(np.float32) - 1.0
        out = np.zeros(signs.shape, np.float32)
        for key, words in self.words.items():
            rows = np.flatnonzero((self.block[items] == key).all(1))
            out[rows] = self._gain(signs[rows], words, self.own[items[rows]])
        if taken is not None:
            steps = self.steering.fade * signs.shape[1]
            out *= np.maximum(0.0, 1.0 - taken / steps).astype(np.float32)[:, None]
        return self.steering.weight * out

    def _gain(
        self, signs: NDArray[np.float32], words: NDArray[np.float32], own: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Change of the soft minimum distance `(R, cells)` to foreign words when a cell flips."""
        distance = (signs.shape[1] - signs @ words.T) / 2.0
        distance[np.arange(len(signs)), own] = np.inf
        nearest = distance.min(1, keepdims=True)
        share = np.exp((nearest - distance) / self.steering.nearness)
        share /= share.sum(1, keepdims=True)
        return signs * (share @ words + np.float32(self.steering.walls))
