"""Playing caves: fetch the key, then come to the exit; spikes kill, diamonds are taken on the way.

The physics are those by which `cave_search.py` looks for ways: a jump rises two cells and hangs for a moment.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.cave import CaveGame
from plaudit.domains.level.cave_search import DIAMOND, EXIT, KEY, OPEN, PLAYER, SPIKE, move
from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.play.board import (
    GATHERED,
    HURT,
    LOST,
    OWN,
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
from plaudit.domains.level.walks import FAR, pad

AIR = OWN
"""Column of the ticks that the player is carried up, or hangs, yet."""
_STATES = 4
"""Values of the air, with which a cell makes a state."""


class CaveRules(Rules):
    """Wait, left, right and jump."""

    game: ClassVar[Game] = CaveGame()
    moves: ClassVar[tuple[str, ...]] = ("wait", "left", "right", "jump")
    keys: ClassVar[str] = ".LRJ"
    shown: ClassVar[tuple[str, ...]] = tuple(tile.name for tile in CaveGame.tiles)
    planes: ClassVar[tuple[int, ...]] = (0, -1, -1, 1, 2, 3, 4)
    window: ClassVar[tuple[int, int]] = (9, 11)
    carried: ClassVar[tuple[str, ...]] = (*Rules.carried, "key", "air")
    extras: ClassVar[tuple[int, ...]] = (DIAMOND,)

    def begin(self, maps: Maps) -> Boards:
        boards = Boards.blank(maps)
        _begin(boards.maps, boards.body, boards.outcome)
        return boards

    def move(self, boards: Boards, actions: Actions) -> None:
        _move(boards.maps, boards.body, boards.outcome, actions)

    def survey(self, boards: Boards, ahead: NDArray[np.float32], carried: NDArray[np.int8]) -> None:
        _survey(boards.maps, boards.body, ahead, carried)

    def limit(self, size: Size) -> int:
        return 2 * size[0] * size[1]


@njit(cache=True, nogil=True)
def _begin(maps: Any, body: Any, outcome: Any) -> None:
    for row in range(len(maps)):
        y, x = find(maps[row], PLAYER)
        whole = y >= 0 and find(maps[row], KEY)[0] >= 0 and find(maps[row], EXIT)[0] >= 0
        outcome[row] = UNDER_WAY if whole else LOST
        if y >= 0:
            body[row, Y], body[row, X] = y, x
            maps[row, y, x] = OPEN


@njit(cache=True, nogil=True)
def _move(maps: Any, body: Any, outcome: Any, actions: Any) -> None:
    height, width = maps.shape[1:]
    stride = width + 2
    flat = np.zeros((height + 2) * stride, np.uint8)
    for row in range(len(maps)):
        if outcome[row] != UNDER_WAY:
            continue
        pad(maps[row], flat)
        place = (body[row, Y] + 1) * stride + body[row, X] + 1
        place, air, _ = move(flat, stride, (place, body[row, AIR], 0), actions[row])
        y, x = place // stride - 1, place % stride - 1
        body[row, Y], body[row, X], body[row, AIR] = y, x, air
        tile = maps[row, y, x]
        if tile == SPIKE:
            body[row, HURT] += 1
            outcome[row] = LOST
        elif tile == EXIT and body[row, STAGE] == 1:
            outcome[row] = WON
        elif tile == KEY:
            body[row, STAGE] = 1
        elif tile == DIAMOND:
            body[row, GATHERED] += 1
        if tile in (KEY, DIAMOND):
            maps[row, y, x] = OPEN


@njit(cache=True, nogil=True)
def _moments(flat: Any, stride: int, start: Any, goal: int, room: Any) -> int:
    """Moments from a place and its air to a cell, spikes avoided; `NO_WAY` where none lead there."""
    dist, queue = room
    dist[:] = FAR
    queue[0] = start[0] * _STATES + start[1]
    dist[queue[0]] = 0
    head, tail = 0, 1
    while head < tail:
        state = queue[head]
        place, air = divmod(state, _STATES)
        head += 1
        if place == goal:
            return dist[state]
        for action in range(4):
            to, left, _ = move(flat, stride, (place, air, 0), action)
            after = to * _STATES + left
            if dist[after] == FAR and flat[to] != SPIKE:
                dist[after] = dist[state] + 1
                queue[tail] = after
                tail += 1
    return NO_WAY


@njit(cache=True, nogil=True)
def _survey(maps: Any, body: Any, ahead: Any, carried: Any) -> None:
    height, width = maps.shape[1:]
    stride = width + 2
    flat = np.zeros((height + 2) * stride, np.uint8)
    room = np.empty(flat.size * _STATES, np.int32), np.empty(flat.size * _STATES, np.int64)
    for row in range(len(maps)):
        y, x = find(maps[row], EXIT)
        key = find(maps[row], KEY)
        if y < 0 or (key[0] < 0 and body[row, STAGE] == 0):
            ahead[row], carried[row] = NO_WAY, 0
            continue
        pad(maps[row], flat)
        here = (body[row, Y] + 1) * stride + body[row, X] + 1, body[row, AIR]
        leave = (y + 1) * stride + x + 1
        if body[row, STAGE] == 0:
            at_key = (key[0] + 1) * stride + key[1] + 1
            more = _moments(flat, stride, (at_key, 0), leave, room)
            ahead[row] = min(_moments(flat, stride, here, at_key, room) + more, NO_WAY)
            direct(carried[row], body[row], key[0], key[1])
        else:
            ahead[row] = _moments(flat, stride, here, leave, room)
            direct(carried[row], body[row], y, x)
        carried[row, 3], carried[row, 4] = body[row, STAGE], body[row, AIR]
