"""A Sokoban level as flat arrays for the search: what is inside, where crates are lost, how far to push.

The distance from a cell to a target counts pushes of a single crate on an empty board, found backwards by
pulling; a cell from which no target can be come to is dead, and no crate may stand there (Junghanns and
Schaeffer, 2001, "Sokoban: enhancing general single-agent search methods using domain knowledge").
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.solver.xsb import Level

FAR = 10_000
"""Distance of what cannot be come to."""


@dataclass(frozen=True)
class Board:
    """Cells are numbered along rows of a map with one more row and column of wall on every side.

    Attributes:
        width: of a row.
        solid: `(N,)` walls, and everything that the player cannot get to on an empty board.
        goals: `(G,)` target cells.
        pushes: `(G, N)` pushes from a cell to each target, `FAR` where there is no way.
        dead: `(N,)` cells from which a crate gets nowhere.
        player: cell of the player; crates: `(G,)` cells of the crates.
    """

    width: int
    solid: NDArray[np.uint8]
    goals: NDArray[np.int32]
    pushes: NDArray[np.int32]
    dead: NDArray[np.uint8]
    player: int
    crates: NDArray[np.int32]


def make_board(level: Level) -> Board:
    """Number the cells and measure the pushes."""
    walls = np.pad(level.walls, 1, constant_values=True)
    width = walls.shape[1]
    player = (level.player[0] + 1) * width + level.player[1] + 1
    inside = _reached(walls.ravel(), player, width)
    solid = (~inside).astype(np.uint8)
    goals = np.flatnonzero(np.pad(level.targets, 1)).astype(np.int32)
    pushes = np.stack([_pulls(solid, int(goal), width) for goal in goals])
    dead = (pushes.min(axis=0) >= FAR).astype(np.uint8)
    crates = np.flatnonzero(np.pad(level.crates, 1)).astype(np.int32)
    return Board(width, solid, goals, pushes, dead, player, crates)


def _reached(walls: NDArray[np.bool_], start: int, width: int) -> NDArray[np.bool_]:
    """Cells that the player gets to when there are no crates."""
    seen = np.zeros(len(walls), bool)
    seen[start] = True
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        for near in (cell - 1, cell + 1, cell - width, cell + width):
            if not walls[near] and not seen[near]:
                seen[near] = True
                queue.append(near)
    return seen


def _pulls(solid: NDArray[np.uint8], goal: int, width: int) -> NDArray[np.int32]:
    """Pushes `(N,)` of a lone crate from every cell to the goal."""
    steps = np.full(len(solid), FAR, np.int32)
    if solid[goal]:
        return steps
    steps[goal] = 0
    queue = deque([goal])
    while queue:
        cell = queue.popleft()
        for step in (-1, 1, -width, width):
            # To be pushed here from `back`, the player stands once more behind it.
            back, behind = cell - step, cell - 2 * step
            if not solid[back] and 0 <= behind < len(solid) and not solid[behind] and steps[back] == FAR:
                steps[back] = steps[cell] + 1
                queue.append(back)
    return steps
