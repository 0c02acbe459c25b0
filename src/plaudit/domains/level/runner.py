"""Runner levels: run, climb, hang and dig for all the gold, and leave by the exit.

Our own game in the spirit of the PCG Benchmark's `loderunner` (Khalifa et al., 2025, arXiv 2503.21474), on
a map of the same size and with the same kinds of tiles, and with digging, which is left out there. Tiles,
rules, physics and what makes a level good are our own.

**Physics**, tick by tick and cell by cell. Walls and bricks are solid, and so are the borders.

- A player is held on a ladder, on a rope, and above anything solid, a ladder or the lower border. One who is
  not held falls one cell a tick, and no key counts.
- Left and right: to the next cell, unless it is solid. Up: on a ladder alone. Down: unless it is solid; that
  is how one climbs down, and lets go of a rope.
- Digging left or right takes a tick and opens the brick next to what is below the player, if nothing solid
  (not even a hole) and no guard is above it. Who digs stands on something solid or a ladder, and is not in
  a hole. In the next two ticks one can get into the new hole: step aside and fall. Then it closes, or as
  soon as the player in it leaves.
- Guards keep to their cells, and whoever enters a guard's cell dies. Gold is taken by being there. A level is
  won by being at the exit with all the gold. Who sits in a hole without a way out has lost, as one who falls
  where there is no way back up may have: some ways cannot be gone back.

**A good level** has, on W columns, H rows and A = W H cells:

- one player and one exit;
- a play that takes all the gold and then the exit, the shortest way to which takes (W + H)/2 ticks at least;
- player, exit, gold and guards above something solid, a ladder or the lower border;
- ladders of 2 cells at least, on something solid, a ladder or the lower border, with nothing solid on them;
- ropes of 3 cells at least, with nothing solid below;
- solid cells in rows of 2 at least;
- 3W/16 to W/2 gold, W/10 to W/4 guards, A/25 to A/5 ladder cells, A/100 to A/8 rope cells, A/6 to A/2 solid
  cells;
- three quarters of all ladders, ropes and cells above something to stand on, and a fifth of all cells, where
  the player can come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import runner_judge, runner_kernels, runner_locks, runner_moves
from plaudit.domains.level.game import Goals, Maps, Size, Stats, Tile
from plaudit.domains.level.look import Cavern, Look
from plaudit.domains.level.metrics import Judge
from plaudit.domains.level.playable import Leg, Rules, only
from plaudit.domains.level.rule_game import RuleGame
from plaudit.domains.level.runner_physics import DIG, EXIT, GOLD, PLAYER
from plaudit.domains.level.runner_starts import planned_maps

MOST_GOLD = 63
"""With which a level can be played in a page."""


class RunnerGame(RuleGame):
    """Walls, bricks, ladders, ropes, a player, an exit, gold and guards."""

    name: ClassVar[str] = "runner"
    size: ClassVar[Size] = (32, 22)
    look: ClassVar[Look] = Cavern()
    patience: ClassVar[float] = 1 / 12
    tiles: ClassVar[tuple[Tile, ...]] = (
        Tile("wall", "#", False),
        Tile("open", ".", True),
        Tile("player", "@", True, single=True),
        Tile("exit", "E", True, single=True),
        Tile("gold", "o", True),
        Tile("guard", "g", True),
        Tile("ladder", "H", True),
        Tile("rope", "-", True),
        Tile("brick", "B", False),
    )
    meanings: ClassVar[Mapping[str, str]] = {
        "players": "Players on the map; a good level has one.",
        "exits": "Exits on the map; a good level has one.",
        "gold": "Gold on the map.",
        "guards": "Guards on the map.",
        "ladders": "Cells of ladders.",
        "ropes": "Cells of ropes.",
        "solids": "Walls and bricks.",
        "moves": "Ticks of the shortest way to the exit, gold aside; -1 = no way.",
        "missed": "Gold that no one play with a way to the exit takes, where there is a way.",
        "buried": "Gold that one must dig to come to, or cannot come to, where there is a way to the exit.",
        "idle": "Ladders, ropes and cells to stand on that the player cannot come to.",
        "explored": "Cells that the player can come to, holes aside.",
        "misplaced": "Cells that hold what may not be there.",
    }
    statistics: ClassVar[tuple[str, ...]] = (*meanings, "faults")
    targets: ClassVar[tuple[str, ...]] = ("gold", "guards", "ladders", "moves", "ropes", "buried")
    modes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("gold", "guards", "ladders", "moves"),
        ("gold", "guards", "ropes", "buried"),
    )
    symmetries: ClassVar[tuple[str, ...]] = ("horizontal",)
    judge: ClassVar[Judge] = runner_judge  # type: ignore[assignment]
    details: ClassVar[int] = runner_kernels.DETAILS

    def play(self, level: Maps) -> Rules | None:
        start, gold = only(level, PLAYER), int((level == GOLD).sum())
        if start is None or only(level, EXIT) is None or gold > MOST_GOLD:
            return None
        return Rules(
            move="climb",
            hint="Arrow keys run and climb, down lets go, Z and X dig. Take all the gold, then the exit.",
            start=start,
            quest=(*[Leg("gold")] * gold, Leg("exit")),
            taken=("gold",),
            deadly=("guard",),
            physics={"open": DIG - 1},
            climbed="ladder",
            hung="rope",
            dug="brick",
        )

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), runner_kernels.STATISTICS), np.int32)
        runner_kernels.measure(np.ascontiguousarray(maps), stats)
        return stats

    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        runner_kernels.paint(np.ascontiguousarray(maps), stats, planes)

    def tolerance(self, size: Size) -> tuple[float, ...]:
        cells = float(max(1, size[0] * size[1] // 100))
        return 0.0, 0.0, cells, float(max(1, sum(size) // 13)), cells, 0.0

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        width, height = size
        cells = width * height
        return (
            (3 * width // 16, 7 * width // 16),
            (width // 10, width // 4),
            (cells // 20, cells // 8),
            ((width + height) // 2, (width + height) * 5 // 4),
            (cells // 100, cells // 16),
            (0, width // 8),
        )

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        cells = size[0] * size[1]
        return (0, cells - 2), (0, cells - 2), (0, cells - 2), (0, 3 * cells), (0, cells - 2), (0, cells - 2)

    def suspects(self, maps: Maps) -> NDArray[np.float32]:
        """What is misplaced, of no use or lost, with the cells around; then floors, ladders and ropes."""
        likely = np.empty(maps.shape, np.float32)
        runner_kernels.suspect(np.ascontiguousarray(maps), likely)
        return likely

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        return planned_maps(numbers, size, density, goals)

    def around(self, cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
        return runner_locks.around(cells, tiles, numbers, goals)

    def moves(
        self, maps: Maps, locked: NDArray[np.bool_], cells: NDArray[np.int64], drawn: NDArray[np.float64]
    ) -> Maps:
        after = maps.copy()
        runner_moves.make_moves(after, locked, cells, drawn)
        return after
