"""Compiled statistics of platformers: what stands where it must not, amounts, and the jumps to the exit.

`platformer.py` gives the rules; `platformer_physics.py` says how a player moves, and finds all that one can
come to. A cell that breaks a rule is marked, and counts once in `misplaced`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.platformer_physics import (
    BLOCK,
    COIN,
    ENEMY,
    EXIT,
    OPEN,
    PIPE,
    PLAYER,
    WALL,
    begin,
    leap,
    make_bits,
    set_map,
    solid,
    touches,
)

(
    PLAYERS,
    EXITS,
    ENEMIES,
    COINS,
    PIPES,
    BLOCKS,
    GAPS,
    JUMPS,
    MISSED,
    MISPLACED,
    FAULTS,
) = range(11)
"""Columns of the statistics; JUMPS is -1 where there is no way, and MISSED is 0 there."""
STATISTICS = 11
DETAILS = 8
"""Planes that `paint` writes: come to, jumps that takes, misplaced, column, height, and what is lacking or
too much of pipes, blocks and gaps."""
WIDEST_GAP = 4
"""Columns without ground in a row."""
TALLEST_PIPE = 4
UNREACHED = 255
HIGHEST_STEP = 3
"""Cells that the ground may rise by from one column of ground to the next."""
_SINGLE, _NO_WAY, _JUMP = 3, 6, 2
_WRONG = 2
"""What is in the wrong place weighs more than one too few of it: else taking it away would gain nothing."""
_HALF = 3
"""Half a pipe too few weighs more than half a pipe misplaced, so that the first half gains already."""


@njit(cache=True, nogil=True)
def amounts(width: int) -> Any:
    """Least and most of pipes, blocks, gaps, enemies, coins and jumps on a level so wide, `(6, 2)`."""
    return np.array(
        [
            [width // 25, width // 6],
            [width // 10, width // 2],
            [width // 25, width // 8],
            [0, width // 5],
            [0, width // 4],
            [width // 12, width],
        ]
    )


@njit(cache=True, nogil=True)
def _is(level: Any, y: int, x: int, tile: int) -> bool:
    """Whether a cell holds a tile; outside of the map it holds none."""
    return 0 <= y < level.shape[0] and 0 <= x < level.shape[1] and level[y, x] == tile


@njit(cache=True, nogil=True)
def _firm(level: Any, y: int, x: int) -> bool:
    """Whether something solid is in a cell of the map."""
    return 0 <= y < level.shape[0] and solid(level[y, x])


@njit(cache=True, nogil=True)
def _pipe_stands(level: Any, y: int, x: int) -> bool:
    """Whether a pipe's cell has one other beside it, ground or the same pipe below, and nothing on it."""
    left, right = _is(level, y, x - 1, PIPE), _is(level, y, x + 1, PIPE)
    if left == right or _is(level, y, x - 2 if left else x + 2, PIPE):
        return False
    goes_on = _is(level, y + 1, x, PIPE)
    if goes_on != _is(level, y + 1, x - 1 if left else x + 1, PIPE):
        return False
    below = goes_on or _is(level, y + 1, x, WALL)
    if y == 0 or not below or _is(level, y - 1, x, WALL) or _is(level, y - 1, x, BLOCK):
        return False
    for under in range(1, TALLEST_PIPE + 1):
        if not _is(level, y + under, x, PIPE):
            return True
    return False


@njit(cache=True, nogil=True)
def _block_hangs(level: Any, y: int, x: int) -> bool:
    """Whether a block has another beside it, nothing on it, and two cells below to walk through."""
    beside = _is(level, y, x - 1, BLOCK) or _is(level, y, x + 1, BLOCK)
    room = y + 2 < level.shape[0] and not _firm(level, y + 1, x) and not _firm(level, y + 2, x)
    return beside and room and y > 0 and not _firm(level, y - 1, x)


@njit(cache=True, nogil=True)
def in_place(level: Any, y: int, x: int) -> bool:
    """Whether a cell keeps to the rules of where its tile may be."""
    height, width = level.shape
    tile, edge = level[y, x], width // 10
    if tile == WALL:
        return 2 * (height - y) <= height and (y == height - 1 or level[y + 1, x] == WALL)
    if tile == PIPE:
        return _pipe_stands(level, y, x)
    if tile == BLOCK:
        return _block_hangs(level, y, x)
    if tile == PLAYER:
        return _firm(level, y + 1, x) and x <= edge
    if tile == EXIT:
        return _firm(level, y + 1, x) and x >= width - 1 - edge
    return tile != ENEMY or _firm(level, y + 1, x)


