"""The judge of a game of one's own, in plain Python: shares no code with the kernel that rewards use.

Walks are found leg by leg, cheapest first, each leg beginning with what the legs before it cost. Two levels
are alike where their cells agree: 40 % of the cells must differ before they are two.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.custom_rules import GameRules, PathRule
from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, neighbours, number_of_regions

DIFFERENT = 0.4
"""Share of the cells."""


class RulesJudge:
    """Judges levels by the rules of one game; see `metrics.Judge`."""

    def __init__(self, rules: GameRules) -> None:
        self.rules = rules
        self.names = [tile.name for tile in rules.tiles]

    def survey(self, level: Maps) -> dict[str, Any]:
        """Counts, regions and steps by name."""
        count = Counter(self.names[tile] for tile in level.ravel().tolist())
        found: dict[str, Any] = {name: count[name] for name in self.names}
        for region in self.rules.regions:
            found[region.name] = number_of_regions(self._cells(level, region.tiles or self.rules.walkable))
        return found | {path.name: self._steps(level, path) for path in self.rules.paths}

    def passes(self, level: Maps, found: Mapping[str, Any]) -> bool:
        """Whether every count, region and walk is within its rule."""
        del level
        rules = (*self.rules.tiles, *self.rules.regions, *self.rules.paths)
        fits = [rule.min <= found[rule.name] <= (np.inf if rule.max is None else rule.max) for rule in rules]
        return all(fits) and all(found[path.name] >= 0 for path in self.rules.paths)

    def similarity(self, levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return `(n, n)` in [0, 1]: 1 for equal levels, 0 from 40 % of different cells on."""
        del figures
        alike = np.eye(len(levels))
        for i, one in enumerate(levels):
            for j, other in enumerate(levels):
                if i != j and one.shape == other.shape:
                    alike[i, j] = 1.0 - min(float((one != other).mean()) / DIFFERENT, 1.0)
        return alike

    def _cells(self, level: Maps, names: Sequence[str]) -> NDArray[np.bool_]:
        return np.isin(level, [self.names.index(name) for name in names])

    def _steps(self, level: Maps, path: PathRule) -> int:
        """Steps of the shortest walk that comes to all points of a path; -1 = none."""
        free = self._cells(level, [name for name in self.rules.walkable if name not in path.closed])
        costs: dict[Cell, int] = {}
        for leg, name in enumerate(path.points):
            here = [(int(y), int(x)) for y, x in np.argwhere(self._cells(level, [name]))]
            reached = dict.fromkeys(here, 0) if leg == 0 else _cheapest(free, costs)
            costs = {cell: reached[cell] for cell in here if cell in reached}
        return min(costs.values(), default=-1)


def _cheapest(free: NDArray[np.bool_], costs: Mapping[Cell, int]) -> dict[Cell, int]:
    """The least that every cell costs, from cells that cost something already (Dijkstra, 1959)."""
    done: dict[Cell, int] = {}
    heap = [(cost, cell) for cell, cost in costs.items()]
    heapq.heapify(heap)
    while heap:
        cost, cell = heapq.heappop(heap)
        if cell in done:
            continue
        done[cell] = cost
        for near in neighbours(free, cell):
            if near not in done:
                heapq.heappush(heap, (cost + 1, near))
    return done
