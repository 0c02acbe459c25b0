"""The narrow environment of gym-pcgrl's `binary` problem, as a plain port in NumPy and Python.

The loop is that of amidos2006/gym-pcgrl (MIT; Khalifa et al., 2020, arXiv 2001.09212), written anew: one
map of 14 x 14, a cell drawn at random each step, keep it or set it; the statistics - regions, and the
longest path by a double sweep of every region - are taken again whenever the map changed; reward 5 for
regions and 1 for path; over when there is one region and the path grew by 20, when a fifth of the cells was
changed, or when the steps are used up. What makes its pace is kept: for each statistic the map becomes tile
names, regions are filled and paths swept one after the other, with lists that are popped at the front and a
NumPy array for each sweep. It departs in what is cheaper here: no debug information beyond the figures, and
no observation wrapper (crop, one-hot).
"""

from __future__ import annotations

import numpy as np

SIZE, TARGET = 14, 20
CHANGES = SIZE * SIZE // 5
NAMES = ("empty", "solid")
Named = list[list[str]]
Cell = tuple[int, int]
"""Column and row."""


class NarrowBinary:
    """One environment: `reset() -> obs`, `step(action) -> obs, reward, done, info`."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.open_share = 0.5

    def reset(self) -> dict[str, np.ndarray]:
        self.map = (self.random.random((SIZE, SIZE)) >= self.open_share).astype(np.uint8)
        self.open_share = self.random.random()
        self.heat = np.zeros((SIZE, SIZE))
        self.changes = self.steps = 0
        self.stats = self.first = statistics(self.map)
        self._move()
        return self._observed()

    def step(self, action: int) -> tuple[dict[str, np.ndarray], float, bool, dict[str, int]]:
        self.steps += 1
        before, changed = self.stats, action > 0 and self.map[self.y, self.x] != action - 1
        if action > 0:
            self.map[self.y, self.x] = action - 1
        self._move()
        if changed:
            self.changes += 1
            self.heat[self.y, self.x] += 1.0
            self.stats = statistics(self.map)
        regions, path = self.stats
        gained = 5.0 * (abs(before[0] - 1) - abs(regions - 1)) + (path - before[1])
        good = regions == 1 and path - self.first[1] >= TARGET
        done = good or self.changes >= CHANGES or self.steps >= CHANGES * SIZE * SIZE
        info = {"regions": regions, "path-length": path, "iterations": self.steps, "changes": self.changes}
        return self._observed(), gained, done, info

    def _move(self) -> None:
        self.x, self.y = (int(at) for at in self.random.integers(0, SIZE, 2))

    def _observed(self) -> dict[str, np.ndarray]:
        place = np.array([self.x, self.y], np.uint8)
        return {"pos": place, "map": self.map.copy(), "heatmap": self.heat.copy()}


def statistics(level: np.ndarray) -> tuple[int, int]:
    """Regions and longest path of a map `(H, W)` of tile numbers."""
    named = [[NAMES[int(tile)] for tile in row] for row in level]
    places: dict[str, list[Cell]] = {name: [] for name in NAMES}
    for y, row in enumerate(named):
        for x, name in enumerate(row):
            places[name].append((x, y))
    return count_regions(named, places["empty"]), longest_path(named, places["empty"])


def count_regions(named: Named, places: list[Cell]) -> int:
    """How many fills it takes to colour all open cells."""
    colours, regions = np.full((len(named), len(named[0])), -1), 0
    for place in places:
        queue, filled = [place], 0
        while queue:
            x, y = queue.pop(0)
            if colours[y][x] != -1 or named[y][x] != "empty":
                continue
            colours[y][x] = regions
            filled += 1
            queue.extend(beside(named, x, y))
        regions += filled > 0
    return regions


def longest_path(named: Named, places: list[Cell]) -> int:
    """The longest of the paths that two sweeps find in each region."""
    swept, longest = np.zeros((len(named), len(named[0]))), 0
    for x, y in places:
        if swept[y][x] > 0:
            continue
        first, visited = sweep(named, x, y)
        swept += visited
        far_y, far_x = np.unravel_index(np.argmax(first), first.shape)
        second, _ = sweep(named, int(far_x), int(far_y))
        longest = max(longest, int(second.max()))
    return longest


def sweep(named: Named, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Steps from a cell to every open one `(H, W)`, -1 = none, and which were visited."""
    steps, visited = np.full((len(named), len(named[0])), -1), np.zeros((len(named), len(named[0])))
    queue = [(x, y, 0)]
    while queue:
        x, y, step = queue.pop(0)
        if named[y][x] != "empty" or 0 <= steps[y][x] <= step:
            continue
        visited[y][x], steps[y][x] = 1, step
        queue.extend((u, v, step + 1) for u, v in beside(named, x, y))
    return steps, visited


def beside(named: Named, x: int, y: int) -> list[Cell]:
    """The neighbours of a cell, columns first."""
    around = ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1))
    return [(u, v) for u, v in around if 0 <= u < len(named[0]) and 0 <= v < len(named)]
