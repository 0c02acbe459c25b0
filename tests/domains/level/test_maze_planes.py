"""What the maze's observation planes mean, in plain Python, and the kernel against it, bit for bit.

`a` and `b` are a cell's distances from both ends of its region's path, as the double sweep finds it.
"""

import math
from collections import deque

import numpy as np
import pytest

from plaudit.domains.level.game import View
from plaudit.domains.level.maze import REGION_WEIGHT, MazeGame

GAME = MazeGame()


def beside(cell):
    y, x = cell
    return [(y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x)]


def distances(start, cells):
    """Steps from `start` to every cell that can be reached."""
    found, queue = {start: 0}, deque([start])
    while queue:
        cell = queue.popleft()
        for near in beside(cell):
            if near in cells and near not in found:
                found[near] = found[cell] + 1
                queue.append(near)
    return found


def farthest(found):
    """The farthest cell, the first in scan order among equals."""
    return min(found, key=lambda cell: (-found[cell], cell))


class Maze:
    """One map, measured: `region`, `a` and `b` by cell, `length` by region."""

    def __init__(self, grid):
        self.height, self.width = grid.shape
        self.cells = {(int(y), int(x)) for y, x in np.argwhere(grid)}
        self.region, self.a, self.b, self.length = {}, {}, {}, []
        for cell in sorted(self.cells):
            if cell not in self.region:
                self.add(cell)
        self.longest = max(self.length, default=0)
        self.best = self.length.index(self.longest) if self.length else None

    def add(self, first):
        first_end = farthest(distances(first, self.cells))
        a = distances(first_end, self.cells)
        end = farthest(a)
        self.region.update(dict.fromkeys(a, len(self.length)))
        self.a.update(a)
        self.b.update(distances(end, self.cells))
        self.length.append(a[end])

    def if_opened(self, cell):
        """Guessed regions more and guessed path: regions are joined, paths run through the cell."""
        near = [other for other in beside(cell) if other in self.cells]
        labels = {self.region[other] for other in near}
        far, loops = [0, 0], [0]
        for label in labels:
            a = 1 + min(self.a[other] for other in near if self.region[other] == label)
            b = 1 + min(self.b[other] for other in near if self.region[other] == label)
            far.append(max(a, b))
            loops.append(min(self.length[label], a + b))
        apart = 0 if self.best in labels else self.longest
        return 1 - len(labels), max(apart, *loops, sum(sorted(far)[-2:]))

    def if_filled(self, cell):
        """Guessed regions more and guessed path: neighbours hold together where the 3x3 ring does."""
        y, x = cell
        ring = [(y - 1, x), (y - 1, x + 1), (y, x + 1), (y + 1, x + 1), (y + 1, x), (y + 1, x - 1)]
        ring = [place in self.cells for place in [*ring, (y, x - 1), (y - 1, x - 1)]]
        links = sum(ring[i] and ring[i + 1] and ring[(i + 2) % 8] for i in range(0, 8, 2))
        parts = max(sum(ring[::2]) - links, min(sum(ring[::2]), 1))
        path = self.longest
        if self.on_path(cell):
            ends = min(self.a[cell], self.b[cell]) == 0
            path = max(self.a[cell], self.b[cell]) - 1 if parts >= 2 else path - ends
        return parts - 1, max(path, 0)

    def on_path(self, cell):
        return self.region[cell] == self.best and self.a[cell] + self.b[cell] == self.longest


def clip(value, low, high):
    return max(low, min(value, high))


def loss(regions, path, target, tolerance):
    return REGION_WEIGHT * abs(regions - 1) + max(0, abs(path - target) - tolerance)


def planes_of_cell(maze, cell, target, tolerance):
    """Planes 0 to 10 but 1."""
    unit, scale = 1 / target, 1 / (maze.height + maze.width)
    values = np.zeros(11)
    values[0] = -1
    if cell in maze.cells:
        a, b, length = maze.a[cell], maze.b[cell], maze.length[maze.region[cell]]
        values[0] = 1  # the tile
        values[2] = maze.region[cell] == maze.best  # in the region of the longest path
        values[3] = maze.on_path(cell)
        values[4] = min(max(a, b) * unit, 2)  # to the farther end of the path
        values[5] = min((a + b - length) * scale, 2)  # detour
        values[6] = clip((a - b) * unit, -1, 1)  # which end is nearer
        values[7] = min(length * unit, 2)  # path of the own region
    change, path = (maze.if_filled if cell in maze.cells else maze.if_opened)(cell)
    values[8] = change / 2  # regions more by a flip, guessed
    values[9] = clip((path - maze.longest) * scale * 2, -1, 1)  # path more by a flip, guessed
    gain = loss(len(maze.length), maze.longest, target, tolerance)
    gain -= loss(len(maze.length) + change, path, target, tolerance)
    values[10] = clip(gain * 0.1, -2, 2)  # what these are worth
    return values


def planes(grid, start, target, left, tolerance):
    """All planes `(H, W, 16)` of one map, and its regions and longest path."""
    maze = Maze(grid)
    out = np.zeros((*grid.shape, 16), np.float32)
    for cell in np.ndindex(grid.shape):
        out[cell][:11] = planes_of_cell(maze, cell, target, tolerance)
    out[..., 1] = grid != start  # edited
    gap = target - maze.longest
    out[..., 11] = clip(gap / target, -1, 1)  # path that is missing
    out[..., 12] = 0 if abs(gap) <= tolerance else np.sign(gap)  # too short, too long
    out[..., 13] = min(math.log2(max(len(maze.length), 1)) / 4, 2)  # regions
    out[..., 14] = left  # share of the steps that are left
    out[..., 15] = target / grid.size  # what is asked for
    return out, [len(maze.length), maze.longest]


@pytest.mark.parametrize(
    ("shape", "count"),
    [((14, 14), 40), ((3, 3), 200), ((5, 9), 100), ((1, 6), 50), ((1, 1), 4), ((40, 33), 2)],
)
@pytest.mark.parametrize("tolerance", [1.0, 3.25])
def test_the_kernel_paints_what_the_definitions_say(shape, count, tolerance):
    rng = np.random.default_rng(11)
    density = rng.random((count, 1, 1)) * 1.2 - 0.1  # from empty to full
    maps = (rng.random((count, *shape)) < density).astype(np.uint8)
    starts = maps ^ (rng.random(maps.shape) < 0.1)
    goals = rng.integers(1, max(2, math.prod(shape) // 2), (count, 1))
    left = rng.random(count).astype(np.float32)
    out, stats = np.full((count, *shape, 16), np.nan, np.float32), np.zeros((count, 2), np.int32)
    GAME.observe(View(maps, starts, np.zeros(maps.shape, bool), goals, left), (tolerance,), out, stats)
    for row in range(count):
        wanted, figures = planes(maps[row], starts[row], int(goals[row, 0]), left[row], tolerance)
        assert stats[row].tolist() == figures
        assert np.array_equal(out[row].view(np.uint32), wanted.view(np.uint32))


def test_a_maze_above_the_limit_is_refused():
    maps = np.zeros((1, 65, 65), np.uint8)
    view = View(maps, maps, maps.astype(bool), np.ones((1, 1), np.int64), np.ones(1, np.float32))
    with pytest.raises(ValueError, match="64 x 64"):
        GAME.observe(view, (1.0,), np.zeros((1, 65, 65, 16), np.float32), np.zeros((1, 2), np.int32))
