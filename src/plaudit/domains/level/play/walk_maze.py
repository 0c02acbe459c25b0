"""Playing mazes: walk from one end of the longest path to the other.

A maze names no start and no goal; its ends are those of the double sweep that measures its path, and boards
hold a flag on the far one.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.maze import OPEN, MazeGame
from plaudit.domains.level.play.board import LOST, UNDER_WAY, WON, Actions, Boards, Rules, X, Y, direct
from plaudit.domains.level.play.steps import (
    KEYS,
    MOVES,
    NO_WAY,
    SCENT,
    ahead_of,
    find,
    scent,
    spread_from,
)

FLAG = 2


class MazeRules(Rules):
    """Four moves; a wall stops the player."""

    game: ClassVar[Game] = MazeGame()
    moves: ClassVar[tuple[str, ...]] = MOVES
    keys: ClassVar[str] = KEYS
    shown: ClassVar[tuple[str, ...]] = ("wall", "open", "exit")
    planes: ClassVar[tuple[int, ...]] = (0, -1, 1)
    window: ClassVar[tuple[int, int]] = (11, 11)
    carried: ClassVar[tuple[str, ...]] = (*Rules.carried, *SCENT)

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
    """Put player and flag at the ends of the longest path of all regions; a map without one is lost."""
    height, width = maps.shape[1:]
    dist, queue = np.empty((height, width), np.int32), np.empty(height * width, np.int64)
    for row in range(len(maps)):
        seen, best = np.zeros((height, width), np.bool_), 0
        start, end = (0, 0), (0, 0)
        for cell in range(height * width):
            y, x = divmod(cell, width)
            if maps[row, y, x] != OPEN or seen[y, x]:
                continue
            count = spread_from(maps[row], (y, x), -1, dist, queue)
            for i in range(count):
                v, u = divmod(queue[i], width)
                seen[v, u] = True
            one = _farthest(dist)
            spread_from(maps[row], one, -1, dist, queue)
            other = _farthest(dist)
            if dist[other] > best:
                best, start, end = dist[other], one, other
        outcome[row] = UNDER_WAY if best > 0 else LOST
        body[row, Y], body[row, X] = start
        if best > 0:
            maps[row, end[0], end[1]] = FLAG


@njit(cache=True, nogil=True)
def _farthest(dist: Any) -> Any:
    """The first cell in scan order that is farthest away."""
    cell = dist.argmax()
    return cell // dist.shape[1], cell % dist.shape[1]


@njit(cache=True, nogil=True)
def _move(maps: Any, body: Any, outcome: Any, actions: Any) -> None:
    for row in range(len(maps)):
        if outcome[row] != UNDER_WAY:
            continue
        y, x, free = ahead_of(body[row], actions[row], maps[row])
        if free:
            body[row, Y], body[row, X] = y, x
            if maps[row, y, x] == FLAG:
                outcome[row] = WON


@njit(cache=True, nogil=True)
def _survey(maps: Any, body: Any, ahead: Any, carried: Any) -> None:
    for row in range(len(maps)):
        y, x = find(maps[row], FLAG)
        if y < 0:
            ahead[row], carried[row] = NO_WAY, 0
            continue
        here = body[row, Y], body[row, X]
        ahead[row] = scent(maps[row], here, (y, x), -1, carried[row, 3:])
        direct(carried[row], body[row], y, x)
