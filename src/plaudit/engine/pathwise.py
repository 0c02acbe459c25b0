"""Learning by the gradient of the world: a loss differentiable in the actions is followed back to the policy.

The pathwise gradient of Heess et al., 2015, SVG(infinity), in a world that is known exactly; Huang et al.,
2019 ("Learning to Paint"), do it with a renderer that they learn. No critic: episodes are short and the
gradient runs through all of them. The engine knows of the world what `World` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import Space, spaces
from torch import Tensor

from plaudit.engine import nets
from plaudit.engine.actor_critic import ActorCritic, ActorPolicy, load_tensors
from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.learner import Metrics
from plaudit.errors import Diverged, InputError


class World(Protocol):
    """A differentiable world of episodes with a fixed number of steps.

    Attributes:
        steps: actions of an episode.
        term_names: of the K differentiable terms that an episode's end is scored by, more is better.
        weighing: their weights.
    """

    observation_space: Space[Any]
    action_space: Space[Any]
    steps: int
    term_names: tuple[str, ...]
    weighing: Any

    def begin(self, rows: int, random: np.random.Generator, share: float) -> Any:
        """Start `rows` episodes; `share` of the budget is done, should the world sharpen with it."""
        ...

    def observe(self, state: Any) -> Tensor:
        """Observations `(B, *O)` of a state, differentiable in the actions that led to it."""
        ...

    def act(self, state: Any, action: Tensor) -> Any:
        """The state after `action (B, *A)` inside the bounds of the action space."""
        ...

    def score(self, state: Any) -> Tensor:
        """Terms `(B, K)` of a state, differentiable in the actions that led to it."""
        ...


@dataclass(frozen=True)
class PathwiseConfig:
    """Settings of the pathwise gradient."""

    batch_size: int = 64
    """Episodes of one gradient step."""
    updates: int = 32
    """Gradient steps of one step of the learner."""
    learning_rate: float = 1e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = 1e-5
    """Step size at the end of the budget; it falls as half a cosine."""
    warm_up: float = 0.01
    """Share of the budget over which the step size rises from 0."""
    along: float = 0.0
    """Weight of the mean score after the earlier steps beside that at the end."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    log_std: float = -1.5
    """Logarithm of the deviation that sampled actions have, before they are squashed; it is not learned."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "updates"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0.0:
                raise InputError(f"{name} = {getattr(self, name)} is not above 0.", place=f"learner.{name}")


class Pathwise:
    """The learner: `updates` gradient steps, each on fresh episodes. Its unit is the episode."""

    def __init__(self, world: World, weighing: Any, config: PathwiseConfig, network: Any, seed: int) -> None:
        if not isinstance(world.action_space, spaces.Box):
            raise InputError(f"a pathwise gradient needs Box actions, the world has {world.action_space}.")
        self.world, self.weighing, self.config, self.share = world, weighing, config, 0.0
        self.random = np.random.default_rng(seed)
        self.model = ActorCritic(
            world.observation_space, world.action_space, nets.config_of(network), shared=True
        )
        self.model.initialise(torch.Generator().manual_seed(seed), config.log_std)
        self.params, self.grads = flatten(self.model)
        self.adam = Adam(self.params)
        self.episodes = 0

    @flushed_denormals()
    def step(self) -> Metrics:
        """Follow the gradient of fresh episodes a few times."""
        weights = torch.from_numpy(self.weighing.weights(self.share)).float()
        rate, norm, total = self.learning_rate(), 0.0, torch.zeros(len(weights))
        for _ in range(self.config.updates):
            self.grads.zero_()
            score, along = self._episodes()
            gain = (score + self.config.along * along) @ weights
            (-gain.mean()).backward()  # type: ignore[no-untyped-call]
            norm += self._apply(float(gain.detach().mean()), rate)
            total += score.detach().mean(0)
        mean = total / self.config.updates
        return {
            "learning_rate": rate,
            "grad_norm": norm / self.config.updates,
            "return": float(mean @ weights),
            "terms": {
                name: {"raw": float(m), "weight": float(w), "weighted": float(m * w)}
                for name, m, w in zip(self.world.term_names, mean, weights, strict=True)
            },
        }

    def _episodes(self) -> tuple[Tensor, Tensor]:
        """Play a batch: terms `(B, K)` at the end, and their mean over the steps before it."""
        state = self.world.begin(self.config.batch_size, self.random, self.share)
        scores = []
        for _ in range(self.world.steps):
            raw = self.model.decide(self.world.observe(state)).chunk(2, -1)[0]
            state = self.world.act(state, self.model.head.action(raw))
            scores.append(self.world.score(state))
        earlier = torch.stack(scores[:-1]).mean(0) if len(scores) > 1 else torch.zeros_like(scores[-1])
        self.episodes += self.config.batch_size
        return scores[-1], earlier

    def _apply(self, gain: float, rate: float) -> float:
        norm = clip_norm(self.grads, self.config.max_grad_norm)
        if not math.isfinite(gain) or not math.isfinite(norm):
            raise Diverged(f"the score is {gain}, its gradient's norm {norm}.", hint="Lower learning_rate.")
        self.adam.step(self.grads, rate)
        return norm

    def learning_rate(self) -> float:
        """Step size at the present share of the budget."""
        start, end = self.config.learning_rate, self.config.learning_rate_end
        risen = min(1.0, (self.share + 1e-3) / self.config.warm_up) if self.config.warm_up > 0 else 1.0
        return risen * (end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(self.share, 1.0))))

    @property
    def progress(self) -> tuple[int, str]:
        return self.episodes, "episodes"

    def policy(self) -> ActorPolicy:
        return ActorPolicy(self.model)

    def describe(self) -> dict[str, Any]:
        """Algorithm, path taken, sizes."""
        return {
            "algorithm": "pathwise",
            "path": "plain",
            "parameters": self.params.numel(),
            "network": nets.describe(self.model.network),
        }

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "adam": self.adam.state_dict(),
            "episodes": self.episodes,
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        load_tensors(self.model, tensors)
        self.random.bit_generator.state = state["random"]
        self.adam.load_state_dict(state["adam"])
        self.episodes = int(state["episodes"])
