"""Where zelda levels that are larger than their words begin: a way that winds from player to key to door.

On twice and four times the side legs of hundreds of steps are asked for, and no policy that learned on 11 x 7
digs them from random cells. Here the map is solid but for one walk that has the lengths asked for, and dead
ends beside it, in which the enemies stand. Such a plan needs no learning; what is asked for beside that is
left to the policy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Goals, Maps, Size
from plaudit.domains.level.winding import dig_dead_ends, lengthen
from plaudit.domains.level.zelda_kernels import DOOR, ENEMY, KEY, OPEN, PLAYER, WALL, usual_enemies
from plaudit.domains.level.zelda_starts import random_walk

_SALT, _TRIES = 0x2E1DB, 5
SHORT = 30
"""Steps of the walk that is then wound."""


def plan_levels(numbers: NDArray[np.int64], size: Size, goals: Goals, span: tuple[int, int]) -> Maps:
    """Levels `(R, H, W)` of seeds `(R,)`.

    goals: both legs, the whole path and enemies `(R, 4)`.
    span: usual lengths of a leg, where nothing is asked.
    """
    levels = np.full((len(numbers), size[1], size[0]), WALL, np.uint8)
    for level, number, goal in zip(levels, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        to_key, to_door = _legs(goal[:3], span, rng)
        walk = _long_walk(size, to_key + to_door + 1, rng)
        for cell in walk:
            level[cell] = OPEN
        # Where there was no room for all of it, both legs are shorter alike.
        key = min(to_key * (len(walk) - 1) // max(to_key + to_door, 1), len(walk) - 1)
        dead_ends = dig_dead_ends(level, WALL, OPEN, rng)
        level[walk[0]], level[walk[key]], level[walk[-1]] = PLAYER, KEY, DOOR
        enemies = usual_enemies(level.size) if goal[3] == UNASKED else goal[3]
        places = [dead_ends[at] for at in rng.permutation(len(dead_ends))]
        places += [walk[at] for at in rng.permutation(len(walk)) if level[walk[at]] == OPEN]
        for cell in places[:enemies]:
            level[cell] = ENEMY
    return levels


def _legs(goal: list[int], span: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    """Steps from player to key and from key to door: as asked, what the path leaves, or any usual number."""
    first, second, path = goal
    if path != UNASKED:
        first = path // 2 if first == UNASKED and second == UNASKED else first
        first = path - second if first == UNASKED else first
        second = path - first if second == UNASKED else second
    usual = rng.integers(span[0], span[1] + 1, 2).tolist()
    legs = [chance if leg == UNASKED else leg for leg, chance in zip((first, second), usual, strict=True)]
    return max(legs[0], 1), max(legs[1], 1)


def _long_walk(size: Size, cells: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """A walk of so many cells, or the longest of some attempts."""
    free = np.zeros(size[::-1], np.bool_)
    best: list[tuple[int, int]] = []
    for _ in range(_TRIES):
        best = max(best, lengthen(random_walk(size, min(SHORT, cells), rng), free, cells, rng), key=len)
        if len(best) >= cells:
            break
    return best
