"""Where caves begin: player and exit on firm ground where they are asked for, the rest strewn by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.cave_kernels import DIAMOND, EXIT, KEY, OPEN, PLAYER, SPIKE, WALL
from plaudit.domains.level.game import UNASKED, Goals, Maps

_SALT = 0xCA7E
SPIKES = 3


def planned_maps(maps: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Put what is asked for into `maps (R, H, W)`; returns them.

    goals: column and row of the player, of the exit, and the diamonds `(R, 5)`.
    """
    height, width = maps.shape[1:]
    for level, number, goal in zip(maps, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        drawn = (
            rng.integers(width),
            rng.integers(height // 2, height),
            rng.integers(width),
            rng.integers(height // 2),
        )
        sx, sy, ex, ey = (int(d) if g == UNASKED else g for g, d in zip(goal, drawn, strict=False))
        level[level == WALL] = np.where(rng.random((level == WALL).sum()) < 0.8, WALL, OPEN)
        for y, x in ((sy, sx), (ey, ex)):
            if y + 1 < height:
                level[y + 1, x] = WALL
        level[sy, sx], level[ey, ex] = PLAYER, EXIT
        free = rng.permutation(np.flatnonzero(level.ravel() == OPEN))
        diamonds = int(rng.integers(4)) if goal[4] == UNASKED else goal[4]
        things = [KEY, *[DIAMOND] * diamonds, *[SPIKE] * SPIKES]
        for cell, tile in zip(free, things, strict=False):
            level.ravel()[cell] = tile
    return maps
