"""The formulas of policy gradients over whole sequences, each once, as pure functions.

Notation: N prompts, G sequences for each, T tokens. A return-to-go `(N, G, T)` holds at t what is paid
from t on: reward at the end, rewards of steps, and the price of leaving the prior. NaN marks a sequence
that could not be scored: it gets the advantage 0 and takes no part in the others' baseline.
"""

from __future__ import annotations

import torch
from torch import Tensor

from plaudit.engine.returns import check_rank


def to_go(final: Tensor, steps: Tensor) -> Tensor:
    """Returns-to-go `(N, G, T)` of a reward at the end `(N, G)` and rewards of steps `(N, G, T)`."""
    check_rank(2, final=final)
    check_rank(3, steps=steps)
    return steps.flip(2).cumsum(2).flip(2) + final[..., None]


def leave_one_out(returns: Tensor) -> Tensor:
    """RLOO: each return less the mean of its siblings', `(N, G, T)`. Kool et al., 2019.

    An unbiased baseline, as the siblings are independent. A sequence without a sibling gets 0.
    """
    check_rank(3, returns=returns)
    known = ~returns.isnan()
    value = returns.where(known, 0.0)
    others = known.sum(1, keepdim=True) - 1
    mean = (value.sum(1, keepdim=True) - value) / others.clamp(min=1)
    return (value - mean).where(known & (others > 0), 0.0)


def baselined(returns: Tensor, baseline: Tensor) -> Tensor:
    """REINFORCE (Williams, 1992) and SCST (Rennie et al., 2017): returns less a given baseline.

    `baseline` is anything that broadcasts to `(N, G, T)` and does not depend on these sequences: a
    running mean of earlier returns, or what the greedy sequence of each prompt earns.
    """
    check_rank(3, returns=returns)
    return (returns - baseline).nan_to_num(nan=0.0)


def group_relative(total: Tensor, scaled: bool, epsilon: float = 1e-4) -> Tensor:
    """GRPO: total `(N, G)` less the group's mean, over its deviation. Shao et al., 2024.

    Without `scaled` it is Dr. GRPO (Liu et al., 2025): no deviation. As the mean holds the sequence
    itself, the gradient is (G - 1) / G of the true one, in the same direction.
    """
    check_rank(2, total=total)
    known = ~total.isnan()
    count = known.sum(1, keepdim=True).clamp(min=1)
    value = total.where(known, 0.0)
    centred = (value - value.sum(1, keepdim=True) / count).where(known, 0.0)
    if not scaled:
        return centred
    deviation = (centred.square().sum(1, keepdim=True) / count).sqrt()
    return centred / (deviation + epsilon)


def score_function(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """Loss `(B, T)` whose gradient is the policy gradient: `-advantage * log_prob`."""
    check_rank(2, log_prob=log_prob, advantage=advantage)
    return -advantage * log_prob


def clipped(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, low: float, high: float) -> Tensor:
    """PPO's surrogate `(B, T)` with the ratio kept in `[1 - low, 1 + high]`. Schulman et al., 2017."""
    check_rank(2, log_prob=log_prob, old_log_prob=old_log_prob, advantage=advantage)
    ratio = (log_prob - old_log_prob).exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1.0 - low, 1.0 + high) * advantage)


def adapted(beta: float, kl: float, target: float) -> float:
    """The next price of leaving the prior, dearer where `kl` is above `target` (nats a sequence).

    The proportional controller of Ziegler et al., 2019: at most 2 % a step.
    """
    error = min(max(kl / target - 1.0, -0.2), 0.2)
    return beta * (1.0 + 0.1 * error)
