"""Our DQN and PPO on CartPole: at the peers' settings for speed, at our own for the return."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.timing import clocked
from plaudit.engine.dqn import DQN, DQNConfig
from plaudit.engine.gym import FromGym
from plaudit.engine.learner import Policy, UnitWeights
from plaudit.engine.nets.mlp import MLPConfig

CARTPOLE = "CartPole-v1"
TUNED_DQN = DQNConfig(
    learning_rate=5e-4,
    learning_rate_end=0.0,
    train_every=1,
    batch_size=128,
    target_tau=0.005,
    n_step=3,
    epsilon_until=0.1,
    chunk=500,
)
"""For 50,000 steps of CartPole with 4 environments and a network of 128 x 128."""


def train(learner: Any, steps: int) -> Policy:
    """Drive a learner to `steps` transitions, its schedules following the share done."""
    while (done := learner.progress[0]) < steps:
        learner.share = done / steps
        learner.step()
    return learner.policy()


def dqn_equal(hidden: int, seed: int, settings: dict[str, Any]) -> DQN:
    """DQN at SB3's settings: one update per four transitions."""
    env = FromGym(CARTPOLE, 16)
    config = DQNConfig(
        learning_rate=settings["learning_rate"],
        buffer_size=settings["buffer_size"],
        learning_starts=settings["learning_starts"],
        batch_size=settings["batch_size"],
        train_every=4,
        # SB3 counts transitions between two copies into the target, we count updates.
        target_period=settings["target_update_interval"] // 4,
        epsilon_until=settings["exploration_fraction"],
        epsilon_end=settings["exploration_final_eps"],
        double=False,
    )
    return DQN(env, UnitWeights(env.term_names), config, MLPConfig(hidden=(hidden, hidden)), seed)


def ppo_equal(num_envs: int, steps: int, seed: int) -> tuple[Policy, float]:
    """PPO at the peers' settings; the policy and seconds of training."""
    from plaudit.engine.ppo import PPO, PPOConfig

    env = FromGym(CARTPOLE, num_envs)
    config = PPOConfig(n_steps=2048 // num_envs, epochs=4, batch_size=256)
    learner = PPO(
        env, UnitWeights(env.term_names), config, MLPConfig(hidden=(64, 64), activation="tanh"), seed
    )
    seconds = clocked(lambda: train(learner, steps))
    return learner.policy(), seconds


def evaluate(policy: Policy, episodes: int, seed: int) -> float:
    """Mean undiscounted return of the greedy policy over `episodes` fresh episodes, side by side."""
    env = FromGym(CARTPOLE, episodes)
    obs = env.reset(seed)
    total = torch.zeros(episodes)
    running = torch.ones(episodes, dtype=torch.bool)
    while bool(running.any()):
        action = policy.act(obs)[0]
        obs, terms, terminated, truncated, _ = env.step(action)
        total += terms[:, 0].float() * running
        running &= ~(terminated | truncated)
    return float(total.mean())


def dqn_tuned(seed: int) -> Policy:
    """DQN after 50,000 steps at settings tuned on other seeds than the benchmark's."""
    env = FromGym(CARTPOLE, 4)
    learner = DQN(env, UnitWeights(env.term_names), TUNED_DQN, MLPConfig(hidden=(128, 128)), seed)
    return train(learner, 50_000)


def ppo_tuned(seed: int) -> Policy:
    """PPO after 100,000 steps at settings tuned on other seeds than the benchmark's."""
    from plaudit.engine.ppo import PPO, PPOConfig

    env = FromGym(CARTPOLE, 8)
    config = PPOConfig(
        n_steps=32,
        batch_size=256,
        epochs=20,
        lam=0.8,
        gamma=0.98,
        learning_rate=1e-3,
        learning_rate_end=0.0,
    )
    network = MLPConfig(hidden=(64, 64), activation="tanh")
    return train(PPO(env, UnitWeights(env.term_names), config, network, seed), 100_000)


def first_update() -> None:
    """The least that a new process must do to learn: import, one environment, one DQN update."""
    env = FromGym(CARTPOLE, 16)
    config = DQNConfig(learning_starts=64, batch_size=64, train_every=4, chunk=80)
    learner = DQN(env, UnitWeights(env.term_names), config, MLPConfig(hidden=(64, 64)), 0)
    learner.step()
