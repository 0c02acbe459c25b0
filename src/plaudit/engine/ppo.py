"""Proximal policy optimisation over any VecEnv. Schulman et al., 2017.

With generalised advantages, action masks, normalised observations and returns, and the details that
Huang et al., 2022 ("The 37 implementation details of PPO"), found to matter. Departs from the common
scripts in three ways: a truncated episode bootstraps from its true last observation; statistics for
normalising change between rollouts only; steps whose reward could not be scored (NaN) are not learned
from. The update is in `ppo_update.py`, its fast twin in `ppo_fast.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from plaudit.engine import nets
from plaudit.engine.actor_critic import ActorCritic, ActorPolicy, load_tensors
from plaudit.engine.env import State, VecEnv
from plaudit.engine.episodes import EpisodeTerms
from plaudit.engine.explore import Schedule
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.normalise import ReturnScale, RunningMoments
from plaudit.engine.ppo_fast import ClosedFormUpdater, suits
from plaudit.engine.ppo_update import AutogradUpdater, Batch, Rates, Updater
from plaudit.engine.returns import gae
from plaudit.engine.rollout import Rollout
from plaudit.errors import InputError

__all__ = ["PPO", "ActorPolicy", "PPOConfig"]


@dataclass(frozen=True)
class PPOConfig:
    """Settings of PPO."""

    n_steps: int = 256
    """Steps of every row in one rollout."""
    batch_size: int = 256
    """Transitions per gradient step."""
    epochs: int = 4
    """Passes over each rollout."""
    learning_rate: float = 3e-4
    """Step size of Adam at the start."""
    learning_rate_end: float = -1.0
    """Step size at the end of the budget, reached linearly; below 0 = constant."""
    gamma: float = 0.99
    """Discount of one step."""
    lam: float = 0.95
    """Decay of the advantage's trace: 0 = one step, 1 = the whole return."""
    clip: float = 0.2
    """How far the ratio of new to old probability may leave 1."""
    value_clip: float = 0.0
    """How far a value may leave its old prediction; 0 = as far as it likes."""
    value_coef: float = 0.5
    """Weight of the value loss."""
    entropy: float = 0.0
    """Weight of the entropy bonus at the start."""
    entropy_end: float = -1.0
    """Weight of the entropy bonus at the end of the budget, reached linearly; below 0 = constant."""
    max_grad_norm: float = 0.5
    """Longest gradient."""
    target_kl: float = 0.0
    """Stop an update once the policy moved 1.5 times this far (nats); 0 = never."""
    normalise_obs: bool = False
    """Shift and scale Box observations to mean 0 and deviation 1."""
    normalise_return: bool = False
    """Scale rewards so that returns have deviation 1."""
    normalise_advantage: bool = True
    """Shift and scale the advantages of every batch to mean 0 and deviation 1."""
    shared: bool = False
    """One network for policy and value."""
    masks: bool = True
    """Keep to the environment's action masks."""
    log_std: float = 0.0
    """Logarithm of the deviation that Box actions begin with, before they are squashed into their bounds."""
    path: Literal["auto", "plain", "fast"] = "auto"
    """Autograd or closed-form gradients; "auto" takes the fast one where it suits."""
    compile: bool = False
    """Compile the networks of the plain path with torch.compile (slow to start)."""

    def __post_init__(self) -> None:
        for name in ("n_steps", "batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        for name in ("gamma", "lam"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} = {getattr(self, name)} is not in [0, 1].", place=f"learner.{name}")
        for name in ("clip", "learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0.0:
                raise InputError(f"{name} = {getattr(self, name)} is not above 0.", place=f"learner.{name}")
        if self.path not in ("auto", "plain", "fast"):
            raise InputError(
                f'path "{self.path}" is unknown.', place="learner.path", hint="Known: auto, plain, fast."
            )


class PPO:
    """The learner: a rollout, then `epochs` passes of clipped updates. `step` is `n_steps * B` steps."""

    def __init__(self, env: VecEnv, weighing: Weighing, config: PPOConfig, network: Any, seed: int) -> None:
        self.env, self.config, self.share, self.transitions = env, config, 0.0, 0
        self.random = np.random.default_rng(seed)
        self.model = ActorCritic(
            env.observation_space, env.action_space, network, config.shared, config.normalise_obs
        )
        self.model.initialise(torch.Generator().manual_seed(seed), config.log_std)
        self.model.to(env.device)
        self.updater = self._make_updater()
        self.terms = EpisodeTerms(weighing, env.term_names, env.num_envs)
        self.learning_rate = _schedule(config.learning_rate, config.learning_rate_end)
        self.entropy = _schedule(config.entropy, config.entropy_end)
        self.rollout = Rollout(env, self.model.head, config.n_steps, env.reset(seed), config.masks)
        self.obs_moments = RunningMoments(env.observation_space.shape or ())
        self.return_scale = ReturnScale(env.num_envs, config.gamma) if config.normalise_return else None

    def step(self) -> Metrics:
        """Collect one rollout and learn from it."""
        self.terms.start(self.share)
        self.rollout.fill(self.env, self.model.head, self._choose)
        self.transitions += self.config.n_steps * self.env.num_envs
        self.rollout.check()
        rewards = self._rewards()
        batch = self._batch(rewards)
        rates = Rates(self.learning_rate(self.share), self.entropy(self.share))
        statistics = self._update(batch, rates)
        if self.model.normalise:
            self._renormalise()
        fit_quality = explained_variance(batch.value, batch.target)
        return {**statistics, **vars(rates), "explained_variance": fit_quality, **self.terms.metrics()}

    def _choose(self, obs: Tensor, mask: Tensor | None) -> Tensor:
        return self.updater.sample(self.model.prepare(obs), mask, self.random)

    def _rewards(self) -> Tensor:
        """Weigh the terms into `(T, B)`, NaN where masked, and count what ended."""
        terms, ended = self.rollout.terms.cpu().numpy(), self.rollout.ended.cpu().numpy()
        steps, rows, columns = terms.shape
        reward = self.terms.weigh(terms.reshape(-1, columns)).reshape(steps, rows)
        for t in range(steps):
            self.terms.add(terms[t], ended[t])
        rewards = torch.from_numpy(reward).to(self.env.device, torch.float32)
        return rewards if self.return_scale is None else self.return_scale(rewards, self.rollout.ended)

    @torch.no_grad()
    def _batch(self, rewards: Tensor) -> Batch:
        """Value the rollout and flatten what can be learned from into `(N, ...)`."""
        rollout, config = self.rollout, self.config
        obs = self.model.prepare(rollout.obs)
        values = self.updater.values(obs.flatten(0, 1)).view(config.n_steps + 1, -1)
        next_values = values[1:].clone()
        if rollout.cut:
            times = torch.cat([torch.full_like(rows, t) for t, rows, _ in rollout.cut])
            rows = torch.cat([rows for _, rows, _ in rollout.cut])
            final_obs = torch.cat([obs for _, _, obs in rollout.cut])
            next_values[times, rows] = self.updater.values(self.model.prepare(final_obs))
        advantage = gae(
            rewards, values[:-1], next_values, rollout.terminated, rollout.ended, config.gamma, config.lam
        )
        mask = None if rollout.mask is None else rollout.mask.flatten(0, 1)
        batch = Batch(
            obs=obs[:-1].flatten(0, 1),
            mask=mask,
            raw=rollout.raw.flatten(0, 1),
            value=values[:-1].flatten(),
            advantage=advantage.flatten(),
            target=(advantage + values[:-1]).flatten(),
        )
        known = ~rewards.flatten().isnan()
        batch = batch if bool(known.all()) else batch.select(known)
        batch.log_prob = self.updater.log_probs(batch)
        return batch

    def _update(self, batch: Batch, rates: Rates) -> Metrics:
        """Make the clipped updates; minibatches are of one size, what is left over sits an epoch out."""
        count = len(batch.raw)
        parts = max(1, round(count / self.config.batch_size))
        size = count // parts
        self.updater.start(batch, size, rates)
        for _ in range(self.config.epochs if size > 1 else 0):
            order = self.random.permutation(count)
            for i in range(parts):
                if not self.updater.update(order[i * size : (i + 1) * size]):
                    return self.updater.statistics()
        return self.updater.statistics()

    def _renormalise(self) -> None:
        self.obs_moments.update(self.rollout.obs[:-1].flatten(0, 1))
        for name in ("mean", "scale"):
            getattr(self.model, f"obs_{name}").copy_(torch.from_numpy(getattr(self.obs_moments, name)))

    def _make_updater(self) -> Updater:
        fits = suits(self.model, self.env.device)
        if self.config.path == "fast" and not fits:
            raise InputError(
                f"the fast path of PPO does not fit {self.model.network} on {self.env.device}.",
                place="learner.path",
                hint='It takes two MLPs and Discrete actions on the CPU; set path = "auto".',
            )
        if fits and self.config.path != "plain" and not self.config.compile:
            return ClosedFormUpdater(self.model, self.config)
        return AutogradUpdater(self.model, self.config)

    @property
    def progress(self) -> tuple[int, str]:
        return self.transitions, "steps"

    def policy(self) -> ActorPolicy:
        return ActorPolicy(self.model)

    def describe(self) -> dict[str, Any]:
        """Algorithm, path taken, sizes."""
        return {
            "algorithm": "ppo",
            "path": self.updater.name,
            "device": str(self.env.device),
            "parameters": self.updater.params.numel(),
            "network": nets.describe(self.model.network),
        }

    def state_dict(self) -> State:
        state: State = {
            "env": self.env.state_dict(),
            "obs": self.rollout.obs[-1].clone(),
            "terms": self.terms.state_dict(),
            "adam": self.updater.adam.state_dict(),
            "obs_moments": self.obs_moments.state_dict(),
            "random": self.random.bit_generator.state,
            "transitions": self.transitions,
        }
        return state if self.return_scale is None else {**state, "return": self.return_scale.state_dict()}

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        load_tensors(self.model, tensors)
        self.random.bit_generator.state = state["random"]
        self.terms.load_state_dict(state["terms"])
        self.updater.adam.load_state_dict(state["adam"])
        self.obs_moments.load_state_dict(state["obs_moments"])
        self.transitions = int(state["transitions"])
        if self.return_scale is not None:
            self.return_scale.load_state_dict(state["return"])
        self.env.load_state_dict(state["env"])
        self.rollout.obs[-1] = torch.as_tensor(state["obs"])
        if self.env.resume_at == "item":
            # Its episodes cannot be continued: new ones start, and the open ones are not counted.
            self.rollout.obs[-1] = self.env.reset(int(self.random.integers(2**31)))
            self.terms.running[...], self.terms.length[...] = 0.0, 0


def _schedule(start: float, end: float) -> Schedule:
    return Schedule("linear", start, start if end < 0 else end)


def explained_variance(value: Tensor, target: Tensor) -> float:
    """1 - Var(target - value) / Var(target): 1 = values foresee the returns, 0 = no better than a mean."""
    spread = float(target.var()) if len(target) > 1 else 0.0
    return 1.0 - float((target - value).var()) / spread if spread > 0 else 0.0
