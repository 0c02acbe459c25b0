"""From what the user gives (a task, a file, options) to one checked recipe, and back to TOML.

Weakest first: the task's named recipe, the file, `--set key=value`, the other options. Mappings are
merged key by key, lists (reward, stages) are replaced. Every mistake is one `InputError` that names
the file and line, or the option, and the nearest known word.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from plaudit.domains import get_task
from plaudit.errors import InputError, did_you_mean
from plaudit.runs import toml
from plaudit.runs.places import Places, explain
from plaudit.runs.recipe import Recipe, RewardEntry

if TYPE_CHECKING:
    from plaudit.task import Task


@dataclass(frozen=True)
class Changes:
    """What is laid over a recipe, in the words of the command line.

    Attributes:
        settings: `("learner.gamma=0.9", ...)`; values are TOML or plain text.
        reward: weight by term; replaces the weight of a term of the recipe or adds the term.
        target: wanted value by statistic.
        init: preset, run or file to start from.
        budget, seed, device: as in the recipe; None leaves them.
        values: further keys of the recipe, merged like a file's.
    """

    settings: tuple[str, ...] = ()
    reward: Mapping[str, float] = field(default_factory=dict)
    target: Mapping[str, float] = field(default_factory=dict)
    init: str | None = None
    budget: str | int | None = None
    seed: int | None = None
    device: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def resolve(source: str | Path, name: str = "", changes: Changes | None = None) -> tuple[Task, Recipe]:
    """Return the task and the checked recipe for a task name or a recipe file.

    `name` picks one of the task's named recipes. Raises `InputError`, `Infeasible` or `MissingExtra`.
    """
    changes = changes or Changes()
    values: dict[str, Any] = {"task": str(source)}
    places = Places()
    if is_file(source):
        values, text = toml.read(Path(source))
        places = Places(str(source), text)
    task = task_of(values, places)
    base = _named(task, name, values, places).model_dump(exclude_unset=True)
    merged = merge(base, values)
    _complete_stages(merged, task.name)
    merged = _checked(merge(merged, changes.values), places)
    for setting in changes.settings:
        _set(merged, setting, places)
        merged = _checked(merged, places)
    _apply_options(merged, changes, places)
    _embed_files(merged, task, places)
    _embed_folders(merged, task, places)
    recipe = validate(merged, places)
    from plaudit.runs.checking import bound, check

    task = bound(task, recipe, places)
    check(recipe, task, places)
    return task, recipe


def is_file(source: str | Path) -> bool:
    """Whether `source` means a recipe file and not a task."""
    return isinstance(source, Path) or source.endswith(".toml")


def load(path: Path) -> Recipe:
    """Read a complete recipe, as a run folder holds it, without merging; raises only `InputError`."""
    values, text = toml.read(path)
    return validate(values, Places(str(path), text))


def dump(recipe: Recipe) -> str:
    """Write a recipe as TOML that `load` reads back as the same recipe; what is empty is left out."""
    return toml.dumps(_lean(recipe))


def _lean(recipe: Recipe) -> dict[str, Any]:
    plain = recipe.model_dump(exclude={"reward", "stages"})
    plain["reward"] = [{**e.model_dump(exclude_defaults=True), "weight": e.weight} for e in recipe.reward]
    plain["stages"] = [_lean(stage) for stage in recipe.stages]
    return {key: value for key, value in plain.items() if key == "name" or value not in ("", [], {})}


def validate(values: Mapping[str, Any], places: Places) -> Recipe:
    """Make the recipe; the first mistake becomes one `InputError`."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise explain(error, Recipe, places) from error


def _checked(values: dict[str, Any], places: Places) -> dict[str, Any]:
    """The same values, known to have the form of a recipe: whoever edits them next relies on it."""
    return validate(values, places).model_dump(exclude_none=True)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `over` on `base`: mappings key by key, anything else replaced.

    >>> merge({"env": {"size": 8, "copies": 4}}, {"env": {"size": 14}})
    {'env': {'size': 14, 'copies': 4}}
    """
    merged = copy.deepcopy(dict(base))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def task_of(values: Mapping[str, Any], places: Places) -> Task:
    """The task that a recipe names."""
    name = values.get("task")
    if not isinstance(name, str):
        what = "a recipe needs a task." if name is None else f"must be the name of a task, got {name!r}."
        raise InputError(what, place=places.of(("task",)), hint='Add a line such as task = "level/maze".')
    try:
        return get_task(name)
    except InputError as error:
        if name == error.place or places.of(("task",)) == "task":
            raise
        raise InputError(error.message, place=places.of(("task",)), hint=error.hint) from error


def _named(task: Task, name: str, values: Mapping[str, Any], places: Places) -> Recipe:
    """The named recipe to start from: as asked, else of the file's name or algorithm, else the default."""
    recipes = task.recipes()
    if name:
        if name not in recipes:
            raise InputError(
                f'{task.name} has no recipe called "{name}".',
                place="--recipe",
                hint=did_you_mean(name, recipes),
            )
        return recipes[name]
    wanted, algorithm = values.get("name"), values.get("algorithm")
    if isinstance(wanted, str) and wanted in recipes and algorithm in (None, recipes[wanted].algorithm):
        return recipes[wanted]
    fitting = [recipe for recipe in recipes.values() if recipe.algorithm == algorithm]
    if fitting:
        return fitting[0]
    default = next(iter(recipes.values()))
    # Settings of one algorithm mean nothing to another.
    return default if algorithm is None else default.model_copy(update={"learner": {}, "network": {}})


_SHARED = ("task", "algorithm", "seed", "request", "learner", "network", "env", "device", "threads")
"""What a stage takes from the whole recipe unless it says otherwise."""


