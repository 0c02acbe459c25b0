"""Dungeons: reach the exit alive, past goblins and ogres, with potions and treasures on the way.

The definitions are those of the PCG Benchmark's `mdungeons` (Khalifa et al., 2025, arXiv 2503.21474): one
region, one player and exit, half of the cells wall or floor, and a way, as its player finds it, that meets
eight enemies on 8 x 12; what can be asked for is the length of the way and the treasures collected on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import dungeon_judge, dungeon_kernels
from plaudit.domains.level.dungeon_plans import plan_dungeons, tell_dungeons
from plaudit.domains.level.dungeon_search import CURE, EXIT, HEALTH, PLAYER
from plaudit.domains.level.dungeon_starts import planned_maps
from plaudit.domains.level.dungeon_stories import fewest_potions
from plaudit.domains.level.game import UNASKED, Goals, Maps, Size, Stats, Tile
from plaudit.domains.level.metrics import Judge
from plaudit.domains.level.playable import Leg, Rules, only
from plaudit.domains.level.rule_game import RuleGame
from plaudit.domains.level.seeds import start_maps


class DungeonGame(RuleGame):
    """Walls, floor, a player, an exit, potions, treasures, goblins and ogres."""

    name: ClassVar[str] = "dungeon"
    size: ClassVar[Size] = (8, 12)
    tiles: ClassVar[tuple[Tile, ...]] = (
        Tile("wall", "#", False),
        Tile("open", ".", True),
        Tile("player", "@", True, single=True),
        Tile("exit", "H", True, single=True),
        Tile("potion", "*", True),
        Tile("treasure", "$", True),
        Tile("goblin", "g", True),
        Tile("ogre", "o", True),
    )
    meanings: ClassVar[Mapping[str, str]] = {
        "players": "Players on the map; a good level has one.",
        "exits": "Exits on the map; a good level has one.",
        "potions": "Potions on the map.",
        "treasures": "Treasures on the map.",
        "enemies": "Goblins and ogres on the map.",
        "regions": "Connected regions of everything but walls.",
        "layout": "Cells that are wall or floor.",
        "solution_length": "Cells of the way that the player finds; 0 = none.",
        "col_treasures": "Treasures collected on the way.",
        "avoided": "Steps between the way and the nearest enemies, over all that must be met.",
    }
    statistics: ClassVar[tuple[str, ...]] = (*meanings, "faults")
    targets: ClassVar[tuple[str, ...]] = ("col_treasures", "solution_length")
    aliases: ClassVar[Mapping[str, str]] = {"path": "solution_length", "collected": "col_treasures"}
    modes: ClassVar[tuple[tuple[str, ...], ...]] = (("col_treasures", "solution_length"),)
    judge: ClassVar[Judge] = dungeon_judge  # type: ignore[assignment]
    details: ClassVar[int] = dungeon_kernels.DETAILS
    # Where the way has no room for all treasures, a good level short of some is nearer than one whose player
    # is led round the enemies to make room for them.
    gravity: ClassVar[float] = 3.0
    # Three of four levels are done within 18 steps, and of the others most never are: a fresh start does
    # better.
    glance: ClassVar[int] = 4
    patience: ClassVar[float] = 1 / 4
    retries: ClassVar[int] = 5
    # A fresh start takes climbing longer here than what is left of a level that the policy made.
    polish: ClassVar[int] = 3_000
    restarts: ClassVar[int] = 0

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), dungeon_kernels.STATISTICS), np.int32)
        dungeon_kernels.measure(np.ascontiguousarray(maps), stats)
        return stats

    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        dungeon_kernels.paint(np.ascontiguousarray(maps), stats, planes)

    def tolerance(self, size: Size) -> tuple[float, ...]:
        enemies = dungeon_kernels.usual_enemies(size[0] * size[1])
        return max(sum(size) // 5, 1), max(enemies // 2, 1)

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        shortest = 2 * dungeon_kernels.usual_enemies(size[0] * size[1])
        return (0, sum(size) - 1), (shortest, max(shortest, size[0] * size[1] // 2 - 1))

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        cells = size[0] * size[1]
        return (0, cells // 2), (2, 2 * cells)

    def hopeless(self, goals: Goals, size: Size, tolerance: tuple[float, ...]) -> NDArray[np.bool_]:
        """Ways too short for treasures, enemies, and the potions without which nobody lives."""
        treasures, length = goals.T
        enemies = dungeon_kernels.usual_enemies(size[0] * size[1])
        met = enemies + fewest_potions(enemies) + np.maximum(treasures - tolerance[0], 0)
        both = (treasures != UNASKED) & (length != UNASKED)
        return np.asarray(both & (met + 2 > length + tolerance[1]))

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        maps = start_maps(numbers, size, SPARSE if density is None else density)
        return planned_maps(maps, numbers, goals)

    def around(self, cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
        return plan_dungeons(cells, tiles, numbers, goals)

    def plan(self, numbers: NDArray[np.int64], size: Size, goals: Goals) -> Maps | None:
        """On its own size and on larger maps; on those no start that chance strewed is ever finished."""
        if size == self.size:
            return tell_dungeons(numbers, goals)
        if size[0] * size[1] <= self.size[0] * self.size[1]:
            return None
        free = np.zeros(size[::-1], np.bool_)
        plans = plan_dungeons(free, free.astype(np.uint8), numbers, goals)
        for attempt in range(1, PLANS):
            bad = self.measure(plans)[:, dungeon_kernels.FAULTS] > 0
            if not bad.any():
                break
            again = numbers[bad] + attempt * _ANEW
            plans[bad] = plan_dungeons(free, free.astype(np.uint8), again, goals[bad])
        return plans

    def play(self, level: Maps) -> Rules | None:
        start = only(level, PLAYER)
        if start is None or only(level, EXIT) is None:
            return None
        return Rules(
            move="walk",
            hint="Arrow keys walk. Reach the stairs alive: goblins take 1 heart, ogres 2, a flask gives 2.",
            start=start,
            quest=(Leg("exit"),),
            taken=("treasure",),
            health=HEALTH,
            worth={"potion": CURE, "goblin": -1, "ogre": -2},
        )


PLANS = 8
"""Plans of a large map at most: on 16 x 24 the benchmark's player gave up in 25 of 60."""
_ANEW = 10**15
"""From the seed of a plan to that of the next."""
SPARSE = 0.1
"""Share of open cells beside the way: what is open elsewhere lets the player go round the enemies."""
