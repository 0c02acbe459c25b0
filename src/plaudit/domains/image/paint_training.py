"""From a recipe to an environment, a differentiable world and a learner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from plaudit.domains.image.paint_bezier import StrokeWorld
from plaudit.domains.image.paint_brush import Brush
from plaudit.domains.image.paint_env import PaintConfig, PaintEnv, Tool
from plaudit.domains.image.paint_free import FreeWorld
from plaudit.domains.image.paint_freehand import known_set
from plaudit.domains.image.paint_pen import Pen
from plaudit.domains.image.paint_pictures import Pictures, pictures_of
from plaudit.domains.image.paint_request import PaintRequest, check_paint
from plaudit.domains.image.paint_reward import paint_terms
from plaudit.domains.image.paint_tracing import Tracing
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.stepwise import build_learner, configured

if TYPE_CHECKING:
    from plaudit.engine.learner import Learner
    from plaudit.runs.recipe import Recipe


def make_tool(config: PaintConfig, size: int, rows: int) -> Tool:
    """The tool of a config on canvases of `size` pixels."""
    if config.tool == "pen":
        return Pen(size, config.moves, config.sight == "near", rows)
    return Brush(size, config.strokes, config.bundle, rows)


def make_environment(recipe: Recipe, num_envs: int) -> PaintEnv:
    """The MDP of a recipe with `num_envs` rows, or with the recipe's own number when that is 0."""
    request, config, pictures = _read(recipe)
    rows = num_envs or config.copies
    pays = Stepwise(Composition(recipe.reward, paint_terms(), recipe.product_weight), recipe.form)
    return PaintEnv(make_tool(config, request.size, rows), pictures, pays, request, rows)


def make_learner(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """The recipe's learner: on the environment, or on the differentiable world for `pathwise`."""
    if recipe.algorithm == "imitation":
        return build_learner(_tracing(recipe), recipe, inputs)
    if recipe.algorithm != "pathwise":
        return build_learner(make_environment(recipe, 0), recipe, inputs)
    request, config, pictures = _read(recipe)
    if config.tool != "brush":
        raise InputError("the pen's moves have no gradient.", place="env.tool", hint='Take tool = "brush".')
    composition = Composition(recipe.reward, paint_terms(), recipe.product_weight)
    if set(composition.names) & {"unlike", "legible"}:
        return build_learner(_free_world(recipe, request, config, composition), recipe, inputs)
    flat = [entry for entry in recipe.reward if entry.target is None and entry.threshold is None]
    wrong = [term.name for term in composition.terms if term.grad != "pathwise"]
    if wrong or len(flat) != len(composition.names):
        raise InputError(
            f"the reward {list(composition.names)} has no gradient.",
            place="reward",
            hint='Plain weights of "error" and "ink" have one; ppo takes any term.',
        )
    world: Any = StrokeWorld(
        pictures, request.size, config.strokes // config.bundle, config.bundle, composition, config.softness
    )
    return build_learner(world, recipe, inputs)


def _free_world(
    recipe: Recipe, request: PaintRequest, config: PaintConfig, composition: Composition
) -> FreeWorld:
    """Free drawing of the classes of the set at `env.pictures`."""
    if set(composition.names) - {"unlike", "legible"} or config.bundle != config.strokes:
        raise InputError(
            f"free drawing is one action, rewarded by unlike and legible, not {list(composition.names)}.",
            place="reward",
            hint="Set env.bundle to env.strokes.",
        )
    pictures, judges = known_set(config.pictures, request.size)
    return FreeWorld(pictures.part("train"), judges.reward, config.strokes, composition, config.softness)


def _tracing(recipe: Recipe) -> Tracing:
    """What imitation learns from: drawings whose lines are known, traced by the pen."""
    request, config, pictures = _read(recipe)
    if config.tool != "pen" or not hasattr(pictures, "lines"):
        raise InputError(
            "only drawings whose strokes are known can be traced, and only by the pen.",
            place="env",
            hint='Take tool = "pen", and for pictures "" (built-in) or a stroke set (.npz).',
        )
    composition = Composition(recipe.reward, paint_terms(), recipe.product_weight)
    if composition.names != ("error",):
        raise InputError(f"tracing earns error alone, not {list(composition.names)}.", place="reward")
    pen = Pen(request.size, config.moves, config.sight == "near", config.copies)
    return Tracing(pictures, pen, recipe.reward[0].weight, composition)


def _read(recipe: Recipe) -> tuple[PaintRequest, PaintConfig, Pictures]:
    try:
        request = PaintRequest.model_validate(dict(recipe.request))
    except ValidationError as error:
        raise InputError(str(error.errors()[0]["msg"]), place="request") from error
    check_paint(request)
    config: PaintConfig = configured(PaintConfig, recipe.env, "env")
    if request.picture:
        return request, config, pictures_of(request.picture, request.split, request.size)
    return request, config, pictures_of(config.pictures, "train", request.size)
