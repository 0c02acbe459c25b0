"""Where dungeons begin: a walk from player to exit of the wanted length, and what is wanted strewn over it.

Where the walk leads, and what stands where on it, differ from seed to seed, so that a batch begins diverse.
Most starts are no good levels: the way that a player finds need not be the walk, and most kill the player.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.dungeon_kernels import usual_enemies
from plaudit.domains.level.dungeon_search import EXIT, GOBLIN, OGRE, OPEN, PLAYER, POTION, TREASURE, WALL
from plaudit.domains.level.game import UNASKED, Goals, Maps
from plaudit.domains.level.zelda_starts import random_walk

_SALT = 0xD06
OGRES = 0.1
"""Share of the enemies that are ogres."""


def planned_maps(maps: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Lay walks and things into `maps (R, H, W)`; returns them. goals: treasures and length `(R, 2)`."""
    size = maps.shape[2], maps.shape[1]
    for level, number, (treasures, length) in zip(maps, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        cells = level.size
        steps = int(rng.integers(cells // 6, cells // 2)) if length == UNASKED else length - 1
        walk = random_walk(size, steps, rng)
        for y, x in walk:
            level[y, x] = OPEN
        level[walk[0]], level[walk[-1]] = PLAYER, EXIT
        found = int(rng.integers(0, sum(size) // 2)) if treasures == UNASKED else treasures
        _strew(level, walk[1:-1], found, rng)
    return maps


def _strew(level: Maps, walk: list[tuple[int, int]], treasures: int, rng: np.random.Generator) -> None:
    """Put enemies, potions and treasures on the walk, and what finds no room there on walls."""
    enemies = usual_enemies(level.size)
    kinds = np.where(rng.random(enemies) < OGRES, OGRE, GOBLIN).tolist()
    things = [*kinds, *[POTION] * (enemies // 2), *[TREASURE] * treasures]
    places = [walk[i] for i in rng.permutation(len(walk))]
    rest = [(int(y), int(x)) for y, x in np.argwhere(level == WALL)]
    places += [rest[i] for i in rng.permutation(len(rest))]
    for cell, tile in zip(places, things, strict=False):
        level[cell] = tile
