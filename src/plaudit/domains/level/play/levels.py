"""The levels that are played where none is given: good ones of each game's constructive generator.

Training has a series of seeds of its own, below zero, which no item has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from plaudit.domains.level import baselines
from plaudit.domains.level.baselines import Generator
from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.play.games import rules_of
from plaudit.domains.level.request import LevelRequest
from plaudit.engine.random import splitmix
from plaudit.errors import Infeasible

_MAKERS: Mapping[str, Callable[[], Mapping[str, Generator]]] = {
    "maze": baselines.maze_baselines,
    "zelda": baselines.zelda_baselines,
    "sokoban": baselines.sokoban_baselines,
    "dungeon": baselines.dungeon_baselines,
    "cave": baselines.cave_baselines,
    "platformer": baselines.platformer_baselines,
    "runner": baselines.runner_baselines,
}
_TRIES = 64
"""Levels made until one is good; half of them are in the hardest games."""
_SALT = np.uint64(0x9AE1)


def usual_size(game: Game) -> Size:
    """The size that levels of a game have unless another is asked for."""
    return getattr(game, "size", LevelRequest().size)


def is_good(game: Game, maps: Maps) -> np.ndarray:
    """Whether each level `(B, H, W)` keeps the rules of its game `(B,)`; a maze: whether it is one region."""
    stats = game.measure(maps)
    if "faults" in game.statistics:
        return np.asarray(stats[:, game.statistics.index("faults")] == 0)
    paths = stats[:, game.statistics.index("path")]
    return np.asarray((stats[:, game.statistics.index("regions")] == 1) & (paths > 0))


def make_levels(name: str, size: Size, seeds: Sequence[int]) -> Maps:
    """One level `(H, W)` for each seed, stacked; raises `Infeasible` where the generator makes none."""
    return np.stack([_make_level(name, size, int(seed)) for seed in seeds])


def _make_level(name: str, size: Size, seed: int) -> Maps:
    game, generate = rules_of(name).game, _MAKERS[name]()["heuristic"]
    for number in range(_TRIES):
        mixed = splitmix(np.array([seed % 2**64], np.uint64) ^ _SALT ^ np.uint64(number << 32))
        made: Maps = next(iter(generate([LevelRequest(size=size)], [int(mixed[0] >> np.uint64(2))]))).content
        if is_good(game, made[None])[0]:
            return made
    raise Infeasible(
        f"no good {name} of {size[0]}x{size[1]} was made in {_TRIES} tries; "
        f"the nearest size that works is {'x'.join(map(str, usual_size(game)))}.",
        hint="Give a level of your own: --ask level=FILE",
    )


@lru_cache(maxsize=2)
def training_levels(name: str, size: Size, count: int) -> Maps:
    """The levels `(count, H, W)` that players learn on."""
    return make_levels(name, size, range(-1_000_000, -1_000_000 + count))
