"""Platformers: run and jump from the left to the exit at the right, over gaps, pipes and enemies.

Our own game in the spirit of the PCG Benchmark's `smb` (Khalifa et al., 2025, arXiv 2503.21474), whose levels
are strips of a known game played by its physics: here tiles, rules and physics are our own.

**Physics**, in ticks. The player is one cell large and moves on a grid of 1/2 cell across and 1/4 cell up.

- Across: 1/2 cell to the left or right, or none, in each tick, on the ground as in the air; solid cells and
  the left and right border stop it.
- Up: a jump from the ground sets the vertical speed to 5 quarter cells a tick. In each tick the player moves
  by the speed, then the speed falls by 1: 5 + 4 + 3 + 2 + 1 = 3 3/4 cells with the key held. Letting go of
  the key makes the speed 0 at once, so that jumps go 1 1/4, 2 1/4, 3, 3 1/2 or 3 3/4 cells up. What is above
  stops the player, and so does the upper border.
- Down: in the air the speed goes on falling by 1, to -4 at most; off a ledge it is -1 in the first tick.
- Across comes before up and down. What happens on the way from tick to tick does not count: at its end the
  player dies where it touches an enemy's cell or is below the map, takes the coins that it touches, and has
  finished where it touches the exit. Enemies keep to their cells.

So a gap of 5 columns can be jumped and 6 cannot, and a wall of 3 cells can be and 4 cannot.

**A good level** has, on W columns and H rows:

- one player in the first W/10 + 1 columns, one exit in the last, each on something solid;
- ground that stands on ground down to the last row, no higher than H/2, that rises by at most 3 from one
  column of ground to the next, with gaps at most 4 columns wide;
- pipes two columns wide, on ground along their whole foot, at most 4 high, nothing on them; no two touch;
- blocks in rows of two at least, with nothing on them and two free cells below;
- enemies on something solid;
- W/25 to W/6 pipes, W/10 to W/2 blocks, W/25 to W/8 gaps, up to W/5 enemies, up to W/4 coins, each of which
  one can come to;
- a way to the exit, for which W/12 jumps at least are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import platformer_judge, platformer_kernels, platformer_locks
from plaudit.domains.level.game import Goals, Maps, Size, Stats, Tile
from plaudit.domains.level.look import Landscape, Look
from plaudit.domains.level.metrics import Judge
from plaudit.domains.level.platformer_agent import EXIT, FASTEST_FALL, JUMP_SPEED, PLAYER
from plaudit.domains.level.platformer_starts import planned_maps
from plaudit.domains.level.playable import Leg, Rules, only
from plaudit.domains.level.request import WIDEST
from plaudit.domains.level.rule_game import RuleGame


class PlatformerGame(RuleGame):
    """Ground, air, a player, an exit, coins, enemies, pipes and blocks."""

    name: ClassVar[str] = "platformer"
    size: ClassVar[Size] = (50, 16)
    widest: ClassVar[int] = WIDEST
    patience: ClassVar[float] = 1 / 4
    tiles: ClassVar[tuple[Tile, ...]] = (
        Tile("wall", "#", False),
        Tile("open", ".", True),
        Tile("player", "@", True, single=True),
        Tile("exit", "H", True, single=True),
        Tile("coin", "o", True),
        Tile("enemy", "e", True),
        Tile("pipe", "U", False),
        Tile("block", "B", False),
    )
    meanings: ClassVar[Mapping[str, str]] = {
        "players": "Players on the map; a good level has one.",
        "exits": "Exits on the map; a good level has one.",
        "enemies": "Enemies on the map.",
        "coins": "Coins on the map.",
        "pipes": "Pipes on the map: their upper ends, two cells each.",
        "blocks": "Blocks on the map.",
        "gaps": "Gaps in the ground, of one column or more.",
        "jumps": "Jumps that the exit takes at least; -1 = no way.",
        "missed": "Coins that the player cannot come to, where there is a way.",
        "misplaced": "Cells that hold what may not be there.",
    }
    statistics: ClassVar[tuple[str, ...]] = (*meanings, "faults")
    targets: ClassVar[tuple[str, ...]] = ("enemies", "jumps", "coins")
    modes: ClassVar[tuple[tuple[str, ...], ...]] = (("enemies", "jumps", "coins"),)
    symmetries: ClassVar[tuple[str, ...]] = ()
    look: ClassVar[Look] = Landscape()
    judge: ClassVar[Judge] = platformer_judge  # type: ignore[assignment]
    details: ClassVar[int] = platformer_kernels.DETAILS

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), platformer_kernels.STATISTICS), np.int32)
        platformer_kernels.measure(np.ascontiguousarray(maps), stats)
        return stats

    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        platformer_kernels.paint(np.ascontiguousarray(maps), stats, planes)

    def tolerance(self, size: Size) -> tuple[float, ...]:
        return 0.0, float(max(1, size[0] // 50)), 0.0

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        width = size[0]
        return (0, width // 7), (max(1, width // 10), max(1, width // 5)), (0, width // 5)

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        cells = size[0] * size[1]
        return (0, cells - 2), (0, cells), (0, cells - 2)

    def suspects(self, maps: Maps) -> NDArray[np.float32]:
        """What is misplaced and the cells around it, then the cells at the surface of what is solid."""
        likely = np.empty(maps.shape, np.float32)
        platformer_kernels.suspect(np.ascontiguousarray(maps), likely)
        return likely

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        return planned_maps(numbers, size, density, goals)

    def around(self, cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
        return platformer_locks.around(cells, tiles, numbers, goals)

    def play(self, level: Maps) -> Rules | None:
        start = only(level, PLAYER)
        if start is None or only(level, EXIT) is None:
            return None
        return Rules(
            move="run",
            hint="Left and right run, up jumps: the longer it is held, the higher. Reach the flag.",
            start=start,
            quest=(Leg("exit"),),
            taken=("coin",),
            deadly=("enemy",),
            physics={"across": 2, "up": 4, "jump": JUMP_SPEED, "fall": FASTEST_FALL},
        )
