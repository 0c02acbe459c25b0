"""The maze: one connected region of open cells and a longest path of the wanted length.

The definitions are those of the PCG Benchmark's `binary` problem (Khalifa et al., 2025, arXiv
2503.21474): 4-neighbours, the longest path by a double breadth-first sweep from a region's first open
cell in scan order, tolerance a quarter of width + height, targets up to half of the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import maze_judge, maze_kernels, maze_planes, reward
from plaudit.domains.level.game import Goals, Maps, Size, Stats, Tile, View
from plaudit.domains.level.look import Corridors, Look
from plaudit.domains.level.metrics import Judge, longest_path
from plaudit.domains.level.playable import Leg, Rules
from plaudit.domains.level.request import LARGEST
from plaudit.domains.level.seeds import start_maps
from plaudit.reward.term import Term

SOLID, OPEN = 0, 1
REGION_WEIGHT = 5.0
"""One region too many counts as much as five steps of path (gym-pcgrl's weights)."""
REGIONS, PATH = 0, 1


class MazeGame:
    """Solid and open cells; the path can be asked for."""

    name: ClassVar[str] = "maze"
    tiles: ClassVar[tuple[Tile, ...]] = (Tile("solid", "#", False), Tile("open", ".", True))
    statistics: ClassVar[tuple[str, ...]] = ("regions", "path")
    targets: ClassVar[tuple[str, ...]] = ("path",)
    modes: ClassVar[tuple[tuple[str, ...], ...]] = (("path",),)
    symmetries: ClassVar[tuple[str, ...]] = ("horizontal", "vertical", "diagonal")
    examples: Sequence[Any] = ()
    look: ClassVar[Look] = Corridors()
    judge: ClassVar[Judge] = maze_judge  # type: ignore[assignment]
    proposals: ClassVar[int] = 2
    glance: ClassVar[int] = 2
    polish: ClassVar[int] = 0
    retries: ClassVar[int] = 0
    restarts: ClassVar[int] = 0
    patience: ClassVar[float] = 2 / 3
    widest: ClassVar[int] = LARGEST
    planes = maze_planes.PLANES

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), 2), np.int32)
        maze_kernels.measure(np.ascontiguousarray(maps), stats)
        return stats

    def measure_after(self, maps: Maps, actions: NDArray[np.int64]) -> Stats:
        stats = np.empty((*actions.shape, 2), np.int32)
        maze_kernels.measure_flips(np.ascontiguousarray(maps), np.ascontiguousarray(actions), stats)
        return stats

    def observe(
        self, view: View, tolerance: tuple[float, ...], out: NDArray[np.float32], stats: Stats
    ) -> None:
        # The planes divide by the wanted path, and a path of 0 is a request like any other.
        wanted = np.maximum(view.goals[:, 0], 1)
        limits = (tolerance[0], REGION_WEIGHT)
        planes = out.view()
        planes.shape = (len(out), -1)  # where reshape would copy, this raises
        maze_planes.observe(view.maps, view.starts, wanted, view.left, limits, planes, stats)

    def seems_kept(
        self, planes: NDArray[np.float32], goals: Goals, tolerance: tuple[float, ...]
    ) -> NDArray[np.bool_]:
        flat = planes.reshape(len(planes), -1, self.planes)
        # Plane 8 guesses the change of regions, 9 that of the path over half of H + W; 11 is the gap.
        change = flat[:, :, 9] * sum(planes.shape[1:3]) / 2
        miss = np.abs(flat[:, :, 11] * np.maximum(goals, 1) - change)
        return (flat[:, :, 8] == 0) & (miss <= tolerance[0])

    def distance(self, stats: Stats, goals: Goals, tolerance: tuple[float, ...]) -> NDArray[np.float64]:
        miss = np.maximum(np.abs(stats[:, PATH] - goals[:, 0]) - tolerance[0], 0)
        return REGION_WEIGHT * np.abs(stats[:, REGIONS] - 1) + miss

    def tolerance(self, size: Size) -> tuple[float, ...]:
        return (float(max(1, sum(size) // 4)),)

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        low, high = sum(size) + int(self.tolerance(size)[0]), size[0] * size[1] // 2
        if low > high:  # so small that the benchmark's range is empty: what a plain serpentine reaches
            high = serpentine(size)
            low = min(sum(size), high)
        return ((low, high),)

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        return ((0, longest_possible(size)),)

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        del goals  # any maze may become one of any length
        return start_maps(numbers, size, density)

    def around(self, cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> None:
        del cells, tiles, numbers, goals

    def plan(self, numbers: NDArray[np.int64], size: Size, goals: Goals) -> None:
        del numbers, size, goals

    def kept(self, starts: Maps) -> None:
        del starts  # mazes are kept apart by their code words: see apart.py

    def hopeless(self, goals: Goals, size: Size, tolerance: tuple[float, ...]) -> NDArray[np.bool_]:
        del size, tolerance
        return np.zeros(len(goals), bool)

    def suspects(self, maps: Maps) -> NDArray[np.float32] | None:
        del maps
        return None

    def moves(
        self, maps: Maps, locked: NDArray[np.bool_], cells: NDArray[np.int64], drawn: NDArray[np.float64]
    ) -> None:
        del maps, locked, cells, drawn

    def play(self, level: Maps) -> Rules | None:
        """From one end of the longest path to the other."""
        way = longest_path(level == OPEN)
        if len(way) < 2:
            return None
        hint = "Arrow keys walk. Find the stairs."
        return Rules("walk", hint, way[0], quest=(Leg("exit"),), added=(("exit", way[-1]),))

    def terms(self) -> tuple[Term, ...]:
        return (*reward.passage_terms(self), *reward.shared_terms(self))


def longest_possible(size: Size) -> int:
    """Return a bound that no map's longest path exceeds, in steps.

    A shortest path of v cells touches itself only along its own v - 1 steps, so 2v + 2 of the sides of
    its cells face other cells or the border. Those have 4 sides each and the border 2(W + H):
    2v + 2 <= 4(WH - v) + 2(W + H), hence v <= (2WH + W + H - 1) / 3.

    >>> longest_possible((3, 3)), longest_possible((14, 14))
    (6, 138)
    """
    width, height = size
    return (2 * width * height + width + height - 1) // 3 - 1


def serpentine(size: Size) -> int:
    """Return the path of a corridor that runs to and fro in every second row or column.

    >>> serpentine((3, 3)), serpentine((4, 3))
    (6, 8)
    """

    def along(width: int, height: int) -> int:
        lanes = (height + 1) // 2
        return lanes * width + (lanes - 1) - 1

    return max(along(*size), along(*reversed(size)))
