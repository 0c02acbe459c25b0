"""Settings of adversarial training and of its reward term, and what a source of items has to offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.gan.distance import Distance
from plaudit.engine.gan.losses import LOSSES
from plaudit.engine.nets.generator import GeneratorConfig, ItemShape
from plaudit.errors import InputError

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class RewardConfig:
    """How the reward reaches what is trained, and how much of it."""

    method: Literal["pathwise", "score", "surrogate"] = "pathwise"
    """Through the terms; by chance of the latent (REINFORCE); through a network fitted to black-box
    scores."""
    weight: float = 1.0
    """lambda: what a unit of reward is worth; 0 = it is measured, and changes nothing."""
    schedule: Literal["constant", "balanced", "dual"] = "constant"
    """"balanced": lambda is a share of the adversarial gradient's norm; "dual": steered by a distance."""
    ramp: tuple[float, float] = (0.0, 0.0)
    """Shares of the budget between which lambda grows from 0 to its weight; (0, 0) = it is there at once."""
    every: int = 1
    """Generator updates between two reward gradients, each of which counts that many times."""
    batch_size: int = 64
    """Items that are scored for one reward gradient."""
    slack: float = 0.1
    """dual: how far the distance may rise above the reference, as a share of it."""
    reference: float = 0.0
    """dual: the reference; 0 = the first one measured, once lambda > 0."""
    judge_every: int = 5000
    """dual: units of the learner between two measurements of the distance."""
    rate: float = 0.5
    """dual: logarithm of lambda's change where the distance is off by the whole reference."""
    most: float = 1e4
    """dual: the largest lambda."""
    keep_best: bool = True
    """dual: the policy is that of the highest reward among those whose distance was measured and within the
    slack, twice its standard error allowed for; without, it is the last one."""
    stop_on_decline: int = 0
    """Steps over which the judge's mean is taken; the training ends when that has fallen. 0 = it never ends
    early."""
    policy: Literal["gaussian", "network"] = "gaussian"
    """score: what proposes latents: a normal for each class, or an offset by a network."""
    group: int = 8
    """score: latents of one state, compared with each other."""
    spread: float = 0.5
    """score: deviation of a network's proposals, in (0, 1)."""
    policy_learning_rate: float = 3e-3
    """score: step size of the latent policy."""
    memory: int = 2048
    """surrogate: newest scored items that it is fitted to."""
    fits: int = 4
    """surrogate: gradient steps after each scoring."""
    surrogate_learning_rate: float = 1e-3
    """surrogate: its step size."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ramp", tuple(float(share) for share in self.ramp))
        _check_choice(self, "method", ("pathwise", "score", "surrogate"), "learner.reward")
        _check_choice(self, "schedule", ("constant", "balanced", "dual"), "learner.reward")
        _check_choice(self, "policy", ("gaussian", "network"), "learner.reward")
        for name in ("every", "batch_size", "judge_every", "memory", "fits"):
            _check_least(self, name, 1, "learner.reward")
        for name in ("weight", "slack", "reference", "rate", "most", "stop_on_decline"):
            _check_least(self, name, 0, "learner.reward")
        if len(self.ramp) != 2 or not 0.0 <= self.ramp[0] <= self.ramp[1] <= 1.0:
            raise InputError(
                f"ramp = {list(self.ramp)} does not run from one share of the budget to a later one.",
                place="learner.reward.ramp",
            )
        if self.group < 2 or self.batch_size % self.group:
            raise InputError(
                f"a batch of {self.batch_size} is not made of groups of {self.group}, at least 2 of them.",
                place="learner.reward.group",
            )
        if not 0.0 < self.spread < 1.0:
            raise InputError(f"spread = {self.spread} is not in (0, 1).", place="learner.reward.spread")
        if self.method == "score" and self.schedule == "balanced":
            raise InputError(
                "the score function changes the latent policy, whose price is the distance from the prior: "
                "there is no adversarial gradient to balance it with.",
                place="learner.reward.schedule",
                hint='Take "constant" or "dual".',
            )


@dataclass(frozen=True)
class GanConfig:
    """Settings of adversarial training."""

    loss: Literal["relativistic", "non-saturating", "wgan-gp"] = "relativistic"
    """The game; the first two are penalised by R1 + R2, the third by its own gradient penalty."""
    batch_size: int = 128
    """Training items of one critic update."""
    updates: int = 8
    """Generator updates of one step of the learner."""
    critic_updates: int = 1
    """Critic updates for each of them."""
    learning_rate: float = 1e-3
    """Step size of Adam at the start, of both players."""
    learning_rate_end: float = 1e-4
    """Step size at the end of the budget; it falls as half a cosine."""
    beta1: float = 0.0
    """Memory of Adam for the gradient."""
    beta2: float = 0.99
    """Memory of Adam for its square."""
    gamma: float = 1.0
    """Weight of the gradient penalty at the start."""
    gamma_end: float = 0.1
    """Weight of the gradient penalty at the end of the budget; it moves as half a cosine."""
    penalty_every: int = 1
    """Critic updates between two with a penalty, which then counts that many times."""
    ema_images: int = 5000
    """Half-life of the average of generators, in training items; shorter at the start of new weights."""
    precision: Precision = "fp32"
    """"bf16": layers compute in bfloat16 where the processor has it; weights and penalties stay float32."""
    keep_critic: bool = True
    """Store the critic with the policy, so that a later training can go on with the game."""
    reward: RewardConfig = field(default_factory=RewardConfig)
    """The reward term; it needs a composition."""

    def __post_init__(self) -> None:
        if isinstance(self.reward, Mapping):  # a recipe's table
            object.__setattr__(self, "reward", RewardConfig(**self.reward))
        _check_choice(self, "loss", tuple(LOSSES), "learner")
        _check_choice(self, "precision", ("fp32", "bf16"), "learner")
        for name in ("batch_size", "updates", "critic_updates", "penalty_every", "ema_images"):
            _check_least(self, name, 1, "learner")
        for name in ("learning_rate", "learning_rate_end", "gamma", "gamma_end"):
            _check_least(self, name, 0, "learner")
        for name in ("beta1", "beta2"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} = {getattr(self, name)} is not in [0, 1).", place=f"learner.{name}")


class Examples(Protocol):
    """Items to learn from."""

    shape: ItemShape

    def batch(self, n: int, random: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """Draw n training items `(n, *item)` float32, pictures in [-1, 1]; labels `(n,)` int64 or None."""
        ...


class Scored(Protocol):
    """A source whose items can be scored: what `score` and `surrogate` need."""

    def score(self, items: Tensor, labels: Tensor | None) -> NDArray[np.float64]:
        """Columns `(B, K)` of the composition for `items (B, *item)`; NaN = could not be scored."""
        ...


class Differentiable(Protocol):
    """A source whose columns have a gradient: what `pathwise` needs."""

    def columns(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """Columns `(B, K)` of the composition, differentiable by `items`; NaN = could not be scored."""
        ...


class Judging(Protocol):
    """A source with a judge that is never optimised: what `stop_on_decline` needs."""

    def judge(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """What the judge says `(B,)` of `items (B, *item)`, more is better; NaN = could not be judged."""
        ...


class Judged(Protocol):
    """A source that knows how far a generator is from its data: what "dual" needs."""

    def distance(self, policy: Any) -> Distance:
        """A distance of what `policy.draw` makes from the data, above 0, for instance a Frechet distance.

        It uses random numbers of its own alone, the same each time.
        """
        ...


def network_config(network: Any) -> GeneratorConfig:
    """The config of a recipe's network; raises `InputError` for another family."""
    from plaudit.engine import nets

    config = nets.config_of({"kind": "generator", **network} if isinstance(network, Mapping) else network)
    if not isinstance(config, GeneratorConfig):
        raise InputError("this learner trains a generator.", place="network.kind", hint="Known: generator.")
    return config


def _check_choice(config: Any, name: str, known: tuple[str, ...], place: str) -> None:
    if getattr(config, name) not in known:
        raise InputError(
            f'{name} "{getattr(config, name)}" is unknown.',
            place=f"{place}.{name}",
            hint=f"Known: {', '.join(known)}.",
        )


def _check_least(config: Any, name: str, least: int, place: str) -> None:
    if not getattr(config, name) >= least:
        raise InputError(f"{name} = {getattr(config, name)} is below {least}.", place=f"{place}.{name}")
