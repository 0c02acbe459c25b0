"""Playing Sokoban: push every crate onto a target.

A crate that no pushes could bring to a target any more, walls alone considered, ends the game: there are no
more targets than crates.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.play.board import LOST, UNDER_WAY, WON, Actions, Boards, Rules, X, Y, compass
from plaudit.domains.level.play.steps import DOWN, KEYS, MOVES, NO_WAY, RIGHT, SCENT, WALL, ahead_of, find
from plaudit.domains.level.sokoban import SokobanGame
from plaudit.domains.level.sokoban_kernels import CRATE, OPEN, PLAYER, TARGET

STORED = 5
"""A crate on its target, which levels have no tile for."""


class SokobanRules(Rules):
    """Four moves; a crate is pushed where there is room behind it."""

    game: ClassVar[Game] = SokobanGame()
    moves: ClassVar[tuple[str, ...]] = MOVES
    keys: ClassVar[str] = KEYS
    shown: ClassVar[tuple[str, ...]] = (*(tile.name for tile in SokobanGame.tiles), "stored")
    planes: ClassVar[tuple[int, ...]] = (0, -1, -1, 1, 2, 3)
    window: ClassVar[tuple[int, int]] = (9, 9)
    carried: ClassVar[tuple[str, ...]] = (*Rules.carried, "crates", *SCENT)

    def begin(self, maps: Maps) -> Boards:
        boards = Boards.blank(maps)
        _begin(boards.maps, boards.body, boards.outcome)
        return boards

    def move(self, boards: Boards, actions: Actions) -> None:
        _move(boards.maps, boards.body, boards.outcome, actions)

    def survey(self, boards: Boards, ahead: NDArray[np.float32], carried: NDArray[np.int8]) -> None:
        _survey(boards.maps, boards.body, ahead, carried)

    def limit(self, size: Size) -> int:
        return 4 * size[0] * size[1]


@njit(cache=True, nogil=True)
def _begin(maps: Any, body: Any, outcome: Any) -> None:
    for row in range(len(maps)):
        y, x = find(maps[row], PLAYER)
        crates, targets = (maps[row] == CRATE).sum(), (maps[row] == TARGET).sum()
        outcome[row] = UNDER_WAY if y >= 0 and crates > 0 and crates == targets else LOST
        if y >= 0:
            body[row, Y], body[row, X] = y, x
            maps[row, y, x] = OPEN
        if outcome[row] == UNDER_WAY and _pushes(maps[row]) >= NO_WAY:
            outcome[row] = LOST


@njit(cache=True, nogil=True)
def _move(maps: Any, body: Any, outcome: Any, actions: Any) -> None:
    for row in range(len(maps)):
        if outcome[row] != UNDER_WAY:
            continue
        level, action = maps[row], actions[row]
        y, x, free = ahead_of(body[row], action, level)
        if not free:
            continue
        if level[y, x] == CRATE or level[y, x] == STORED:
            v, u = y + DOWN[action], x + RIGHT[action]
            inside = 0 <= v < level.shape[0] and 0 <= u < level.shape[1]
            if not inside or (level[v, u] != OPEN and level[v, u] != TARGET):
                continue
            level[v, u] = STORED if level[v, u] == TARGET else CRATE
            level[y, x] = TARGET if level[y, x] == STORED else OPEN
            if not (level == CRATE).any():
                outcome[row] = WON
            elif _pushes(level) >= NO_WAY:
                outcome[row] = LOST
        body[row, Y], body[row, X] = y, x


@njit(cache=True, nogil=True)
def _pushes(level: Any) -> int:
    """Pushes that crates are away from their nearest targets, in sum, past walls alone, up to `NO_WAY`."""
    return _apart(level, _pulled(level))


@njit(cache=True, nogil=True)
def _pulled(level: Any) -> Any:
    """Pushes `(H, W)` from each cell to the nearest target, past walls alone; `NO_WAY` where there are none.

    Pulls a crate backwards from all targets at once: from a cell it comes to the next where there is room
    for it and for who pulls.
    """
    height, width = level.shape
    dist, queue = np.full((height, width), NO_WAY), np.empty(height * width, np.int64)
    head, tail = 0, 0
    for y in range(height):
        for x in range(width):
            if level[y, x] == TARGET or level[y, x] == STORED:
                dist[y, x] = 0
                queue[tail] = y * width + x
                tail += 1
    while head < tail:
        y, x = divmod(queue[head], width)
        head += 1
        for move in range(4):
            v, u = y + DOWN[move], x + RIGHT[move]
            beyond = v + DOWN[move], u + RIGHT[move]
            if not (0 <= beyond[0] < height and 0 <= beyond[1] < width) or dist[v, u] != NO_WAY:
                continue
            if level[v, u] != WALL and level[beyond] != WALL:
                dist[v, u] = dist[y, x] + 1
                queue[tail] = v * width + u
                tail += 1
    return dist


@njit(cache=True, nogil=True)
def _apart(level: Any, dist: Any) -> int:
    total = 0
    for y in range(level.shape[0]):
        for x in range(level.shape[1]):
            if level[y, x] == CRATE:
                total += dist[y, x]
    return min(total, NO_WAY)


@njit(cache=True, nogil=True)
def _is_free(level: Any, y: int, x: int) -> bool:
    inside = 0 <= y < level.shape[0] and 0 <= x < level.shape[1]
    return inside and (level[y, x] == OPEN or level[y, x] == TARGET)


@njit(cache=True, nogil=True)
def _useful(level: Any, dist: Any, walk: Any) -> None:
    """Steps `walk (H, W)` from each free cell to the nearest one from which a push brings a crate nearer."""
    height, width = level.shape
    queue, head, tail = np.empty(height * width, np.int64), 0, 0
    walk[:] = NO_WAY
    for y in range(height):
        for x in range(width):
            for move in range(4 if level[y, x] == CRATE else 0):
                v, u = y + DOWN[move], x + RIGHT[move]
                behind = y - DOWN[move], x - RIGHT[move]
                if not _is_free(level, v, u) or not _is_free(level, behind[0], behind[1]):
                    continue
                if dist[v, u] < dist[y, x] and walk[behind] == NO_WAY:
                    walk[behind] = 0
                    queue[tail] = behind[0] * width + behind[1]
                    tail += 1
    while head < tail:
        y, x = divmod(queue[head], width)
        head += 1
        for move in range(4):
            v, u = y + DOWN[move], x + RIGHT[move]
            if _is_free(level, v, u) and walk[v, u] == NO_WAY:
                walk[v, u] = walk[y, x] + 1
                queue[tail] = v * width + u
                tail += 1


@njit(cache=True, nogil=True)
def _feel(level: Any, here: Any, tables: Any, out: Any) -> None:
    """What each move promises: 2 a push that brings a crate nearer, 1 a step towards one, 0 nothing moves.

    -1 any other step, -2 any other push, -4 a push after which the crate is lost.
    """
    dist, walk = tables
    for move in range(4):
        y, x = here[0] + DOWN[move], here[1] + RIGHT[move]
        out[move] = 0
        if _is_free(level, y, x):
            out[move] = 1 if walk[y, x] < walk[here] else -1
        elif 0 <= y < level.shape[0] and 0 <= x < level.shape[1] and level[y, x] >= CRATE:
            v, u = y + DOWN[move], x + RIGHT[move]
            if _is_free(level, v, u):
                lost = -4 if dist[v, u] == NO_WAY else -2
                out[move] = 2 if dist[v, u] < dist[y, x] else lost


@njit(cache=True, nogil=True)
def _survey(maps: Any, body: Any, ahead: Any, carried: Any) -> None:
    walk = np.empty(maps.shape[1:], np.int64)
    for row in range(len(maps)):
        near, loose, level = NO_WAY, 0, maps[row]
        carried[row] = 0
        for y in range(maps.shape[1]):
            for x in range(maps.shape[2]):
                if level[y, x] != CRATE:
                    continue
                down, right = y - body[row, Y], x - body[row, X]
                loose += 1
                if abs(down) + abs(right) < near:
                    near = abs(down) + abs(right)
                    carried[row, 0], carried[row, 1] = compass(down), compass(right)
        dist = _pulled(level)
        pushes, here = _apart(level, dist), (body[row, Y], body[row, X])
        _useful(level, dist, walk)
        _feel(level, here, (dist, walk), carried[row, 4:])
        carried[row, 2], carried[row, 3] = compass(pushes), min(loose, 8)
        # A push is about three moves: one has to walk around the crate.
        ahead[row] = NO_WAY if pushes >= NO_WAY else 3 * pushes + min(walk[here], 8) * (loose > 0)