@njit(cache=True, nogil=True)
def _count(level: Any, out: Any) -> Any:
    """Count tiles and misplaced cells into `out`; returns rows and columns of the last player and exit,
    and the cells at the upper ends of pipes."""
    height, width = level.shape
    tops = wrong = 0
    px = py = ex = ey = -1
    count = np.zeros(BLOCK + 1, np.int32)
    for y in range(height):
        for x in range(width):
            tile = level[y, x]
            if tile == OPEN:
                continue
            count[tile] += 1
            tops += tile == PIPE and not _is(level, y - 1, x, PIPE)
            wrong += not in_place(level, y, x)
            if tile == PLAYER:
                py, px = y, x
            if tile == EXIT:
                ey, ex = y, x
    out[PLAYERS], out[EXITS] = count[PLAYER], count[EXIT]
    out[ENEMIES], out[COINS], out[BLOCKS] = count[ENEMY], count[COIN], count[BLOCK]
    out[MISPLACED] = wrong
    out[PIPES] = tops // 2
    return py, px, ey, ex, tops


@njit(cache=True, nogil=True)
def _check_ground(level: Any, surface: Any) -> Any:
    """Number of gaps, and by how much gaps are too wide and steps up too high.

    Writes into `surface (W,)` the row of the cell that is wrong for it in each column, -1 = none.
    """
    height, width = level.shape
    gaps, wrong, run, before = 0, 0, 0, height
    for x in range(width):
        surface[x] = -1
        ground = 0
        while ground < height and level[height - 1 - ground, x] == WALL:
            ground += 1
        run = 0 if ground else run + 1
        gaps += run == 1
        if run > WIDEST_GAP:
            wrong += 1
            surface[x] = height - 1
        if ground:
            if ground - before > HIGHEST_STEP:
                wrong += ground - before - HIGHEST_STEP
                surface[x] = height - ground
            before = ground
    return gaps, wrong


@njit(cache=True, nogil=True)
def _survey(level: Any, bits: Any, when: Any, out: Any) -> None:
    """Fill `out (STATISTICS,)` from a map; `when (H, W)`, unless it is empty, gets the jumps to each cell."""
    height, width = level.shape
    out[:] = 0
    py, px, ey, ex, tops = _count(level, out)
    out[GAPS], wrong = _check_ground(level, np.empty(width, np.int32))
    wrong = _WRONG * (out[MISPLACED] + wrong)
    wrong += _SINGLE * (abs(out[PLAYERS] - 1) + abs(out[EXITS] - 1))
    limits = amounts(width)
    for kind, column in ((1, BLOCKS), (2, GAPS), (3, ENEMIES), (4, COINS)):
        wrong += max(limits[kind, 0] - out[column], out[column] - limits[kind, 1], 0)
    wrong += max(out[PIPES] - limits[0, 1], 0) + _HALF * max(2 * limits[0, 0] - tops, 0)
    out[JUMPS] = -1
    near = width + height
    if out[PLAYERS] == 1 and out[EXITS] == 1:
        set_map(level, bits)
        begin(bits, px, height - 1 - py)
        near = _play(level, bits, (ey, ex), when, out)
    if out[JUMPS] < 0:
        out[FAULTS] = wrong + _NO_WAY + near
    else:
        out[FAULTS] = wrong + _JUMP * max(limits[5, 0] - out[JUMPS], 0) + _WRONG * out[MISSED]


@njit(cache=True, nogil=True)
def _play(level: Any, bits: Any, leave: Any, when: Any, out: Any) -> int:
    """Jump until the exit and all coins are come to, or all that can be; how near to the exit one came."""
    height, width = level.shape
    ey, ex = leave
    jumps = 0
    _stamp(bits, when, jumps)
    while True:
        if out[JUMPS] < 0 and touches(bits, ex, height - 1 - ey):
            out[JUMPS] = jumps
        done = out[JUMPS] >= 0 and len(when) == 0 and _missed(level, bits) == 0
        if done or not leap(bits):
            break
        jumps += 1
        _stamp(bits, when, jumps)
    if out[JUMPS] < 0:
        return _near(bits, (width, height), ex, height - 1 - ey)
    out[MISSED] = _missed(level, bits)
    return 0


