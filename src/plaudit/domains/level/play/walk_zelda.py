"""Playing zelda: fetch the key, then walk to the door; enemies keep to their cells.

The door is closed to whoever has no key, as the way to the key is measured. Who steps onto an enemy's cell
loses one of three hearts, and the enemy is gone. The game's own definition lets ways lead through enemies:
a level whose every way meets three of them is good by that, and cannot be won here.
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
from plaudit.domains.level.play.steps import (
    KEYS,
    MOVES,
    NO_WAY,
    SCENT,
    ahead_of,
    find,
    scent,
    steps_between,
)
from plaudit.domains.level.zelda import ZeldaGame
from plaudit.domains.level.zelda_kernels import DOOR, ENEMY, KEY, OPEN, PLAYER

HEARTS = 3


class ZeldaRules(Rules):
    """Four moves; a wall, and a door without the key, stop the player."""

    game: ClassVar[Game] = ZeldaGame()
    moves: ClassVar[tuple[str, ...]] = MOVES
    keys: ClassVar[str] = KEYS
    shown: ClassVar[tuple[str, ...]] = tuple(tile.name for tile in ZeldaGame.tiles)
    planes: ClassVar[tuple[int, ...]] = (0, -1, -1, 1, 2, 3)
    window: ClassVar[tuple[int, int]] = (9, 11)
    carried: ClassVar[tuple[str, ...]] = (*Rules.carried, "key", "hearts", *SCENT)

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
        whole = y >= 0 and find(maps[row], KEY)[0] >= 0 and find(maps[row], DOOR)[0] >= 0
        outcome[row] = UNDER_WAY if whole else LOST
        if y >= 0:
            body[row, Y], body[row, X] = y, x
            maps[row, y, x] = OPEN


@njit(cache=True, nogil=True)
def _move(maps: Any, body: Any, outcome: Any, actions: Any) -> None:
    for row in range(len(maps)):
        if outcome[row] != UNDER_WAY:
            continue
        y, x, free = ahead_of(body[row], actions[row], maps[row])
        if not free or (maps[row, y, x] == DOOR and body[row, STAGE] == 0):
            continue
        body[row, Y], body[row, X] = y, x
        tile = maps[row, y, x]
        if tile == KEY:
            body[row, STAGE] = 1
        if tile == ENEMY:
            body[row, HURT] += 1
        if tile == DOOR:
            outcome[row] = WON
        elif body[row, HURT] >= HEARTS:
            outcome[row] = LOST
        if tile != DOOR:
            maps[row, y, x] = OPEN


@njit(cache=True, nogil=True)
def _survey(maps: Any, body: Any, ahead: Any, carried: Any) -> None:
    for row in range(len(maps)):
        here, door = (body[row, Y], body[row, X]), find(maps[row], DOOR)
        goal, more = door, 0
        if body[row, STAGE] == 0:
            goal = find(maps[row], KEY)
            if goal[0] >= 0 and door[0] >= 0:
                more = steps_between(maps[row], goal, door, -1)
        if goal[0] < 0:
            ahead[row], carried[row] = NO_WAY, 0
            continue
        closed = DOOR if body[row, STAGE] == 0 else -1
        ahead[row] = min(scent(maps[row], here, goal, closed, carried[row, 5:]) + more, NO_WAY)
        direct(carried[row], body[row], goal[0], goal[1])
        carried[row, 3], carried[row, 4] = body[row, STAGE], HEARTS - body[row, HURT]
