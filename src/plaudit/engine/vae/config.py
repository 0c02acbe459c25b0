"""Settings of a variational autoencoder, and what a source of items has to offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from torch import Tensor

from plaudit.engine.nets.generator import ItemShape
from plaudit.errors import InputError


@dataclass(frozen=True)
class VaeConfig:
    """Settings of a variational autoencoder."""

    batch_size: int = 128
    """Items of one gradient step."""
    updates: int = 8
    """Gradient steps of one step of the learner."""
    learning_rate: float = 3e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = 2e-5
    """Step size at the end of the budget; it falls as half a cosine."""
    warm_up: int = 50
    """Gradient steps over which the step size first rises linearly."""
    beta: float = 1.0
    """What a nat of distance from the prior costs; 1 = the evidence's own bound."""
    beta_warm_up: float = 0.1
    """Share of the budget over which beta rises from 0, so that latents are in use before they cost."""
    free_bits: float = 0.0
    """Nats of each latent dimension, on average over a batch, that cost nothing."""
    deviation: float = 0.0
    """Standard deviation of an item's numbers round what is made; 0 = the one that fits best."""
    ema: float = 0.999
    """Decay of the running mean of the weights, which is what makes items."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    precision: Literal["bf16", "fp32"] = "fp32"
    """"bf16": layers compute in bfloat16 where the processor has it; the rest stays float32."""
    held_out: int = 512
    """Items of the validation split whose bound is logged."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "updates", "held_out"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        for name in ("learning_rate", "learning_rate_end", "beta", "free_bits", "deviation", "max_grad_norm"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InputError(
                    f"{name} = {getattr(self, name)} is not a number from 0 on.", place=f"learner.{name}"
                )
        for name in ("ema", "beta_warm_up"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} = {getattr(self, name)} is not in [0, 1].", place=f"learner.{name}")
        if self.precision not in ("fp32", "bf16"):
            raise InputError(
                f'precision "{self.precision}" is unknown.',
                place="learner.precision",
                hint="Known: fp32, bf16.",
            )


class Items(Protocol):
    """Items to learn from."""

    shape: ItemShape

    def batch(self, n: int, random: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """Draw n training items `(n, *item)` float32, pictures in [-1, 1]; labels `(n,)` int64 or None."""
        ...

    def validation(self, n: int) -> tuple[Tensor, Tensor | None]:
        """The first n items of the validation split, always the same."""
        ...
