"""Playing runner levels: run, climb, hang, dig, take all the gold, and leave by the exit, tick by tick.

The physics stand in `runner.py`. An open hole is a tile of its own on a board, with the ticks for which one
can get into it. Who can no longer take all the gold and come to the exit has lost: what was fallen off, or
dug through, cannot always be gone back. A player has the whole level on its screen, and knows which keys lead
to the next gold that costs none of the other gold.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.play.board import (
    HURT,
    LOST,
    STAGE,
    UNDER_WAY,
    WON,
    Actions,
    Boards,
    Rules,
    X,
    Y,
    direct,
)
from plaudit.domains.level.play.steps import NO_WAY, find
from plaudit.domains.level.runner import RunnerGame
from plaudit.domains.level.runner_physics import (
    ALL,
    BRICK,
    DIG,
    EXIT,
    FAR,
    GOLD,
    GUARD,
    LADDER,
    OPEN,
    PLAYER,
    ROPE,
    WALKED,
    WALL,
    next_aims,
    spread,
)
from plaudit.domains.level.walks import pad

HOLE = BRICK + 1
"""First tile of holes: with no tick left (someone is in it), one, and two."""
LEFT, RIGHT, UP, DOWN, DIG_LEFT, DIG_RIGHT = range(6)
APART = 16
"""About the ticks from one piece of gold to the next."""


class RunnerRules(Rules):
    """Four keys to move and two to dig; whoever is not held falls, whatever the key."""

    game: ClassVar[Game] = RunnerGame()
    moves: ClassVar[tuple[str, ...]] = ("left", "right", "up", "down", "dig left", "dig right")
    keys: ClassVar[str] = "LRUD[]"
    shown: ClassVar[tuple[str, ...]] = (*(tile.name for tile in RunnerGame.tiles), *["hole"] * DIG)
    planes: ClassVar[tuple[int, ...]] = (0, -1, -1, 1, 2, 3, 4, 5, 6, 7, 7, 7)
    window: ClassVar[tuple[int, int]] = (7, 9)
    carried: ClassVar[tuple[str, ...]] = (*Rules.carried, "held", *(f"go {move}" for move in moves))

    def begin(self, maps: Maps) -> Boards:
        boards = Boards.blank(maps)
        _begin(boards.maps, boards.body, boards.outcome)
        return boards

    def move(self, boards: Boards, actions: Actions) -> None:
        _move(boards.maps, boards.body, boards.outcome, actions)

    def survey(self, boards: Boards, ahead: NDArray[np.float32], carried: NDArray[np.int8]) -> None:
        _survey(boards.maps, boards.body, ahead, carried)

    def limit(self, size: Size) -> int:
        return size[0] * size[1]


@njit(cache=True, nogil=True)
def _begin(maps: Any, body: Any, outcome: Any) -> None:
    room = _room(maps[0])
    for row in range(len(maps)):
        y, x = find(maps[row], PLAYER)
        outcome[row] = LOST
        if y >= 0:
            body[row, Y], body[row, X] = y, x
            maps[row, y, x] = OPEN
            if find(maps[row], EXIT)[0] >= 0 and _aims(maps[row], y, x, room) >= 0:
                outcome[row] = UNDER_WAY


@njit(cache=True, nogil=True)
def _room(level: Any) -> Any:
    """Scratch for one level: the padded map, ways, ticks, and what is aimed at."""
    cells = (level.shape[0] + 2) * (level.shape[1] + 2)
    return (
        np.zeros(cells, np.uint8),
        np.zeros((cells, ALL + 1), np.int32),
        np.zeros(cells, np.int32),
        np.zeros(cells, np.uint8),
    )


@njit(cache=True, nogil=True)
def _aims(level: Any, y: int, x: int, room: Any) -> int:
    """Mark the cells that a player there may go for next; returns the gold that is left, -1 = it is lost.

    Holes count as bricks: whoever dug one can dig it again.
    """
    flat, ways, ticks, aims = room
    pad(level, flat)
    left = 0
    for cell in range(flat.size):
        if flat[cell] >= HOLE:
            flat[cell] = BRICK
        left += flat[cell] == GOLD
    stride = level.shape[1] + 2
    start = (y + 1) * stride + x + 1
    spread(flat, stride, start, ways, ticks)
    return left if next_aims(flat, start, ways, aims) == left else -1


@njit(cache=True, nogil=True)
def _tile(level: Any, y: int, x: int) -> int:
    """What is in a cell; beyond the borders walls."""
    inside = 0 <= y < level.shape[0] and 0 <= x < level.shape[1]
    return level[y, x] if inside else WALL


@njit(cache=True, nogil=True)
def _solid(tile: int) -> bool:
    return tile in (WALL, BRICK)


@njit(cache=True, nogil=True)
def _held(level: Any, y: int, x: int) -> bool:
    """Whether a player there does not fall."""
    below = _tile(level, y + 1, x)
    return level[y, x] in (LADDER, ROPE) or below == LADDER or _solid(below)


@njit(cache=True, nogil=True)
def _move(maps: Any, body: Any, outcome: Any, actions: Any) -> None:
    room = _room(maps[0])
    for row in range(len(maps)):
        if outcome[row] != UNDER_WAY:
            continue
        level, before = maps[row], (body[row, Y], body[row, X])
        y, x = _tick(level, before, actions[row])
        body[row, Y], body[row, X] = y, x
        tile = level[y, x]
        if tile == GUARD:
            body[row, HURT] += 1
            outcome[row] = LOST
            continue
        _close_holes(level, y, x)
        if tile == GOLD:
            body[row, STAGE] += 1
            level[y, x] = OPEN
        if tile == EXIT and find(level, GOLD)[0] < 0:
            outcome[row] = WON
        elif (y, x) != before and _aims(level, y, x, room) < 0:
            outcome[row] = LOST


@njit(cache=True, nogil=True)
def _tick(level: Any, here: Any, action: int) -> Any:
    """The cell after a tick with this key; a brick that is dug becomes a hole."""
    y, x = here
    if not _held(level, y, x):
        return y + 1, x
    if action >= DIG_LEFT:
        aside = x - 1 if action == DIG_LEFT else x + 1
        beside, below = _tile(level, y, aside), _tile(level, y + 1, x)
        free = not _solid(beside) and beside < HOLE and beside != GUARD
        stands = (below == LADDER or _solid(below)) and level[y, x] < HOLE
        if free and stands and _tile(level, y + 1, aside) == BRICK:
            level[y + 1, aside] = HOLE + DIG
        return y, x
    v, u = y + (action == DOWN) - (action == UP), x + (action == RIGHT) - (action == LEFT)
    stuck = _solid(_tile(level, v, u)) or (action == UP and level[y, x] != LADDER)
    return (y, x) if stuck else (v, u)


@njit(cache=True, nogil=True)
def _close_holes(level: Any, y: int, x: int) -> None:
    """Let a tick pass for the holes: one without any left closes, unless the player is in it."""
    for v in range(level.shape[0]):
        for u in range(level.shape[1]):
            if level[v, u] >= HOLE:
                ticks = max(level[v, u] - HOLE - 1, 0)
                level[v, u] = HOLE + ticks if ticks > 0 or (v, u) == (y, x) else BRICK


@njit(cache=True, nogil=True)
def _survey(maps: Any, body: Any, ahead: Any, carried: Any) -> None:
    stride, room = maps.shape[2] + 2, _room(maps[0])
    flat, ways, ticks, aims = room
    for row in range(len(maps)):
        y, x = body[row, Y], body[row, X]
        carried[row] = 0
        left = _aims(maps[row], y, x, room)
        if left < 0:
            ahead[row] = NO_WAY
            continue
        start, aim, best = (y + 1) * stride + x + 1, -1, 1 << 30
        for cell in range(flat.size):
            if aims[cell] and ticks[cell] < best:
                aim, best = cell, ticks[cell]
        direct(carried[row], body[row], aim // stride - 1, aim % stride - 1)
        carried[row, 3] = _held(maps[row], y, x)
        _trace(start, aim, stride, room, carried[row, 4:])
        hole, moves, key = _open_hole(maps[row], y, x)
        if hole >= 0:
            spread(flat, stride, hole, ways, ticks)
            falls = key == DOWN
            if ticks[aim] != FAR and (falls or moves + ticks[aim] <= best):
                best = moves + ticks[aim]
                carried[row, 4:] = 0
                carried[row, 4 + key] = 1
        ahead[row] = best + APART * left


@njit(cache=True, nogil=True)
def _open_hole(level: Any, y: int, x: int) -> Any:
    """The hole that a player there can get into yet, flat with borders; the ticks that takes, and the key."""
    stride = level.shape[1] + 2
    for key in (DOWN, LEFT, RIGHT):
        aside = x + (key == RIGHT) - (key == LEFT)
        tile, moves = _tile(level, y + 1, aside), 1 if key == DOWN else 2
        if tile >= HOLE + moves and level[y, x] < HOLE:
            return (y + 2) * stride + aside + 1, moves, key
    return -1, 0, 0


@njit(cache=True, nogil=True)
def _trace(start: int, aim: int, stride: int, room: Any, out: Any) -> None:
    """Mark with 1 the keys `out (6,)` with which a shortest way begins; `room` was filled from its start."""
    flat, ways, ticks, _ = room
    on, queue = np.zeros(flat.size, np.bool_), np.empty(flat.size, np.int32)
    on[aim], queue[0], head, tail = True, aim, 0, 1
    # Cells from which a shortest way leads on to the aim, from the aim back.
    while head < tail:
        cell = queue[head]
        head += 1
        for before in range(flat.size):
            if ticks[before] == FAR or on[before] or ticks[before] >= ticks[cell]:
                continue
            for i in range(ways[before, ALL]):
                takes = 1 if i < ways[before, WALKED] else DIG
                if ways[before, i] == cell and ticks[before] + takes == ticks[cell]:
                    on[before], queue[tail] = True, before
                    tail += 1
                    break
    for i in range(ways[start, ALL]):
        to, dug = ways[start, i], i >= ways[start, WALKED]
        if on[to] and ticks[to] == (DIG if dug else 1):
            step = to - start
            if dug:
                out[DIG_LEFT if step == stride - 1 else DIG_RIGHT] = 1
            else:
                out[LEFT if step == -1 else RIGHT if step == 1 else UP if step == -stride else DOWN] = 1
