"""Walks of a given length that touch themselves nowhere, and dead ends beside them: the ways through plans.

A walk at random soon shuts itself in: on large maps it covers a sixth of the cells. But a walk can be changed
in the middle: of three cells in a row the middle one is replaced by three beside them, which makes the walk
two cells longer, and at a corner by the cell across. By many such changes, where they touch nothing, a short
walk comes to wind through half of a map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell

_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
PATIENCE = 30
"""Changes tried for each cell of a map."""


def beside(cell: Cell, shut: NDArray[np.bool_]) -> list[Cell]:
    """The cells beside one that are on the map and not shut."""
    height, width = shut.shape
    near = [(cell[0] + dy, cell[1] + dx) for dy, dx in _STEPS]
    return [(y, x) for y, x in near if 0 <= y < height and 0 <= x < width and not shut[y, x]]


def lengthen(walk: list[Cell], shut: NDArray[np.bool_], cells: int, rng: np.random.Generator) -> list[Cell]:
    """The walk wound to so many cells between its ends, where there is room; its first cell stays.

    shut: cells `(H, W)` that no walk leads through.
    """
    walk, taken = list(walk), set(walk)
    for place, side in rng.random((PATIENCE * shut.size, 2)).tolist():
        if len(walk) >= cells or len(walk) < 3:
            break
        at = int(place * (len(walk) - 2))
        _change(walk, taken, at, 1 if side < 0.5 else -1, shut)
    return walk[:cells]


def _change(walk: list[Cell], taken: set[Cell], at: int, side: int, shut: NDArray[np.bool_]) -> None:
    """Lead the walk round the cell after `at`, if that touches nothing."""
    one, middle, other = walk[at : at + 3]
    if one[0] == other[0]:
        new = [(y + side, x) for y, x in (one, middle, other)]
    elif one[1] == other[1]:
        new = [(y, x + side) for y, x in (one, middle, other)]
    else:
        new = [(one[0] + other[0] - middle[0], one[1] + other[1] - middle[1])]
    height, width = shut.shape
    for y, x in new:
        if not (0 <= y < height and 0 <= x < width) or (y, x) in taken or shut[y, x]:
            return
        for dy, dx in _STEPS:
            near = (y + dy, x + dx)
            if near in taken and near not in (one, middle, other):
                return
    walk[at + 1 : at + 2] = new
    taken.discard(middle)
    taken.update(new)


def dig_dead_ends(level: Maps, wall: int, floor: int, rng: np.random.Generator) -> list[Cell]:
    """Open walls that have one open cell beside them, in an order by chance, for as long as there are any.

    None leads from way to way. Returns the cells opened.
    """
    solid, opened, before = np.zeros(level.shape, np.bool_), [], -1
    while len(opened) > before:
        before = len(opened)
        for at in rng.permutation(level.size).tolist():
            cell = divmod(at, level.shape[1])
            if level[cell] == wall and sum(level[near] != wall for near in beside(cell, solid)) == 1:
                level[cell] = floor
                opened.append(cell)
    return opened
