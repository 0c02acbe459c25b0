"""Imitation of what was played: action values for a Q-network before it has acted itself.

The supervised part of Hester et al., 2018 ("Deep Q-learning from demonstrations"): what was done is worth
what it earned, and what was not done is worth less by a margin. Departs from the paper in that the returns
are the whole ones, so that no target network is needed, and in that it is a stage of its own: DQN begins from
its weights (`inputs.init`) and keeps no demonstrations.

N moments played, A actions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import Space
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine import nets
from plaudit.engine.actor_critic import load_tensors
from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.dqn_update import QNetwork
from plaudit.engine.env import State
from plaudit.engine.learner import Metrics
from plaudit.engine.q_policy import QPolicy
from plaudit.errors import Diverged, InputError


@dataclass(frozen=True)
class Played:
    """Moments of episodes: `obs (N, *O)`, `action (N,)`, `earned (N,)` = the discounted return from there."""

    obs: NDArray[Any]
    action: NDArray[np.int64]
    earned: NDArray[np.float32]


class Source(Protocol):
    """Where episodes to imitate come from."""

    observation_space: Space[Any]
    action_space: Space[Any]

    def play(self, random: np.random.Generator, gamma: float) -> Played:
        """Play some fresh episodes; returns are discounted by `gamma` a step."""
        ...


@dataclass(frozen=True)
class ImitationConfig:
    """Settings of imitation."""

    batch_size: int = 256
    """Moments of one gradient step."""
    gamma: float = 0.99
    """Discount of one step, as the learner's that comes after."""
    passes: int = 2
    """How often every moment of the episodes of one step is looked at."""
    margin: float = 0.1
    """By how much what was not done is worth less than what was done."""
    margin_coef: float = 1.0
    """Weight of the margin beside the squared error of the values."""
    learning_rate: float = 1e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = 1e-4
    """Step size at the end of the budget, reached linearly."""
    max_grad_norm: float = 10.0
    """Longest gradient."""
    epsilon: float = 0.02
    """Share of random actions when the policy samples."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "passes"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        for name in ("margin", "margin_coef"):
            if getattr(self, name) < 0.0:
                raise InputError(f"{name} = {getattr(self, name)} is below 0.", place=f"learner.{name}")


def imitation_loss(q: Tensor, action: Tensor, earned: Tensor, config: ImitationConfig) -> Tensor:
    """Mean loss `()` of values `q (N, A)`, the actions taken and what they earned `(N,)`.

    Half the squared error of the taken action's value, and how much short of its margin it is.
    """
    taken = q.gather(1, action[:, None]).squeeze(1)
    rival = (q + config.margin).scatter(1, action[:, None], taken[:, None]).amax(1)
    value = 0.5 * (taken - earned).square().mean()
    return value + config.margin_coef * (rival - taken).mean()


class Imitation:
    """The learner: fresh episodes, then `passes` passes over them. Its unit is the moment played."""

    def __init__(
        self, source: Source, weighing: Any, config: ImitationConfig, network: Any, seed: int
    ) -> None:
        del weighing  # what was played was earned under it
        self.source, self.config, self.share, self.moments = source, config, 0.0, 0
        self.random = np.random.default_rng(seed)
        self.network = nets.config_of(network)
        space: Any = source.action_space
        generator = torch.Generator().manual_seed(seed)
        body = nets.build(self.network, source.observation_space, int(space.n), generator)
        self.model = QNetwork(body, dueling=False)
        self.params, self.grads = flatten(self.model)
        self.adam = Adam(self.params)

    @flushed_denormals()
    def step(self) -> Metrics:
        """Play, then learn from what was played; what does not fill a batch is left out of a pass."""
        played, size = self.source.play(self.random, self.config.gamma), self.config.batch_size
        losses, same, rate = [], 0, self.learning_rate()
        parts = max(1, len(played.action) // size)
        for _ in range(self.config.passes):
            order = self.random.permutation(len(played.action))
            for k in range(parts):
                loss, right = self._update(played, order[k * size : (k + 1) * size], rate)
                losses.append(loss)
                same += right
        self.moments += len(played.action)
        looked = len(losses) * min(size, len(played.action))
        return {"loss": float(np.mean(losses)), "same_action": same / looked, "learning_rate": rate}

    def _update(self, played: Played, at: NDArray[np.int64], rate: float) -> tuple[float, int]:
        """One gradient step; returns its loss and how often the likeliest action was the one taken."""
        action = torch.from_numpy(played.action[at])
        self.grads.zero_()
        q = self.model(torch.from_numpy(played.obs[at]))
        loss = imitation_loss(q, action, torch.from_numpy(played.earned[at]), self.config)
        loss.backward()  # type: ignore[no-untyped-call]
        norm, value = clip_norm(self.grads, self.config.max_grad_norm), float(loss.detach())
        if not math.isfinite(norm + value):
            raise Diverged(f"the loss of imitation is {value}.", hint="Lower learning_rate.")
        self.adam.step(self.grads, rate)
        return value, int((q.detach().argmax(1) == action).sum())

    def learning_rate(self) -> float:
        """Step size at the present share of the budget."""
        start, end = self.config.learning_rate, self.config.learning_rate_end
        return start + (end - start) * min(self.share, 1.0)

    @property
    def progress(self) -> tuple[int, str]:
        return self.moments, "moments"

    def policy(self) -> QPolicy:
        source = self.source
        return QPolicy(
            self.model, self.network, source.observation_space, source.action_space, self.config.epsilon
        )

    def describe(self) -> dict[str, Any]:
        """Algorithm, path taken, sizes."""
        return {
            "algorithm": "imitation",
            "path": "plain",
            "parameters": self.params.numel(),
            "network": nets.describe(self.network),
        }

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "adam": self.adam.state_dict(),
            "moments": self.moments,
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        load_tensors(self.model, tensors)
        self.random.bit_generator.state = state["random"]
        self.adam.load_state_dict(state["adam"])
        self.moments = int(state["moments"])
