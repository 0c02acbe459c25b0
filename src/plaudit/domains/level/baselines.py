"""Generators that no policy has to do with: what every figure of a learned one stands beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import maze_kernels
from plaudit.domains.level.cave import CaveGame
from plaudit.domains.level.climb import climb_levels
from plaudit.domains.level.custom import CustomGame
from plaudit.domains.level.dungeon import DungeonGame
from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.maze import REGION_WEIGHT, MazeGame
from plaudit.domains.level.metrics import Cell, distances, longest_path
from plaudit.domains.level.platformer import PlatformerGame
from plaudit.domains.level.request import LevelRequest, complete, goals_of, tolerances
from plaudit.domains.level.runner import RunnerGame
from plaudit.domains.level.sokoban import SokobanGame
from plaudit.domains.level.starts import beginnings
from plaudit.domains.level.zelda import ZeldaGame
from plaudit.task import Item

Generator = Callable[[Sequence[LevelRequest], Sequence[int]], Iterator[Item]]
Make = Callable[[LevelRequest, int], tuple[Maps, dict[str, Any]]]
"""From a complete request and a seed to a level and the figures of its making."""
CLIMB_BUDGET = 5000
"""Evaluations after which hill climbing gives up."""
DIGS = 12
"""Mazes that the heuristic digs until one has a path that is long enough."""


def tile_baselines(game: Game, heuristic: Make) -> dict[str, Generator]:
    """What stands beside the policy of a game: its starts, its constructive generator, hill climbing."""
    return {
        "random": each(game, partial(random_level, game)),
        "heuristic": each(game, heuristic),
        "hill_climbing": partial(climb_levels, game),
    }


def maze_baselines() -> dict[str, Generator]:
    """The baselines of the maze, whose hill climbing is compiled."""
    game = MazeGame()
    return tile_baselines(game, dig_level) | {"hill_climbing": each(game, partial(hill_climb, game))}


def zelda_baselines() -> dict[str, Generator]:
    from plaudit.domains.level.zelda_baseline import build_level

    return tile_baselines(ZeldaGame(), build_level)


def sokoban_baselines() -> dict[str, Generator]:
    from plaudit.domains.level.sokoban_baseline import pull_level

    return tile_baselines(SokobanGame(), pull_level)


def dungeon_baselines() -> dict[str, Generator]:
    from plaudit.domains.level.dungeon_baseline import build_level

    return tile_baselines(DungeonGame(), build_level)


def cave_baselines() -> dict[str, Generator]:
    from plaudit.domains.level.cave_baseline import build_level

    return tile_baselines(CaveGame(), build_level)


def platformer_baselines() -> dict[str, Generator]:
    from plaudit.domains.level.platformer_baseline import build_level

    return tile_baselines(PlatformerGame(), build_level)


def runner_baselines() -> dict[str, Generator]:
    from plaudit.domains.level.runner_baseline import build_level

    return tile_baselines(RunnerGame(), build_level)


def custom_baselines(game: CustomGame) -> dict[str, Generator]:
    from plaudit.domains.level.custom_baseline import build_level

    return tile_baselines(game, partial(build_level, game))


def each(game: Game, make: Make) -> Generator:
    """Make every item by itself, from its complete request and its seed."""

    def generate(requests: Sequence[LevelRequest], seeds: Sequence[int]) -> Iterator[Item]:
        for given, seed in zip(requests, seeds, strict=True):
            request = complete(game, given, seed)
            level, info = make(request, seed)
            yield Item(level, request, seed, info)

    return generate


def random_level(game: Game, request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """The start map as it is."""
    return beginnings(game, [request], np.array([seed], np.int64)).maps[0], {"evaluations": 0}


def hill_climb(game: Game, request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """Flip random cells of the start map, keep what does not raise the distance from the request."""
    maps = beginnings(game, [request], np.array([seed], np.int64)).maps
    evaluations = np.zeros(1, np.int64)
    tolerance = tolerances(game, request)[0]
    # The kernel's generator takes 32 bits.
    seeds = np.array([seed % 2**32], np.int64)
    goals = goals_of(game, [request])[:, 0]
    maze_kernels.hill_climb(maps, goals, tolerance, REGION_WEIGHT, CLIMB_BUDGET, seeds, evaluations)
    return maps[0], {"evaluations": int(evaluations[0])}


def dig_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """Dig a random tree of corridors and cut its longest path to the wanted length.

    The best of a few digs is kept when none is long enough.
    """
    rng = np.random.default_rng([seed % 2**64, 7])
    wanted = int(request.target["path"])
    best, miss = np.zeros(request.size[::-1], np.uint8), float("inf")
    digs = 0
    while miss > 1 and digs < DIGS:
        digs += 1
        free = _trim(dig_tree(request.size[::-1], rng), wanted)
        off = abs(len(longest_path(free)) - 1 - wanted)
        if off < miss:
            best, miss = free.astype(np.uint8), off
    return best, {"evaluations": digs}


def dig_tree(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Depth-first digging of cells that touch just one open cell: one region without loops."""
    height, width = shape
    free = np.zeros((height + 2, width + 2), bool)
    stack: list[Cell] = [(int(rng.integers(height)) + 1, int(rng.integers(width)) + 1)]
    free[stack[0]] = True
    while stack:
        y, x = stack[-1]
        options = [
            (v, u)
            for v, u in ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x))
            if 0 < v <= height and 0 < u <= width and not free[v, u] and _touches(free, v, u) == 1
        ]
        if options:
            stack.append(options[int(rng.integers(len(options)))])
            free[stack[-1]] = True
        else:
            stack.pop()
    return free[1:-1, 1:-1]


def _touches(free: NDArray[np.bool_], y: int, x: int) -> int:
    return int(free[y - 1, x]) + int(free[y + 1, x]) + int(free[y, x - 1]) + int(free[y, x + 1])


def _trim(free: NDArray[np.bool_], wanted: int) -> NDArray[np.bool_]:
    """Cut the end off the longest path, with what hangs on it, until none is longer than `wanted`."""
    while True:
        path = longest_path(free)
        if len(path) - 1 <= wanted:
            return free
        cut = free.copy()
        cut[path[wanted + 1]] = False
        free = np.zeros_like(free)
        for cell in distances(cut, path[0]):
            free[cell] = True
