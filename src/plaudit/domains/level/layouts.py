"""Grid worlds: open and solid cells, a start and a goal, and the route through them.

Every layout is a function of size, share of walls and its number, and can be solved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps, Size
from plaudit.engine.random import RowRandom

Cell = tuple[int, int]
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""North, east, south, west as (dy, dx): the four actions."""
_ATTEMPTS = 40
FAR = 1 << 30
"""Distance of a cell that cannot be reached."""


@dataclass(frozen=True)
class Layout:
    """A grid world `(H, W)`, 0 solid and 1 open, and the cells `(y, x)` of a route from its start.

    The route holds its first cell; it reached the goal when that is its last.
    """

    grid: Maps
    start: Cell
    goal: Cell
    route: tuple[Cell, ...] = ()

    @property
    def reached(self) -> bool:
        return bool(self.route) and self.route[0] == self.start and self.route[-1] == self.goal

    @property
    def steps(self) -> int:
        """Moves of the route."""
        return max(len(self.route) - 1, 0)

    def with_route(self, route: tuple[Cell, ...]) -> Layout:
        return replace(self, route=route)


def make_layout(size: Size, walls: float, number: int) -> Layout:
    """Make layout `number` of a size: about `walls` of the cells are solid, the goal is not near."""
    width, height = size
    random = RowRandom([number])
    for attempt in range(_ATTEMPTS + 1):
        # Fewer walls with every attempt that could not be solved: the last has none.
        share = walls * (1 - attempt / _ATTEMPTS)
        grid = (random.uniform(width * height)[0] >= share).astype(np.uint8).reshape(height, width)
        spots = np.argwhere(grid)
        pick = random.uniform(2)[0]
        if len(spots) == 0:
            continue
        start = spots[int(pick[0] * len(spots))]
        steps = steps_from(grid, (int(start[0]), int(start[1])))
        far = np.argwhere((steps < FAR) & (steps >= (width + height) // 3))
        if len(far):
            goal = far[int(pick[1] * len(far))]
            return Layout(grid, (int(start[0]), int(start[1])), (int(goal[0]), int(goal[1])))
    raise AssertionError("an open grid has a cell a third of its sides away from any other")


def steps_from(grid: Maps, cell: Cell) -> NDArray[np.int64]:
    """Steps `(H, W)` from `cell` to every other; `FAR` where there is no way."""
    steps = np.full(grid.shape, FAR, np.int64)
    steps[cell] = 0
    front = [cell]
    while front:
        found = []
        for y, x in front:
            for dy, dx in MOVES:
                v, u = y + dy, x + dx
                inside = 0 <= v < grid.shape[0] and 0 <= u < grid.shape[1]
                if inside and grid[v, u] and steps[v, u] == FAR:
                    steps[v, u] = steps[y, x] + 1
                    found.append((v, u))
        front = found
    return steps


def move_table(grid: Maps) -> NDArray[np.int32]:
    """Cell `(S, 4)` that each action leads to from each flat cell; a wall or the border stops it."""
    height, width = grid.shape
    cells = np.arange(height * width)
    y, x = np.divmod(cells, width)
    table = np.empty((height * width, len(MOVES)), np.int32)
    for action, (dy, dx) in enumerate(MOVES):
        v, u = np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)
        table[:, action] = np.where(grid[v, u] == 1, v * width + u, cells)
    return table
