"""What games of walking share: the four moves, and steps over everything but walls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.play.board import X, Y
from plaudit.domains.level.walks import FAR

MOVES = ("left", "right", "up", "down")
KEYS = "LRUD"
DOWN = np.array((0, 0, -1, 1))
RIGHT = np.array((-1, 1, 0, 0))
"""Rows down and columns right of each of `MOVES`."""
WALL = 0
NO_WAY = 4096
SCENT = ("go left", "go right", "go up", "go down")
"""What `scent` tells, as names of what a player carries."""


@njit(cache=True, nogil=True)
def ahead_of(body: Any, action: int, level: Any) -> Any:
    """The cell that a move leads to, and whether something is there that is not a wall."""
    y, x = body[Y] + DOWN[action], body[X] + RIGHT[action]
    inside = 0 <= y < level.shape[0] and 0 <= x < level.shape[1]
    return y, x, inside and level[y, x] != WALL


@njit(cache=True, nogil=True)
def find(level: Any, tile: int) -> Any:
    """The first cell in scan order that holds a tile; (-1, -1) where none does."""
    for y in range(level.shape[0]):
        for x in range(level.shape[1]):
            if level[y, x] == tile:
                return y, x
    return -1, -1


@njit(cache=True, nogil=True)
def spread_from(level: Any, start: Any, closed: int, dist: Any, queue: Any) -> int:
    """Steps from a cell to all others over everything but walls and a `closed` tile; how many are reached.

    dist: `(H, W)`, `FAR` where no way leads. queue: `(H * W,)`; afterwards the cells reached, in order.
    """
    height, width = level.shape
    dist[:] = FAR
    dist[start] = 0
    queue[0] = start[0] * width + start[1]
    head, tail = 0, 1
    while head < tail:
        y, x = divmod(queue[head], width)
        head += 1
        for move in range(4):
            v, u = y + DOWN[move], x + RIGHT[move]
            if not (0 <= v < height and 0 <= u < width) or dist[v, u] != FAR:
                continue
            if level[v, u] != WALL and level[v, u] != closed:
                dist[v, u] = dist[y, x] + 1
                queue[tail] = v * width + u
                tail += 1
    return tail


@njit(cache=True, nogil=True)
def scent(level: Any, here: Any, goal: Any, closed: int, out: Any) -> int:
    """Steps to a goal, and for each of `MOVES` whether it leads nearer (1), farther (-1) or nowhere (0).

    Who plays has the whole level on its screen and knows the way; what waits on it is another matter.
    closed: a tile that is closed, or -1.
    """
    dist, queue = np.empty(level.shape, np.int32), np.empty(level.size, np.int64)
    spread_from(level, goal, closed, dist, queue)
    away = dist[here]
    for move in range(4):
        y, x = here[0] + DOWN[move], here[1] + RIGHT[move]
        inside = 0 <= y < level.shape[0] and 0 <= x < level.shape[1]
        out[move] = 0
        if inside and dist[y, x] != FAR:
            out[move] = 1 if dist[y, x] < away else -1
    return NO_WAY if away == FAR else away


@njit(cache=True, nogil=True)
def steps_between(level: Any, start: Any, end: Any, closed: int) -> int:
    """Steps from a cell to another, `NO_WAY` where there are none."""
    dist, queue = np.empty(level.shape, np.int32), np.empty(level.size, np.int64)
    spread_from(level, start, closed, dist, queue)
    return NO_WAY if dist[end] == FAR else dist[end]
