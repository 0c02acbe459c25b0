"""From a recipe to an environment and a learner, and from items to what terms score."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plaudit.domains.level.difficulty import level_terms
from plaudit.domains.level.env import LevelConfig, LevelEnv, Limits
from plaudit.domains.level.episodes import Pool, Spans, TrainingEpisodes
from plaudit.domains.level.game import Game
from plaudit.domains.level.grid_world import GridConfig, PathEnv, step_columns
from plaudit.domains.level.layouts import make_layout
from plaudit.domains.level.render import validated
from plaudit.domains.level.request import LevelRequest, check_level, tolerances
from plaudit.domains.level.routes import PathRequest, check_path
from plaudit.domains.level.seeds import training_numbers
from plaudit.domains.level.starts import start_of
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context, Term
from plaudit.stepwise import configured
from plaudit.task import Item

if TYPE_CHECKING:
    from plaudit.runs.recipe import Recipe


def make_environment(game: Game, kind: type[LevelRequest], recipe: Recipe, num_envs: int) -> LevelEnv:
    """The MDP of a recipe with `num_envs` rows, or with the recipe's own number when that is 0."""
    request: LevelRequest = validated(kind, dict(recipe.request), "request")
    check_level(game, request)
    settings = {"threads": recipe.threads, **recipe.env}
    config: LevelConfig = configured(LevelConfig, settings, "env")
    config = dataclasses.replace(config, copies=num_envs or config.copies)
    numbers, spans = training_numbers(config.pool), training_spans(game, request)
    goals = spans.goals(RowRandom(numbers).bits(1 + len(game.targets)))
    maps = game.starts(numbers, request.size, request.density, goals)
    pool = Pool(maps, goals, game.kept(maps))
    episodes = TrainingEpisodes(request.size, pool, spans, config.locks)
    composition = Composition(recipe.reward, level_terms(game), recipe.product_weight)
    if not game.examples and any(entry.term == "similarity" for entry in recipe.reward):
        raise InputError(
            'the term "similarity" needs levels to be like.',
            place="env.examples",
            hint="Name a folder of them: --set env.examples=FOLDER",
        )
    limits = Limits(tolerances(game, request), request.changes, request.steps)
    return LevelEnv(game, episodes, config, Stepwise(composition, recipe.form), limits)


def make_grid_world(terms: Sequence[Term], recipe: Recipe, num_envs: int) -> PathEnv:
    """The grid worlds of a recipe, `num_envs` walkers or, when that is 0, the recipe's own number."""
    request: PathRequest = validated(PathRequest, dict(recipe.request), "request")
    check_path(request)
    config: GridConfig = configured(GridConfig, recipe.env, "env")
    layouts = [make_layout(request.size, request.walls, number) for number in range(config.replicas)]
    composition = Composition(recipe.reward, terms, recipe.product_weight)
    paid = step_columns(composition, recipe.reward)
    return PathEnv(layouts, num_envs or config.copies, composition, paid)


def training_spans(game: Game, request: LevelRequest) -> Spans:
    """Wanted values to train on: the request's own, else the game's spans widened by the tolerance.

    Training asks for the targets of all modes that have the request's own, in turn.
    """
    low, high = np.array(game.span(request.size), np.int64).T
    least, most = np.array(game.reach(request.size), np.int64).T
    margin = np.array(game.tolerance(request.size), np.int64)
    low, high = np.maximum(low - margin, least), np.minimum(high + margin, most)
    own = set(request.target)
    for i, name in enumerate(game.targets):
        if name in own:
            low[i] = high[i] = int(request.target[name])
    modes = [mode for mode in game.modes if own <= set(mode)] or [tuple(own)]
    return Spans(low, high, np.array([[name in mode for name in game.targets] for mode in modes]))


def scored_batch(game: Game, items: Sequence[Item]) -> tuple[Any, Context]:
    """The plain batch of levels and the context in which terms score it.

    An array `(B, H, W)` where all sizes agree, else a list. Starts are made again from the seeds;
    items read from files without a seed have none.
    """
    levels = [item.content for item in items]
    same = len({level.shape for level in levels}) == 1
    starts = [None if item.info.get("start") == "unknown" else start_of(game, item) for item in items]
    context = Context(requests=[item.request for item in items], cache={"starts": starts})
    return (np.stack(levels) if same else levels), context
