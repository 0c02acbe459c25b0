"""Levels under way and what a composition makes of them, from statistics that are already there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Game, Goals, Maps, Size, Stats
from plaudit.domains.level.request import LevelRequest
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context


@dataclass(frozen=True)
class Edited:
    """R levels under way: maps and starts `(R, H, W)`, goals `(R, G)`, statistics `(R, S)`.

    `distance (R,)`: how far the statistics are from the goals, where the caller knows it already.
    """

    maps: Maps
    starts: Maps
    goals: Goals
    stats: Stats
    distance: NDArray[np.float64] | None = None


def score_levels(
    game: Game, composition: Composition, edited: Edited, tolerance: tuple[float, ...]
) -> NDArray[np.float64]:
    """Columns of the composition `(R, K)`; its terms measure nothing that `edited.stats` holds."""
    stats, goals, distance = edited.stats, edited.goals, edited.distance
    if distance is None:
        distance = game.distance(stats, goals, tolerance)
    counts = np.empty((2, len(edited.maps)), np.int64)
    passable = sum(1 << at for at, tile in enumerate(game.tiles) if tile.passable)
    tally(edited.maps, edited.starts, np.uint32(passable), counts)
    cache = {
        "statistics": {name: stats[:, i] for i, name in enumerate(game.statistics)},
        "targets": {name: goals[:, i] for i, name in enumerate(game.targets)},
        "tolerances": dict(zip(game.targets, tolerance, strict=True)),
        "distance": distance,
        "starts": edited.starts,
        "changed_cells": counts[0],
        "passable_cells": counts[1],
    }
    height, width = edited.maps.shape[1:]
    requests = RowRequests(game.targets, (width, height), goals, tolerance)
    return composition.score(edited.maps, Context(requests=requests, cache=cache))


@njit(cache=True, nogil=True)
def tally(maps: Any, starts: Any, passable: Any, out: Any) -> None:
    """Count into `out (2, R)` the cells of `maps (R, H, W)` that differ from `starts`, and those passable.

    `passable`: one bit for each of up to 32 tiles, so that the compiler can use vectors.
    """
    flat, first = maps.reshape(len(maps), -1), starts.reshape(len(maps), -1)
    for row in range(len(flat)):
        changed = open_cells = np.uint32(0)
        for cell in range(flat.shape[1]):
            changed = np.uint32(changed + np.uint32(flat[row, cell] != first[row, cell]))
            open_cells = np.uint32(open_cells + ((passable >> np.uint32(flat[row, cell])) & np.uint32(1)))
        out[0, row], out[1, row] = changed, open_cells


class RowRequests(Sequence[LevelRequest]):
    """The rows' requests, each made when a term looks at it: most terms read the cache alone."""

    def __init__(self, names: Sequence[str], size: Size, goals: Goals, tolerance: Sequence[float]) -> None:
        self._names, self._size, self._goals = names, size, goals
        self._tolerance = dict(zip(names, tolerance, strict=True))

    def __len__(self) -> int:
        return len(self._goals)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        pairs = zip(self._names, self._goals[row], strict=True)
        target = {name: float(value) for name, value in pairs if value != UNASKED}
        return LevelRequest(size=self._size, target=target, tolerance=self._tolerance)
