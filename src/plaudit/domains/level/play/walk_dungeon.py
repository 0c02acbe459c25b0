"""Playing dungeons: reach the exit alive; the rules are those by which `dungeon_search.py` looks for ways.

Five points of health; a goblin takes one and an ogre two and is gone, a potion gives back two, treasure is
taken on the way. A bump into a wall passes time.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.dungeon import DungeonGame
from plaudit.domains.level.dungeon_search import CURE, EXIT, GOBLIN, HEALTH, OPEN, PLAYER, POTION, TREASURE
from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.play.board import (
    GATHERED,
    HURT,
    LOST,
    OWN,
    UNDER_WAY,
    WON,
    Actions,
    Boards,
    Rules,
    X,
    Y,
    direct,
)
from plaudit.domains.level.play.steps import KEYS, MOVES, NO_WAY, SCENT, ahead_of, find, scent

LIFE = OWN
"""Column of the points of health that are left."""


class DungeonRules(Rules):
    """Four moves; walls stop the player."""

    game: ClassVar[Game] = DungeonGame()
    moves: ClassVar[tuple[str, ...]] = MOVES
    keys: ClassVar[str] = KEYS
    shown: ClassVar[tuple[str, ...]] = tuple(tile.name for tile in DungeonGame.tiles)
    planes: ClassVar[tuple[int, ...]] = (0, -1, -1, 1, 2, 3, 4, 5)
    window: ClassVar[tuple[int, int]] = (11, 9)
    carried: ClassVar[tuple[str, ...]] = (*Rules.carried, "health", *SCENT)
    extras: ClassVar[tuple[int, ...]] = (TREASURE,)

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
        outcome[row] = UNDER_WAY if y >= 0 and find(maps[row], EXIT)[0] >= 0 else LOST
        body[row, LIFE] = HEALTH
        if y >= 0:
            body[row, Y], body[row, X] = y, x
            maps[row, y, x] = OPEN


@njit(cache=True, nogil=True)
def _move(maps: Any, body: Any, outcome: Any, actions: Any) -> None:
    for row in range(len(maps)):
        if outcome[row] != UNDER_WAY:
            continue
        y, x, free = ahead_of(body[row], actions[row], maps[row])
        if not free:
            continue
        body[row, Y], body[row, X] = y, x
        tile = maps[row, y, x]
        if tile == EXIT:
            outcome[row] = WON
            continue
        if tile == POTION:
            body[row, LIFE] = min(body[row, LIFE] + CURE, HEALTH)
        elif tile == TREASURE:
            body[row, GATHERED] += 1
        elif tile >= GOBLIN:
            body[row, HURT] += tile - GOBLIN + 1
            body[row, LIFE] = max(body[row, LIFE] - (tile - GOBLIN + 1), 0)
            outcome[row] = UNDER_WAY if body[row, LIFE] else LOST
        maps[row, y, x] = OPEN


@njit(cache=True, nogil=True)
def _survey(maps: Any, body: Any, ahead: Any, carried: Any) -> None:
    for row in range(len(maps)):
        y, x = find(maps[row], EXIT)
        if y < 0:
            ahead[row], carried[row] = NO_WAY, 0
            continue
        here = body[row, Y], body[row, X]
        ahead[row] = scent(maps[row], here, (y, x), -1, carried[row, 4:])
        direct(carried[row], body[row], y, x)
        carried[row, 3] = body[row, LIFE]
