"""What is reported of levels: quality, control and diversity, by code that no reward term or kernel uses.

Each game has a judge of its own beside this file (`maze_judge.py`, `zelda_judge.py`), in plain Python from
the PCG Benchmark's definitions (Khalifa et al., 2025, arXiv 2503.21474); what they share is here. Diversity
is scored within consecutive hundreds, as there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from plaudit.measure.diversity import unique_values
from plaudit.task import Item

if TYPE_CHECKING:
    from plaudit.domains.level.game import Game, Maps

BATCH = 100
"""Levels among which diversity is judged."""
Cell = tuple[int, int]
"""Row and column."""


class Judge(Protocol):
    """What a game's judge answers, as a module of three functions."""

    def survey(self, level: Maps) -> dict[str, Any]:
        """Figures of a level `(H, W)` by name; every target of the game is among them."""
        ...

    def passes(self, level: Maps, found: Mapping[str, Any]) -> bool:
        """Whether the level is a good one, from its figures."""
        ...

    def similarity(self, levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return `(n, n)` in [0, 1]: 1 = the same, 0 = different enough to count as two."""
        ...


def judge_levels(game: Game, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """Judged figures `(n,)` of each item: see `plaudit.task.Task.judge`."""
    levels = [item.content for item in items]
    figures = [game.judge.survey(level) for level in levels]
    quality = [game.judge.passes(level, found) for level, found in zip(levels, figures, strict=True)]
    control = [_in_tolerance(game, item, found) for item, found in zip(items, figures, strict=True)]
    unique = [
        unique_values(game.judge.similarity(levels[i : i + BATCH], figures[i : i + BATCH])) >= 1
        for i in range(0, len(items), BATCH)
    ]
    judged = {
        "quality": np.array(quality, np.float64),
        "control": np.array(control, np.float64),
        "diversity": np.concatenate(unique).astype(np.float64) if unique else np.zeros(0),
    }
    names = [name for name, value in figures[0].items() if isinstance(value, int | float)] if items else []
    return judged | {name: np.array([found[name] for found in figures], np.float64) for name in names}


def _in_tolerance(game: Game, item: Item, found: Mapping[str, Any]) -> bool:
    from plaudit.domains.level.request import tolerances

    limits = dict(zip(game.targets, tolerances(game, item.request), strict=True))  # type: ignore[arg-type]
    return all(abs(found[name] - value) <= limits[name] for name, value in item.request.target.items())


def number_of_regions(free: NDArray[np.bool_]) -> int:
    """Connected regions of a map `(H, W)` of cells that one may enter."""
    regions, seen = 0, set[Cell]()
    for start in map(tuple, np.argwhere(free).tolist()):
        if start not in seen:
            regions += 1
            seen.update(distances(free, start))
    return regions


def mirrored_route(route: Sequence[Cell], width: int, height: int) -> list[Cell]:
    """The route, mirrored so that it begins in the left half and in the upper half."""
    flip_y = bool(route) and route[0][0] > height / 2
    flip_x = bool(route) and route[0][1] > width / 2
    return [(height - y - 1 if flip_y else y, width - x - 1 if flip_x else x) for y, x in route]


def longest_path(free: NDArray[np.bool_]) -> list[Cell]:
    """Cells `(y, x)` of the longest path found by a double sweep in each region; empty for no open cell.

    First sweep from the region's first cell in scan order, second from the farthest cell (the first in
    scan order among equals); the first region with the longest path counts.
    """
    best: list[Cell] = []
    seen = set[Cell]()
    for start in map(tuple, np.argwhere(free).tolist()):
        if start in seen:
            continue
        first = distances(free, start)
        seen.update(first)
        one = _farthest(first)
        second = distances(free, one)
        other = _farthest(second)
        if second[other] + 1 > len(best):
            best = _walk_back(free, second, other)
    return best


def distances(free: NDArray[np.bool_], start: Cell) -> dict[Cell, int]:
    """Steps from `start` to every cell that can be reached."""
    found = {start: 0}
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        for near in neighbours(free, cell):
            if near not in found:
                found[near] = found[cell] + 1
                queue.append(near)
    return found


def neighbours(free: NDArray[np.bool_], cell: Cell) -> list[Cell]:
    y, x = cell
    height, width = free.shape
    around = ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x))
    return [(v, u) for v, u in around if 0 <= v < height and 0 <= u < width and free[v, u]]


def _farthest(found: dict[Cell, int]) -> Cell:
    return min(found, key=lambda cell: (-found[cell], cell))


def _walk_back(free: NDArray[np.bool_], steps: dict[Cell, int], cell: Cell) -> list[Cell]:
    path = [cell]
    while steps[cell] > 0:
        cell = next(near for near in neighbours(free, cell) if steps[near] == steps[cell] - 1)
        path.append(cell)
    return path
