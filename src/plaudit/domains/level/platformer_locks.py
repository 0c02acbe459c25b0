"""Where platformers begin that have locked cells: land that goes through them.

Each locked cell says what the ground of its column may be: as high as a wall, lower than anything else,
right under what stands on it. The cheapest line of heights and gaps that agrees with all of them is found
by dynamic programming, with prices of steps and gaps by chance. Locked halves of pipes and single blocks
then get what they lack, and what is still wanted comes where nothing is locked. Of a few such starts the one
with fewest faults is taken. That much is construction: most are good levels before a policy begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Goals, Maps
from plaudit.domains.level.platformer_kernels import (
    FAULTS,
    HIGHEST_STEP,
    STATISTICS,
    TALLEST_PIPE,
    WIDEST_GAP,
    measure,
)
from plaudit.domains.level.platformer_physics import BLOCK, COIN, ENEMY, EXIT, OPEN, PIPE, PLAYER, WALL
from plaudit.domains.level.platformer_starts import wanted

Floats = NDArray[np.float64]
Random = np.random.Generator
_SALT = 0x9148
STARTS = 8
"""Starts that one is chosen of."""
HELD = 255
"""Stands in a map under construction for a cell that is locked open."""
WRONG = 20.0
"""Price of a column that contradicts a locked cell."""
RATHER = 2.0
"""Price of ground that is not where a thing suggests it."""
STEPS, GAPS = (0.5, 3.0), (1.0, 5.0)
"""Least and most that a step costs in a column, or the beginning of a gap."""


def around(cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Start maps `(R, H, W)` of seeds and goals, whose locked `cells (H, W)` hold their `tiles (H, W)`."""
    maps = np.empty((len(numbers), *tiles.shape), np.uint8)
    for row, (number, goal) in enumerate(zip(numbers.tolist(), goals.tolist(), strict=True)):
        rng = np.random.default_rng([number % 2**64, _SALT])
        starts = np.stack([_start(cells, tiles, goal, rng) for _ in range(STARTS)])
        stats = np.empty((STARTS, STATISTICS), np.int32)
        measure(starts, stats)
        maps[row] = starts[stats[:, FAULTS].argmin()]
    return maps


def _start(cells: NDArray[np.bool_], tiles: Maps, goal: list[int], rng: Random) -> Maps:
    """One start map `(H, W)`."""
    level = np.where(cells, np.where(tiles == OPEN, HELD, tiles), OPEN).astype(np.uint8)
    partners = _partners(level, rng)
    heights = _heights(_prices(level, partners), partners, rng)
    _build(level, heights, partners)
    _complete_blocks(level)
    _dig_gaps(level, heights, cells & (tiles == WALL), rng)
    _add_pipes(level, heights, rng)
    _hang_blocks(level, heights, rng)
    enemies, _, coins = wanted(goal, level.shape[1])
    edge = level.shape[1] // 10
    _stand(level, heights[: edge + 1], PLAYER, 1, rng)
    _stand(level[:, -edge - 1 :], heights[-edge - 1 :], EXIT, 1, rng)
    _stand(level, heights, ENEMY, enemies, rng)
    _stand(level, heights, COIN, coins, rng)
    level[cells] = tiles[cells]
    return level


def _partners(level: Maps, rng: Random) -> NDArray[np.int64]:
    """The other column of the pipe in each column that has one locked `(W,)`; -1 = no pipe."""
    width = level.shape[1]
    piped = (level == PIPE).any(0)
    partners = np.full(width, -1)
    for x in np.flatnonzero(piped).tolist():
        if partners[x] >= 0:
            continue
        rows = np.flatnonzero(level[:, x] == PIPE)
        sides = [u for u in (x + 1, x - 1) if 0 <= u < width and partners[u] < 0]
        free = [u for u in sides if np.isin(level[rows, u], (OPEN, PIPE)).all()]
        both = [u for u in free if piped[u]]
        if free:
            other = both[0] if both else int(rng.choice(free))
            partners[x], partners[other] = other, x
    return partners


