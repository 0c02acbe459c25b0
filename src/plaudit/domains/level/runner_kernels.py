"""Compiled statistics of runner levels: what stands where it must not, amounts, and what one play can do.

`runner.py` gives the rules; `runner_physics.py` says how a player moves. A cell that breaks a rule is marked,
and counts once in `misplaced`. Maps are flat, with a border one cell wide (stride `W + 2`), as there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.runner_physics import (
    ALL,
    BORDER,
    BRICK,
    EXIT,
    FAR,
    GOLD,
    GUARD,
    LADDER,
    OPEN,
    PLAYER,
    ROPE,
    WALL,
    best_play,
    solid,
    spread,
    supported,
    walk,
)
from plaudit.domains.level.walks import pad

(
    PLAYERS,
    EXITS,
    GOLDS,
    GUARDS,
    LADDERS,
    ROPES,
    SOLIDS,
    MOVES,
    MISSED,
    BURIED,
    IDLE,
    EXPLORED,
    MISPLACED,
    FAULTS,
) = range(14)
"""Columns of the statistics; MOVES is -1 where there is no way, and MISSED, BURIED are 0 there."""
STATISTICS = 14
DETAILS = 12
"""Planes that `paint` writes: come to, leads to the exit, on the best play, ticks, misplaced, no use, height,
and what is lacking or too much of gold, guards, ladders, ropes and solid cells."""
_SINGLE, _NO_WAY, _MISS, _WRONG = 3, 6, 2, 2
"""What is in the wrong place, or cannot be had, weighs more than one too few of it: else taking it away
would gain nothing."""
_IDLE, _SPACE = 4, 5
"""One in so many of the floors, ladders and ropes may be of no use; one in so many cells of the map must be
one that the player can come to."""
_FAR_GOLD = 3
"""Most that the way from all that one comes to adds to a piece of gold that is out of reach."""


@njit(cache=True, nogil=True)
def amounts(width: int, height: int) -> Any:
    """Least and most of gold, guards, ladders, ropes, solid cells and moves on such a map, `(6, 2)`."""
    cells = width * height
    return np.array(
        [
            [3 * width // 16, width // 2],
            [width // 10, width // 4],
            [cells // 25, cells // 5],
            [cells // 100, cells // 8],
            [cells // 6, cells // 2],
            [(width + height) // 2, 3 * cells],
        ]
    )


@njit(cache=True, nogil=True)
def _rope_hangs(flat: Any, cell: int, below: int) -> bool:
    """Whether a rope's cell has nothing solid below, and is one of three beside each other."""
    left, right = flat[cell - 1] == ROPE, flat[cell + 1] == ROPE
    if left and right:
        return not solid(below)
    long = (left and flat[cell - 2] == ROPE) or (right and flat[cell + 2] == ROPE)
    return long and not solid(below)


@njit(cache=True, nogil=True)
def in_place(flat: Any, stride: int, cell: int) -> bool:
    """Whether a cell keeps to the rules of where its tile may be."""
    tile, above, below = flat[cell], flat[cell - stride], flat[cell + stride]
    if tile == OPEN:
        return True
    if tile == ROPE:
        return _rope_hangs(flat, cell, below)
    if tile == LADDER:
        return not solid(above) and (below == LADDER or (solid(below) and above == LADDER))
    if solid(tile):
        return flat[cell - 1] in (WALL, BRICK) or flat[cell + 1] in (WALL, BRICK)
    return supported(flat, stride, cell)


@njit(cache=True, nogil=True)
def of_use(flat: Any, stride: int, cell: int) -> bool:
    """Whether a cell is one that a player should be able to come to: a floor's, a ladder's or a rope's."""
    tile = flat[cell]
    if tile in (LADDER, ROPE):
        return True
    return not solid(tile) and tile != GUARD and supported(flat, stride, cell)


@njit(cache=True, nogil=True)
def _count(flat: Any, stride: int, out: Any) -> Any:
    """Count tiles and misplaced cells into `out`; the cells of the last player and exit."""
    player, leave, wrong = -1, -1, 0
    count = np.zeros(BORDER + 1, np.int32)
    for cell in range(stride, flat.size - stride):
        tile = flat[cell]
        count[tile] += 1
        if tile not in (OPEN, BORDER):
            wrong += not in_place(flat, stride, cell)
            if tile == PLAYER:
                player = cell
            if tile == EXIT:
                leave = cell
    out[PLAYERS], out[EXITS], out[GOLDS], out[GUARDS] = count[PLAYER], count[EXIT], count[GOLD], count[GUARD]
    out[LADDERS], out[ROPES], out[SOLIDS] = count[LADDER], count[ROPE], count[WALL] + count[BRICK]
    out[MISPLACED] = wrong
    return player, leave


