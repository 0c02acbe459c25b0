"""How like example levels a level is, by its small patterns of tiles: the Tile Pattern KL-Divergence.

Lucas and Volz, 2019 (GECCO): every window of 2 x 2 and of 3 x 3 cells is a pattern; the level's and the
examples' shares of each are compared by the Kullback-Leibler divergence, half of it each way, averaged over
both sizes of window. Departs from the paper in the sizes alone, which there are 2, 3 and 4: levels of 3 x 3
are levels here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps

WINDOWS = (2, 3)
EPSILON = 1e-5
"""What a pattern that never comes counts as."""
WORST = 64.0
"""No divergence is larger: a share lies between about 1e-9 and 1."""

Patterns = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Patterns, as numbers in rising order, and how often each comes."""


def patterns(levels: Sequence[Maps], window: int, kinds: int) -> Patterns:
    """All square windows of levels `(H, W)` with `kinds` tiles."""
    codes = []
    for level in levels:
        height, width = (side - window + 1 for side in level.shape)
        code = np.zeros((max(height, 0), max(width, 0)), np.int64)
        for dy in range(window):
            for dx in range(window):
                code = code * kinds + level[dy : dy + height, dx : dx + width]
        codes.append(code.ravel())
    found, counts = np.unique(np.concatenate(codes), return_counts=True)
    return found, counts.astype(np.int64)


def divergence(one: Patterns, other: Patterns) -> float:
    """Half of the divergence each way; 0 = the same shares."""
    every = np.union1d(one[0], other[0])
    shares = []
    for found, counts in (one, other):
        count = np.zeros(len(every))
        count[np.searchsorted(every, found)] = counts
        total = count.sum()
        shares.append((count + EPSILON) / ((total + EPSILON) * (1 + EPSILON)))
    p, q = shares
    ratio = np.log(p / q)
    return float(0.5 * (p * ratio).sum() - 0.5 * (q * ratio).sum())


def similarity(levels: Sequence[Maps], examples: Sequence[Patterns], kinds: int) -> NDArray[np.float64]:
    """Minus the divergence `(B,)` of levels from examples, given as their patterns for each window."""
    values = np.zeros(len(levels))
    for row, level in enumerate(levels):
        apart = [
            divergence(patterns([level], window, kinds), known)
            for window, known in zip(WINDOWS, examples, strict=True)
        ]
        values[row] = -np.clip(np.mean(apart), 0.0, WORST)
    return values
