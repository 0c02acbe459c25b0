"""The update of PPO by autograd: the specification that `ppo_fast.py` is tested against.

Schulman et al., 2017: the clipped surrogate, half the squared error of the value, an entropy bonus.
N transitions of a rollout, M of them in a minibatch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.actions import Source
from plaudit.engine.actor_critic import ActorCritic
from plaudit.engine.adam import Adam, clip_norm, flatten
from plaudit.engine.learner import Metrics
from plaudit.engine.returns import k3_kl, ppo_clip, value_clip
from plaudit.errors import Diverged

if TYPE_CHECKING:
    from plaudit.engine.ppo import PPOConfig

CHUNK = 8192
"""Rows valued in one forward pass, so that a long rollout of images needs little memory."""

STATISTICS = ("policy_loss", "value_loss", "entropy", "kl", "clipped")


@dataclass
class Batch:
    """A rollout as samples: prepared `obs (N, *O)`, `mask (N, A)`, `raw (N, *R)`, the rest `(N,)`."""

    obs: Tensor
    mask: Tensor | None
    raw: Tensor
    value: Tensor
    advantage: Tensor
    target: Tensor
    log_prob: Tensor = field(default_factory=lambda: torch.zeros(0))

    def select(self, index: Tensor) -> Batch:
        """The samples at `index`, or where it is True; a part not filled in yet stays as it is."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return Batch(**{k: v[index] if v is not None and len(v) else v for k, v in parts.items()})


@dataclass(frozen=True)
class Rates:
    """What schedules give for one update."""

    learning_rate: float
    entropy_coef: float


class Updater(Protocol):
    """One way to act and to update; the plain and the fast path have this same signature."""

    name: str
    params: Tensor
    adam: Adam

    def sample(self, obs: Tensor, mask: Tensor | None, source: Source) -> Tensor:
        """Sample raw actions `(B, *R)` for prepared `obs (B, *O)`."""
        ...

    def values(self, obs: Tensor) -> Tensor:
        """Values `(N,)` of prepared `obs (N, *O)`."""
        ...

    def log_probs(self, batch: Batch) -> Tensor:
        """Log-probabilities `(N,)` of the actions taken, under the present policy."""
        ...

    def start(self, batch: Batch, size: int, rates: Rates) -> None:
        """Begin with a new rollout; minibatches will have `size` samples."""
        ...

    def update(self, index: NDArray[np.int64]) -> bool:
        """Take one gradient step on the samples `index (M,)`; False = the policy moved too far."""
        ...

    def statistics(self) -> Metrics:
        """Means over the gradient steps since `start`."""
        ...


def ppo_loss(
    model: Any, batch: Batch, config: PPOConfig, rates: Rates
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
    """Loss `()` of a minibatch, and the `STATISTICS` of it."""
    out, value = model(batch.obs)
    distribution = model.head(out, batch.mask)
    log_prob, entropy = distribution.log_prob(batch.raw), distribution.entropy().mean()
    advantage = batch.advantage
    if config.normalise_advantage:
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    policy_loss = ppo_clip(log_prob, batch.log_prob, advantage, config.clip).mean()
    if config.value_clip > 0:
        value_loss = value_clip(value, batch.value, batch.target, config.value_clip).mean()
    else:
        value_loss = 0.5 * (value - batch.target).square().mean()
    loss = policy_loss + config.value_coef * value_loss - rates.entropy_coef * entropy
    kl = k3_kl(log_prob.detach(), batch.log_prob).mean()
    clipped = ((log_prob.detach() - batch.log_prob).exp() - 1.0).abs() > config.clip
    return loss, (policy_loss.detach(), value_loss.detach(), entropy.detach(), kl, clipped.float().mean())


class Tally:
    """Sums of the statistics over the gradient steps of one rollout, and the check of each step."""

    def __init__(self) -> None:
        self.steps, self.grad_norm = 0, 0.0
        self.sums: Any = 0.0

    def apply(self, adam: Adam, grads: Tensor, config: PPOConfig, rates: Rates) -> None:
        """Clip the gradient and take a step; raises `Diverged` if it is not finite."""
        norm = clip_norm(grads, config.max_grad_norm)
        if not math.isfinite(norm):
            raise Diverged(
                f"the gradient norm of PPO is {norm} at gradient step {self.steps} of this rollout.",
                hint="Lower learning_rate, or normalise observations and returns.",
            )
        adam.step(grads, rates.learning_rate)
        self.grad_norm += norm
        self.steps += 1

    def metrics(self) -> Metrics:
        """Means by name; raises `Diverged` if a loss was not finite."""
        if self.steps == 0:
            return {"updates": 0}
        means = [float(total) / self.steps for total in self.sums]
        row = dict(zip(STATISTICS, means, strict=True))
        for name in ("policy_loss", "value_loss"):
            if not math.isfinite(row[name]):
                raise Diverged(f"the {name} of PPO is {row[name]}.", hint="Lower learning_rate.")
        return {**row, "grad_norm": self.grad_norm / self.steps, "updates": self.steps}


class AutogradUpdater:
    """Autograd, for every network, action space and device."""

    name = "plain"

    def __init__(self, model: ActorCritic, config: PPOConfig) -> None:
        self.model, self.config = model, config
        self.params, self.grads = flatten(model)
        self.adam = Adam(self.params, eps=1e-5)
        self.loss: Any = torch.compile(ppo_loss) if config.compile else ppo_loss

    @torch.no_grad()
    def sample(self, obs: Tensor, mask: Tensor | None, source: Source) -> Tensor:
        return self.model.head(self.model.decide(obs), mask).sample(source)

    @torch.no_grad()
    def values(self, obs: Tensor) -> Tensor:
        return torch.cat([self.model.value(obs[i : i + CHUNK]) for i in range(0, len(obs), CHUNK)])

    @torch.no_grad()
    def log_probs(self, batch: Batch) -> Tensor:
        found = []
        for i in range(0, len(batch.raw), CHUNK):
            mask = None if batch.mask is None else batch.mask[i : i + CHUNK]
            distribution = self.model.head(self.model.decide(batch.obs[i : i + CHUNK]), mask)
            found.append(distribution.log_prob(batch.raw[i : i + CHUNK]))
        return torch.cat(found)

    def start(self, batch: Batch, size: int, rates: Rates) -> None:
        del size  # autograd takes any
        self.batch, self.rates, self.tally = batch, rates, Tally()

    def update(self, index: NDArray[np.int64]) -> bool:
        part = self.batch.select(torch.from_numpy(index).to(self.params.device))
        loss, statistics = self.loss(self.model, part, self.config, self.rates)
        if self.config.target_kl > 0 and float(statistics[3]) > 1.5 * self.config.target_kl:
            return False
        self.grads.zero_()
        loss.backward()
        self.tally.apply(self.adam, self.grads, self.config, self.rates)
        self.tally.sums = self.tally.sums + torch.stack(statistics)
        return True

    def statistics(self) -> Metrics:
        return self.tally.metrics()