def _complete_stages(values: dict[str, Any], name: str) -> None:
    """Give each stage what the whole recipe says; the task under the name that the recipe uses for it."""
    stages = values.get("stages")
    if not isinstance(stages, list | tuple):
        return
    completed = []
    for stage in stages:
        if not isinstance(stage, dict):
            return
        own = {key: value for key, value in stage.items() if (key, value) != ("task", name)}
        other = own.get("algorithm", values.get("algorithm")) != values.get("algorithm")
        keys = [key for key in _SHARED if key in values and not (other and key in ("learner", "network"))]
        completed.append(merge({key: values[key] for key in keys}, own))
    values["stages"] = completed


def _embed_files(values: dict[str, Any], task: Task, places: Places) -> None:
    """Put the content of the files that `env` names into the recipe, which then needs no file.

    A task names such keys in `env_files`, each with the files that come with it; the first is the default.
    """
    known: Mapping[str, Mapping[str, Path]] = getattr(task, "env_files", {})
    for key, own in known.items():
        for number, part in enumerate((values, *values.get("stages", ()))):
            where: toml.Keys = ("env", key) if number == 0 else ("stages", number - 1, "env", key)
            env = part.setdefault("env", {})
            given = env.get(key, next(iter(own)))
            if not isinstance(given, str):
                continue
            if given not in own and not given.endswith(".toml"):
                hint = f"{did_you_mean(given, own)} Or a file that ends in .toml."
                raise InputError(f'no {key} is called "{given}".', place=places.of(where), hint=hint)
            path = own[given] if given in own else Path(given)
            env[key], text = toml.read(path)
            places.file(where, path, text)


def _embed_folders(values: dict[str, Any], task: Task, places: Places) -> None:
    """Put what a task reads from folders that `env` names into the recipe (`env_folders`, `read_folder`)."""
    for key in getattr(task, "env_folders", ()):
        for number, part in enumerate((values, *values.get("stages", ()))):
            where: toml.Keys = ("env", key) if number == 0 else ("stages", number - 1, "env", key)
            env = part.get("env")
            if not isinstance(env, dict) or not isinstance(env.get(key), str):
                continue
            try:
                env[key] = task.read_folder(key, Path(env[key]), env)  # type: ignore[attr-defined]
            except InputError as error:
                hint = error.hint or f"As asked for by {places.of(where)}."
                raise InputError(error.message, place=error.place, hint=hint) from error


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """The same recipe, stages included, with another seed."""
    stages = tuple(with_seed(stage, seed) for stage in recipe.stages)
    return recipe.model_copy(update={"seed": seed, "stages": stages})


def _set(values: dict[str, Any], setting: str, places: Places) -> None:
    """Apply one `a.b=value`; `reward.TERM` and `reward.TERM.field` address an entry by its term."""
    key, equals, text = setting.partition("=")
    place = f"--set {setting}"
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise InputError(
            "is not of the form key=value.", place=place, hint="Example: --set learner.gamma=0.99"
        )
    value = toml.parse_value(text)
    if parts[0] == "reward" and len(parts) > 1:
        _set_reward(values, parts[1:], value)
        places.option(("reward",), place)
        return
    inner = values
    for part in parts[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InputError(f'"{part}" holds a single value, not keys.', place=place)
    inner[parts[-1]] = value
    if len(parts) == 1:
        _spread(values, parts[0])
    elif parts[0] == "env":
        _spread_env(values, parts[1], value if len(parts) == 2 else inner)
    places.option(tuple(parts), place)


def _spread_env(values: dict[str, Any], key: str, value: Any) -> None:
    """What was set of the environment of the whole run holds in the stages of the same task."""
    for stage in values.get("stages", ()):
        if stage.get("task", values["task"]) == values["task"]:
            stage["env"] = {**stage.get("env", {}), key: copy.deepcopy(value)}


def _set_reward(values: dict[str, Any], parts: list[str], value: Any) -> None:
    """`TERM.field=value`, or `TERM=weight`; the name of a term may itself hold dots (`mine.py:few`)."""
    named = len(parts) > 1 and parts[-1] in RewardEntry.model_fields
    term, key = (".".join(parts[:-1]), parts[-1]) if named else (".".join(parts), "weight")
    _entry(values, term)[key] = value


def _entry(values: dict[str, Any], term: str) -> dict[str, Any]:
    """The reward entry of a term, added when there is none."""
    entries = [dict(entry) for entry in values.get("reward", ())]
    values["reward"] = entries
    for entry in entries:
        if entry.get("term") == term:
            return entry
    entries.append({"term": term})
    return entries[-1]


def _apply_options(values: dict[str, Any], changes: Changes, places: Places) -> None:
    """Apply `--reward --target --init --budget --seed --device`; the last stage is the one tuned."""
    stages = values.get("stages")
    tuned = stages[-1] if isinstance(stages, list | tuple) and stages else values
    for term, weight in changes.reward.items():
        _entry(tuned, term)["weight"] = weight
        places.option(("reward",), f"--reward {term}")
    if changes.target:
        tuned["request"] = merge(tuned.get("request", {}), {"target": dict(changes.target)})
        places.option(("request", "target"), "--target")
    if changes.init is not None:
        values["inputs"] = {**values.get("inputs", {}), "init": changes.init}
        places.option(("inputs", "init"), "--init")
    for key in ("budget", "seed", "device"):
        if getattr(changes, key) is not None:
            (tuned if key == "budget" else values)[key] = getattr(changes, key)
            _spread(values, key)
            places.option((key,), f"--{key}")


def _spread(values: dict[str, Any], key: str) -> None:
    """What was set for the whole run holds in each of its stages."""
    for stage in values.get("stages", ()) if key in ("seed", "device", "threads", "checkpoint") else ():
        stage[key] = values[key]
