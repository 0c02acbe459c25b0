"""The loop that tutorials teach: Gymnasium, one environment, a NumPy Q-table, epsilon-greedy."""

from __future__ import annotations

import time

import gymnasium as gym
import numpy as np


def learn(env_id: str, steps: int, seed: int, **kwargs: object) -> tuple[np.ndarray, float]:
    """Q-learning for `steps` transitions; return the table `(S, A)` and the seconds of the loop."""
    env = gym.make(env_id, **kwargs)
    q = np.zeros((env.observation_space.n, env.action_space.n))
    rng = np.random.default_rng(seed)
    obs, _ = env.reset(seed=seed)
    start = time.perf_counter()
    for step in range(steps):
        epsilon = max(0.05, 1.0 - 2.0 * step / steps)
        action = int(rng.integers(q.shape[1])) if rng.random() < epsilon else int(np.argmax(q[obs]))
        next_obs, reward, terminated, truncated, _ = env.step(action)
        target = reward + (0.0 if terminated else 0.99 * np.max(q[next_obs]))
        q[obs, action] += 0.1 * (target - q[obs, action])
        obs = env.reset()[0] if terminated or truncated else next_obs
    return q, time.perf_counter() - start
