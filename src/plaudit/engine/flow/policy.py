"""The policy of a flow: draws from noise, is stored as JSON and tensors; and best-of-n with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine import nets
from plaudit.engine.flow.model import FlowModel, FlowShape, labels_on
from plaudit.engine.flow.sampling import Sampler, noise_of, solve
from plaudit.engine.random import RowRandom, splitmix
from plaudit.errors import InputError

ROWS = 64
"""Rows of every chunk: sums depend on it in their last digits."""


class FlowPolicy:
    """Draws samples by the ODE."""

    def __init__(self, model: FlowModel, sampler: Sampler) -> None:
        self.model, self.sampler = model, sampler

    def noise(self, random: RowRandom) -> Tensor:
        """Standard normal `(B, *size)`, each row from its own generator."""
        return noise_of(self.model.shape, random)

    def draw(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map `noise (B, *size)` to samples `(B, *size)`; `condition (B,)` holds classes, negative for none.

        A sample depends on its own noise and class, and not on its neighbours: chunks have one size, the
        last is filled up.
        """
        if tuple(noise.shape[1:]) != self.model.shape.size:
            raise InputError(
                f"noise of {tuple(noise.shape[1:])} came, {self.model.shape.size} is drawn from."
            )
        made = [torch.empty_like(noise[:0])]
        for at in range(0, len(noise), ROWS):
            rows = torch.arange(at, at + ROWS).clamp(max=len(noise) - 1)
            label = labels_on(condition, rows)
            made.append(solve(self.model, noise[rows], label, self.sampler)[: len(noise) - at])
        return torch.cat(made)

    def tensors(self) -> dict[str, Tensor]:
        return {name: tensor.detach() for name, tensor in self.model.state_dict().items()}

    def describe(self) -> dict[str, Any]:
        return {
            "kind": "flow",
            "shape": {"size": list(self.model.shape.size), "classes": self.model.shape.classes},
            "network": nets.describe(self.model.config),
            "sampler": asdict(self.sampler),
            "bf16": self.model.bf16,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> FlowPolicy:
        shape = FlowShape(tuple(description["shape"]["size"]), int(description["shape"]["classes"]))
        network = nets.config_of(description["network"])
        model = FlowModel(shape, network, bool(description["bf16"]))
        model.load_state_dict(tensors)
        return cls(model.eval().requires_grad_(False), Sampler(**description["sampler"]))


@dataclass
class Best:
    """The best of n candidates for each of B items.

    Attributes:
        images: `(B, *size)`.
        values: `(B,)` what they are worth; NaN where no candidate could be scored.
        queries: candidates that were scored, B * n.
    """

    images: Tensor
    values: NDArray[np.float64]
    queries: int


def best_of(
    policy: FlowPolicy,
    n: int,
    seeds: Sequence[int],
    value: Callable[[Tensor | None, Tensor], NDArray[np.float64]],
    condition: Tensor | None = None,
) -> Best:
    """Draw n candidates for each seed and keep the best by `value(classes, images) -> (B,)`.

    The first candidate is what the seed draws alone, so that best-of-1 is plain sampling.
    """
    if n < 1:
        raise InputError(f"best of {n} candidates is not defined.", hint="Take 1 or more.")
    best: Tensor | None = None
    highest = np.full(len(seeds), np.nan)
    for k in range(n):
        images = policy.draw(noise_of(policy.model.shape, RowRandom(_candidate(seeds, k))), condition)
        found = np.asarray(value(condition, images), np.float64)
        better = ~np.isnan(found) & (np.isnan(highest) | (found > highest))
        highest = np.where(better, found, highest)
        taken = torch.from_numpy(better).view(-1, *[1] * (images.dim() - 1))
        best = images if best is None else torch.where(taken, images, best)
    assert best is not None
    return Best(best, highest, len(seeds) * n)


def _candidate(seeds: Sequence[int], k: int) -> NDArray[np.int64]:
    """Seeds of the candidate k of every item."""
    own = np.asarray(seeds, np.int64)
    if k == 0:
        return own
    return splitmix(own.view(np.uint64) ^ splitmix(np.array([k], np.uint64))).view(np.int64)
