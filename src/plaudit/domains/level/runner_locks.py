"""Where runner levels begin that have locked cells: a layout that goes through them.

Locked cells say little one by one and much together: walls and bricks say where floors are, ladders which
column they climb, gold and guards what they stand on. Of many ways to cut the map into bands, with the best
heights of floors in each (found by dynamic programming), the one that agrees best with them is built;
ladders and ropes then grow from their locked cells, and what is still wanted comes where nothing is locked.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Goals, Maps
from plaudit.domains.level.runner_physics import (
    BRICK,
    EXIT,
    GOLD,
    GUARD,
    LADDER,
    OPEN,
    PLAYER,
    ROPE,
    WALL,
)
from plaudit.domains.level.runner_starts import (
    APART,
    Floor,
    Random,
    cut,
    hang_ropes,
    put_ends,
    set_ladders,
    stand,
    wanted,
)

_SALT = 0x10CC
CUTS = 24
"""Ways to cut the map into bands of which the best is taken."""
CHANCE = 0.3
"""Spread of what chance adds to the votes for a floor: seeds differ where the locks leave a choice."""
LONGEST = 6
"""Cells that a ladder or a rope grows from a locked cell in search of an end."""
HELD = 255
"""Stands in a map under construction for a cell that is locked open."""
SOLID = (WALL, BRICK)


def around(cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Start maps `(R, H, W)` of seeds and goals, whose locked `cells (H, W)` hold their `tiles (H, W)`."""
    maps = np.empty((len(numbers), *tiles.shape), np.uint8)
    for level, number, goal in zip(maps, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        much = wanted(goal, tiles.shape[::-1])
        level[:] = np.where(cells, np.where(tiles == OPEN, HELD, tiles), OPEN)
        floors = _lay_floors(level, cells, rng)
        _grow_ladders(level, cells)
        set_ladders(level, floors, much.ladders, rng, cells)
        _grow_ropes(level)
        hang_ropes(level, floors, much.ropes, rng)
        for tile, count in ((GOLD, much.gold), (GUARD, much.guards)):
            stand(level, tile, max(count - int((level == tile).sum()), 0), rng)
        put_ends(level, much.moves, rng)
        level[cells] = tiles[cells]
    return maps


def votes(level: Maps, cells: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What the locked cells say for `(H, W)`, or below 0 against, something solid in each cell."""
    says = np.where(np.isin(level, SOLID), 1.0, np.where(cells & (level != LADDER), -1.0, 0.0))
    stands = np.isin(level, (PLAYER, EXIT, GOLD, GUARD))
    below = np.where(stands, 0.8, np.where(level == ROPE, -0.5, 0.0))[:-1]
    says[1:] += np.where(cells[1:], 0.0, below)
    return says


def _lay_floors(level: Maps, cells: NDArray[np.bool_], rng: Random) -> list[Floor]:
    """Build the floors that agree best with the locked cells into a map; they are returned, lowest first."""
    height, width = level.shape
    says = votes(level, cells)
    ways = [_best_floors(says, cut(width, rng), rng) for _ in range(CUTS)]
    _, floors = max(ways, key=lambda way: way[0])
    ground = height - 1 if says[-1].sum() >= 0 else height  # else one stands on the lower border
    floors.append((ground, 0, width))
    for y, begin, end in [floor for floor in floors if floor[0] < height]:
        row, free = level[y, begin:end], ~cells[y, begin:end]
        walls, bricks = (row == WALL).sum(), (row == BRICK).sum()
        row[free] = WALL if walls > bricks or y == height - 1 else BRICK
    _widen(level, cells)
    return sorted(floors, reverse=True)


def _best_floors(says: NDArray[np.float64], cuts: list[int], rng: Random) -> tuple[float, list[Floor]]:
    """The votes that the best floors of each band get together, and these floors."""
    height = len(says)
    sums = np.pad(says.cumsum(1), ((0, 0), (1, 0))).tolist()
    total, floors = 0.0, []
    for left, right in pairwise(cuts):
        found = [_extent(row, left, right) for row in sums]
        score = [each[0] + CHANCE * float(rng.standard_normal()) for each in found]
        best: dict[int, tuple[float, int]] = {height - 1: (0.0, -1)}
        for y in range(height - 1 - APART[0], 1, -1):
            after = [(best[y + gap][0], y + gap) for gap in range(APART[0], APART[1] + 1) if y + gap in best]
            if after:
                worth, lower = max(after)
                best[y] = worth + score[y], lower
        y = max((y for y in best if y < 2 + APART[1]), key=lambda y: best[y][0], default=height - 1)
        total += best[y][0]
        while best[y][1] >= 0:
            floors.append((y, *found[y][1]))
            y = best[y][1]
    return total, floors


def _extent(sums: list[float], left: int, right: int) -> tuple[float, tuple[int, int]]:
    """From where to where, of a band or up to two cells less on either side, a row gets most votes.

    sums: of the votes before each column.
    """
    most = -np.inf, (left, right)
    for begin in range(left, left + 3):
        for end in range(right, max(right - 3, begin + 1), -1):
            most = max(most, (sums[end] - sums[begin], (begin, end)), key=lambda each: each[0])
    return most


def _widen(level: Maps, cells: NDArray[np.bool_]) -> None:
    """Give what is solid by itself a neighbour that is, where one is free."""
    width = level.shape[1]
    for y, x in np.argwhere(np.isin(level, SOLID)).tolist():
        sides = [u for u in (x - 1, x + 1) if 0 <= u < width]
        if not any(level[y, u] in SOLID for u in sides):
            for u in [u for u in sides if not cells[y, u]][:1]:
                level[y, u] = level[y, x]


def _grow_ladders(level: Maps, cells: NDArray[np.bool_]) -> None:
    """From locked ladders down to what is solid, and up to the floor that they lead to."""
    for y, x in np.argwhere(level == LADDER)[::-1].tolist():
        v = y + 1
        while v < len(level) and level[v, x] == OPEN:
            level[v, x] = LADDER
            v += 1
        top = _top(level, cells, y, x)
        level[top:y, x] = LADDER


def _top(level: Maps, cells: NDArray[np.bool_], y: int, x: int) -> int:
    """The row in which a ladder through a cell ends: in a floor, under a locked cell, or after a few."""
    top = y
    while top > 1 and y - top < LONGEST and not cells[top - 1, x]:
        in_floor = np.isin(level[top, max(x - 1, 0) : x + 2], SOLID).any()
        alone = top == y and np.isin(level[y + 1 : y + 2, x], SOLID).any()
        if in_floor and not alone:
            break
        top -= 1
    return top


def _grow_ropes(level: Maps) -> None:
    """From locked ropes to either side, through what is open, as far as the next thing."""
    for y, x in np.argwhere(level == ROPE).tolist():
        for step in (-1, 1):
            for u in range(x + step, x + step * (LONGEST + 1), step):
                free = 0 <= u < level.shape[1] and level[y, u] == OPEN
                if not free or y + 1 == len(level) or level[y + 1, u] in SOLID:
                    break
                level[y, u] = ROPE
