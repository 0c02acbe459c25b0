"""The constructive generator of zelda: dig a tree of corridors, then place what the request asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.baselines import dig_tree
from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, distances
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.zelda_kernels import DOOR, ENEMY, KEY, PLAYER, usual_enemies

TRIES = 20
"""Digs and placings of which the one nearest to the request is kept."""


def build_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """The nearest to the request of a few levels, each a tree with everything placed by distance."""
    rng = np.random.default_rng([seed % 2**64, 11])
    legs = request.target.get("player_key"), request.target.get("key_door")
    half = request.target.get("path", 2 * sum(request.size)) / 2
    wanted = [half if leg is None else leg for leg in legs]
    enemies = int(request.target.get("enemies", usual_enemies(request.size[0] * request.size[1])))
    best, miss = np.zeros(request.size[::-1], np.uint8), float("inf")
    tries = 0
    while tries < TRIES and miss > 0:
        tries += 1
        level, off = _place(dig_tree(request.size[::-1], rng), wanted, enemies, rng)
        if off < miss:
            best, miss = level, off
    return best, {"evaluations": tries}


def _place(free: Any, wanted: list[float], enemies: int, rng: np.random.Generator) -> tuple[Maps, float]:
    """Put the player anywhere, the key and the door where the legs come nearest to what is wanted."""
    level = free.astype(np.uint8)
    cells = [(int(y), int(x)) for y, x in np.argwhere(free)]
    player = cells[int(rng.integers(len(cells)))]
    key, first = _nearest(free, player, wanted[0], {player})
    # In a tree the door could stand in the way of the key: it goes where it does not.
    way = _between(free, player, key)
    door, second = _nearest(free, key, wanted[1], {player, key, *way})
    for cell, tile in ((player, PLAYER), (key, KEY), (door, DOOR)):
        level[cell] = tile
    rest = [cell for cell in cells if level[cell] == 1]
    for index in rng.permutation(len(rest))[:enemies]:
        level[rest[index]] = ENEMY
    return level, first + second


def _nearest(free: Any, start: Cell, wanted: float, taken: set[Cell]) -> tuple[Cell, float]:
    """The cell whose distance from `start` is nearest to what is wanted, and by how much it is off."""
    steps = {cell: found for cell, found in distances(free, start).items() if cell not in taken}
    if not steps:
        return start, float("inf")
    cell = min(steps, key=lambda each: (abs(steps[each] - wanted), each))
    return cell, abs(steps[cell] - wanted)


def _between(free: Any, start: Cell, end: Cell) -> set[Cell]:
    """Cells of the shortest ways between two cells."""
    one, other = distances(free, start), distances(free, end)
    return {cell for cell in one if cell in other and one[cell] + other[cell] == one.get(end, -1)}
