"""Action heads: how the numbers a network puts out become a distribution over actions.

Masked categorical (Huang and Ontanon, 2022), one categorical per factor for MultiDiscrete, and the
tanh-squashed Gaussian of Haarnoja et al., 2018, for bounded boxes. A head is made from the action
space; `head(out, mask)` is the distribution for a batch. What a distribution samples is called `raw`:
the index or indices of the action, or the Gaussian number before squashing, from which a log-probability
is exact where the inverse of tanh would not be. `head.action(raw)` is what the environment takes.

B batch, A actions, n factors or dimensions.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import Space, spaces
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from plaudit.engine.random import RowRandom
from plaudit.errors import InputError

Source = RowRandom | np.random.Generator | torch.Generator
"""Where randomness comes from: one generator per row, or one for the batch."""

FORBIDDEN = -1e8
"""Logit of a masked action: its probability is exactly 0, and no gradient or entropy becomes NaN."""


class Distribution(Protocol):
    """A distribution over the actions of B rows."""

    def sample(self, source: Source) -> Tensor:
        """Draw one raw action for each row."""
        ...

    def mode(self) -> Tensor:
        """The likeliest raw action of each row."""
        ...

    def log_prob(self, raw: Tensor) -> Tensor:
        """Log-probability (density) `(B,)` of the actions that `raw` stands for."""
        ...

    def entropy(self) -> Tensor:
        """Entropy `(B,)` in nats."""
        ...


class Head(Protocol):
    """Makes distributions over one action space.

    Attributes:
        outputs: width of the network output that the head reads.
        free: width of the learned numbers that do not depend on the observation, appended to it.
        raw_shape, raw_dtype: of the raw action of one row.
    """

    outputs: int
    free: int
    raw_shape: tuple[int, ...]
    raw_dtype: torch.dtype

    def __call__(self, out: Tensor, mask: Tensor | None = None) -> Distribution: ...

    def action(self, raw: Tensor) -> Tensor:
        """What the environment takes, from a raw action."""
        ...


def uniform(source: Source, rows: int, n: int, device: torch.device) -> Tensor:
    """Draw `(rows, n)` float32 numbers in [0, 1]."""
    if isinstance(source, torch.Generator):
        return torch.rand(rows, n, generator=source, device=source.device).to(device)
    return torch.from_numpy(uniform_array(source, rows, n)).to(device)


def uniform_array(source: RowRandom | np.random.Generator, rows: int, n: int) -> NDArray[np.float32]:
    """The numbers of `uniform`, in NumPy."""
    drawn = source.uniform(n) if isinstance(source, RowRandom) else source.random((rows, n))
    return drawn.astype(np.float32)


def normal(source: Source, rows: int, n: int, device: torch.device) -> Tensor:
    """Draw `(rows, n)` standard normal float32 numbers."""
    if isinstance(source, torch.Generator):
        return torch.randn(rows, n, generator=source, device=source.device).to(device)
    drawn = source.normal(n) if isinstance(source, RowRandom) else source.standard_normal((rows, n))
    return torch.from_numpy(drawn.astype(np.float32)).to(device)


def check_mask(mask: Tensor) -> None:
    """Raise `InputError` where a row of `mask (..., A)` allows no action at all."""
    dead = ~mask.any(-1)
    if bool(dead.any()):
        row = int(dead.flatten().nonzero()[0])
        raise InputError(
            f"row {row} of the action mask allows none of its {mask.shape[-1]} actions.",
            hint="An environment without a legal action must end the episode instead.",
        )


class Categorical:
    """One of A actions, by logits `(B, A)`; masked actions have probability 0."""

    def __init__(self, logits: Tensor, mask: Tensor | None = None) -> None:
        allowed = logits if mask is None else logits.masked_fill(~mask, FORBIDDEN)
        self.log_p = functional.log_softmax(allowed, -1)

    def sample(self, source: Source) -> Tensor:
        """Draw `(B,)` indices by inverting the cumulative probabilities: one uniform number a row."""
        return self.pick(uniform(source, len(self.log_p), 1, self.log_p.device))

    def pick(self, u: Tensor) -> Tensor:
        """Return `(B,)` indices at the quantiles `u (B, 1)` in [0, 1)."""
        cumulative = self.log_p.exp().cumsum(-1)
        # Just below 1, so that rounding never asks for more than the whole.
        reached = cumulative > u.clamp(max=1.0 - 1e-6) * cumulative[:, -1:]
        return reached.to(torch.uint8).argmax(-1)

    def mode(self) -> Tensor:
        return self.log_p.argmax(-1)

    def log_prob(self, raw: Tensor) -> Tensor:
        return self.log_p.gather(-1, raw[:, None]).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.log_p.exp() * self.log_p).sum(-1)


class Factored:
    """n independent choices: logits and mask `(B, sum of the sizes)`, actions `(B, n)`."""

    def __init__(self, logits: Tensor, sizes: tuple[int, ...], mask: Tensor | None = None) -> None:
        ends = np.cumsum(sizes)
        spans = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
        self.factors = [Categorical(logits[:, at], None if mask is None else mask[:, at]) for at in spans]

    def sample(self, source: Source) -> Tensor:
        first = self.factors[0].log_p
        u = uniform(source, len(first), len(self.factors), first.device)
        return torch.stack([f.pick(u[:, i : i + 1]) for i, f in enumerate(self.factors)], -1)

    def mode(self) -> Tensor:
        return torch.stack([f.mode() for f in self.factors], -1)

    def log_prob(self, raw: Tensor) -> Tensor:
        return torch.stack([f.log_prob(raw[:, i]) for i, f in enumerate(self.factors)]).sum(0)

    def entropy(self) -> Tensor:
        return torch.stack([f.entropy() for f in self.factors]).sum(0)


class SquashedGaussian:
    """`centre + half * tanh(u)` with `u` Gaussian: every action is inside its bounds.

    `mean, log_std, half (B or 1, n)`; the raw action is `u (B, n)`.
    """

    def __init__(self, mean: Tensor, log_std: Tensor, half: Tensor) -> None:
        self.mean, self.half = mean, half
        self.log_std = log_std.clamp(-20.0, 2.0)

    def sample(self, source: Source) -> Tensor:
        rows, n = self.mean.shape
        noise = normal(source, rows, n, self.mean.device)
        return self.mean + self.log_std.exp() * noise

    def mode(self) -> Tensor:
        return self.mean

    def log_prob(self, raw: Tensor) -> Tensor:
        """Log-density of the action, with the exact change of variables of tanh and scale."""
        z = (raw - self.mean) * (-self.log_std).exp()
        gaussian = -0.5 * z.square() - self.log_std - 0.5 * math.log(2.0 * math.pi)
        # log(1 - tanh(u)^2) in the form that neither overflows nor cancels.
        slope = 2.0 * (math.log(2.0) - raw - functional.softplus(-2.0 * raw)) + self.half.log()
        return (gaussian - slope).sum(-1)

    def entropy(self) -> Tensor:
        """Entropy of the Gaussian before squashing: the squashed one has no closed form."""
        one = 0.5 * math.log(2.0 * math.pi * math.e) + self.log_std
        return one.expand_as(self.mean).sum(-1)


class CategoricalHead:
    """Head of a Discrete space; `start` is the action of index 0."""

    free = 0
    raw_shape: tuple[int, ...] = ()
    raw_dtype = torch.int64

    def __init__(self, size: int, start: int = 0) -> None:
        self.outputs, self.start = size, start

    def __call__(self, out: Tensor, mask: Tensor | None = None) -> Categorical:
        return Categorical(out, mask)

    def action(self, raw: Tensor) -> Tensor:
        return raw + self.start if self.start else raw


class FactoredHead:
    """Head of a MultiDiscrete space."""

    free = 0
    raw_dtype = torch.int64

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.sizes, self.outputs = sizes, sum(sizes)
        self.raw_shape: tuple[int, ...] = (len(sizes),)

    def __call__(self, out: Tensor, mask: Tensor | None = None) -> Factored:
        return Factored(out, self.sizes, mask)

    def action(self, raw: Tensor) -> Tensor:
        return raw


class GaussianHead:
    """Head of a bounded Box: the network gives the mean, the log deviation is learned beside it."""

    raw_dtype = torch.float32

    def __init__(self, space: spaces.Box) -> None:
        size = math.prod(space.shape)
        self.outputs, self.free, self.shape = size, size, space.shape
        self.raw_shape: tuple[int, ...] = (size,)
        self.low = torch.as_tensor(space.low, dtype=torch.float32).flatten()
        self.high = torch.as_tensor(space.high, dtype=torch.float32).flatten()
        self.half = (self.high - self.low) / 2.0

    def __call__(self, out: Tensor, mask: Tensor | None = None) -> SquashedGaussian:
        del mask  # a box has no masked actions
        mean, log_std = out.chunk(2, -1)
        return SquashedGaussian(mean, log_std, self.half.to(out.device))

    def action(self, raw: Tensor) -> Tensor:
        low, high = self.low.to(raw.device), self.high.to(raw.device)
        inside = low + (high - low) * (0.5 + 0.5 * raw.tanh())
        return inside.minimum(high).reshape(-1, *self.shape)


def make_head(space: Space[Any]) -> Head:
    """Return the head of an action space; raises `InputError` for a space that has none."""
    if isinstance(space, spaces.Discrete):
        return CategoricalHead(int(space.n), int(space.start))
    if isinstance(space, spaces.MultiDiscrete):
        return FactoredHead(tuple(int(n) for n in space.nvec.ravel()))
    if isinstance(space, spaces.Box) and space.is_bounded():
        return GaussianHead(space)
    raise InputError(
        f"there is no action head for {space}.",
        hint="Discrete, MultiDiscrete and bounded Box have one; wrap the environment to bound its actions.",
    )