@njit(cache=True, nogil=True)
def _missed(level: Any, bits: Any) -> int:
    """Coins that were not come to."""
    missed = 0
    for y in range(level.shape[0]):
        for x in range(level.shape[1]):
            if level[y, x] == COIN:
                missed += not touches(bits, x, level.shape[0] - 1 - y)
    return missed


@njit(cache=True, nogil=True)
def _near(bits: Any, size: Any, x: int, h: int) -> int:
    """Columns from the exit to the nearest one come to, or rows where that is its own."""
    width, height = size
    nearest = width + height
    for column in range(width):
        if abs(column - x) < nearest:
            for row in range(height):
                if touches(bits, column, row):
                    nearest = min(nearest, max(abs(column - x), abs(row - h) if column == x else 0))
    return nearest


@njit(cache=True, nogil=True)
def _stamp(bits: Any, when: Any, jumps: int) -> None:
    """Write the number of jumps into cells of `when (H, W)` that are touched for the first time."""
    for y in range(when.shape[0]):
        for x in range(when.shape[1]):
            if when[y, x] == UNREACHED and touches(bits, x, when.shape[0] - 1 - y):
                when[y, x] = min(jumps, UNREACHED - 1)


@njit(cache=True, nogil=True)
def _measure(maps: Any, bits: Any, out: Any) -> None:
    nowhere = np.zeros((0, 0), np.uint8)
    for row in range(len(maps)):
        _survey(maps[row], bits, nowhere, out[row])


def measure(maps: Any, out: Any) -> None:
    """Statistics of `maps (B, H, W) uint8` into `out (B, STATISTICS) int32`."""
    _measure(maps, make_bits(maps.shape[2], maps.shape[1]), out)


@njit(cache=True, nogil=True)
def _paint(maps: Any, bits: Any, out: Any, planes: Any) -> None:
    rows, height, width = maps.shape
    when = np.empty((height, width), np.uint8)
    limits, surface = amounts(width), np.empty(width, np.int32)
    for row in range(rows):
        when[:] = UNREACHED
        _survey(maps[row], bits, when, out[row])
        _check_ground(maps[row], surface)
        for y in range(height):
            for x in range(width):
                cell, jumps = planes[row, y, x], when[y, x]
                cell[0] = np.float32(jumps != UNREACHED)
                cell[1] = np.float32(0.0 if jumps == UNREACHED else min(jumps / 10, 2.0))
                cell[2] = np.float32(surface[x] == y or not in_place(maps[row], y, x))
                cell[3] = np.float32(x / width)
                cell[4] = np.float32((height - 1 - y) / height)
                for kind, column in enumerate((PIPES, BLOCKS, GAPS)):
                    lack = max(limits[kind, 0] - out[row, column], 0)
                    much = max(out[row, column] - limits[kind, 1], 0)
                    cell[5 + kind] = np.float32(max(min((lack - much) / 4, 2.0), -2.0))


@njit(cache=True, nogil=True)
def suspect(maps: Any, out: Any) -> None:
    """How likely each cell of `maps (B, H, W)` is to be in need of an edit, above 0, into `out`."""
    rows, height, width = maps.shape
    out[:] = np.float32(0.02)
    surface = np.empty(width, np.int32)
    for row in range(rows):
        level = maps[row]
        _check_ground(level, surface)
        for y in range(height):
            for x in range(width):
                wrong, firm = surface[x] == y or not in_place(level, y, x), solid(level[y, x])
                if not wrong and not firm and level[y, x] == OPEN:
                    continue
                for v in range(max(y - 1, 0), min(y + 2, height)):
                    for u in range(max(x - 1, 0), min(x + 2, width)):
                        near = np.float32(0.1) if firm == solid(level[v, u]) else np.float32(0.3)
                        out[row, v, u] = max(out[row, v, u], np.float32(1.0) if wrong else near)


def paint(maps: Any, out: Any, planes: Any) -> None:
    """Statistics into `out (B, STATISTICS)`, and the planes of `DETAILS` into `planes (B, H, W, DETAILS)`."""
    _paint(maps, make_bits(maps.shape[2], maps.shape[1]), out, planes)
