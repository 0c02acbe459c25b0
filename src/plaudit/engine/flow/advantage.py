"""From rewards to advantages, in groups of samples of one request: pure functions.

Notation: N requests, G samples of each, K columns of the composition, S steps. NaN marks a sample that could
not be scored: it gets the advantage 0 and takes no part in the others' mean and deviation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from plaudit.engine.returns import check_rank
from plaudit.engine.sequence.losses import group_relative

_LEAST = 1e-6


def weighted(columns: Tensor, weights: Tensor) -> Tensor:
    """What samples are worth `(N, G)`: columns `(N, G, K)` times weights `(K,)`, summed.

    A column without weight counts for nothing, NaN included.
    """
    check_rank(3, columns=columns)
    used = weights != 0
    return (columns[..., used] * weights[used]).sum(2)


def normalised_then_summed(columns: Tensor, weights: Tensor) -> Tensor:
    """Each column made group-relative, then weighted and summed `(N, G)`, as GDPO does.

    Summing first lets the column with the widest spread decide, and maps different combinations to one sum.
    """
    check_rank(3, columns=columns)
    total = torch.zeros(columns.shape[:2], dtype=columns.dtype)
    for k in range(columns.shape[2]):
        if weights[k] != 0:
            # A sample that one column cannot score is left out of all.
            relative = group_relative(columns[..., k], scaled=True)
            total = total + weights[k] * relative.masked_fill(columns[..., k].isnan(), torch.nan)
    return total


def deviation(total: Tensor) -> Tensor:
    """The deviation of each group `(N, 1)`, 1 where all are the same: what GRPO divides by."""
    check_rank(2, total=total)
    known = ~total.isnan()
    centred = group_relative(total, scaled=False)
    spread = (centred.square().sum(1, keepdim=True) / known.sum(1, keepdim=True).clamp(min=1)).sqrt()
    return torch.where(spread > _LEAST, spread, torch.ones_like(spread))


def step_advantages(total: Tensor, cost: Tensor, scale: Tensor) -> Tensor:
    """Advantages `(N, G, S)` of the choice made in each step.

    A choice earns the reward `total (N, G)` and pays for what its successors cost, `cost (N, G, S)`; what it
    costs itself is known in closed form and enters the loss, not the advantage. All over `scale (N, 1)`.
    """
    check_rank(2, total=total)
    check_rank(3, cost=cost)
    later = cost.flip(2).cumsum(2).flip(2) - cost
    returns = total[..., None] - later
    parts = [group_relative(returns[..., k], scaled=False) for k in range(cost.shape[2])]
    return torch.stack(parts, 2) / scale[..., None]


def tilting(total: Tensor, temperature: float) -> tuple[Tensor, float]:
    """Weights `(N, G)` proportional to exp(total / temperature), mean 1 in each group, and how many count.

    The second is the effective sample size as a share of the samples, in (0, 1].
    """
    check_rank(2, total=total)
    known = ~total.isnan()
    logits = (total / temperature).masked_fill(~known, -torch.inf)
    share = torch.softmax(logits, 1).nan_to_num(nan=0.0)
    count = known.sum(1, keepdim=True)
    effective = 1.0 / share.square().sum(1).clamp(min=1e-12) / count[:, 0].clamp(min=1)
    found = effective[count[:, 0] > 0]
    return share * count, float(found.mean()) if len(found) else 0.0
