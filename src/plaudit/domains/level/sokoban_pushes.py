"""Whether a small Sokoban level can be solved at all, by pushes alone, on bitboards.

The benchmark's searches go move by move and tell crates apart: where a level cannot be solved they take up
thousands of positions four times before they give up. What decides it are the cells that crates stand on, in
whatever order, and the part of the level in which the player is: far fewer positions (the state space of
Junghanns and Schaeffer, 2001). Cells from which no push leads to a target are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.sokoban_kernels import CRATE, PLAYER, TARGET, WALL

MOST_POSITIONS = 3000
"""Positions that are looked at before it is left open."""
_TABLE = 8192
_ONE, _NONE = np.uint64(1), np.uint64(0)


@njit(cache=True, nogil=True)
def make_positions() -> Any:
    """Scratch of `may_be_solved`: crates and players of positions, and what was seen."""
    return (
        np.zeros(MOST_POSITIONS + 64, np.uint64),
        np.zeros(MOST_POSITIONS + 64, np.uint64),
        np.zeros(_TABLE, np.int32),
    )


@njit(cache=True, nogil=True)
def may_be_solved(flat: Any, width: int, positions: Any) -> bool:
    """Whether a padded map of at most 64 cells has a solution, or may have one.

    flat: its tiles `(N,)`, walls around; width: of its rows. False only where there is none.
    """
    crates, players, table = positions
    free, start, goal, player = _masks(flat)
    live = _live(free, goal, width)
    if start & ~live:
        return False
    table[:] = -1
    crates[0], players[0] = start, _lowest(_reach(player, free & ~start, width))
    _is_new(crates, players, 0, table)
    made, now = 1, 0
    while now < made:
        if crates[now] == goal:
            return True
        if made > MOST_POSITIONS:
            return True
        made = _push_all(now, made, (free, live, width), positions)
        now += 1
    return False


@njit(cache=True, nogil=True)
def _masks(flat: Any) -> Any:
    free, crates, goal, player = _NONE, _NONE, _NONE, _NONE
    for cell in range(flat.size):
        bit = _ONE << np.uint64(cell)
        if flat[cell] != WALL:
            free |= bit
        if flat[cell] == CRATE:
            crates |= bit
        if flat[cell] == TARGET:
            goal |= bit
        if flat[cell] == PLAYER:
            player |= bit
    return free, crates, goal, player


@njit(cache=True, nogil=True, inline="always")
def _shift(cells: Any, way: int, width: int) -> Any:
    """Cells one step left, right, up or down of others; the walls around keep rows apart."""
    if way == 0:
        return cells >> _ONE
    if way == 1:
        return cells << _ONE
    return cells >> np.uint64(width) if way == 2 else cells << np.uint64(width)


@njit(cache=True, nogil=True)
def _reach(cells: Any, free: Any, width: int) -> Any:
    """All cells that are walked to from some."""
    row, before = np.uint64(width), _NONE
    while cells != before:
        before = cells
        cells = (cells | cells >> _ONE | cells << _ONE | cells >> row | cells << row) & free
    return cells


@njit(cache=True, nogil=True, inline="always")
def _lowest(cells: Any) -> Any:
    return cells & (~cells + _ONE)


@njit(cache=True, nogil=True)
def _live(free: Any, goal: Any, width: int) -> Any:
    """Cells from which a crate alone on the map can be pushed to a target: pulled back from the targets."""
    live, before = goal & free, _NONE
    while live != before:
        before = live
        for way in range(4):
            pulled = _shift(live, way, width) & free
            live |= _shift(_shift(pulled, way, width) & free, way ^ 1, width) & pulled
    return live


@njit(cache=True, nogil=True)
def _push_all(now: int, made: int, board: Any, positions: Any) -> int:
    """Write the positions after one push from position `now`; returns how many there are then."""
    free, live, width = board
    crates, players, table = positions
    here = crates[now]
    reach = _reach(players[now], free & ~here, width)
    for way in range(4):
        pushed = _shift(reach, way, width) & here
        pushed &= _shift(live & ~here, way ^ 1, width)
        while pushed:
            crate = _lowest(pushed)
            pushed ^= crate
            crates[made] = (here ^ crate) | _shift(crate, way, width)
            players[made] = _lowest(_reach(crate, free & ~crates[made], width))
            made += _is_new(crates, players, made, table)
    return made


@njit(cache=True, nogil=True)
def _is_new(crates: Any, players: Any, row: int, table: Any) -> bool:
    """Whether a position was not seen before; it is kept in the table of rows."""
    mixed = (crates[row] * np.uint64(0x9E3779B97F4A7C15)) ^ (players[row] * np.uint64(0xC2B2AE3D27D4EB4F))
    place = np.int64((mixed >> np.uint64(40)) & np.uint64(_TABLE - 1))
    while table[place] >= 0:
        known = table[place]
        if crates[known] == crates[row] and players[known] == players[row]:
            return False
        place = np.int64((place + 1) & (_TABLE - 1))
    table[place] = row
    return True
