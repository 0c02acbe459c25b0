"""Every stepwise task as a Gymnasium environment: `plaudit.make`, `plaudit.make_vec`, `gymnasium.make`.

Importing `plaudit` after `gymnasium` registers the names, and so does importing this module, also in
Gymnasium's own form `gymnasium.make("plaudit.envs:plaudit/level-maze-v0")`. Registering names places
and imports nothing heavy.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from plaudit.domains import TASKS

if TYPE_CHECKING:
    from plaudit.engine.env import VecEnv
    from plaudit.engine.to_gym import ToGym, ToGymVector


@dataclass(frozen=True)
class EnvOptions:
    """What may be chosen of a task's environment.

    Attributes:
        recipe: name of one of the task's recipes; empty = the default one.
        reward: weight by term, laid over the recipe's.
        target: wanted value by statistic.
        request: other fields of the task's request, such as `size`.
        env: fields of the task's environment config, such as `representation`.
    """

    recipe: str = ""
    reward: Mapping[str, float] = field(default_factory=dict)
    target: Mapping[str, float] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, Any] = field(default_factory=dict)


def make(name: str, **options: Any) -> ToGym:
    """Return one episode of a task as a `gymnasium.Env`; `options` are the fields of `EnvOptions`.

    The reward is the weighted sum of the recipe's terms. Raises `InputError` with the nearest name for
    an unknown task, term or field.
    """
    from plaudit.engine.to_gym import ToGym

    return ToGym(_factory(name, options), _weights)


def make_vec(name: str, num_envs: int = 1, **options: Any) -> ToGymVector:
    """Return `num_envs` episodes of a task as a `gymnasium.vector.VectorEnv` (same-step autoreset)."""
    from plaudit.engine.to_gym import ToGymVector

    return ToGymVector(_factory(name, options), num_envs, _weights)


def register() -> None:
    """Tell Gymnasium of `plaudit/level-maze-v0` and its like; a second call changes nothing."""
    from gymnasium.envs.registration import register as announce
    from gymnasium.envs.registration import registry

    for task in TASKS:
        name = f"plaudit/{task.name.replace('/', '-')}-v0"
        if task.stepwise and name not in registry:
            announce(
                id=name,
                entry_point="plaudit.envs:make",
                vector_entry_point="plaudit.envs:make_vec",
                kwargs={"name": task.name},
            )


def _factory(name: str, options: Mapping[str, Any]) -> partial[VecEnv]:
    from plaudit.errors import InputError, did_you_mean
    from plaudit.runs.recipes import Changes, resolve

    known = list(EnvOptions.__dataclass_fields__)
    for key in options:
        if key not in known:
            raise InputError(f'plaudit.make has no option "{key}".', hint=did_you_mean(key, known))
    chosen = EnvOptions(**options)
    settings = [
        f"{table}.{key}={json.dumps(value)}"
        for table in ("request", "env")
        for key, value in getattr(chosen, table).items()
    ]
    changes = Changes(settings=tuple(settings), reward=dict(chosen.reward), target=dict(chosen.target))
    task, recipe = resolve(name, chosen.recipe, changes)
    return partial(task.environment, recipe=recipe)


def _weights(env: Any) -> Any:
    """The weights of the recipe's composition when training ends; 1 each where the task has none."""
    weighing = getattr(env, "weighing", None)
    return None if weighing is None else weighing.weights(1.0)


if "gymnasium" in sys.modules:
    register()
