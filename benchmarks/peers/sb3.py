"""Stable-Baselines3 on CartPole at settings equal to ours: one update per four transitions (DQN)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import torch

CARTPOLE = "CartPole-v1"


def vector(env_id: str, num_envs: int, seed: int) -> Any:
    from stable_baselines3.common.env_util import make_vec_env

    return make_vec_env(env_id, n_envs=num_envs, seed=seed)


def make_dqn(hidden: int, num_envs: int, seed: int, settings: dict[str, Any]) -> Any:
    """Make an untrained DQN with two hidden layers."""
    from stable_baselines3 import DQN

    torch.set_num_threads(1)
    return DQN(
        "MlpPolicy",
        vector(CARTPOLE, num_envs, seed),
        train_freq=max(4 // num_envs, 1),
        gradient_steps=max(num_envs // 4, 1),
        policy_kwargs={"net_arch": [hidden, hidden]},
        seed=seed,
        device="cpu",
        **settings,
    )


def dqn(hidden: int, num_envs: int, steps: int, seed: int, settings: dict[str, Any]) -> tuple[Any, float]:
    """Train DQN for `steps` transitions; return the model and the seconds of `learn`."""
    model = make_dqn(hidden, num_envs, seed, settings)
    start = time.perf_counter()
    model.learn(steps)
    return model, time.perf_counter() - start


def every(steps: int, go_on: Callable[[], bool]) -> Any:
    """A callback that asks `go_on` after every `steps` transitions and stops training when it says no."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Every(BaseCallback):
        asked = 0

        def _on_step(self) -> bool:
            if self.num_timesteps - self.asked < steps:
                return True
            self.asked = self.num_timesteps
            return go_on()

    return Every()


def ppo(num_envs: int, steps: int, seed: int, settings: dict[str, Any]) -> tuple[Any, float]:
    """Train PPO for `steps` transitions; return the model and the seconds of `learn`."""
    from stable_baselines3 import PPO

    torch.set_num_threads(1)
    model = PPO("MlpPolicy", vector(CARTPOLE, num_envs, seed), seed=seed, device="cpu", **settings)
    start = time.perf_counter()
    model.learn(steps)
    return model, time.perf_counter() - start


def evaluate(model: Any, episodes: int, seed: int) -> float:
    """Mean undiscounted return of the greedy policy over `episodes` on fresh seeds."""
    env = gym.make(CARTPOLE)
    total = 0.0
    for episode in range(episodes):
        obs, _ = env.reset(seed=seed + episode)
        done = False
        while not done:
            action, _ = model.predict(obs, deterministic=True)
            obs, reward, terminated, truncated, _ = env.step(int(action))
            total += float(reward)
            done = terminated or truncated
    return total / episodes
