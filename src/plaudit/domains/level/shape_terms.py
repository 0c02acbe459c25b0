"""Reward terms of the cells that one can enter, whatever the game: how open, how dense, where it gets narrow.

`density` (share of solid cells) and `openness` (share of open cells with open cells all around) are metrics
of the Danesh tool (Cook, Gow and Colton, 2016). Choke points are articulation points of the graph of open
cells (Hopcroft and Tarjan, 1973). Where gravity holds, in caves and platformers, all of them are about the
cells that are not solid, not about where a player can get to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level import maze_kernels
from plaudit.domains.level.game import Maps, stack_sizes
from plaudit.domains.level.request import LARGEST
from plaudit.reward.term import Context, Scores, Term

Free = NDArray[np.bool_]
"""Cells `(B, H, W)` that one can enter."""


def shape_terms(passable: NDArray[np.bool_], regions: bool) -> tuple[Term, ...]:
    """Terms of a game; `passable (T,)`: tiles that can be entered; `regions`: whether it needs that one."""

    def term(name: str, measure: Callable[[Free], NDArray[Any]], what: str, **rest: Any) -> Term:
        return Term(name, each(lambda maps: measure(passable[maps])), what, (0.0, 1.0), **rest)

    own = Term(
        "regions",
        each(lambda maps: count_regions(passable[maps])),
        "Connected regions of the cells that can be entered.",
        (0.0, LARGEST * LARGEST / 2.0),
        direction="minimize",
    )
    return (
        Term("open_share", partial(_open_share, passable), "Share of open cells.", (0.0, 1.0)),
        term("density", lambda free: 1.0 - free.mean(axis=(1, 2)), "Share of solid cells."),
        term("openness", openness, "Share of the open cells with open cells on all eight sides."),
        term(
            "dead_ends",
            dead_ends,
            "Share of the open cells that have at most one open neighbour.",
            direction="minimize",
        ),
        term(
            "choke_points",
            choke_points,
            "Share of the open cells without which their region falls apart.",
        ),
        *((own,) if regions else ()),
    )


def each(measure: Callable[[Maps], NDArray[Any]]) -> Callable[[Any, Context], Scores]:
    """Make a term of a measure over maps of one size, `(R, H, W) -> (R,)`."""

    def score(items: Any, context: Context) -> Scores:
        values = np.empty(len(items))
        for rows, maps in stack_sizes(items):
            values[rows] = measure(maps)
        return values

    return score


def _open_share(passable: Free, items: Any, context: Context) -> Scores:
    if "passable_cells" in context.cache:
        return np.asarray(context.cache["passable_cells"] / items[0].size)
    return each(lambda maps: passable[maps].mean(axis=(1, 2)))(items, context)


def count_regions(free: Free) -> NDArray[np.int64]:
    """Connected regions `(B,)`."""
    stats = np.empty((len(free), 2), np.int32)
    maze_kernels.measure(np.ascontiguousarray(free).astype(np.uint8), stats)
    return stats[:, 0].astype(np.int64)


def openness(free: Free) -> NDArray[np.float64]:
    """Share `(B,)` of the open cells whose eight neighbours are open; beyond the map all is solid."""
    height, width = free.shape[1:]
    padded = np.pad(free, ((0, 0), (1, 1), (1, 1)))
    around = np.ones_like(free)
    for dy in range(3):
        for dx in range(3):
            around &= padded[:, dy : dy + height, dx : dx + width]
    return np.asarray(around.sum(axis=(1, 2)) / np.maximum(free.sum(axis=(1, 2)), 1))


def dead_ends(free: Free) -> NDArray[np.float64]:
    """Share `(B,)` of the open cells with at most one open neighbour."""
    padded = np.pad(free, ((0, 0), (1, 1), (1, 1))).astype(np.int64)
    vertical = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1]
    neighbours = vertical + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    return np.asarray((free & (neighbours <= 1)).sum(axis=(1, 2)) / np.maximum(free.sum(axis=(1, 2)), 1))


def choke_points(free: Free) -> NDArray[np.float64]:
    """Share `(B,)` of the open cells that are articulation points."""
    chokes = np.zeros(free.shape, np.bool_)
    mark_chokes(np.ascontiguousarray(free), chokes)
    return np.asarray(chokes.sum(axis=(1, 2)) / np.maximum(free.sum(axis=(1, 2)), 1))


@njit(cache=True, nogil=True)
def mark_chokes(free: Any, chokes: Any) -> None:
    """Mark articulation points of maps `(B, H, W)` in `chokes`, by one depth-first walk of each region."""
    rows, height, width = free.shape
    cells = height * width
    seen = np.zeros(cells, np.int32)
    low = np.zeros(cells, np.int32)
    above = np.zeros(cells, np.int32)
    tried = np.zeros(cells, np.int8)
    for row in range(rows):
        open_cells, marked = free[row].ravel(), chokes[row].reshape(cells)
        seen[:], tried[:] = 0, 0
        clock = 0
        for root in range(cells):
            if open_cells[root] and seen[root] == 0:
                clock = _walk(open_cells, marked, (root, clock, width), (seen, low, above, tried))


@njit(cache=True, nogil=True)
def _walk(open_cells: Any, marked: Any, begin: Any, notes: Any) -> int:
    """Walk the region of a root; returns the clock. `notes`: when seen, lowest reached, from where, tried."""
    root, clock, width = begin
    seen, low, above, tried = notes
    clock += 1
    seen[root] = low[root] = clock
    above[root] = -1
    branches, at = 0, root
    while at >= 0:
        if tried[at] < 4:
            to = _beside(at, tried[at], width, len(open_cells))
            tried[at] += 1
            if to < 0 or not open_cells[to] or to == above[at]:
                continue
            if seen[to]:
                low[at] = min(low[at], seen[to])
                continue
            clock += 1
            seen[to] = low[to] = clock
            above[to] = at
            branches += at == root
            at = to
        else:
            back = above[at]
            if back >= 0:
                low[back] = min(low[back], low[at])
                if back != root and low[at] >= seen[back]:
                    marked[back] = True
            at = back
    if branches > 1:
        marked[root] = True
    return clock


@njit(cache=True, nogil=True, inline="always")
def _beside(cell: int, side: int, width: int, cells: int) -> int:
    """The neighbour on a side: left, right, above, below; -1 = beyond the map."""
    if side == 0:
        return cell - 1 if cell % width else -1
    if side == 1:
        return cell + 1 if (cell + 1) % width else -1
    to = cell - width if side == 2 else cell + width
    return to if 0 <= to < cells else -1
