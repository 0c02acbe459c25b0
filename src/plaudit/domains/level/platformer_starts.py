"""Where platformers begin: rough land with about as many obstacles as jumps are asked for, spoiled by chance.

The land is a line of plots. Each has a height of its own and ends in what one has to jump: a gap, a pipe, or
the step up to the next one. Then come the blocks, enemies and coins, some of them where they may not be, gaps
too wide, half pipes, and a few cells of anything anywhere: no start that was looked at was a good level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Goals, Maps, Size
from plaudit.domains.level.platformer_physics import BLOCK, COIN, ENEMY, EXIT, OPEN, PIPE, PLAYER, WALL

_SALT = 0x9147
SPOILED = 1 / 100
"""Share of the cells of a start that hold anything."""


@dataclass(frozen=True)
class Land:
    """A strip of ground: the height of each column `(W,)`, 0 = a gap, and the columns where plots begin."""

    heights: NDArray[np.int64]
    plots: list[int]

    def flat(self, x: int, columns: int) -> bool:
        """Whether the ground under some columns is there, and level."""
        under = self.heights[x : x + columns]
        return len(under) == columns and bool(under[0] > 0 and (under == under[0]).all())


def planned_maps(numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
    """Start maps `(R, H, W)` of seeds `(R,)`; `density` below 1 fills the air with blocks.

    goals: enemies, jumps and coins `(R, 3)`.
    """
    width, height = size
    maps = np.full((len(numbers), height, width), OPEN, np.uint8)
    for level, number, goal in zip(maps, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        enemies, jumps, coins = wanted(goal, width)
        land = lay_land(level, min(max(jumps - enemies // 2, width // 12), width // 5), rng, rough=True)
        if density is not None:
            level[(level == OPEN) & (rng.random(level.shape) >= density)] = BLOCK
        _hang_blocks(level, land, rng)
        _strew(level, land, (enemies, coins), rng)
        spoil(level, rng)
        put_ends(level, land, rng)
    return maps


def wanted(goal: list[int], width: int) -> tuple[int, ...]:
    """Enemies, jumps and coins that are asked for, or as many as is usual."""
    usual = width // 10, width // 7, width // 10
    return tuple(u if g == UNASKED else g for u, g in zip(usual, goal, strict=True))


def lay_land(level: Maps, obstacles: int, rng: np.random.Generator, rough: bool) -> Land:
    """Lay ground with that many obstacles into an open map; returns what was laid.

    rough: gaps may be too wide, and pipes lack a column.
    """
    height, width = level.shape
    heights, plots = np.zeros(width, np.int64), []
    most = max(height // 2 - 1, 1)
    now, x = int(rng.integers(1, most + 1)), 0
    edge = width // 10
    cuts = np.sort(rng.permutation(np.arange(edge + 1, max(width - edge - 3, edge + 2)))[:obstacles]).tolist()
    for cut in [*cuts, width]:
        plots.append(x)
        heights[x:cut] = now
        x, kind = cut, int(rng.integers(5))
        if cut == width or cut - plots[-1] < 3:
            continue
        if not rough and len(plots) <= 2 * (width // 25):  # as many gaps and pipes as a level needs
            kind = 3 * (len(plots) % 2)
        if kind < 2:
            gap = int(rng.integers(1, 7 if rough else 4))
            heights[cut - min(gap, cut - plots[-1] - 2) : cut] = 0
        elif kind < 4:
            _lay_pipe(level, heights, cut - 2, rng, rough)
        now = _next_height(now, most, kind == 4, rng)
    for column, ground in enumerate(heights.tolist()):
        if ground:
            level[height - ground :, column] = WALL
    return Land(heights, plots)


def _next_height(now: int, most: int, up: bool, rng: np.random.Generator) -> int:
    """The height of the next plot: up to 3 higher after no other obstacle, else level or lower."""
    if up and now < most:
        return min(now + int(rng.integers(1, 4)), most)
    return int(rng.integers(max(1, now - 3), now + 1))


def _lay_pipe(level: Maps, heights: NDArray[np.int64], x: int, rng: np.random.Generator, rough: bool) -> None:
    """A pipe of 1 to 3 cells on the ground of columns `x` and the next; a rough one may be half."""
    top = len(level) - int(heights[x])
    tall = int(rng.integers(1, 4))
    columns = 1 if rough and rng.random() < 0.4 else 2
    level[max(top - tall, 0) : top, x : x + columns] = PIPE


def _hang_blocks(level: Maps, land: Land, rng: np.random.Generator) -> None:
    """Rows of 1 to 4 blocks, 3 to 5 cells above the ground or as high wherever there is none."""
    height, width = level.shape
    for _ in range(max(1, width // 20)):
        x, long, up = int(rng.integers(width)), int(rng.integers(1, 5)), int(rng.integers(3, 6))
        y = height - int(land.heights[x]) - up
        if y >= 0:
            row = level[y, x : x + long]
            row[row == OPEN] = BLOCK


def _strew(level: Maps, land: Land, counts: tuple[int, int], rng: np.random.Generator) -> None:
    """Enemies and coins over the columns, most enemies on the ground and coins up to 5 cells above it."""
    height, width = level.shape
    for tile, count in zip((ENEMY, COIN), counts, strict=True):
        for x in rng.permutation(width)[:count].tolist():
            up = int(rng.integers(1, 6)) if tile == COIN else 1 + int(rng.random() < 0.25)
            y = height - max(int(land.heights[x]), 1) - up
            if y >= 0 and level[y, x] == OPEN:
                level[y, x] = tile


def spoil(level: Maps, rng: np.random.Generator) -> None:
    """Change a few cells, anywhere, to anything but a player or an exit."""
    count = 2 + int(SPOILED * level.size)
    cells = rng.permutation(level.size)[:count]
    level.ravel()[cells] = rng.choice([WALL, OPEN, COIN, ENEMY, PIPE, BLOCK], count)


def put_ends(level: Maps, land: Land, rng: np.random.Generator) -> None:
    """Player and exit onto the ground of the first and the last columns."""
    height, width = level.shape
    near = int(rng.integers(0, width // 10 + 1))
    far = width - 1 - int(rng.integers(0, width // 10 + 1))
    far = far if far > near else width - 1
    for x, tile in ((near, PLAYER), (far, EXIT)):
        level[height - 1 - min(int(land.heights[x]), height - 1), x] = tile
