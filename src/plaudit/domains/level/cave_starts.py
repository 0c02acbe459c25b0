"""Where caves begin: player and exit where they are asked for, ledges between them, the rest by chance.

The ledges lead up from the player in leaps of chance, and rocks, spikes, key and diamonds fall anywhere: few
starts can be played to the end as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.cave_search import DIAMOND, EXIT, KEY, OPEN, PLAYER, SPIKE, WALL
from plaudit.domains.level.game import UNASKED, Goals, Maps
from plaudit.domains.level.metrics import Cell

_SALT = 0xCA7E
SPIKES = 2


def planned_maps(maps: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Put what is asked for into `maps (R, H, W)`, whose walls are the rocks; returns them.

    goals: column and row of the player, of the exit, and the diamonds `(R, 5)`.
    """
    height, width = maps.shape[1:]
    for level, number, goal in zip(maps, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        low, high = rng.integers(height // 2, height), rng.integers(height // 2)
        drawn = (rng.integers(width), low, rng.integers(width), high)
        sx, sy, ex, ey = (int(d) if g == UNASKED else g for g, d in zip(goal, drawn, strict=False))
        lay_ledges(level, (sy, sx), (ey, ex), rng)
        free = rng.permutation(np.flatnonzero(level.ravel() == OPEN))
        diamonds = int(rng.integers(4)) if goal[4] == UNASKED else goal[4]
        for cell, tile in zip(free, [KEY, *[DIAMOND] * diamonds, *[SPIKE] * SPIKES], strict=False):
            level.ravel()[cell] = tile
    return maps


def lay_ledges(level: Maps, start: Cell, leave: Cell, rng: np.random.Generator) -> None:
    """Put player and exit on firm ground into a map, and ledges that lead from one up to the other."""
    height, width = level.shape
    (y, x), (ey, ex) = start, leave

    def ground(row: int, column: int) -> None:
        if row < height and (row, column) not in (start, leave):
            level[row, column] = WALL

    ground(y + 1, x)
    while y > ey:
        y = max(y - 2, ey)
        toward = np.sign(ex - x) or rng.choice([-1, 1])
        x = int(np.clip(x + toward * rng.integers(1, 3), 0, width - 1))
        for column in range(x, min(x + int(rng.integers(1, 3)), width)):
            ground(y + 1, column)
            if (y, column) not in (start, leave):
                level[y, column] = OPEN
    for column in range(min(x, ex), max(x, ex) + 1):
        ground(ey + 1, column)
    level[start], level[leave] = PLAYER, EXIT
