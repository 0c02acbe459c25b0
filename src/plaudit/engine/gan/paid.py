"""The reward term of a game: what it adds to the generator's gradient, what steers it, what it wants kept.

The reward's gradient is taken on a batch of its own, made with random numbers of its own: with lambda = 0 it
changes nothing, whatever the reward. A pathwise or surrogate gradient moves the generator; the score function
moves a policy over its latents (`latent.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from plaudit.engine.env import State
from plaudit.engine.gan.config import RewardConfig
from plaudit.engine.gan.feasible import BestFeasible
from plaudit.engine.gan.judged import JudgeBeside
from plaudit.engine.gan.latent import LatentPolicy, LatentTuner, Make
from plaudit.engine.gan.policy import GeneratorPolicy
from plaudit.engine.gan.rewards import Rewards
from plaudit.engine.gan.surrogate import Surrogate
from plaudit.engine.gan.weight import RewardWeight, balanced
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets.generator import GeneratorConfig
from plaudit.errors import InputError

_PARTS = ("weight", "rewards", "tuner", "surrogate", "judge", "best")


@dataclass(frozen=True)
class Moment:
    """Where a game stands.

    Attributes:
        rounds: of the generator so far; `images`: training items.
        share: of the budget.
        make: the generator at work, through which gradients go.
    """

    rounds: int
    images: int
    share: float
    make: Make


class RewardTerm:
    """A composition at work beside a game."""

    def __init__(
        self, source: Any, weighing: Weighing, config: RewardConfig, network: GeneratorConfig, seed: int
    ) -> None:
        self.source, self.config, self.latent = source, config, network.latent
        self.rewards, self.weight = Rewards(source, weighing), RewardWeight(config)
        self.noise = torch.Generator().manual_seed(seed + 2)
        about = (self.rewards, config, network, source.shape, seed + 2)
        self.tuner = LatentTuner(*about) if config.method == "score" else None
        self.surrogate = Surrogate(*about) if config.method == "surrogate" else None
        self.judge = JudgeBeside(source, config, seed + 3) if hasattr(source, "judge") else None
        steered = config.schedule == "dual"
        if steered and not hasattr(source, "distance"):
            raise InputError("the task measures no distance to its data.", place="learner.reward.schedule")
        self.best = BestFeasible(self.rewards, config, seed + 4) if steered and config.keep_best else None

    @property
    def latents(self) -> LatentPolicy | None:
        """The policy over latents, where it is that which the reward moves."""
        return None if self.tuner is None else self.tuner.policy

    def add(self, grads: Tensor, now: Moment) -> None:
        """Add the reward's gradient to `grads`, which hold that of the game, or tune the latent policy."""
        if now.rounds % self.config.every:
            return
        self.rewards.share = now.share
        weight = self.weight.at(now.share)
        if self.tuner is not None and weight > 0:
            self.tuner.update(now.make, weight, self.noise)
        elif self.surrogate is not None or weight > 0:
            slope, items = self._slope(now.make, weight)
            if weight > 0:
                self._join(grads, slope, items, weight * self.config.every)

    def _slope(self, make: Make, weight: float) -> tuple[Tensor, Tensor]:
        """Its slope at items made for it; a surrogate learns even where nobody follows it."""
        noise, labels = self._batch()
        with torch.set_grad_enabled(weight > 0):
            items = make(noise, labels)
        return (self.surrogate or self.rewards).slope(items, labels), items

    def _join(self, grads: Tensor, slope: Tensor, items: Tensor, weight: float) -> None:
        """Let `weight` times the reward's gradient, which goes through `items`, into the generator's."""
        game = grads.clone()
        grads.zero_()
        items.backward(-slope)  # type: ignore[no-untyped-call]
        if self.config.schedule == "balanced":
            weight = balanced(weight, float(game.norm()), float(grads.norm()))
        grads.mul_(weight).add_(game)

    def _batch(self) -> tuple[Tensor, Tensor | None]:
        """Latents of the prior and classes, all alike."""
        rows, classes = self.config.batch_size, self.source.shape.classes
        noise = torch.randn(rows, self.latent, generator=self.noise)
        labels = torch.randint(classes, (rows,), generator=self.noise) if classes else None
        return noise, labels

    def report(self, now: Moment, policy: Callable[[], GeneratorPolicy]) -> Metrics:
        """The rows to log after some rounds; measures what would otherwise not be seen, and steers lambda.

        `policy` gives that of the weights as they are.
        """
        self.rewards.share = now.share
        if self.weight.at(now.share) == 0 and self.surrogate is None:
            noise, labels = self._batch()
            with torch.no_grad():
                items = now.make(noise, labels)
            self.rewards.measure(items, labels)
        if self.weight.due(now.images, now.share):
            self._steer(now, policy())
        rows: Metrics = {"lambda": self.weight.at(now.share), **self.rewards.report()}
        if self.config.schedule == "dual":
            rows |= {name: getattr(self.weight, name) for name in ("distance", "bound", "reference")}
        if self.tuner is not None:
            rows["kl"] = self.tuner.kl
        if self.surrogate is not None:
            rows["surrogate_explained"] = self.surrogate.explained
        if self.judge is not None and "return" in rows:
            rows |= self.judge.look(self.keep(policy()), rows["return"])
        return rows

    def _steer(self, now: Moment, policy: GeneratorPolicy) -> None:
        allowed = self.weight.measured(self.source.distance(policy), now.images)
        if self.best is not None:
            self.best.look(policy, allowed, now.images)

    @property
    def finished(self) -> bool:
        """Whether the judge has declined."""
        return self.judge is not None and self.judge.guard.finished

    @property
    def liked(self) -> dict[str, Tensor]:
        """The weights that the judge liked best."""
        return {} if self.judge is None else self.judge.guard.kept.weights

    def keep(self, policy: GeneratorPolicy) -> GeneratorPolicy:
        """The policy to keep where `policy` is that of the weights as they are."""
        if self.best is None or not self.best.kept.weights or self.finished:
            return policy
        return GeneratorPolicy.from_description(policy.describe(), self.best.kept.weights)

    def state_dict(self) -> State:
        parts = {name: getattr(self, name) for name in _PARTS}
        states = {name: None if part is None else part.state_dict() for name, part in parts.items()}
        return {"noise": self.noise.get_state(), **states}

    def load_state_dict(self, state: State) -> None:
        self.noise.set_state(torch.as_tensor(state["noise"]))
        for name in _PARTS:
            if getattr(self, name) is not None:
                getattr(self, name).load_state_dict(state[name])
