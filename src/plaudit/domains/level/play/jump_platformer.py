"""Playing platformers: run and jump to the exit, tick by tick; the physics stand in `platformer.py`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.platformer import PlatformerGame
from plaudit.domains.level.platformer_physics import COIN, ENEMY, EXIT, FALL, OPEN, PLAYER, SPEED, solid
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
from plaudit.domains.level.play.steps import NO_WAY, find

SPEED_UP = OWN
"""Column of the vertical speed, in quarter cells a tick."""
HALF = OWN + 1
"""Column of the left edge in half cells plus 1,024 times the lower edge in quarter cells above the map's."""
_BITS = 1024


class PlatformerRules(Rules):
    """Run left, right or neither, with the jump key held or not."""

    game: ClassVar[Game] = PlatformerGame()
    moves: ClassVar[tuple[str, ...]] = ("left", "stand", "right", "jump left", "jump", "jump right")
    keys: ClassVar[str] = "l.rLJR"
    shown: ClassVar[tuple[str, ...]] = tuple(tile.name for tile in PlatformerGame.tiles)
    planes: ClassVar[tuple[int, ...]] = (0, -1, -1, 1, 2, 3, 0, 0)
    window: ClassVar[tuple[int, int]] = (9, 13)
    carried: ClassVar[tuple[str, ...]] = (*Rules.carried, "speed", "half", "quarters", "stands")
    extras: ClassVar[tuple[int, ...]] = (COIN,)

    def begin(self, maps: Maps) -> Boards:
        boards = Boards.blank(maps)
        _begin(boards.maps, boards.body, boards.outcome)
        return boards

    def move(self, boards: Boards, actions: Actions) -> None:
        _move(boards.maps, boards.body, boards.outcome, actions)

    def survey(self, boards: Boards, ahead: NDArray[np.float32], carried: NDArray[np.int8]) -> None:
        _survey(boards.maps, boards.body, ahead, carried)

    def limit(self, size: Size) -> int:
        return 6 * size[0]


@njit(cache=True, nogil=True)
def edges(body: Any) -> Any:
    """Left edge in half cells and lower edge in quarter cells, above the map's."""
    return body[HALF] % _BITS, body[HALF] // _BITS


@njit(cache=True, nogil=True)
def _place(body: Any, x: int, y: int, speed: int, height: int) -> None:
    """Put the player there; its cell is the one that the middle of its body is in."""
    body[HALF], body[SPEED_UP] = y * _BITS + x, speed
    body[Y], body[X] = height - 1 - (y + 2) // 4, (x + 1) // 2


@njit(cache=True, nogil=True)
def _begin(maps: Any, body: Any, outcome: Any) -> None:
    height = maps.shape[1]
    for row in range(len(maps)):
        y, x = find(maps[row], PLAYER)
        outcome[row] = UNDER_WAY if y >= 0 and find(maps[row], EXIT)[0] >= 0 else LOST
        if y >= 0:
            maps[row, y, x] = OPEN
            _place(body[row], 2 * x, 4 * (height - 1 - y), 0, height)


@njit(cache=True, nogil=True)
def _fits(level: Any, x: int, y: int) -> bool:
    """Whether nothing solid and no border, the lower one excepted, is where the player would be."""
    height, width = level.shape
    if x < 0 or x > 2 * (width - 1) or y + 4 > 4 * height:
        return False
    for up in range(y // 4, (y + 3) // 4 + 1):
        for column in range(x // 2, (x + 1) // 2 + 1):
            if up >= 0 and solid(level[height - 1 - up, column]):
                return False
    return True


@njit(cache=True, nogil=True)
def _stands(level: Any, x: int, y: int, speed: int) -> bool:
    return y % 4 == 0 and speed <= 0 and not _fits(level, x, y - 1)


@njit(cache=True, nogil=True)
def tick(level: Any, at: Any, run: int, jump: bool) -> Any:
    """Edges and speed `(x, y, speed)` after a tick with these keys held."""
    x, y, speed = at
    if jump and speed == 0 and _stands(level, x, y, speed):
        speed = SPEED
    elif not jump and speed > 0:
        speed = 0
    if _fits(level, x + run, y):
        x += run
    if speed > 0:
        for _ in range(speed):
            if not _fits(level, x, y + 1):
                return x, y, 0
            y += 1
        return x, y, 0 if _stands(level, x, y, speed - 1) else speed - 1
    if _stands(level, x, y, speed):
        return x, y, 0
    speed = max(speed - 1, -FALL)
    for _ in range(-speed):
        if not _fits(level, x, y - 1):
            return x, y, 0
        y -= 1
    return x, y, 0 if _stands(level, x, y, speed) else speed


@njit(cache=True, nogil=True)
def _move(maps: Any, body: Any, outcome: Any, actions: Any) -> None:
    height = maps.shape[1]
    for row in range(len(maps)):
        if outcome[row] != UNDER_WAY:
            continue
        x, y = edges(body[row])
        action = actions[row]
        x, y, speed = tick(maps[row], (x, y, body[row, SPEED_UP]), action % 3 - 1, action >= 3)
        if y < 0:
            body[row, HURT] += 1
            outcome[row] = LOST
            continue
        _place(body[row], x, y, speed, height)
        outcome[row] = _touch(maps[row], body[row], x, y)


@njit(cache=True, nogil=True)
def _touch(level: Any, body: Any, x: int, y: int) -> int:
    """Take the coins that the player touches; what enemies and the exit make of the game."""
    height, outcome = level.shape[0], UNDER_WAY
    for up in range(y // 4, (y + 3) // 4 + 1):
        for column in range(x // 2, (x + 1) // 2 + 1):
            tile = level[height - 1 - up, column]
            if tile == COIN:
                body[GATHERED] += 1
                level[height - 1 - up, column] = OPEN
            elif tile == ENEMY:
                body[HURT] += 1
                return LOST
            elif tile == EXIT:
                outcome = WON
    return outcome


@njit(cache=True, nogil=True)
def _survey(maps: Any, body: Any, ahead: Any, carried: Any) -> None:
    for row in range(len(maps)):
        y, x = find(maps[row], EXIT)
        if y < 0:
            ahead[row], carried[row] = NO_WAY, 0
            continue
        left, low = edges(body[row])
        ahead[row] = abs(2 * x - left)
        direct(carried[row], body[row], y, x)
        speed = body[row, SPEED_UP]
        carried[row, 3], carried[row, 4], carried[row, 5] = speed, left % 2, low % 4
        carried[row, 6] = _stands(maps[row], left, low, speed)
