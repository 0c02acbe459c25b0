"""Policies over the latent vector of a generator, and how they learn from a reward.

The generator stays the honest one under its prior N(0, 1); the policy proposes other latents, at the price
of its distance from the prior. With lambda E[R] - KL as the objective the best policy is the prior tilted by
the reward, prior * exp(lambda R(G(z))), as far as its family reaches. The score function needs no gradient of
the reward (REINFORCE; Williams, 1992; leave-one-out: Kool et al., 2019), the pathwise one takes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from plaudit.engine.adam import Adam, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.gan.config import RewardConfig
from plaudit.engine.gan.losses import gaussian_kl, gaussian_log_prob
from plaudit.engine.gan.rewards import Rewards
from plaudit.engine.gan.surrogate import Surrogate
from plaudit.engine.nets.generator import GeneratorConfig, ItemShape, flat_layers, initialise
from plaudit.engine.sequence.losses import leave_one_out, score_function

Make = Callable[[Tensor, "Tensor | None"], Tensor]
"""Latents `(B, latent)` and labels to items `(B, *item)`."""


class GaussianLatent(nn.Module):
    """A normal for each class, independent by coordinate; it begins as the prior."""

    def __init__(self, latent: int, classes: int) -> None:
        super().__init__()
        self.noise_size = latent
        self.mean = nn.Parameter(torch.zeros(max(classes, 1), latent))
        self.log_std = nn.Parameter(torch.zeros(max(classes, 1), latent))

    def draw(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Standard normal `noise (B, latent)` to latents of the same shape."""
        mean, log_std = self._of(noise, labels)
        return mean + log_std.exp() * noise

    def log_prob(self, latent: Tensor, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Log-density `(B,)` of latents; of the noise nothing but the batch is used."""
        return gaussian_log_prob(latent, *self._of(noise, labels))

    def kl(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Distance `(B,)` from the prior, in nats."""
        return gaussian_kl(*self._of(noise, labels))

    def grouped(self, noise: Tensor, group: int) -> Tensor:
        """The noise of groups that share a state: there is none here but the class."""
        return noise

    def _of(self, noise: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        rows = torch.zeros(len(noise), dtype=torch.int64) if labels is None else labels
        return self.mean[rows], self.log_std[rows]


class OffsetLatent(nn.Module):
    """A network moves a draw of the prior, and noise is added: a step of a decision process over latents.

    State: z0 of the prior (and the class). Action: z ~ N(c (z0 + f(z0)), s^2) with c^2 + s^2 = 1, so that
    without the offset f the latents are the prior's. The distance is that of state and action together, which
    is at least that of the latents.
    """

    def __init__(self, latent: int, classes: int, spread: float, width: int = 128) -> None:
        super().__init__()
        self.noise_size, self.spread, self.kept = 2 * latent, spread, math.sqrt(1.0 - spread**2)
        self.embed = nn.Embedding(classes, latent) if classes else None
        self.offset = flat_layers(latent * (2 if classes else 1), (width, width), latent)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew from `generator`; the offset begins at 0."""
        initialise(self, generator)
        with torch.no_grad():
            for weight in self.offset[-1].parameters():
                weight.zero_()

    def draw(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Standard normal `noise (B, 2 latent)`, state and action's, to latents `(B, latent)`."""
        state, action = noise.chunk(2, 1)
        return self.kept * (state + self._move(state, labels)) + self.spread * action

    def log_prob(self, latent: Tensor, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Log-density `(B,)` of latents, given the states."""
        state = noise.chunk(2, 1)[0]
        mean = self.kept * (state + self._move(state, labels))
        return gaussian_log_prob(latent, mean, torch.full_like(mean, math.log(self.spread)))

    def kl(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Distance `(B,)` of state and action from the prior's, in nats."""
        moved = self._move(noise.chunk(2, 1)[0], labels)
        return 0.5 * (self.kept / self.spread) ** 2 * moved.square().sum(1)

    def grouped(self, noise: Tensor, group: int) -> Tensor:
        """The noise of groups that share a state, side by side."""
        state, action = noise.chunk(2, 1)
        return torch.cat([state[::group].repeat_interleave(group, 0), action], 1)

    def _move(self, state: Tensor, labels: Tensor | None) -> Tensor:
        given = state if self.embed is None else torch.cat([state, self.embed(labels)], 1)
        out: Tensor = self.offset(given)
        return out


LatentPolicy = GaussianLatent | OffsetLatent


def latent_policy(kind: str, network: GeneratorConfig, shape: ItemShape, spread: float) -> LatentPolicy:
    """Make a policy by its kind, "gaussian" or "network"; raises `ValueError` for another."""
    if kind == "gaussian":
        return GaussianLatent(network.latent, shape.classes)
    if kind == "network":
        return OffsetLatent(network.latent, shape.classes, spread)
    raise ValueError(kind)


class LatentTuner:
    """One latent policy that learns.

    Attributes:
        slopes: what knows the reward's slope by items: the reward itself, or a surrogate of it.
    """

    def __init__(
        self, rewards: Rewards, config: RewardConfig, network: GeneratorConfig, shape: ItemShape, seed: int
    ) -> None:
        self.rewards, self.config, self.shape = rewards, config, shape
        self.policy = latent_policy(config.policy, network, shape, config.spread)
        if isinstance(self.policy, OffsetLatent):
            self.policy.initialise(torch.Generator().manual_seed(seed))
        self.params, self.grads = flatten(self.policy)
        self.adam = Adam(self.params)
        self.slopes: Rewards | Surrogate = rewards
        self.kl = 0.0

    def update(
        self, make: Make, weight: float, random: torch.Generator, learning_rate: float | None = None
    ) -> None:
        """Take one step towards more of `weight * reward - KL`, on items of `make`."""
        noise, labels = self._states(random)
        self.grads.zero_()
        way = self.score if self.config.method == "score" else self.pathwise
        kl = self.policy.kl(noise, labels).mean()
        loss = way(make, noise, labels) * weight + kl
        # Of one size at any weight: Adam remembers gradients' sizes longer than a steered weight stays.
        (loss / (1.0 + weight)).backward()  # type: ignore[no-untyped-call]
        with flushed_denormals():
            rate = self.config.policy_learning_rate if learning_rate is None else learning_rate
            self.adam.step(self.grads, rate)
        self.kl = float(kl.detach())

    def score(self, make: Make, noise: Tensor, labels: Tensor | None) -> Tensor:
        """A loss whose gradient is that of the mean reward, turned round, by REINFORCE leave-one-out."""
        with torch.no_grad():
            latent = self.policy.draw(noise, labels)
            items = make(latent, labels)
        total = self.rewards.weigh(torch.from_numpy(self.rewards.score(items, labels))).float()
        advantage = leave_one_out(total.view(-1, self.config.group, 1)).view(-1, 1)
        log_prob = self.policy.log_prob(latent, noise, labels)
        return score_function(log_prob[:, None], advantage).mean()

    def pathwise(self, make: Make, noise: Tensor, labels: Tensor | None) -> Tensor:
        """The same through the generator and the terms; what `make` uses gathers gradients too."""
        items = make(self.policy.draw(noise, labels), labels)
        return -(self.slopes.slope(items, labels) * items).sum()

    def _states(self, random: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Noise and labels of a batch of groups, side by side."""
        rows, group = self.config.batch_size, self.config.group
        noise = torch.randn(rows, self.policy.noise_size, generator=random)
        labels = None
        if self.shape.classes:
            labels = torch.randint(self.shape.classes, (rows // group,), generator=random)
            labels = labels.repeat_interleave(group)
        return self.policy.grouped(noise, group), labels

    def state_dict(self) -> State:
        return {"params": self.params.clone(), "adam": self.adam.state_dict(), "kl": self.kl}

    def load_state_dict(self, state: State) -> None:
        self.params.copy_(torch.as_tensor(state["params"]))
        self.adam.load_state_dict(state["adam"])
        self.kl = float(state["kl"])
