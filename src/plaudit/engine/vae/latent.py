"""A frozen generator whose latents are chosen by a policy: a VAE's decoder, or the generator of a GAN.

The items stay what the generator can make; the policy learns which of them to make, by a reward R and at
the price of its distance from the prior: it climbs E[R] - beta KL(policy || prior), whose optimum is the
prior tilted by exp(R / beta). With a target, beta is steered until the distance is that many nats. Three
ways from the reward to the policy: score function, the terms' own gradient, a network fitted to scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.env import State
from plaudit.engine.gan.adversarial import load_part
from plaudit.engine.gan.config import RewardConfig, network_config
from plaudit.engine.gan.latent import LatentTuner
from plaudit.engine.gan.policy import GeneratorPolicy, make
from plaudit.engine.gan.rewards import Rewards
from plaudit.engine.gan.surrogate import Surrogate
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets import load_weights
from plaudit.engine.nets.generator import Generator
from plaudit.engine.sequence.losses import adapted
from plaudit.engine.vae.model import VaeModel
from plaudit.engine.vae.policy import VaePolicy
from plaudit.errors import Diverged, InputError


@dataclass(frozen=True)
class LatentConfig:
    """Settings of a policy over the latents of a frozen generator."""

    method: Literal["pathwise", "score", "surrogate"] = "pathwise"
    """Through terms and generator; by chance of the latent (REINFORCE leave-one-out); through a network
    fitted to black-box scores."""
    policy: Literal["gaussian", "network"] = "network"
    """What proposes latents: a normal for each class, or a network that moves each draw of the prior."""
    spread: float = 0.5
    """Deviation of the network's proposals round where it moved a draw, in (0, 1)."""
    beta: float = 0.1
    """Reward that one nat of distance from the prior costs."""
    kl_target: float = 0.0
    """Nats an item that beta is steered to; 0 = beta stays."""
    batch_size: int = 64
    """Items that are scored for one update."""
    group: int = 8
    """Items of one state (class, and draw of the prior), which score compares with each other."""
    updates: int = 4
    """Updates of one step of the learner."""
    learning_rate: float = 3e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = 3e-4
    """Step size at the end of the budget; it falls as half a cosine."""
    memory: int = 2048
    """surrogate: newest scored items that it is fitted to."""
    fits: int = 4
    """surrogate: gradient steps after each scoring."""
    surrogate_learning_rate: float = 1e-3
    """surrogate: its step size."""
    precision: Literal["bf16", "fp32"] = "fp32"
    """"bf16": the generator computes in bfloat16."""

    def __post_init__(self) -> None:
        self.reward_config()
        if self.updates < 1:
            raise InputError(f"updates = {self.updates} is below 1.", place="learner.updates")
        for name in ("learning_rate", "learning_rate_end", "kl_target"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise InputError(
                    f"{name} = {getattr(self, name)} is not a number from 0 on.", place=f"learner.{name}"
                )
        if not 0.0 < self.beta < math.inf:
            raise InputError(
                f"beta = {self.beta} is not above 0: without a price the policy forgets the prior.",
                place="learner.beta",
            )
        if self.precision not in ("fp32", "bf16"):
            raise InputError(f'precision "{self.precision}" is unknown.', place="learner.precision")

    def reward_config(self) -> RewardConfig:
        """The same as settings of a reward term."""
        names = ("method", "policy", "spread", "batch_size", "group", "memory", "fits")
        return RewardConfig(
            **{name: getattr(self, name) for name in names},
            policy_learning_rate=self.learning_rate,
            surrogate_learning_rate=self.surrogate_learning_rate,
        )


class Latent:
    """The learner. Its unit is the item made for the reward, "images"; every one is a query.

    Attributes:
        model: what makes items; it becomes a `VaeModel` with the weights of one, so that the encoder is kept.
    """

    def __init__(
        self, source: Any, weighing: Weighing, config: LatentConfig, network: Any, seed: int
    ) -> None:
        self.source, self.config, self.share = source, config, 0.0
        self.network = network_config(network)
        self.model: Generator | VaeModel = Generator(self.network, source.shape)
        self.model.initialise(torch.Generator().manual_seed(seed))
        self.model.requires_grad_(False)
        self.random = torch.Generator().manual_seed(seed + 1)
        self.rewards = Rewards(source, weighing)
        about = (config.reward_config(), self.network, source.shape, seed + 2)
        self.tuner = LatentTuner(self.rewards, *about)
        self.surrogate = Surrogate(self.rewards, *about) if config.method == "surrogate" else None
        self.tuner.slopes = self.surrogate or self.rewards
        self.beta, self.images = config.beta, 0

    def step(self) -> Metrics:
        """Take `updates` updates of the policy."""
        self.rewards.share = self.share
        distances = [self._update() for _ in range(self.config.updates)]
        rows: Metrics = {
            "kl": float(np.mean(distances)),
            "beta": self.beta,
            "learning_rate": self._learning_rate(),
            **self.rewards.report(),
        }
        if not all(math.isfinite(rows[name]) for name in ("kl", "beta", "return")):
            raise Diverged(f"the policy over latents is not finite: {rows}.")
        if self.surrogate is not None:
            rows["surrogate_explained"] = self.surrogate.explained
        return rows

    def _update(self) -> float:
        """One update; returns the distance from the prior before it, in nats."""
        target = self.config.kl_target
        price = damped(self.beta, self.tuner.kl, target) if target > 0 else self.beta
        self.tuner.update(self._make, 1.0 / price, self.random, self._learning_rate())
        self.images += self.config.batch_size
        if target > 0:
            self.beta = adapted(self.beta, self.tuner.kl, target)
        return self.tuner.kl

    @property
    def generator(self) -> Generator:
        return self.model.generator if isinstance(self.model, VaeModel) else self.model

    def _make(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        return make(self.generator, latent, labels, self.config.precision)

    def _learning_rate(self) -> float:
        start, end = self.config.learning_rate, self.config.learning_rate_end
        return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(self.share, 1.0)))

    @property
    def progress(self) -> tuple[int, str]:
        return self.images, "images"

    def policy(self) -> GeneratorPolicy:
        """The generator with the policy before it; of the kind of what was frozen."""
        if isinstance(self.model, VaeModel):
            return VaePolicy(self.model, self.tuner.policy, self.config.precision)
        return GeneratorPolicy(self.model, self.tuner.policy, None, self.config.precision)

    def describe(self) -> dict[str, Any]:
        return {
            "algorithm": "latent",
            "path": "plain",
            "method": self.config.method,
            "parameters": self.tuner.params.numel(),
            "frozen_parameters": sum(p.numel() for p in self.generator.parameters()),
        }

    def state_dict(self) -> State:
        return {
            "random": self.random.get_state(),
            "tuner": self.tuner.state_dict(),
            "rewards": self.rewards.state_dict(),
            "surrogate": None if self.surrogate is None else self.surrogate.state_dict(),
            "beta": self.beta,
            "images": self.images,
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        self._freeze(tensors)
        self.random.set_state(torch.as_tensor(state["random"]))
        for name in ("tuner", "rewards", "surrogate"):
            if getattr(self, name) is not None:
                getattr(self, name).load_state_dict(state[name])
        self.beta, self.images = float(state["beta"]), int(state["images"])

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Freeze this generator (a GAN's, a VAE's, this learner's); begin from its policy, if it has one."""
        self._freeze(tensors)
        if any(name.startswith("latent.") for name in tensors):
            load_part(self.tuner.policy, "latent", tensors)

    def _freeze(self, tensors: dict[str, Tensor]) -> None:
        """Take over the weights of what makes items; a critic is left behind."""
        if any(name.startswith("encoder.") for name in tensors):
            parts = ("generator.", "encoder.", "variance")
            self.model = VaeModel(self.network, self.source.shape).requires_grad_(False)
            load_weights(self.model, {n: t for n, t in tensors.items() if n.startswith(parts)})
            return
        self.model = Generator(self.network, self.source.shape).requires_grad_(False)
        load_part(self.model, "generator", tensors)


def damped(beta: float, kl: float, target: float) -> float:
    """The price to pay now, for a price `beta` that is on its way and a distance `kl` off its target.

    A price that only integrates what the distance is off by swings round the target for ever, as the policy
    follows late; dearer at once while it is above, by at most four, and the swing dies out.

    >>> [damped(0.5, kl, 2.0) for kl in (0.0, 1.0, 2.0, 4.0, 99.0)]
    [0.125, 0.25, 0.5, 1.0, 2.0]
    """
    return beta * min(max(kl / target, 0.25), 4.0)
