"""A game of one's own: its tiles, rules and targets come from a file (`custom_rules.py` has its form).

A recipe holds the whole game in `env.game`, so that a run, its checkpoints and an exported policy need no
other file. The games of this folder's `games/` can be named in place of a file; the first is what
`level/custom` is where no game is given.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import custom_kernels
from plaudit.domains.level.custom_judge import RulesJudge
from plaudit.domains.level.custom_rules import GameRules, check_rules, longest_walk
from plaudit.domains.level.env import LevelConfig
from plaudit.domains.level.furniture import furnish
from plaudit.domains.level.game import UNASKED, Goals, Maps, Size, Stats, Tile
from plaudit.domains.level.look import Look, Plates
from plaudit.domains.level.metrics import Cell, distances
from plaudit.domains.level.playable import Leg, Rules
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.rule_game import RuleGame
from plaudit.domains.level.seeds import start_maps
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible

GAMES: Mapping[str, Path] = {
    name: Path(__file__).parent / "games" / f"{name}.toml" for name in ("garden", "island")
}
"""The games that come with the package; the first is the default."""
_SALT = 0x6A3E


@dataclass(frozen=True)
class CustomConfig(LevelConfig):
    """How levels are edited, and the game that they are of."""

    game: GameRules | None = None
    """The game: a table in a recipe; a file, or the name of one that comes with the package, with `--set`."""


class CustomGame(RuleGame):
    """The game of some rules, which were checked."""

    name: ClassVar[str] = "custom"
    proposals: ClassVar[int] = 16
    look: ClassVar[Look] = Plates()

    def __init__(self, rules: GameRules) -> None:
        self.rules = rules
        self.arrays = custom_kernels.rule_arrays(rules)
        self.tiles = tuple(  # type: ignore[misc]
            Tile(tile.name, tile.glyph, not tile.solid, tile.min == 1 == tile.max, tile.colour)
            for tile in rules.tiles
        )
        self.size = rules.size  # type: ignore[misc]
        self.meanings = _meanings(rules)  # type: ignore[misc]
        self.statistics = (*rules.statistics, "faults")  # type: ignore[misc]
        self.targets = tuple(target.statistic for target in rules.targets)  # type: ignore[misc]
        self.modes = (self.targets,)  # type: ignore[misc]
        self.judge = RulesJudge(rules)  # type: ignore[misc]
        self.details = len(self.arrays.planes)  # type: ignore[misc]

    def measure(self, maps: Maps) -> Stats:
        stats = np.empty((len(maps), len(self.statistics)), np.int32)
        custom_kernels.measure(np.ascontiguousarray(maps), self.arrays, stats)
        return stats

    def paint(self, maps: Maps, stats: Stats, planes: NDArray[np.float32]) -> None:
        custom_kernels.paint(np.ascontiguousarray(maps), self.arrays, stats, planes)

    def tolerance(self, size: Size) -> tuple[float, ...]:
        del size
        return tuple(target.tolerance for target in self.rules.targets)

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        """What the game says, as far as the size has room for it."""
        pairs = zip(self.rules.targets, self.reach(size), strict=True)
        return tuple((min(target.low, most), min(target.high, most)) for target, (_, most) in pairs)

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        cells, bounds = size[0] * size[1], {}
        for tile in self.rules.tiles:
            room = max(cells - (self.rules.least - tile.min), tile.min)
            bounds[tile.name] = (tile.min, room if tile.max is None else min(tile.max, room))
        for region in self.rules.regions:
            most = (cells + 1) // 2  # regions are apart: on a chessboard every other cell is one
            bounds[region.name] = (region.min, most if region.max is None else min(region.max, most))
        for path in self.rules.paths:
            most = longest_walk(path, size)
            bounds[path.name] = (path.min, most if path.max is None else min(path.max, most))
        return tuple(bounds[name] for name in self.targets)

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        """Half walls, half floor, with as many things strewn over it as are asked for, or usual."""
        maps = start_maps(numbers, size, density)
        drawn = RowRandom(numbers ^ _SALT).uniform(len(self.tiles))
        pieces = []
        for number, tile in enumerate(self.rules.tiles[2:], start=2):
            most = tile.min if tile.max is None else tile.max
            usual = tile.min + (drawn[:, number] * (most - tile.min + 1)).astype(np.int64)
            if tile.name in self.targets:
                asked = goals[:, self.targets.index(tile.name)]
                usual = np.where(asked == UNASKED, usual, asked)
            pieces.append((number, usual))
        return furnish(maps, numbers, pieces)

    def play(self, level: Maps) -> Rules | None:
        """The first walk, then those that begin where it ends; the others are nothing that a player does."""
        if not self.rules.paths:
            return None
        walks = [self.rules.paths[0]]
        for path in self.rules.paths[1:]:
            if path.start == walks[-1].to:
                walks.append(path)
        legs = tuple(Leg(to, tuple(walk.closed)) for walk in walks for to in walk.points[1:])
        places = [(y, x) for y, x in np.argwhere(level == self.rules.number(walks[0].start)).tolist()]
        start = next((place for place in places if self._leads_on(level, place, legs)), None)
        names = [walks[0].start, *(leg.to for leg in legs)]
        hint = f"Arrow keys walk. From {names[0]} to {', then '.join(names[1:])}."
        return None if start is None else Rules("walk", hint, start, names[0], legs)

    def _leads_on(self, level: Maps, start: Cell, legs: Sequence[Leg]) -> bool:
        """Whether all legs can be walked from here."""
        number, at = self.rules.number, {start}
        for leg in legs:
            shut = [number(name) for name in leg.closed]
            free = np.array([tile.passable for tile in self.tiles])[level] & ~np.isin(level, shut)
            come_to = {cell for one in at for cell in distances(free, one)}
            at = {cell for cell in come_to if level[cell] == number(leg.to)}
        return bool(at)

    def check_room(self, request: LevelRequest) -> None:
        """Raise `Infeasible` for a size that has no room for what every level needs."""
        width, height = request.size
        if self.rules.least > width * height:
            raise Infeasible(
                f"a level of this game holds {self.rules.least} things at least, and {width}x{height} has "
                f"{width * height} cells.",
                hint="Ask for a larger size.",
            )
        for path in self.rules.paths:
            if path.min > longest_walk(path, request.size):
                raise Infeasible(
                    f'no {width}x{height} level has a walk "{path.name}" of {path.min} steps; the longest '
                    f"possible has {longest_walk(path, request.size)}.",
                    hint="Ask for a larger size.",
                )


def _meanings(rules: GameRules) -> dict[str, str]:
    """What each statistic is, for the list of terms."""
    meanings = {tile.name: f"Cells that hold {tile.name}{_limits(tile)}." for tile in rules.tiles}
    for region in rules.regions:
        tiles = ", ".join(region.tiles) or "all that can be walked on"
        meanings[region.name] = f"Connected regions of {tiles}{_limits(region)}."
    for path in rules.paths:
        meanings[path.name] = f"Steps of the walk {' - '.join(path.points)}{_limits(path)}; -1 = no way."
    return meanings


def _limits(rule: Any) -> str:
    if rule.max is None:
        return f"; a good level has {rule.min} or more" if rule.min else ""
    return f"; a good level has {rule.min}" + (f" to {rule.max}" if rule.max != rule.min else "")


@lru_cache(maxsize=1)
def default_rules() -> GameRules:
    """The game that `level/custom` is where none is given."""
    text = next(iter(GAMES.values())).read_text(encoding="utf-8")
    return check_rules(GameRules.model_validate(tomllib.loads(text)))
