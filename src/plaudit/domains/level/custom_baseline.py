"""The constructive generator of a game of one's own: dig corridors, place the walks' ends, strew the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.baselines import dig_tree
from plaudit.domains.level.custom import CustomGame
from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, distances
from plaudit.domains.level.request import LevelRequest, goals_of, tolerances

TRIES = 20
"""Digs and placings of which the one nearest to the request is kept."""
_LOOPS = 0.15
"""Share of the walls between two open cells that are opened: a tree has but one way to everything."""


def build_level(game: CustomGame, request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """The nearest to the request of a few levels, each dug and then furnished by distance."""
    rng = np.random.default_rng([seed % 2**64, 13])
    goals, limits = goals_of(game, [request]), tolerances(game, request)
    best, miss = np.zeros(request.size[::-1], np.uint8), float("inf")
    tries = 0
    while tries < TRIES and miss > 0:
        tries += 1
        level = _furnished(game, _dug(request.size[::-1], rng), request, rng)
        off = float(game.distance(game.measure(level[None]), goals, limits)[0])
        if off < miss:
            best, miss = level, off
    return best, {"evaluations": tries}


def _dug(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    free = dig_tree(shape, rng)
    around = np.pad(free, 1)
    beside = (around[:-2, 1:-1] & around[2:, 1:-1]) | (around[1:-1, :-2] & around[1:-1, 2:])
    return free | (beside & (rng.random(shape) < _LOOPS))


def _furnished(game: CustomGame, free: Any, request: LevelRequest, rng: np.random.Generator) -> Maps:
    """Put things into a map of walls and floor: first what walks come to, at the distance that is wanted."""
    level, rules = free.astype(np.uint8), game.rules
    wanted = {tile.name: int(request.target.get(tile.name, tile.min)) for tile in rules.tiles[2:]}
    places: dict[str, Cell] = {}
    for path in rules.paths:
        steps = request.target.get(path.name, path.min) / (len(path.points) - 1)
        for before, name in zip((None, *path.points[:-1]), path.points, strict=True):
            if name not in places and wanted[name] > 0:
                cell = _cell(level, places.get(before or ""), steps, rng)
                if cell is not None:
                    places[name], level[cell] = cell, rules.number(name)
                    wanted[name] -= 1
    rest = rng.permutation([name for name, count in wanted.items() for _ in range(count)])
    # What is solid goes into walls first, where it closes no way.
    walls, floor = (rng.permutation(np.flatnonzero(level.ravel() == kind)).tolist() for kind in (0, 1))
    solid = {tile.name for tile in rules.tiles if tile.solid}
    for name in rest.tolist():
        chosen = walls if (name in solid and walls) or not floor else floor
        if chosen:
            level.ravel()[chosen.pop()] = rules.number(name)
    return level


def _cell(level: Maps, start: Cell | None, wanted: float, rng: np.random.Generator) -> Cell | None:
    """A floor cell: any, or the one whose distance from `start` is nearest to what is wanted."""
    floor = [(int(y), int(x)) for y, x in np.argwhere(level == 1)]
    if not floor:
        return None
    if start is None:
        return floor[int(rng.integers(len(floor)))]
    steps = distances(level != 0, start)
    return min(floor, key=lambda cell: (abs(steps.get(cell, 10**6) - wanted), cell))
