"""From a recipe to an environment and a learner, and from items to what terms score."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plaudit.domains.level.env import LevelConfig, LevelEnv, Limits
from plaudit.domains.level.episodes import TrainingEpisodes
from plaudit.domains.level.game import Game
from plaudit.domains.level.grid_world import GridConfig, PathEnv, step_columns
from plaudit.domains.level.layouts import make_layout
from plaudit.domains.level.render import validated
from plaudit.domains.level.request import LevelRequest, check_level, tolerances
from plaudit.domains.level.routes import PathRequest, check_path
from plaudit.domains.level.seeds import start_maps
from plaudit.errors import InputError, did_you_mean
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context, Term
from plaudit.task import Item

if TYPE_CHECKING:
    from plaudit.engine.env import VecEnv
    from plaudit.engine.learner import Learner
    from plaudit.runs.recipe import Recipe


def make_environment(game: Game, recipe: Recipe, num_envs: int) -> LevelEnv:
    """The MDP of a recipe with `num_envs` rows, or with the recipe's own number when that is 0."""
    request: LevelRequest = validated(LevelRequest, dict(recipe.request), "request")
    check_level(game, request)
    settings = {"threads": recipe.threads, **recipe.env}
    config: LevelConfig = configured(LevelConfig, settings, "env")
    config = dataclasses.replace(config, copies=num_envs or config.copies)
    episodes = TrainingEpisodes(request.size, training_spans(game, request), config.pool, request.density)
    composition = Composition(recipe.reward, game.terms(), recipe.product_weight)
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


def training_spans(game: Game, request: LevelRequest) -> list[tuple[int, int]]:
    """Wanted values to train on: the request's own, else the game's span widened by the tolerance."""
    spans = []
    for at, name in enumerate(game.targets):
        low, high = game.span(request.size)[at]
        margin = int(game.tolerance(request.size)[at])
        least, most = game.reach(request.size)[at]
        given = request.target.get(name)
        wide = (max(low - margin, least), min(high + margin, most))
        spans.append(wide if given is None else (int(given), int(given)))
    return spans


def build_learner(env: VecEnv, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """Make the recipe's learner on `env`; `inputs["init"]` holds weights to start from."""
    from plaudit.engine import algorithms

    config = algorithms.configure(recipe.algorithm, recipe.learner)
    kind = algorithms.learner_class(recipe.algorithm)
    weighing = env.weighing  # type: ignore[attr-defined]
    if algorithms.get_algorithm(recipe.algorithm).has_network:
        learner: Learner = kind(env, weighing, config, dict(recipe.network), recipe.seed)
    else:
        learner = kind(env, weighing, config, recipe.seed)
    if "init" in inputs:
        learner.load_state_dict(learner.state_dict(), read_weights(inputs["init"]))
    return learner


def read_weights(path: Path) -> dict[str, Any]:
    """Tensors of a checkpoint or preset folder, or of a safetensors file; raises `InputError`."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = path / "model.safetensors" if path.is_dir() else path
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise InputError(f"holds no weights: {error}.", place=str(file)) from error


def configured(kind: type[Any], values: Mapping[str, Any], place: str) -> Any:
    """Fill a config dataclass; raises `InputError` with the nearest name for an unknown key."""
    known = [field.name for field in dataclasses.fields(kind)]
    for key in values:
        if key not in known:
            raise InputError(
                f'{place} has no "{key}".', place=f"{place}.{key}", hint=did_you_mean(key, known)
            )
    return kind(**values)


def scored_batch(items: Sequence[Item]) -> tuple[Any, Context]:
    """The plain batch of levels and the context in which terms score it.

    An array `(B, H, W)` where all sizes agree, else a list. Starts are made again from the seeds;
    items read from files without a seed have none.
    """
    levels = [item.content for item in items]
    same = len({level.shape for level in levels}) == 1
    starts = [None if item.info.get("start") == "unknown" else _start(item) for item in items]
    context = Context(requests=[item.request for item in items], cache={"starts": starts})
    return (np.stack(levels) if same else levels), context


def _start(item: Item) -> Any:
    request = item.request
    assert isinstance(request, LevelRequest)
    return start_maps(np.array([item.seed], np.int64), request.size, request.density)[0]
