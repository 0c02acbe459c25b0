"""Whether a task can be trained by a recipe: every name, type and request, before the first step."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from plaudit.engine.algorithms import ALGORITHMS, config_class
from plaudit.engine.fit import Amount
from plaudit.errors import InputError, PlauditError, did_you_mean
from plaudit.reward.compose import Composition
from plaudit.runs import inputs, toml
from plaudit.runs.places import Places, explain, keys_of
from plaudit.runs.recipe import Recipe

if TYPE_CHECKING:
    from plaudit.task import Request, Task


def check(recipe: Recipe, task: Task, places: Places | None = None, above: toml.Keys = ()) -> None:
    """Raise `InputError` for the first thing in `recipe` that `task` cannot be trained by.

    An impossible request is `InputError`, an unreachable target `Infeasible`; both name the place.
    """
    places = places or Places()
    for key in ("budget", "checkpoint"):
        Amount.parse(getattr(recipe, key), place=places.of((*above, key)))
    if recipe.device == "cuda":
        raise InputError(
            'device = "cuda": training on a GPU is not built yet.',
            place=places.of((*above, "device")),
            hint='Leave it at "auto", or say "cpu".',
        )
    _check_inputs(recipe, places, above)
    if recipe.stages:
        for number, stage in enumerate(recipe.stages):
            check(stage, task, places, (*above, "stages", number))
        return
    _check_reward(recipe, task, places, above)
    _check_algorithm(recipe, task, places, above)
    request = request_of(task, recipe.request, places, (*above, "request"))
    check_request(task, request, places.of((*above, "request")))


def bound(task: Task, recipe: Recipe, places: Places | None = None) -> Task:
    """The task as its recipe defines it, where it is one that a recipe defines; else the task itself.

    Raises `InputError` with the place of what is wrong.
    """
    bind = getattr(task, "bound", None)
    if bind is None:
        return task
    places = places or Places()
    check_fields(task.env_config, recipe.env, places, ("env",))  # type: ignore[attr-defined]
    try:
        defined: Task = bind(recipe)
    except InputError as error:
        raise InputError(error.message, place=places.of(keys_of(error.place)), hint=error.hint) from error
    return defined


def request_of(
    task: Task, values: Mapping[str, Any], places: Places | None = None, above: toml.Keys = ("request",)
) -> Request:
    """Make the task's request from plain values; raises `InputError` with place and nearest word."""
    try:
        return task.Request.model_validate(dict(values))
    except ValidationError as error:
        raise explain(error, task.Request, places or Places(), above) from error


def check_request(task: Task, request: Request, place: str) -> None:
    """Let the task judge the request; its error gets the place where the request was written."""
    for statistic in (*request.target, *request.tolerance):
        if statistic not in task.statistics:
            raise InputError(
                f'{task.name} has no statistic "{statistic}".',
                place=place,
                hint=did_you_mean(statistic, task.statistics),
            )
    try:
        task.check_request(request)
    except PlauditError as error:
        raise type(error)(error.message, place=error.place or place, hint=error.hint) from error


def _check_reward(recipe: Recipe, task: Task, places: Places, above: toml.Keys) -> None:
    terms = {term.name: term for term in task.terms()}
    for number, entry in enumerate(recipe.reward):
        where = (*above, "reward", number, "term")
        if ".py:" in entry.term:
            continue
        if entry.term not in terms:
            raise InputError(
                f'{task.name} has no term "{entry.term}".',
                place=places.of(where),
                hint=f"{did_you_mean(entry.term, terms)} List: plaudit rewards {task.name}",
            )
        if terms[entry.term].eval_only:
            raise InputError(
                f'the term "{entry.term}" is reported only and never optimised.', place=places.of(where)
            )
    if recipe.reward:
        _compose(recipe, task, places, above)


def _compose(recipe: Recipe, task: Task, places: Places, above: toml.Keys) -> None:
    """Make the composition, which loads the user's own terms and checks shaping and weights."""
    try:
        Composition(recipe.reward, task.terms(), recipe.product_weight)
    except InputError as error:
        entry = re.fullmatch(r"reward\[(\d+)\]", error.place)
        keys: toml.Keys = ("reward", int(entry[1])) if entry else ("reward",)
        place = places.of((*above, *keys)) if entry or error.place in ("", "reward") else error.place
        raise InputError(error.message, place=place, hint=error.hint) from error


def _check_inputs(recipe: Recipe, places: Places, above: toml.Keys) -> None:
    """Find what the recipe starts from, earlier stages excepted: they are yet to be trained."""
    for name, given in recipe.inputs.items():
        if given.startswith("stage:"):
            continue
        try:
            inputs.resolve({name: given}, None)
        except InputError as error:
            raise InputError(
                error.message, place=places.of((*above, "inputs", name)), hint=error.hint
            ) from error


def _check_algorithm(recipe: Recipe, task: Task, places: Places, above: toml.Keys) -> None:
    own = {named.algorithm for named in _all_recipes(task)}
    if recipe.algorithm not in {*ALGORITHMS, *own}:
        raise InputError(
            f'no algorithm is called "{recipe.algorithm}".',
            place=places.of((*above, "algorithm")),
            hint=f"{did_you_mean(recipe.algorithm, ALGORITHMS)} List: plaudit algorithms",
        )
    if recipe.algorithm in ALGORITHMS:
        config = config_class(recipe.algorithm)
        check_fields(config, recipe.learner, places, (*above, "learner"))
        if recipe.network:
            rest = {key: value for key, value in recipe.network.items() if key != "kind"}
            check_fields(_network_class(recipe, places, above), rest, places, (*above, "network"))
    if hasattr(task, "env_config"):
        check_fields(task.env_config, recipe.env, places, (*above, "env"))


def _network_class(recipe: Recipe, places: Places, above: toml.Keys) -> type[Any]:
    """The config dataclass of the network's family."""
    from plaudit.engine import nets

    kind = recipe.network.get("kind", "mlp")
    try:
        return type(nets.config_of({"kind": str(kind)}))
    except InputError as error:
        where = places.of((*above, "network", "kind"))
        raise InputError(error.message, place=where, hint=error.hint) from error


def _all_recipes(task: Task) -> list[Recipe]:
    """The task's recipes and their stages."""
    return [part for recipe in task.recipes().values() for part in (recipe, *recipe.stages)]


def check_fields(config: type[Any], values: Mapping[str, Any], places: Places, above: toml.Keys) -> None:
    """Hold a mapping to the fields and types of a config dataclass; raises `InputError`."""
    known = [field.name for field in dataclasses.fields(config)]
    for key in values:
        if key not in known:
            raise InputError(
                "is not a known key.", place=places.of((*above, key)), hint=did_you_mean(key, known)
            )
    try:
        TypeAdapter(config).validate_python(dict(values))
    except ValidationError as error:
        raise explain(error, config, places, above) from error
    except PlauditError as error:
        raise type(error)(error.message, place=places.of(above), hint=error.hint) from error
