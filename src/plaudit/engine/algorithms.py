"""The one explicit list of algorithms, lazy: listing them imports no torch. To add one, add a line."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plaudit.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Algorithm:
    """A learner and its config, by place."""

    name: str
    summary: str
    config: str
    """`module:Class` of the frozen dataclass that `Recipe.learner` fills."""
    learner: str
    """`module:Class`"""
    needs_network: bool

    def config_class(self) -> Any:
        return _import(self.config)

    def learner_class(self) -> Any:
        return _import(self.learner)

    def configure(self, settings: Mapping[str, Any]) -> Any:
        """Make the config; raises `InputError` that names the nearest field for an unknown one."""
        kind = self.config_class()
        known = [field.name for field in dataclasses.fields(kind)]
        for key in settings:
            if key not in known:
                raise InputError(
                    f'the algorithm {self.name} has no setting "{key}".',
                    place=f"learner.{key}",
                    hint=did_you_mean(key, known),
                )
        return kind(**settings)


ALGORITHMS = (
    Algorithm(
        "tabular-q",
        "Q-learning over a table of states and actions, many replicas at once.",
        "plaudit.engine.tabular:QConfig",
        "plaudit.engine.tabular:TabularQ",
        needs_network=False,
    ),
    Algorithm(
        "dqn",
        "Q-learning with a network and a replay buffer: double, dueling, n-step, prioritised.",
        "plaudit.engine.dqn:DQNConfig",
        "plaudit.engine.dqn:DQN",
        needs_network=True,
    ),
    Algorithm(
        "ppo",
        "Proximal policy optimisation: an actor and a critic, clipped updates on fresh rollouts.",
        "plaudit.engine.ppo:PPOConfig",
        "plaudit.engine.ppo:PPO",
        needs_network=True,
    ),
)


def get_algorithm(name: str) -> Algorithm:
    """Return the algorithm called `name`; raises `InputError` with the nearest name."""
    for algorithm in ALGORITHMS:
        if algorithm.name == name:
            return algorithm
    hint = did_you_mean(name, [algorithm.name for algorithm in ALGORITHMS])
    raise InputError(f'no algorithm is called "{name}".', place="algorithm", hint=hint)


def _import(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
