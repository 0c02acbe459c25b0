"""The named recipes of `level/player`; the first is the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plaudit.runs.recipe import Recipe, RewardEntry

_REWARD = (
    RewardEntry(term="won", weight=1.0),
    RewardEntry(term="progress", weight=1.0),
    RewardEntry(term="lost", weight=0.5),
    RewardEntry(term="steps", weight=0.01),
)


def player_recipes() -> Mapping[str, Recipe]:
    """DQN, which made the presets, and PPO; what is played stands in `env.game`."""
    shared: dict[str, Any] = {"task": "level/player", "budget": "10m", "reward": _REWARD}
    network = {"kind": "mlp", "hidden": [128, 128]}
    dqn = Recipe(
        name="dqn",
        summary="Double, dueling DQN with a small network: what the presets are made of.",
        algorithm="dqn",
        learner={
            "learning_rate": 1e-3,
            "learning_rate_end": 5e-5,
            "gamma": 0.97,
            "batch_size": 128,
            "buffer_size": 60_000,
            "learning_starts": 5_000,
            "train_every": 16,
            "target_tau": 0.01,
            "dueling": True,
            "n_step": 3,
            "epsilon_end": 0.02,
            "epsilon_until": 0.3,
            "chunk": 4_096,
        },
        network=network,
        env={"game": "zelda", "copies": 64},
        **shared,
    )
    ppo = Recipe(
        name="ppo",
        summary="PPO with two networks of the same form.",
        algorithm="ppo",
        learner={
            "n_steps": 64,
            "batch_size": 512,
            "epochs": 3,
            "learning_rate": 5e-4,
            "learning_rate_end": 5e-5,
            "gamma": 0.97,
            "entropy": 0.01,
        },
        network=network,
        env={"game": "zelda", "copies": 64},
        **shared,
    )
    return {"dqn": dqn, "ppo": ppo}
