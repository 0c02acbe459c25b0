"""Zelda: fetch the key, reach the door, mind the enemies.

The definitions are those of the PCG Benchmark's `zelda` (Khalifa et al., 2025, arXiv 2503.21474): one
region, one player, key and door, 2 to 4 enemies on 11 x 7, both legs open and together at least width +
height long; what can be asked for is the length of each leg.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import zelda_judge, zelda_kernels
from plaudit.domains.level.game import Goals, Maps, Size, Stats, Tile
from plaudit.domains.level.metrics import Judge
from plaudit.domains.level.playable import Leg, Rules, only, walk
from plaudit.domains.level.rule_game import RuleGame
from plaudit.domains.level.seeds import start_maps
from plaudit.domains.level.zelda_judge import DOOR, ENEMY, KEY, PLAYER, WALL
from plaudit.domains.level.zelda_plans import plan_levels
from plaudit.domains.level.zelda_starts import planned_maps


class ZeldaGame(RuleGame):
    """Walls, floor, a player, a key, a door and enemies; legs, path and enemies can be asked for."""

    name: ClassVar[str] = "zelda"
    size: ClassVar[Size] = (11, 7)
    tiles: ClassVar[tuple[Tile, ...]] = (
        Tile("wall", "#", False),
        Tile("open", ".", True),
        Tile("player", "@", True, single=True),
        Tile("key", "k", True, single=True),
        Tile("door", "D", True, single=True),
        Tile("enemy", "e", True),
    )
    meanings: ClassVar[Mapping[str, str]] = {
        "players": "Players on the map; a good level has one.",
        "keys": "Keys on the map; a good level has one.",
        "doors": "Doors on the map; a good level has one.",
        "enemies": "Enemies on the map.",
        "regions": "Connected regions of everything but walls.",
        "player_key": "Steps from the player to the key, not through the door; -1 = no way.",
        "key_door": "Steps from the key to the door; -1 = no way.",
        "path": "Steps of both legs together.",
    }
    statistics: ClassVar[tuple[str, ...]] = (*meanings, "faults", "crowd")
    targets: ClassVar[tuple[str, ...]] = ("player_key", "key_door", "path", "enemies")
    aliases: ClassVar[Mapping[str, str]] = {"key_path": "player_key", "door_path": "key_door"}
    modes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("player_key", "key_door"),
        ("player_key", "key_door", "enemies"),
        ("path", "enemies"),
    )
    judge: ClassVar[Judge] = zelda_judge  # type: ignore[assignment]
    replaced: ClassVar[Mapping[str, str]] = {"enemies": "crowd"}
    details: ClassVar[int] = zelda_kernels.DISTANCES

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), zelda_kernels.STATISTICS), np.int32)
        zelda_kernels.measure(np.ascontiguousarray(maps), stats)
        return stats

    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        zelda_kernels.paint(np.ascontiguousarray(maps), stats, planes)

    def tolerance(self, size: Size) -> tuple[float, ...]:
        leg = float(max(1, sum(size) // 8))
        return leg, leg, 1.0, 0.0

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        low, high = sum(size) // 2 + int(self.tolerance(size)[0]), size[0] * size[1] // 4 - 1
        leg = (low, max(low, high))
        usual = zelda_kernels.usual_enemies(size[0] * size[1])
        return leg, leg, (sum(size), 2 * leg[1]), (0, 2 * usual)

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        cells = size[0] * size[1]
        return (1, cells - 2), (1, cells - 2), (2, 2 * cells - 4), (0, cells - 3)

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        return planned_maps(start_maps(numbers, size, density), numbers, goals, self.span(size)[0])

    def plan(self, numbers: NDArray[np.int64], size: Size, goals: Goals) -> Maps | None:
        """On larger maps than its own."""
        if size[0] * size[1] <= self.size[0] * self.size[1]:
            return None
        return plan_levels(numbers, size, goals, self.span(size)[0])

    def kept(self, starts: Maps) -> NDArray[np.bool_]:
        """The route from the player to the key, and what stands around it."""
        steps = np.empty((*starts.shape, self.details), np.float32)
        stats = np.empty((len(starts), zelda_kernels.STATISTICS), np.int32)
        self.paint(starts, stats, steps)
        there, back = steps[..., 0], steps[..., 1]
        leg = stats[:, zelda_kernels.PLAYER_KEY, None, None] / sum(starts.shape[1:])
        route = (there >= 0) & (back >= 0) & (np.abs(there + back - leg) < 0.01) & (leg > 0)
        around = np.pad(route, ((0, 0), (1, 1), (1, 1)))
        beside = around[:, :-2, 1:-1] | around[:, 2:, 1:-1] | around[:, 1:-1, :-2] | around[:, 1:-1, 2:]
        return np.asarray(route | beside)

    def play(self, level: Maps) -> Rules | None:
        player, key, door = (only(level, tile) for tile in (PLAYER, KEY, DOOR))
        if player is None or key is None or door is None:
            return None
        way = walk((level != WALL) & (level != DOOR), player, key) + walk(level != WALL, key, door)
        return Rules(
            move="walk",
            hint="Arrow keys walk. Fetch the key, then the door; each bat takes a heart.",
            start=player,
            quest=(Leg("key", closed=("door",)), Leg("door")),
            taken=("key", "door"),
            health=1 + len({cell for cell in way if level[cell] == ENEMY}),
            worth={"enemy": -1},
        )
