"""Caves: fetch the key and jump to the exit, past spikes, with diamonds on the way.

The definitions are those of the PCG Benchmark's `ddave` (Khalifa et al., 2025, arXiv 2503.21474): one player,
exit and key, both ends on firm ground, every diamond within reach, and a way, as its player finds it, of two
jumps on 11 x 7; what can be asked for is where the player starts and leaves, and the number of diamonds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import cave_judge, cave_kernels, cave_search
from plaudit.domains.level.cave_starts import planned_maps
from plaudit.domains.level.game import Goals, Maps, Size, Stats, Tile
from plaudit.domains.level.metrics import Judge
from plaudit.domains.level.playable import Leg, Rules, only
from plaudit.domains.level.rule_game import RuleGame
from plaudit.domains.level.seeds import start_maps


class CaveGame(RuleGame):
    """Rock, air, a player, an exit, diamonds, a key and spikes."""

    name: ClassVar[str] = "cave"
    size: ClassVar[Size] = (11, 7)
    tiles: ClassVar[tuple[Tile, ...]] = (
        Tile("wall", "#", False),
        Tile("open", ".", True),
        Tile("player", "@", True, single=True),
        Tile("exit", "H", True, single=True),
        Tile("diamond", "d", True),
        Tile("key", "k", True, single=True),
        Tile("spike", "^", True),
    )
    meanings: ClassVar[Mapping[str, str]] = {
        "players": "Players on the map; a good level has one.",
        "exits": "Exits on the map; a good level has one.",
        "diamonds": "Diamonds on the map.",
        "keys": "Keys on the map; a good level has one.",
        "spikes": "Spikes on the map.",
        "sx": "Column of the player, from 0; -1 = not one.",
        "sy": "Row of the player, from 0; -1 = not one.",
        "ex": "Column of the exit, from 0; -1 = not one.",
        "ey": "Row of the exit, from 0; -1 = not one.",
        "num_jumps": "Jumps on the way that the player finds.",
        "solution_length": "Moments of that way; 0 = none.",
        "missed": "Diamonds that the player cannot come to, where there is a way.",
    }
    statistics: ClassVar[tuple[str, ...]] = (*meanings, "faults")
    targets: ClassVar[tuple[str, ...]] = ("sx", "sy", "ex", "ey", "diamonds")
    aliases: ClassVar[Mapping[str, str]] = {
        "player_x": "sx",
        "player_y": "sy",
        "exit_x": "ex",
        "exit_y": "ey",
    }
    modes: ClassVar[tuple[tuple[str, ...], ...]] = (("sx", "sy", "ex", "ey", "diamonds"),)
    symmetries: ClassVar[tuple[str, ...]] = ()
    judge: ClassVar[Judge] = cave_judge  # type: ignore[assignment]
    details: ClassVar[int] = cave_kernels.DETAILS

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), cave_kernels.STATISTICS), np.int32)
        cave_kernels.measure(np.ascontiguousarray(maps), stats)
        return stats

    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        cave_kernels.paint(np.ascontiguousarray(maps), stats, planes)

    def tolerance(self, size: Size) -> tuple[float, ...]:
        return (0.0,) * 5

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        width, height = size
        lowest = min(height // 2 + 2, height - 1)
        return (0, width - 1), (lowest, height - 1), (0, width - 1), (0, height // 2 - 1), (0, min(size) - 1)

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        width, height = size
        return (0, width - 1), (0, height - 1), (0, width - 1), (0, height - 1), (0, width * height - 3)

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        return planned_maps(
            start_maps(numbers, size, OPEN_SHARE if density is None else density), numbers, goals
        )

    def kept(self, starts: Maps) -> NDArray[np.bool_]:
        """Player and exit, which stand where they are asked for, and the ground under them."""
        ends = (starts == cave_search.PLAYER) | (starts == cave_search.EXIT)
        under = np.zeros_like(ends)
        under[:, 1:] = ends[:, :-1]
        return np.asarray(ends | under)

    def play(self, level: Maps) -> Rules | None:
        start = only(level, cave_search.PLAYER)
        if start is None or any(only(level, each) is None for each in (cave_search.KEY, cave_search.EXIT)):
            return None
        return Rules(
            move="hop",
            hint="Left and right walk, up jumps, down waits. Fetch the key, then the exit; mind the spikes.",
            start=start,
            quest=(Leg("key"), Leg("exit")),
            taken=("key", "diamond"),
            deadly=("spike",),
            physics={"air": cave_search.AIR},
        )


OPEN_SHARE = 0.85
"""Share of air in a start map: jumping takes room."""
