"""Sokoban: push every crate onto a target.

The definitions are those of the PCG Benchmark's `sokoban` (Khalifa et al., 2025, arXiv 2503.21474): one
player, as many targets as crates, and a solution of at least width + height moves, found by solvers with a
limit; what can be asked for is the number of crates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import sokoban_judge, sokoban_kernels
from plaudit.domains.level.furniture import furnish
from plaudit.domains.level.game import UNASKED, Goals, Maps, Size, Stats, Tile
from plaudit.domains.level.metrics import Judge
from plaudit.domains.level.playable import Rules, only
from plaudit.domains.level.rule_game import RuleGame
from plaudit.domains.level.seeds import start_maps
from plaudit.domains.level.sokoban_kernels import CRATE, PLAYER, TARGET
from plaudit.domains.level.sokoban_plans import plan_levels


class SokobanGame(RuleGame):
    """Walls, floor, a player, crates and targets; the crates can be asked for."""

    name: ClassVar[str] = "sokoban"
    size: ClassVar[Size] = (5, 5)
    tiles: ClassVar[tuple[Tile, ...]] = (
        Tile("wall", "#", False),
        Tile("open", " ", True),
        Tile("player", "@", True, single=True),
        Tile("crate", "$", True),
        Tile("target", ".", True),
    )
    meanings: ClassVar[Mapping[str, str]] = {
        "players": "Players on the map; a good level has one.",
        "crates": "Crates on the map.",
        "targets": "Targets on the map; a good level has as many as crates.",
        "regions": "Connected regions of everything but walls.",
        "solution": "Moves of the solution found; 0 = none was.",
    }
    statistics: ClassVar[tuple[str, ...]] = (*meanings, "faults")
    targets: ClassVar[tuple[str, ...]] = ("crates", "solution")
    aliases: ClassVar[Mapping[str, str]] = {"path": "solution", "moves": "solution"}
    modes: ClassVar[tuple[tuple[str, ...], ...]] = (("crates",), ("crates", "solution"))
    judge: ClassVar[Judge] = sokoban_judge  # type: ignore[assignment]
    details: ClassVar[int] = sokoban_kernels.DETAILS

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), sokoban_kernels.STATISTICS), np.int32)
        sokoban_kernels.measure(np.ascontiguousarray(maps), stats)
        return stats

    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        sokoban_kernels.paint(np.ascontiguousarray(maps), stats, planes)

    def tolerance(self, size: Size) -> tuple[float, ...]:
        return 1.0, 2.0

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        return (1, max(size)), (sum(size), 2 * sum(size))

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        cells = size[0] * size[1]
        return (1, (cells - 1) // 2), (1, cells**2)

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        maps = start_maps(numbers, size, OPEN_SHARE if density is None else density)
        crates = np.where(goals[:, 0] == UNASKED, 2, goals[:, 0])
        return furnish(maps, numbers, [(PLAYER, np.ones_like(crates)), (CRATE, crates), (TARGET, crates)])

    def play(self, level: Maps) -> Rules | None:
        start = only(level, PLAYER)
        if start is None or not (level == CRATE).any():
            return None
        hint = "Arrow keys walk and push. Every crate onto a mark."
        return Rules("walk", hint, start, pushed="crate", places="target")

    def plan(self, numbers: NDArray[np.int64], size: Size, goals: Goals) -> Maps | None:
        return plan_levels(numbers, size, goals)


OPEN_SHARE = 0.8
"""Of the cells of a start map: pushing takes room."""
