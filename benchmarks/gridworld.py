"""Tabular Q-learning on Gymnasium's FrozenLake 8x8 without slipping: ours and the tutorial loop."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from benchmarks.peers import numpy_q
from benchmarks.timing import clocked
from plaudit.engine.gym import FromGym
from plaudit.engine.learner import UnitWeights
from plaudit.engine.tabular import QConfig, TabularQ

ENV, SETTINGS = "FrozenLake-v1", {"map_name": "8x8", "is_slippery": False}


def ours(steps: int, seed: int) -> tuple[np.ndarray, float]:
    """Q-learning through the fused kernel, whose table is the environment's own `P`."""
    env = FromGym(ENV, 1, **SETTINGS)
    learner = TabularQ(env, UnitWeights(env.term_names), QConfig(chunk=steps), seed)
    seconds = clocked(learner.step)
    return np.asarray(next(iter(learner.policy().tensors().values()))).reshape(-1, 4), seconds


def peer(steps: int, seed: int) -> tuple[np.ndarray, float]:
    """The same problem in the loop that tutorials teach."""
    return numpy_q.learn(ENV, steps, seed, **SETTINGS)


def greedy_return(q: np.ndarray) -> float:
    """Return of one greedy episode (the world is deterministic)."""
    env: Any = gym.make(ENV, **SETTINGS)
    obs, _ = env.reset(seed=0)
    total, done = 0.0, False
    while not done:
        obs, reward, terminated, truncated, _ = env.step(int(np.argmax(q[obs])))
        total, done = total + float(reward), terminated or truncated
    return total
