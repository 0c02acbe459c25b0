"""Every formula of the value and policy learners, once, as a pure function.

Notation: B batch, T time, A actions, N samples of any origin. A step follows the same-step autoreset
rule of `engine/env.py`: `terminated` says that nothing follows (bootstrap 0), `ended` that the row's
episode is over for whatever reason, so that time t+1 belongs to another episode.
The formulas of operators alone take NumPy arrays and torch tensors alike.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.errors import InputError

Array = TypeVar("Array", Tensor, NDArray[np.float64])


def check_rank(rank: int, **arrays: Any) -> None:
    """Raise `InputError` unless every array has this rank and all have the same shape."""
    shapes = {name: tuple(array.shape) for name, array in arrays.items()}
    if any(len(shape) != rank for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise InputError(f"expected arrays of one shape and of rank {rank}, got {shapes}.")


def q_target(reward: Array, discount: Array, next_value: Array) -> Array:
    """Target of one-step or n-step Q-learning, `reward + discount * next_value`, all `(B,)`.

    `discount` is gamma^n, and 0 where the episode terminated. Watkins, 1989; Mnih et al., 2015.
    """
    check_rank(1, reward=reward, discount=discount, next_value=next_value)
    return reward + discount * next_value


def greedy_value(next_q: Tensor, mask: Tensor | None = None) -> Tensor:
    """Value `(B,)` of the best allowed action: the max of Q-learning over `next_q (B, A)`.

    `mask (B, A)` is True where an action is allowed.
    """
    return double_q_value(next_q, next_q, mask)


def double_q_value(next_q: Tensor, chooser_q: Tensor, mask: Tensor | None = None) -> Tensor:
    """Value `(B,)` under `next_q (B, A)` of the action that `chooser_q (B, A)` likes best.

    van Hasselt et al., 2016: choosing with the online and valuing with the target network takes
    away the overestimation of the max. `mask (B, A)` is True where an action is allowed.
    """
    check_rank(2, next_q=next_q, chooser_q=chooser_q)
    allowed = chooser_q if mask is None else chooser_q.masked_fill(~mask, -torch.inf)
    return next_q.gather(1, allowed.argmax(1, keepdim=True)).squeeze(1)


def td_error(q: Array, target: Array) -> Array:
    """Temporal-difference error `target - q` of the taken actions, `(B,)`. Sutton, 1988."""
    check_rank(1, q=q, target=target)
    return target - q


def huber(error: Tensor, delta: float) -> Tensor:
    """Huber's loss `(N,)`: `error^2 / 2` up to `delta`, then a line of slope `delta`. Huber, 1964.

    Its gradient is the error clipped to `[-delta, delta]`: the clipping of Mnih et al., 2015.
    """
    check_rank(1, error=error)
    size = error.abs()
    bend = size.clamp(max=delta)
    return bend * (size - 0.5 * bend)


def n_step(
    reward: NDArray[Any], terminated: NDArray[Any], ended: NDArray[Any], gamma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return of up to n steps, cut where the episode ends, from arrays `(n, B)`.

    Returns `reward (B,)`, the `discount (B,)` of the value to bootstrap with (0 where terminated),
    and the index `last (B,)` of the step whose next observation that value belongs to.
    Sutton, 1988; Hessel et al., 2018, section "Multi-step learning".
    """
    check_rank(2, reward=reward, terminated=terminated, ended=ended)
    n, batch = reward.shape
    total, discount = np.zeros(batch), np.ones(batch)
    alive, last = np.ones(batch, dtype=bool), np.zeros(batch, dtype=np.int64)
    for t in range(n):
        total += np.where(alive, discount * reward[t], 0.0)
        last[alive] = t
        discount[alive] *= gamma * ~terminated[t, alive]
        alive &= ~ended[t]
    return total, discount, last


def backward_scan(x: Tensor, decay: Tensor) -> Tensor:
    """Solve `y[t] = x[t] + decay[t] * y[t+1]` for `(T, B)` from the end, with `y[T] = 0`."""
    check_rank(2, x=x, decay=decay)
    # On the CPU the views spare most of the dispatch time of T small torch calls.
    on_cpu = x.device.type == "cpu"
    source: Any = x.detach().numpy() if on_cpu else x.detach()
    factor: Any = decay.detach().numpy() if on_cpu else decay.detach()
    result = torch.empty_like(x)
    out: Any = result.numpy() if on_cpu else result
    last: Any = 0.0
    for t in range(len(x) - 1, -1, -1):
        last = source[t] + factor[t] * last
        out[t] = last
    return result


def discounted_returns(rewards: Tensor, ended: Tensor, gamma: float) -> Tensor:
    """Discounted sum `(T, B)` of the rewards from t to the end of the episode or of the table."""
    check_rank(2, rewards=rewards, ended=ended)
    return backward_scan(rewards, gamma * (~ended.bool()).to(rewards.dtype))


def gae(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    ended: Tensor,
    gamma: float,
    lam: float,
) -> Tensor:
    """Generalised advantage estimate `(T, B)`; every array is `(T, B)`. Schulman et al., 2016.

    `next_values` belong to the true next observation: `final_obs` where the row ended. They count
    unless the step `terminated`; the trace of `lam` is cut where the episode `ended`.
    A NaN reward marks a masked row: its advantage is 0 and the steps before it bootstrap from its
    value, as if their trace ended there.
    """
    check_rank(2, rewards=rewards, values=values, next_values=next_values, terminated=terminated, ended=ended)
    masked = rewards.isnan()
    follows = (~terminated.bool()).to(values.dtype)
    delta = (rewards + gamma * follows * next_values - values).masked_fill(masked, 0.0)
    decay = (gamma * lam * (~ended.bool()).to(values.dtype)).masked_fill(masked, 0.0)
    return backward_scan(delta, decay)


def ppo_clip(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """Clipped surrogate loss `(N,)`, to be minimised. Schulman et al., 2017, equation 7."""
    check_rank(1, log_prob=log_prob, old_log_prob=old_log_prob, advantage=advantage)
    ratio = (log_prob - old_log_prob).exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1.0 - clip, 1.0 + clip) * advantage)


def value_clip(value: Tensor, old_value: Tensor, target: Tensor, clip: float) -> Tensor:
    """Half squared error `(N,)` of a value kept within `clip` of its old prediction.

    The larger of the clipped and the plain error, as in the PPO of OpenAI Baselines.
    """
    check_rank(1, value=value, old_value=old_value, target=target)
    near = old_value + (value - old_value).clamp(-clip, clip)
    return 0.5 * torch.maximum((value - target) ** 2, (near - target) ** 2)


def k3_kl(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """Estimate `(N,)` >= 0 of KL(old || new) from samples of the old policy.

    Schulman, 2020 ("Approximating KL divergence"): k3 = (r - 1) - log r with r = new / old.
    """
    check_rank(1, log_prob=log_prob, old_log_prob=old_log_prob)
    log_ratio = log_prob - old_log_prob
    return torch.expm1(log_ratio) - log_ratio