@njit(cache=True, nogil=True)
def _near(stride: int, cell: int, ticks: Any) -> int:
    """Steps, as if nothing were in the way, from a cell to the nearest that is come to."""
    y, x = cell // stride, cell % stride
    nearest = stride + len(ticks) // stride
    for other in range(stride, len(ticks) - stride):
        if ticks[other] != FAR:
            nearest = min(nearest, abs(y - other // stride) + abs(x - other % stride))
    return nearest


@njit(cache=True, nogil=True)
def _explore(flat: Any, stride: int, ticks: Any, out: Any) -> int:
    """Count cells come to and those of no use; faults of what is too little used or too far away."""
    useful, faults = 0, 0
    for cell in range(stride, flat.size - stride):
        tile = flat[cell]
        if solid(tile):
            continue
        come = ticks[cell] != FAR
        out[EXPLORED] += come
        if of_use(flat, stride, cell):
            useful += 1
            out[IDLE] += not come
        if tile == GOLD and not come:
            faults += min(_near(stride, cell, ticks) - 1, _FAR_GOLD)
    space = (stride - 2) * (flat.size // stride - 2) // _SPACE
    return faults + max(out[IDLE] - useful // _IDLE, 0) + (max(space - out[EXPLORED], 0) + 3) // 4


@njit(cache=True, nogil=True)
def _survey(flat: Any, stride: int, ways: Any, seen: Any, out: Any) -> None:
    """Fill `out (STATISTICS,)` from a map; `seen (2, N)`: ticks to each cell, and what `best_play` says."""
    out[:] = 0
    seen[0], seen[1] = FAR, 0
    player, leave = _count(flat, stride, out)
    width, height = stride - 2, flat.size // stride - 2
    limits = amounts(width, height)
    wrong = _WRONG * out[MISPLACED] + _SINGLE * (abs(out[PLAYERS] - 1) + abs(out[EXITS] - 1))
    for kind, column in enumerate((GOLDS, GUARDS, LADDERS, ROPES, SOLIDS)):
        wrong += max(limits[kind, 0] - out[column], out[column] - limits[kind, 1], 0)
    out[MOVES] = -1
    if out[PLAYERS] != 1 or out[EXITS] != 1:
        out[FAULTS] = wrong + _NO_WAY + height + width
        return
    ticks, leads = seen[0], seen[1]
    spread(flat, stride, player, ways, ticks)
    wrong += _explore(flat, stride, ticks, out)
    if ticks[leave] == FAR:
        out[FAULTS] = wrong + _NO_WAY + _near(stride, leave, ticks)
        return
    walk(player, ways, leads)
    for cell in range(stride, flat.size - stride):
        out[BURIED] += flat[cell] == GOLD and not leads[cell]
    out[MISSED] = out[GOLDS] - best_play(flat, player, ways, leads)
    out[MOVES] = ticks[leave]
    out[FAULTS] = wrong + _MISS * out[MISSED] + max(limits[5, 0] - out[MOVES], 0)


@njit(cache=True, nogil=True)
def _bordered(width: int, height: int) -> Any:
    """Room for a map with its border, for its ways, and for what is seen of it."""
    size = (width + 2) * (height + 2)
    return (
        np.full(size, BORDER, np.uint8),
        np.empty((size, ALL + 1), np.int32),
        np.empty((2, size), np.int32),
    )


@njit(cache=True, nogil=True)
def measure(maps: Any, out: Any) -> None:
    """Statistics of `maps (B, H, W) uint8` into `out (B, STATISTICS) int32`."""
    flat, ways, seen = _bordered(maps.shape[2], maps.shape[1])
    for row in range(len(maps)):
        pad(maps[row], flat)
        _survey(flat, maps.shape[2] + 2, ways, seen, out[row])


@njit(cache=True, nogil=True)
def paint(maps: Any, out: Any, planes: Any) -> None:
    """Statistics into `out (B, STATISTICS)`, and the planes of `DETAILS` into `planes (B, H, W, DETAILS)`."""
    rows, height, width = maps.shape
    stride, limits = width + 2, amounts(width, height)
    flat, ways, seen = _bordered(width, height)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, stride, ways, seen, out[row])
        for y in range(height):
            for x in range(width):
                cell, at = planes[row, y, x], (y + 1) * stride + x + 1
                ticks, leads = seen[0, at], seen[1, at]
                cell[0] = np.float32(ticks != FAR)
                cell[1] = np.float32(leads >= 2)
                cell[2] = np.float32(leads == 3)
                cell[3] = np.float32(min(max(ticks, 0) / 50, 2.0))
                cell[4] = np.float32(not in_place(flat, stride, at))
                cell[5] = np.float32(ticks == FAR and of_use(flat, stride, at))
                cell[6] = np.float32((height - 1 - y) / height)
                for kind, column in enumerate((GOLDS, GUARDS, LADDERS, ROPES, SOLIDS)):
                    lack = max(limits[kind, 0] - out[row, column], 0)
                    much = max(out[row, column] - limits[kind, 1], 0)
                    cell[7 + kind] = np.float32(max(min((lack - much) / 4, 2.0), -2.0))


@njit(cache=True, nogil=True)
def suspect(maps: Any, out: Any) -> None:
    """How likely each cell of `maps (B, H, W)` is to be in need of an edit, above 0, into `out`."""
    rows, height, width = maps.shape
    stride = width + 2
    flat, ways, seen = _bordered(width, height)
    stats = np.empty(STATISTICS, np.int32)
    out[:] = np.float32(0.03)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, stride, ways, seen, stats)
        for y in range(height):
            for x in range(width):
                worth = _worth(flat, stride, seen, (y + 1) * stride + x + 1)
                for v in range(max(y - 1, 0), min(y + 2, height)):
                    for u in range(max(x - 1, 0), min(x + 2, width)):
                        out[row, v, u] = max(out[row, v, u], worth)


@njit(cache=True, nogil=True)
def _worth(flat: Any, stride: int, seen: Any, cell: int) -> Any:
    """How likely a cell, or one beside it, is to be in need of an edit: most where it is wrong or lost."""
    tile = flat[cell]
    lost = tile in (GOLD, EXIT) and seen[1, cell] < 3
    if lost or not in_place(flat, stride, cell):
        return np.float32(1.0)
    if seen[0, cell] == FAR and of_use(flat, stride, cell):
        return np.float32(0.4)
    return np.float32(0.03) if tile == OPEN and not supported(flat, stride, cell) else np.float32(0.1)
