"""A lower bound on a differentiable score: its mean over changed copies less their spread.

What a reward model says of one picture can be an accident of its pixels; what it says of the same picture
moved, scaled and blurred by noise hardly can. Pessimism over an ensemble (Coste et al., 2024, arXiv
2310.02743), where the members are not models but views. Pays mean - kappa * deviation, through which the
gradient flows.

The views of an item depend on its content alone: the same item is worth the same every time, whatever its
neighbours, and nothing has to be stored to resume.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from plaudit.errors import InputError

Change = Callable[[Tensor, torch.Generator], Tensor]
"""A changed copy of items `(B, ...)`, differentiable, with random numbers from the generator."""


@dataclass(frozen=True)
class LowerBound:
    """A score `(B, ...) -> (B,)` made pessimistic.

    Attributes:
        score: differentiable in the items.
        change: draws one view of each item.
        views: how many are looked at; each is a query of the score.
        kappa: deviations that are taken off the mean.
    """

    score: Callable[[Tensor], Tensor]
    change: Change
    views: int = 4
    kappa: float = 1.0

    def __post_init__(self) -> None:
        if self.views < 2 or not 0.0 <= self.kappa < float("inf"):
            raise InputError(
                f"a lower bound needs 2 views and a kappa from 0 on; {self.views} and {self.kappa} came."
            )

    def __call__(self, items: Tensor) -> Tensor:
        """Lower bounds `(B,)` of `items (B, ...)`; NaN where a view could not be scored."""
        return lower_bound(torch.stack([self.score(view) for view in self._views(items)]), self.kappa)

    def _views(self, items: Tensor) -> list[Tensor]:
        drawn = []
        for item in items:
            # In steps of a byte: a picture gets the same views before it is written and after it was read.
            content = (item.detach() * 255.0).round().to(torch.int32).contiguous().cpu()
            seed = zlib.crc32(content.numpy().tobytes())
            generator = torch.Generator().manual_seed(seed)
            drawn.append(self.change(item.expand(self.views, *item.shape), generator))
        return list(torch.stack(drawn, 1))


def lower_bound(scores: Tensor, kappa: float) -> Tensor:
    """mean - kappa * deviation over the first axis of `scores (K, B)`, `(B,)`.

    >>> lower_bound(torch.tensor([[1.0], [3.0]]), 0.5)
    tensor([1.5000])
    """
    if kappa == 0:
        return scores.mean(0)
    # The floor keeps the root's gradient finite where all agree.
    return scores.mean(0) - kappa * (scores.var(0, correction=0) + 1e-12).sqrt()
