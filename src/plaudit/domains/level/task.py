"""The tasks of this domain: mazes edited cell by cell, and grid worlds with a learned route.

A tile game is one line here: a `TileTask` with its game (see `game.py`), recipes and baselines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import render, route_files, routes
from plaudit.domains.level.baselines import (
    Generator,
    cave_baselines,
    custom_baselines,
    dungeon_baselines,
    maze_baselines,
    platformer_baselines,
    runner_baselines,
    sokoban_baselines,
    zelda_baselines,
)
from plaudit.domains.level.cave import CaveGame
from plaudit.domains.level.custom import GAMES, CustomConfig, CustomGame, default_rules
from plaudit.domains.level.custom_rules import GameRules, check_rules
from plaudit.domains.level.difficulty import level_terms
from plaudit.domains.level.dungeon import DungeonGame
from plaudit.domains.level.env import LevelConfig, LevelEnv
from plaudit.domains.level.examples import read_examples, with_examples
from plaudit.domains.level.game import Game
from plaudit.domains.level.grid_world import GridConfig, PathEnv
from plaudit.domains.level.maze import MazeGame
from plaudit.domains.level.metrics import judge_levels
from plaudit.domains.level.platformer import PlatformerGame
from plaudit.domains.level.recipes import (
    cave_recipes,
    custom_recipes,
    dungeon_recipes,
    maze_recipes,
    path_recipes,
    platformer_recipes,
    runner_recipes,
    sokoban_recipes,
    zelda_recipes,
)
from plaudit.domains.level.request import LevelRequest, check_level, draw_requests, sized
from plaudit.domains.level.runner import RunnerGame
from plaudit.domains.level.sokoban import SokobanGame
from plaudit.domains.level.training import make_environment, make_grid_world, scored_batch
from plaudit.domains.level.zelda import ZeldaGame
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import Recipe
from plaudit.stepwise import build_learner
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Learner, Policy
    from plaudit.media.film import Film


class TileTask:
    """What every tile game shares; see `plaudit.task.Task` for the methods."""

    name: ClassVar[str]
    summary: ClassVar[str]
    game: ClassVar[Game]
    recipes: ClassVar[Callable[[], Mapping[str, Recipe]]]
    baselines: ClassVar[Callable[[], Mapping[str, Generator]]]
    statistics: ClassVar[tuple[str, ...]]
    Request: ClassVar[type[LevelRequest]] = LevelRequest
    env_config: ClassVar[type[LevelConfig]] = LevelConfig
    formats: ClassVar[tuple[str, ...]] = render.FORMATS
    env_folders: ClassVar[tuple[str, ...]] = ("examples",)

    def terms(self) -> tuple[Term, ...]:
        return level_terms(self.game)

    def check_request(self, request: LevelRequest) -> None:
        check_level(self.game, request)

    def build(self, recipe: Recipe, inputs: Mapping[str, FilePath]) -> Learner:
        return build_learner(self.environment(0, recipe), recipe, inputs)

    def environment(self, num_envs: int, recipe: Recipe | None = None) -> LevelEnv:
        """Make the MDP of the recipe; `num_envs` 0 takes the recipe's own number of copies."""
        recipe = recipe or next(iter(self.recipes().values()))
        return make_environment(self.bound(recipe).game, self.Request, recipe, num_envs)

    def read_folder(self, key: str, folder: FilePath, env: Mapping[str, Any]) -> list[str]:
        """What a recipe takes in of a folder that its `env` names: the example levels, as text."""
        del key, env
        return read_examples(self.game, self.Request, folder)

    def bound(self, recipe: Recipe) -> TileTask:
        """The task with the recipe's example levels, if it has some."""
        texts = recipe.env.get("examples")
        if not texts:
            return self
        task = copy(self)
        task.game = with_examples(self.game, texts)  # type: ignore[misc]
        return task

    def requests(self, n: int, seed: int, given: LevelRequest) -> list[LevelRequest]:
        return draw_requests(self.game, n, seed, given)

    def generate(
        self, policy: Policy, requests: Sequence[LevelRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        from plaudit.domains.level.generation import generate_levels

        return generate_levels(self.game, policy, requests, seeds)

    def replay(self, item: Item) -> bytes | None:
        """The shipped player on this level as an animated GIF; None where it has none, or is no good one."""
        from plaudit.domains.level.difficulty import film_level

        return film_level(self.game, item.content)

    def films(self, policy: Policy, items: Sequence[Item]) -> list[Film]:
        """How each item came about: its edits, replayed.

        Raises `InputError` for an item that this policy did not make.
        """
        from plaudit.domains.level.generation import film_levels

        return film_levels(self.game, policy, items)

    def repair(self, item: Item) -> Item:
        """The level made good, and as its request asks, in as few edits as can be found."""
        from plaudit.domains.level.repair import repair_level

        return repair_level(self.game, item)

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        return scored_batch(self.game, items)

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        return judge_levels(self.game, items)

    def save(self, item: Item, path: FilePath) -> None:
        render.save_level(self.game, item, path)

    def load(self, path: FilePath) -> Item:
        return render.load_level(self.game, self.Request, path)

    def preview(self, item: Item) -> Image:
        return render.preview_level(self.game, item)


class Maze(TileTask):
    """Mazes with a longest path of the wanted length."""

    name: ClassVar[str] = "level/maze"
    summary: ClassVar[str] = "Mazes: one connected region and a longest path of the length you ask for."
    game: ClassVar[Game] = MazeGame()
    statistics: ClassVar[tuple[str, ...]] = MazeGame.targets

    recipes = staticmethod(maze_recipes)
    baselines = staticmethod(maze_baselines)


class Zelda(TileTask):
    """Zelda levels with legs of the wanted length."""

    name: ClassVar[str] = "level/zelda"
    summary: ClassVar[str] = "Zelda levels: a key, a door and enemies, with ways of the length you ask for."
    game: ClassVar[Game] = ZeldaGame()
    statistics: ClassVar[tuple[str, ...]] = ZeldaGame.targets
    Request: ClassVar[type[LevelRequest]] = sized("ZeldaRequest", ZeldaGame.size, ZeldaGame.aliases)
    recipes = staticmethod(zelda_recipes)
    baselines = staticmethod(zelda_baselines)


class Sokoban(TileTask):
    """Sokoban levels with as many crates as are asked for."""

    name: ClassVar[str] = "level/sokoban"
    summary: ClassVar[str] = "Sokoban levels that can be solved, with as many crates as you ask for."
    game: ClassVar[Game] = SokobanGame()
    statistics: ClassVar[tuple[str, ...]] = SokobanGame.targets
    Request: ClassVar[type[LevelRequest]] = sized("SokobanRequest", SokobanGame.size, SokobanGame.aliases)
    formats: ClassVar[tuple[str, ...]] = render.formats_of(game)
    recipes = staticmethod(sokoban_recipes)
    baselines = staticmethod(sokoban_baselines)


class Dungeon(TileTask):
    """Dungeons with a way of the wanted length and the wanted treasure on it."""

    name: ClassVar[str] = "level/dungeon"
    summary: ClassVar[str] = "Dungeons: goblins, potions and treasures on a way of the length you ask for."
    game: ClassVar[Game] = DungeonGame()
    statistics: ClassVar[tuple[str, ...]] = DungeonGame.targets
    Request: ClassVar[type[LevelRequest]] = sized("DungeonRequest", DungeonGame.size, DungeonGame.aliases)
    recipes = staticmethod(dungeon_recipes)
    baselines = staticmethod(dungeon_baselines)


class Cave(TileTask):
    """Caves with player and exit where they are asked for."""

    name: ClassVar[str] = "level/cave"
    summary: ClassVar[str] = "Caves to jump through, with start, exit and diamonds as you ask for."
    game: ClassVar[Game] = CaveGame()
    statistics: ClassVar[tuple[str, ...]] = CaveGame.targets
    Request: ClassVar[type[LevelRequest]] = sized("CaveRequest", CaveGame.size, CaveGame.aliases)
    recipes = staticmethod(cave_recipes)
    baselines = staticmethod(cave_baselines)


class Platformer(TileTask):
    """Platformers with as many jumps, enemies and coins as are asked for."""

    name: ClassVar[str] = "level/platformer"
    summary: ClassVar[str] = (
        "Platformers: run and jump to the exit, with jumps, enemies and coins as you ask for."
    )
    game: ClassVar[Game] = PlatformerGame()
    statistics: ClassVar[tuple[str, ...]] = PlatformerGame.targets
    Request: ClassVar[type[LevelRequest]] = sized("PlatformerRequest", PlatformerGame.size)
    recipes = staticmethod(platformer_recipes)
    baselines = staticmethod(platformer_baselines)


class Runner(TileTask):
    """Lode-runner levels with as much gold, as many guards and ladders, and as long a way as asked for."""

    name: ClassVar[str] = "level/runner"
    summary: ClassVar[str] = (
        "Runner levels: ladders, ropes and holes to dig, all the gold in one play, to your numbers."
    )
    game: ClassVar[Game] = RunnerGame()
    statistics: ClassVar[tuple[str, ...]] = RunnerGame.targets
    Request: ClassVar[type[LevelRequest]] = sized("RunnerRequest", RunnerGame.size)
    recipes = staticmethod(runner_recipes)
    baselines = staticmethod(runner_baselines)


class Custom(TileTask):
    """Levels of the game that a recipe holds in `env.game`; of the package's own first one without."""

    name: ClassVar[str] = "level/custom"
    summary: ClassVar[str] = (
        "A tile game of your own, from a file: tiles, counts, regions, walks and targets."
    )
    env_config: ClassVar[type[LevelConfig]] = CustomConfig
    env_files: ClassVar[Mapping[str, Mapping[str, FilePath]]] = {"game": GAMES}
    recipes = staticmethod(custom_recipes)

    def __init__(self, rules: GameRules | None = None) -> None:
        self.rules = rules or default_rules()
        self.game = CustomGame(self.rules)  # type: ignore[misc]
        self.statistics = self.game.targets  # type: ignore[misc]
        self.Request = sized("CustomRequest", self.rules.size)  # type: ignore[misc]

    def bound(self, recipe: Recipe) -> TileTask:
        """The task of the recipe's game; raises `InputError` for one that contradicts itself."""
        return super(Custom, self._of(recipe.env)).bound(recipe)

    def _of(self, env: Mapping[str, Any]) -> Custom:
        given = env.get("game")
        return self if given is None else Custom(check_rules(GameRules.model_validate(given)))

    def read_folder(self, key: str, folder: FilePath, env: Mapping[str, Any]) -> list[str]:
        return super(Custom, self._of(env)).read_folder(key, folder, env)

    def baselines(self) -> Mapping[str, Generator]:  # type: ignore[override]
        return custom_baselines(self.game)

    def check_request(self, request: LevelRequest) -> None:
        assert isinstance(self.game, CustomGame)
        self.game.check_room(request)
        super().check_request(request)

    def environment(self, num_envs: int, recipe: Recipe | None = None) -> LevelEnv:
        recipe = recipe or next(iter(self.recipes().values()))
        task = self.bound(recipe)
        settings = {key: value for key, value in recipe.env.items() if key != "game"}
        return make_environment(
            task.game, task.Request, recipe.model_copy(update={"env": settings}), num_envs
        )


class Path:
    """Grid worlds with the route that Q-learning finds."""

    name: ClassVar[str] = "level/path"
    summary: ClassVar[str] = (
        "A grid world with start, goal, walls and step cost, and the route Q-learning finds."
    )
    Request: ClassVar[type[routes.PathRequest]] = routes.PathRequest
    env_config: ClassVar[type[GridConfig]] = GridConfig
    formats: ClassVar[tuple[str, ...]] = route_files.FORMATS
    statistics: ClassVar[tuple[str, ...]] = routes.STATISTICS

    def terms(self) -> tuple[Term, ...]:
        return routes.path_terms()

    def recipes(self) -> Mapping[str, Recipe]:
        return path_recipes()

    def check_request(self, request: routes.PathRequest) -> None:
        routes.check_path(request)

    def build(self, recipe: Recipe, inputs: Mapping[str, FilePath]) -> Learner:
        return build_learner(self.environment(0, recipe), recipe, inputs)

    def environment(self, num_envs: int, recipe: Recipe | None = None) -> PathEnv:
        """Make the MDP of the recipe; `num_envs` 0 takes the recipe's own number of copies."""
        return make_grid_world(self.terms(), recipe or next(iter(self.recipes().values())), num_envs)

    def requests(self, n: int, seed: int, given: routes.PathRequest) -> list[routes.PathRequest]:
        self.check_request(given)
        return [given] * n

    def generate(
        self, policy: Policy, requests: Sequence[routes.PathRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        return routes.generate_routes(policy, requests, seeds)

    def baselines(self) -> Mapping[str, Any]:
        return routes.path_baselines()

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        return [item.content for item in items], Context(requests=[item.request for item in items])

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        return routes.judge_routes(items)

    def save(self, item: Item, path: FilePath) -> None:
        route_files.save_route(item, path)

    def load(self, path: FilePath) -> Item:
        return route_files.load_route(path)

    def preview(self, item: Item) -> Image:
        return route_files.preview_route(item)
