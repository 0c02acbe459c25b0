"""The named recipes of the level tasks; the first of a task is its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plaudit.runs.recipe import Recipe, RewardEntry

_MAZE_REWARD = (
    # A tenth of gym-pcgrl's weights, so that returns are of the order of 1 to 10.
    RewardEntry(term="one_region", weight=0.5),
    RewardEntry(term="path_target", weight=0.1),
    RewardEntry(term="satisfied", weight=1.0),
    # Edits cost diversity: the fewer, the more of the start's own look stays.
    RewardEntry(term="edits", weight=2.0),
)


_RULE_REWARD = (
    RewardEntry(term="rules", weight=0.1),
    RewardEntry(term="goals", weight=0.1),
    RewardEntry(term="satisfied", weight=1.0),
    RewardEntry(term="edits", weight=1.0),
)


_NARROW = {"beam": {"problems": 16, "width": 4}, "looks": 32, "exhaustive": 100}
"""A search that looks at fewer maps: their statistics take a solver."""


def maze_recipes() -> Mapping[str, Recipe]:
    """PPO, which is the default, DQN, and expert iteration, which made the preset."""
    cells = {"kind": "conv", "channels": 16, "layers": 6, "head": "cells"}
    ppo = Recipe(
        task="level/maze",
        name="ppo",
        summary="PPO with a small convolutional network that judges every cell.",
        algorithm="ppo",
        budget="10m",
        reward=_MAZE_REWARD,
        learner={
            "n_steps": 32,
            "batch_size": 512,
            "epochs": 2,
            "learning_rate": 5e-4,
            "learning_rate_end": 5e-5,
            "lam": 0.9,
            "entropy": 0.003,
            "shared": True,
        },
        network=cells,
        env={"representation": "wide", "copies": 128},
    )
    dqn = Recipe(
        task="level/maze",
        name="dqn",
        summary="Double DQN with the same network; slower than PPO here, and off-policy.",
        algorithm="dqn",
        budget="10m",
        reward=_MAZE_REWARD,
        learner={"buffer_size": 20_000, "batch_size": 128, "train_every": 32, "learning_rate": 5e-4},
        network=cells,
        env={"representation": "wide", "copies": 32},
    )
    expert = Recipe(
        task="level/maze",
        name="expert",
        summary="Search under the reward solves mazes, the network imitates it: what the preset is made of.",
        algorithm="expert",
        budget="10m",
        reward=_MAZE_REWARD,
        network={**cells, "layers": 7},
        env={"representation": "wide"},
        threads=2,
    )
    return {"ppo": ppo, "dqn": dqn, "expert": expert}


def zelda_recipes() -> Mapping[str, Recipe]:
    """Expert iteration, which made the preset and is the default, PPO and DQN."""
    return rule_recipes("level/zelda")


def sokoban_recipes() -> Mapping[str, Recipe]:
    """Expert iteration, which made the preset and is the default, PPO and DQN."""
    return rule_recipes("level/sokoban", _NARROW)


def dungeon_recipes() -> Mapping[str, Recipe]:
    """Expert iteration, which made the preset and is the default, PPO and DQN."""
    return rule_recipes("level/dungeon", _NARROW)


def cave_recipes() -> Mapping[str, Recipe]:
    """Expert iteration, which made the preset and is the default, PPO and DQN."""
    return rule_recipes("level/cave", {**_NARROW, "exhaustive": 60})


def platformer_recipes() -> Mapping[str, Recipe]:
    """Expert iteration, which made the preset and is the default, PPO and DQN."""
    settings = {"beam": {"problems": 16, "width": 4}, "looks": 256, "exhaustive": 100}
    return rule_recipes("level/platformer", settings)


def runner_recipes() -> Mapping[str, Recipe]:
    """Expert iteration, which made the preset and is the default, PPO and DQN."""
    settings = {
        "beam": {"problems": 24, "width": 2},
        "looks": 96,
        "exhaustive": 60,
        "updates": 10,
        "batch_size": 64,
    }
    return rule_recipes("level/runner", settings)


def custom_recipes() -> Mapping[str, Recipe]:
    """Expert iteration, which is the default, PPO and DQN; the game stands in `env.game`."""
    return rule_recipes("level/custom")


def rule_recipes(task: str, expert_settings: Mapping[str, Any] | None = None) -> Mapping[str, Recipe]:
    """The recipes of a game with rules; the expert's own settings where statistics are costly."""
    cells = {"kind": "conv", "channels": 24, "layers": 7, "head": "cells"}
    shared: dict[str, Any] = {"task": task, "budget": "10m", "reward": _RULE_REWARD}
    expert = Recipe(
        name="expert",
        summary="Search under the reward makes levels, the network imitates it: what the preset is made of.",
        algorithm="expert",
        learner=expert_settings or {},
        network=cells,
        env={"representation": "wide", "locks": 0.25},
        **shared,
    )
    ppo = Recipe(
        name="ppo",
        summary="PPO with a small convolutional network that judges every cell.",
        algorithm="ppo",
        learner={
            "n_steps": 32,
            "batch_size": 512,
            "epochs": 2,
            "learning_rate": 5e-4,
            "learning_rate_end": 5e-5,
            "lam": 0.9,
            "entropy": 0.003,
            "shared": True,
        },
        network=cells,
        env={"representation": "wide", "copies": 128, "locks": 0.25},
        **shared,
    )
    dqn = Recipe(
        name="dqn",
        summary="Double DQN with the same network; slower than PPO here, and off-policy.",
        algorithm="dqn",
        learner={"buffer_size": 20_000, "batch_size": 128, "train_every": 32, "learning_rate": 5e-4},
        network=cells,
        env={"representation": "wide", "copies": 32, "locks": 0.25},
        **shared,
    )
    return {"expert": expert, "ppo": ppo, "dqn": dqn}


def path_recipes() -> Mapping[str, Recipe]:
    """Tabular Q-learning, the textbook's own."""
    return {
        "q": Recipe(
            task="level/path",
            name="q",
            summary="Q-learning with one table a layout; learns the shortest route of each.",
            algorithm="tabular-q",
            budget="12000000",
            reward=(RewardEntry(term="goal", weight=1.0), RewardEntry(term="steps", weight=0.01)),
            # Walkers that meet in a state learn the sum of their errors, so the rate stays well below 1.
            learner={"learning_rate": 0.2, "learning_rate_end": 0.2, "explore_end": 0.3},
            env={"replicas": 256, "copies": 256},
        )
    }
