"""A chain of ten states as a VecEnv, and a task that trains the real learners on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from toy import recipe

from plaudit.engine import algorithms
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.engine.random import RowRandom
from plaudit.runs.recipe import Recipe

STATES, LONGEST = 10, 25


class Chain(VecEnv):
    """Walk right to the last state; a step slips back with probability 0.1. Terms: goal, cost."""

    term_names = ("goal", "cost")

    def __init__(self, num_envs: int, one_hot: bool) -> None:
        self.num_envs, self.one_hot = num_envs, one_hot
        self.action_space = spaces.Discrete(2)
        self.observation_space = (
            spaces.Box(0.0, 1.0, (STATES,), np.float32) if one_hot else spaces.Discrete(STATES)
        )
        self.at, self.age = np.zeros(num_envs, dtype=np.int64), np.zeros(num_envs, dtype=np.int64)
        self.random = RowRandom(np.arange(num_envs))

    def reset(self, seed: int) -> torch.Tensor:
        self.random = RowRandom(seed * 1000 + np.arange(self.num_envs))
        self.at[:], self.age[:] = 0, 0
        return self._obs(self.at)

    def _obs(self, at: Any) -> torch.Tensor:
        return torch.from_numpy(np.eye(STATES, dtype=np.float32)[at] if self.one_hot else at.copy())

    def step(self, action: torch.Tensor) -> StepResult:
        slips = self.random.uniform(1)[:, 0] < 0.1
        move = np.where((action.numpy() == 1) & ~slips, 1, -1)
        self.at = np.clip(self.at + move, 0, STATES - 1)
        self.age += 1
        terminated, truncated = self.at == STATES - 1, self.age >= LONGEST
        terms = np.stack([terminated.astype(np.float64), np.full(self.num_envs, -0.01)], axis=1)
        final = self._obs(self.at)
        over = terminated | truncated
        self.at[over], self.age[over] = 0, 0
        info = {"final_obs": final}
        return (
            self._obs(self.at),
            torch.from_numpy(terms),
            torch.from_numpy(terminated),
            torch.from_numpy(truncated & ~terminated),
            info,
        )

    def state_dict(self) -> State:
        return {"at": self.at.copy(), "age": self.age.copy(), "random": self.random.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.at, self.age = state["at"].copy(), state["age"].copy()
        self.random.load_state_dict(state["random"])


class Weights:
    """Constant weights of the two terms."""

    names = ("goal", "cost")

    def weights(self, progress: float) -> Any:
        return np.array([1.0, 0.5 + 0.5 * progress])


SETTINGS: dict[str, dict[str, Any]] = {
    "tabular-q": {"chunk": 16},
    "dqn": {"chunk": 16, "learning_starts": 64, "buffer_size": 160, "batch_size": 8, "target_period": 20},
    "ppo": {"n_steps": 4, "batch_size": 8, "epochs": 2, "normalise_return": True, "normalise_obs": True},
}
"""Small enough that a learner's step takes milliseconds: 16 transitions each."""


class ChainTask:
    """Trains any algorithm of the package on the chain."""

    name = "toy/chain"
    summary = "Walks a chain."

    def recipes(self) -> dict[str, Recipe]:
        return {name: chain_recipe(name) for name in SETTINGS}

    def build(self, recipe: Recipe, inputs: dict[str, Path]) -> Any:
        network = () if recipe.algorithm == "tabular-q" else (dict(recipe.network),)
        env = Chain(4, one_hot=bool(network))
        config = algorithms.configure(recipe.algorithm, recipe.learner)
        learner = algorithms.learner_class(recipe.algorithm)
        return learner(env, Weights(), config, *network, recipe.seed)


def chain_recipe(algorithm: str, **changes: Any) -> Recipe:
    """30 steps of 16 transitions."""
    network = {} if algorithm == "tabular-q" else {"kind": "mlp", "hidden": [16]}
    plain = {"algorithm": algorithm, "learner": SETTINGS[algorithm], "network": network}
    return recipe(**{"task": "chain:ChainTask", "budget": "480", "checkpoint": "64", **plain, **changes})
