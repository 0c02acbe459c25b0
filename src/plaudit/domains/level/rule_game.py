"""Tile games whose quality is a set of rules on their statistics: what those beside the maze share.

A game says which tiles, statistics and targets it has and measures maps with its own kernel, which also
counts `faults`: what keeps a map from being a good level, in steps of path. From these follow the distance
to a request, the exact outcome of edits, the observation planes and where maps begin.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level import reward
from plaudit.domains.level.game import UNASKED, Goals, Maps, Size, Stats, Tile, View
from plaudit.domains.level.look import Look, Rooms
from plaudit.domains.level.metrics import Judge
from plaudit.domains.level.playable import Rules
from plaudit.domains.level.request import LARGEST
from plaudit.reward.term import Term

_CLIP = np.float32(2.0)
"""Planes are kept within this, as the observation space says."""


class RuleGame(ABC):
    """Distance, edits and observations from a game's statistics; see `game.Game` for the methods.

    Attributes:
        aliases: other names of targets, for requests.
        replaced: statistics of faults that a target, where it is asked for, makes void: the number of
            enemies that is usual does not count where another was asked for.
        meanings: what each statistic is that makes a term of its own, in the order of the columns.
        details: planes that `paint` writes beside those that every game has.
        gravity: what a fault counts beside a target that is missed by one.
    """

    name: ClassVar[str]
    size: ClassVar[Size]
    tiles: ClassVar[tuple[Tile, ...]]
    meanings: ClassVar[Mapping[str, str]]
    statistics: ClassVar[tuple[str, ...]]
    targets: ClassVar[tuple[str, ...]]
    aliases: ClassVar[Mapping[str, str]] = {}
    modes: ClassVar[tuple[tuple[str, ...], ...]]
    symmetries: ClassVar[tuple[str, ...]] = ("horizontal", "vertical", "diagonal")
    examples: Sequence[Any] = ()
    look: ClassVar[Look] = Rooms()
    judge: ClassVar[Judge]
    replaced: ClassVar[Mapping[str, str]] = {}
    details: ClassVar[int]
    gravity: ClassVar[float] = 1.0
    proposals: ClassVar[int] = 16
    glance: ClassVar[int] = 16
    polish: ClassVar[int] = 5_000
    retries: ClassVar[int] = 0
    restarts: ClassVar[int] = 3
    patience: ClassVar[float] = 2 / 3
    widest: ClassVar[int] = LARGEST

    @abstractmethod
    def measure(self, maps: Maps) -> Stats: ...

    @abstractmethod
    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        """Write statistics `(B, S)` and the game's own planes `(B, H, W, details)` of maps."""

    @abstractmethod
    def tolerance(self, size: Size) -> tuple[float, ...]: ...

    @abstractmethod
    def span(self, size: Size) -> tuple[tuple[int, int], ...]: ...

    @abstractmethod
    def reach(self, size: Size) -> tuple[tuple[int, int], ...]: ...

    @property
    def planes(self) -> int:
        """One for each tile, edited, locked, left, the game's own, and three for each target and fault."""
        return len(self.tiles) + 3 + self.details + 3 * len(self.targets) + 1 + len(self.replaced)

    def measure_after(self, maps: Maps, actions: NDArray[np.int64]) -> Stats:
        rows, count = actions.shape
        after = np.repeat(maps, count, axis=0)
        cell, tile = np.divmod(actions.ravel(), len(self.tiles))
        after.reshape(rows * count, -1)[np.arange(rows * count), cell] = tile
        return self.measure(after).reshape(rows, count, -1)

    def observe(
        self, view: View, tolerance: tuple[float, ...], out: NDArray[np.float32], stats: Stats
    ) -> None:
        kinds, details = len(self.tiles), self.details
        own = np.empty((*out.shape[:3], details), np.float32)
        self.paint(view.maps, stats, own)
        _paint_tiles(view.maps, view.starts, view.locked, own, out, kinds)
        told = kinds + 2 + details
        out[..., told] = view.left[:, None, None]
        out[..., told + 1 :] = self._told(view, tolerance, stats)[:, None, None, :]

    def _told(self, view: View, tolerance: tuple[float, ...], stats: Stats) -> NDArray[np.float32]:
        """What every cell is told `(B, n)`: faults; of each target whether it is asked, its gap, its miss."""
        columns = {name: stats[:, i].astype(np.float32) for i, name in enumerate(self.statistics)}
        told = [columns["faults"] / 20, *(columns[name] / 4 for name in self.replaced.values())]
        for i, (name, (low, high)) in enumerate(
            zip(self.targets, self.span(view.maps.shape[:0:-1]), strict=True)
        ):
            asked = view.goals[:, i] != UNASKED
            gap = np.where(asked, view.goals[:, i] - columns[name], 0.0)
            over = np.sign(gap) * np.maximum(np.abs(gap) - tolerance[i], 0.0)
            told += [asked, 2.0 * gap / max(high - low, 1), np.sign(over)]
        return np.clip(np.stack(told, axis=1), -_CLIP, _CLIP).astype(np.float32)

    def seems_kept(
        self, planes: NDArray[np.float32], goals: Goals, tolerance: tuple[float, ...]
    ) -> NDArray[np.bool_]:
        # No guess: every edit may turn out to be needless, and one exact look tells.
        return np.ones((len(planes), planes.shape[1] * planes.shape[2]), bool)

    def distance(self, stats: Stats, goals: Goals, tolerance: tuple[float, ...]) -> NDArray[np.float64]:
        columns = {name: stats[:, i].astype(np.float64) for i, name in enumerate(self.statistics)}
        total = self.gravity * columns["faults"]
        for i, name in enumerate(self.targets):
            asked = goals[:, i] != UNASKED
            total += np.where(asked, np.maximum(np.abs(columns[name] - goals[:, i]) - tolerance[i], 0.0), 0.0)
            if name in self.replaced:
                total += np.where(asked, 0.0, columns[self.replaced[name]])
        return total

    @abstractmethod
    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps: ...

    def around(
        self, cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals
    ) -> Maps | None:
        del cells, tiles, numbers, goals
        return None

    def plan(self, numbers: NDArray[np.int64], size: Size, goals: Goals) -> Maps | None:
        del numbers, size, goals
        return None

    def kept(self, starts: Maps) -> NDArray[np.bool_] | None:
        del starts
        return None

    def hopeless(self, goals: Goals, size: Size, tolerance: tuple[float, ...]) -> NDArray[np.bool_]:
        del size, tolerance
        return np.zeros(len(goals), bool)

    def suspects(self, maps: Maps) -> NDArray[np.float32] | None:
        del maps
        return None

    def moves(
        self, maps: Maps, locked: NDArray[np.bool_], cells: NDArray[np.int64], drawn: NDArray[np.float64]
    ) -> Maps | None:
        del maps, locked, cells, drawn
        return None

    @abstractmethod
    def play(self, level: Maps) -> Rules | None: ...

    def terms(self) -> tuple[Term, ...]:
        own = reward.rule_terms(self, self.meanings, tuple(self.replaced.values()))
        return (*own, *reward.shared_terms(self))


@njit(cache=True, nogil=True)
def _paint_tiles(maps: Any, starts: Any, locked: Any, own: Any, out: Any, kinds: int) -> None:
    """Write the planes that differ by cell: tiles as one-hot, edited, locked, and the game's own."""
    rows, height, width, details = own.shape
    for row in range(rows):
        for y in range(height):
            for x in range(width):
                cell = out[row, y, x]
                tile = maps[row, y, x]
                for kind in range(kinds):
                    cell[kind] = np.float32(1.0) if kind == tile else np.float32(0.0)
                cell[kinds] = np.float32(1.0) if tile != starts[row, y, x] else np.float32(0.0)
                cell[kinds + 1] = np.float32(1.0) if locked[row, y, x] else np.float32(0.0)
                for plane in range(details):
                    cell[kinds + 2 + plane] = own[row, y, x, plane]
