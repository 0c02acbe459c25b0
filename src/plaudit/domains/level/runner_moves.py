"""The moves of hill climbing on runner levels: what a level is built of, put up, moved or taken away whole.

One cell at a time a ladder is never put up: its first cells are in the wrong place until the last one stands.
A move that breaks more than it mends is undone by the climb, so that moves need not look at the rules. Locked
cells are passed over. Maps are `(H, W)` here; every random choice of a move comes from one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.runner_physics import (
    BRICK,
    EXIT,
    GOLD,
    GUARD,
    LADDER,
    OPEN,
    PLAYER,
    ROPE,
    WALL,
    solid,
)

_TILES = 9
_LONGEST = 8
"""Cells of the longest floor, or rope, that a move lays."""
_ONE, _THING = 0.2, 0.55
"""Moves below the first number set one cell, those below the second one are about what stands on floors."""


@njit(cache=True, nogil=True)
def make_moves(maps: Any, locked: Any, cells: Any, drawn: Any) -> None:
    """Make a move in each of `maps (R, H, W)`, in place: at flat `cells (R,)`, by `drawn (R,)` in [0, 1).

    A move sets one cell, arranges things anywhere on the map, or builds at the cell; `locked (R, H, W)`.
    """
    for row in range(len(maps)):
        level, width = maps[row], maps.shape[2]
        y, x, number = cells[row] // width, cells[row] % width, drawn[row]
        if number < _ONE:
            tile = level[y, x] + 1 + int(number / _ONE * (_TILES - 1))
            _set(level, locked[row], y, x, np.uint8(tile % _TILES))
        elif number < _THING:
            _arrange(level, locked[row], (number - _ONE) / (_THING - _ONE))
        else:
            _build(level, locked[row], y, x, (number - _THING) / (1 - _THING))


@njit(cache=True, nogil=True)
def _build(level: Any, locked: Any, y: int, x: int, number: float) -> None:
    """Something is put up, taken away or moved at a cell."""
    kind, number = int(number * 8), number * 8 % 1
    if kind < 2:
        _put_up(level, locked, y, x, number)
    elif kind < 4:
        _take_away(level, locked, y, x, number)
    elif kind < 6:
        _lay(level, locked, y, x, number)
    elif kind < 7:
        _hang(level, locked, y, x, number)
    else:
        _swap(level, locked, y, x, number)


@njit(cache=True, nogil=True)
def _arrange(level: Any, locked: Any, number: float) -> None:
    """One gold or guard more, one thing less, or elsewhere, or a little aside: anywhere on the map."""
    kind, number = int(number * 5), number * 5 % 1
    if kind < 2:
        there = _pick(level, locked, False, number)
        if there >= 0:
            level.flat[there] = GOLD if kind else GUARD
        return
    here = _pick(level, locked, True, number)
    if here < 0:
        return
    width = level.shape[1]
    y, x = here // width, here % width
    thing = level[y, x]
    number = number * 4096 % 1
    if kind == 2:
        level[y, x] = OPEN
        return
    there = _pick(level, locked, False, number)
    if kind == 4:
        aside = x + int(number * 6) - 3
        aside += aside >= x
        near = 0 <= aside < width and level[y, aside] == OPEN and not locked[y, aside]
        there = y * width + aside if near else -1
    if there >= 0:
        level[y, x] = OPEN
        level.flat[there] = thing


@njit(cache=True, nogil=True)
def _pick(level: Any, locked: Any, things: bool, number: float) -> int:
    """One of the cells with a thing, or of the open ones to stand on, that are not locked; -1 = none."""
    found = 0
    for count in range(2):
        chosen = int(number * found) if count else -1
        found = 0
        for y in range(len(level)):
            for x in range(level.shape[1]):
                if locked[y, x]:
                    continue
                if things:
                    fits = level[y, x] in (GOLD, GUARD, EXIT, PLAYER)
                else:
                    below = level[y + 1, x] if y + 1 < len(level) else np.uint8(WALL)
                    fits = level[y, x] == OPEN and (solid(below) or below == LADDER)
                if fits and found == chosen:
                    return int(y * level.shape[1] + x)
                found += fits
    return -1


@njit(cache=True, nogil=True)
def _set(level: Any, locked: Any, y: int, x: int, tile: Any) -> None:
    if not locked[y, x]:
        level[y, x] = tile


@njit(cache=True, nogil=True)
def _put_up(level: Any, locked: Any, y: int, x: int, number: float) -> None:
    """A ladder from here down to what is solid, with or without room to step off above."""
    _set(level, locked, y, x, np.uint8(LADDER))
    if number < 0.5 and y > 0 and solid(level[y - 1, x]):
        _set(level, locked, y - 1, x, np.uint8(OPEN))
    for v in range(y + 1, len(level)):
        if solid(level[v, x]):
            return
        _set(level, locked, v, x, np.uint8(LADDER))


@njit(cache=True, nogil=True)
def _take_away(level: Any, locked: Any, y: int, x: int, number: float) -> None:
    """The whole ladder or rope that is here, or one to eight cells of the floor around."""
    if level[y, x] == LADDER:
        _take_ladder(level, locked, y, x)
        return
    width = level.shape[1]
    if level[y, x] == ROPE:
        begin, end = x, x + 1
        while begin > 0 and level[y, begin - 1] == ROPE:
            begin -= 1
        while end < width and level[y, end] == ROPE:
            end += 1
    else:
        long, number = 1 + int(number * _LONGEST), number * _LONGEST % 1
        begin = max(0, x - int(number * long))
        end = min(begin + long, width)
    for u in range(begin, end):
        if level[y, u] == ROPE or solid(level[y, u]):
            _set(level, locked, y, u, np.uint8(OPEN))


@njit(cache=True, nogil=True)
def _take_ladder(level: Any, locked: Any, y: int, x: int) -> None:
    """A ladder is taken away; the floors that it broke are whole again."""
    while y > 0 and level[y - 1, x] == LADDER:
        y -= 1
    while y < len(level) and level[y, x] == LADDER:
        left = x > 0 and solid(level[y, x - 1])
        right = x + 1 < level.shape[1] and solid(level[y, x + 1])
        _set(level, locked, y, x, np.uint8(BRICK if left or right else OPEN))
        y += 1


@njit(cache=True, nogil=True)
def _lay(level: Any, locked: Any, y: int, x: int, number: float) -> None:
    """Two to eight cells of floor from here to one side; only what is open is changed."""
    number *= 2
    step, number = (1, number - 1) if number >= 1 else (-1, number)
    for i in range(2 + int(number * (_LONGEST - 1))):
        u = x + i * step
        if u < 0 or u >= level.shape[1]:
            return
        if level[y, u] == OPEN or (i == 0 and not solid(level[y, u])):
            _set(level, locked, y, u, np.uint8(BRICK))


@njit(cache=True, nogil=True)
def _hang(level: Any, locked: Any, y: int, x: int, number: float) -> None:
    """A rope of three to eight cells through here, with nothing solid below."""
    before, number = int(number * 3), number * 3 % 1
    begin = max(0, x - before)
    for u in range(begin, min(begin + 3 + int(number * (_LONGEST - 2)), level.shape[1])):
        if level[y, u] not in (LADDER, PLAYER, EXIT):
            _set(level, locked, y, u, np.uint8(ROPE))
        if y + 1 < len(level) and solid(level[y + 1, u]):
            _set(level, locked, y + 1, u, np.uint8(OPEN))


@njit(cache=True, nogil=True)
def _swap(level: Any, locked: Any, y: int, x: int, number: float) -> None:
    """Two cells beside one another change places."""
    way = int(number * 4)
    v, u = y + (way == 0) - (way == 1), x + (way == 2) - (way == 3)
    inside = 0 <= v < len(level) and 0 <= u < level.shape[1]
    if inside and not locked[y, x] and not locked[v, u]:
        level[y, x], level[v, u] = level[v, u], level[y, x]
