"""Levels under way and what a composition makes of them, from statistics that are already there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Goals, Maps, Size, Stats
from plaudit.domains.level.request import LevelRequest
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context


@dataclass(frozen=True)
class Edited:
    """R levels under way: maps and starts `(R, H, W)`, goals `(R, G)`, statistics `(R, S)`."""

    maps: Maps
    starts: Maps
    goals: Goals
    stats: Stats


def score_levels(
    game: Game, composition: Composition, edited: Edited, tolerance: tuple[float, ...]
) -> NDArray[np.float64]:
    """Columns of the composition `(R, K)`; its terms measure nothing that `edited.stats` holds."""
    stats, goals = edited.stats, edited.goals
    cache = {
        "statistics": {name: stats[:, i] for i, name in enumerate(game.statistics)},
        "targets": {name: goals[:, i] for i, name in enumerate(game.targets)},
        "tolerances": dict(zip(game.targets, tolerance, strict=True)),
        "distance": game.distance(stats, goals, tolerance),
        "starts": edited.starts,
    }
    height, width = edited.maps.shape[1:]
    requests = RowRequests(game.targets, (width, height), goals, tolerance)
    return composition.score(edited.maps, Context(requests=requests, cache=cache))


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
        target = {name: float(value) for name, value in zip(self._names, self._goals[row], strict=True)}
        return LevelRequest(size=self._size, target=target, tolerance=self._tolerance)
