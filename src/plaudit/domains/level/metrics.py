"""The judge of levels: quality, control and diversity by code that no reward term or kernel uses.

Plain breadth-first searches, written from the PCG Benchmark's definitions (Khalifa et al., 2025, arXiv
2503.21474). Diversity is scored within consecutive hundreds, as there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.request import tolerances
from plaudit.measure.diversity import unique_values
from plaudit.task import Item

BATCH = 100
"""Levels among which diversity is judged."""
SIMILAR = 0.4
"""Share of the cells in which two levels must differ to count as different."""
Cell = tuple[int, int]


def judge_levels(game: Game, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """Judged figures `(n,)` of each item: see `plaudit.task.Task.judge`."""
    passable = np.array([tile.passable for tile in game.tiles])
    figures = [survey(passable[item.content]) for item in items]
    quality = [game.passes(item.content, found) for item, found in zip(items, figures, strict=True)]
    control = [_in_tolerance(game, item, found) for item, found in zip(items, figures, strict=True)]
    batches = [items[i : i + BATCH] for i in range(0, len(items), BATCH)]
    unique = [unique_values(similarity([item.content for item in batch])) >= 1 for batch in batches]
    judged = {
        "quality": np.array(quality, np.float64),
        "control": np.array(control, np.float64),
        "diversity": np.concatenate(unique).astype(np.float64) if unique else np.zeros(0),
    }
    names = ("regions", "path", "open", "dead_ends")
    return judged | {name: np.array([found[name] for found in figures], np.float64) for name in names}


def _in_tolerance(game: Game, item: Item, found: dict[str, float]) -> bool:
    limits = dict(zip(game.targets, tolerances(game, item.request), strict=True))  # type: ignore[arg-type]
    return all(abs(found[name] - value) <= limits[name] for name, value in item.request.target.items())


def survey(free: NDArray[np.bool_]) -> dict[str, float]:
    """Regions, longest path (steps), open share and dead ends of a map `(H, W)` of passable cells."""
    longest = longest_path(free)
    regions, seen = 0, set[Cell]()
    for start in map(tuple, np.argwhere(free).tolist()):
        if start not in seen:
            regions += 1
            seen.update(distances(free, start))
    dead = sum(len(_neighbours(free, (int(y), int(x)))) <= 1 for y, x in np.argwhere(free))
    return {
        "regions": float(regions),
        "path": float(max(len(longest) - 1, 0)),
        "open": float(free.mean()),
        "dead_ends": float(dead),
    }


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
        for near in _neighbours(free, cell):
            if near not in found:
                found[near] = found[cell] + 1
                queue.append(near)
    return found


def _neighbours(free: NDArray[np.bool_], cell: Cell) -> list[Cell]:
    y, x = cell
    height, width = free.shape
    around = ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x))
    return [(v, u) for v, u in around if 0 <= v < height and 0 <= u < width and free[v, u]]


def _farthest(found: dict[Cell, int]) -> Cell:
    return min(found, key=lambda cell: (-found[cell], cell))


def _walk_back(free: NDArray[np.bool_], steps: dict[Cell, int], cell: Cell) -> list[Cell]:
    path = [cell]
    while steps[cell] > 0:
        cell = next(near for near in _neighbours(free, cell) if steps[near] == steps[cell] - 1)
        path.append(cell)
    return path


def similarity(levels: Sequence[Maps]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 1 for equal levels, 0 from 40 % of differing cells on or other sizes."""
    alike = np.eye(len(levels))
    for i, one in enumerate(levels):
        for j in range(i):
            other = levels[j]
            if one.shape == other.shape:
                share = np.count_nonzero(one != other) / (SIMILAR * one.size)
                alike[i, j] = alike[j, i] = 1.0 - min(share, 1.0)
    return alike