def _prices(level: Maps, partners: NDArray[np.int64]) -> Floats:
    """What ground of each height costs in each column `(W, H / 2 + 1)`, by the locked cells; 0 = a gap."""
    height, width = level.shape
    prices = np.zeros((width, height // 2 + 1))
    ground = np.arange(height // 2 + 1)
    for y, x in np.argwhere(level != OPEN).tolist():
        tile, up = level[y, x], height - y  # cells from the lower border, this one included
        prices[x] += WRONG * ((ground < up) if tile == WALL else (ground >= up))
        firm = y + 1 < height and level[y + 1, x] in (PIPE, BLOCK)
        if tile in (PLAYER, EXIT, ENEMY) and not firm:
            prices[x] += WRONG * (ground != up - 1)
        elif tile == COIN:
            prices[x] += RATHER * (ground != up - 1)
        elif tile == BLOCK:
            prices[x] += WRONG * (ground > up - 3)
        elif tile == PIPE:
            for u in (x, partners[x]) if partners[x] >= 0 else (x,):
                prices[u] += WRONG * ((ground >= up) | (ground < max(up - TALLEST_PIPE, 1)))
    return prices


def _heights(prices: Floats, partners: NDArray[np.int64], rng: Random) -> NDArray[np.int64]:
    """The cheapest ground `(W,)`, 0 = a gap.

    A state is the height of the last ground and the columns of the gap since; steps up are at most 3 cells.
    """
    width, states = prices.shape[0], (prices.shape[1], WIDEST_GAP + 1)
    rise = np.subtract.outer(np.arange(states[0]), np.arange(states[0]))  # to, from
    cost = np.full(states, np.inf)
    cost[1:, 0] = prices[0, 1:] + rng.uniform(0.0, 2.0, states[0] - 1)
    came = np.zeros((width, *states), np.int64)
    for x in range(1, width):
        step = np.where(rise > HIGHEST_STEP, np.inf, np.where(rise == 0, 0.0, rng.uniform(*STEPS)))
        if partners[x] == x - 1:
            step = step + WRONG * (rise != 0)
        ways = (step[:, :, None] + cost[None]).reshape(states[0], -1)
        now = np.full(states, np.inf)
        came[x, :, 0] = ways.argmin(1)
        now[1:, 0] = ways.min(1)[1:] + prices[x, 1:] + rng.uniform(0.0, 0.3, states[0] - 1)
        now[:, 1] = cost[:, 0] + prices[x, 0] + rng.uniform(*GAPS)
        now[:, 2:] = cost[:, 1:-1] + prices[x, 0]
        cost = now
    return _traced(cost, came)


def _traced(cost: Floats, came: NDArray[np.int64]) -> NDArray[np.int64]:
    """The heights along the cheapest way to the last column."""
    runs = cost.shape[1]
    last, run = divmod(int(cost.argmin()), runs)
    heights = np.zeros(len(came), np.int64)
    for x in range(len(came) - 1, -1, -1):
        heights[x] = 0 if run else last
        if run:
            run -= 1
        else:
            last, run = divmod(int(came[x, last, 0]), runs)
    return heights


def _build(level: Maps, heights: NDArray[np.int64], partners: NDArray[np.int64]) -> None:
    """Lay the ground, and make locked pieces of pipes whole, into what is free."""
    height = len(level)
    for x, ground in enumerate(heights.tolist()):
        _fill(level[height - ground :, x], WALL)
    for x in np.flatnonzero(partners > np.arange(len(partners))).tolist():
        top = int((level[:, x : x + 2] == PIPE).any(1).argmax())
        for u in (x, x + 1):
            _fill(level[top : height - int(heights[u]), u], PIPE)


def _fill(part: Maps, tile: int) -> None:
    part[part == OPEN] = tile


def _complete_blocks(level: Maps) -> None:
    """Give single blocks another beside them, where one may hang."""
    for y, x in np.argwhere(level == BLOCK).tolist():
        sides = [u for u in (x - 1, x + 1) if 0 <= u < level.shape[1]]
        if not any(level[y, u] == BLOCK for u in sides):
            for u in [u for u in sides if level[y, u] == OPEN and _airy(level[y + 1 : y + 3, u])][:1]:
                level[y, u] = BLOCK


def _airy(part: Maps) -> bool:
    """Whether nothing solid is in some cells."""
    return not np.isin(part, (WALL, PIPE, BLOCK)).any()


def _dig_gaps(level: Maps, heights: NDArray[np.int64], held: NDArray[np.bool_], rng: Random) -> None:
    """Gaps of one to three columns in bare ground that is not locked, until there are as many as it takes."""
    height, width = level.shape
    edge = width // 10 + 1
    tops = height - 1 - heights
    bare = np.isin(level[tops, np.arange(width)], (OPEN, HELD)) & ~held.any(0)
    for x in rng.permutation(np.arange(edge, max(width - edge - 3, edge))).tolist():
        columns = slice(x, x + int(rng.integers(1, 4)))
        if _gaps(heights) >= max(width // 25, 1):
            return
        if bare[columns].all() and heights[x - 1 : columns.stop + 1].all():
            part = level[:, columns]
            part[part == WALL] = OPEN
            heights[columns] = 0


def _gaps(heights: NDArray[np.int64]) -> int:
    empty = heights == 0
    return int(empty[0]) + int((empty[1:] & ~empty[:-1]).sum())


def _add_pipes(level: Maps, heights: NDArray[np.int64], rng: Random) -> None:
    """Pipes of one to three cells on level ground in the open, until there are as many as it takes."""
    height, width = level.shape
    edge = width // 10 + 1
    for x in rng.permutation(np.arange(edge, max(width - edge - 2, edge))).tolist():
        tops = ((level[1:] == PIPE) & (level[:-1] != PIPE)).sum()
        if tops >= 2 * max(width // 25, 1):
            return
        foot, tall = height - int(heights[x]), int(rng.integers(1, 4))
        free = level[max(foot - tall, 1) : foot, x : x + 2]
        beside = level[foot - tall : foot, max(x - 1, 0) : x + 3]
        if 0 < heights[x] == heights[x + 1] and (free == OPEN).all() and not (beside == PIPE).any():
            free[:] = PIPE


def _hang_blocks(level: Maps, heights: NDArray[np.int64], rng: Random) -> None:
    """Rows of two to four blocks, three or four cells above the ground, until there are enough."""
    height, width = level.shape
    for x in rng.permutation(width).tolist():
        if (level == BLOCK).sum() >= width // 10:
            return
        long, up = int(rng.integers(2, 5)), int(rng.integers(3, 5))
        y = height - int(heights[x]) - up
        row = level[y, x : x + long]
        under = level[y + 1 : y + 3, x : x + long]
        if (
            y >= 1
            and len(row) > 1
            and (row == OPEN).all()
            and _airy(under)
            and _airy(level[y - 1, x : x + long])
        ):
            row[:] = BLOCK


def _stand(level: Maps, heights: NDArray[np.int64], tile: int, count: int, rng: Random) -> None:
    """Things on bare ground until there are as many on the map as wanted."""
    lacking = count - int((level == tile).sum())
    for x in rng.permutation(len(heights)).tolist():
        y = len(level) - 1 - int(heights[x])
        if lacking > 0 and heights[x] > 0 and level[y, x] == OPEN:
            level[y, x] = tile
            lacking -= 1
