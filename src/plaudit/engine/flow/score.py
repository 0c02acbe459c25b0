"""Tuning by ratios of log-probabilities: GRPO in a window of stochastic steps, PPO's clip over all of them.

Sampling is a decision process of as many steps as the sampler takes, each of which draws from a Gaussian
(DDPO, Black et al., 2024; Flow-GRPO, Liu et al., 2025). MixGRPO (Li et al., 2025, arXiv 2507.21802) draws
in a sliding window alone and follows the ODE elsewhere, so that fewer steps have to be differentiated.
With `branching`, siblings part at the window (BranchGRPO, Li et al., 2025, arXiv 2509.06040): the steps
before it are taken once for a group, and what a group compares is what its own noise has done.

Departs from them in three ways. The price of leaving the base is the closed-form KL of each step, and a step
also answers for what its successors cost, so that the fixed point is the one of reward - beta * KL of paths;
as a loss of its own it would be another. Ratios come from stored means, without the rounding of two
densities, and rows go through the network in the company that they were drawn in: the ratio is 1 before the
first update, in bfloat16 too. So where there is one update and all rows go through the network at once, the
pass that drew them is the one that is differentiated. The loss sums over steps as the gradient does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.flow import advantage
from plaudit.engine.flow.model import labels_on
from plaudit.engine.flow.sampling import Step, Trajectory, log_ratio, reduced, roll
from plaudit.engine.flow.tuned import Group, Tuned
from plaudit.engine.learner import Metrics
from plaudit.engine.sequence.losses import adapted, clipped


@dataclass
class Choice:
    """One stochastic step of some samples: what an update looks at.

    Attributes:
        rows: which samples, `(R,)`.
        at: number of the step among the stochastic ones.
        step: its coefficients.
        x, x_next: `(R, ...)` before and after.
        old: velocity `(R, ...)` that it was drawn with.
        live: the same, traced back to the weights; None where another pass through the network is to tell.
        base: velocity of the frozen base; None where the distance costs nothing.
    """

    rows: Tensor
    at: int
    step: Step
    x: Tensor
    x_next: Tensor
    old: Tensor
    live: Tensor | None
    base: Tensor | None


@dataclass
class Batch:
    """B finished samples with the choices that led to them.

    Attributes:
        columns: `(N, G, K)`.
        total: `(N, G)` what each is worth.
        advantage: `(B, S)`; `direct (B,)` weighs the KL of a choice in its own loss.
        kl: `(B, S)` nats of each choice.
    """

    group: Group
    choices: list[Choice]
    columns: Tensor
    total: Tensor
    advantage: Tensor
    direct: Tensor
    kl: Tensor


def improve(tuned: Tuned) -> Metrics:
    """Draw samples, score them, and follow the clipped surrogate; returns the row to log."""
    batch = collect(tuned)
    config = tuned.config
    norms: list[float] = []
    ratio = 0.0
    for epoch in range(config.epochs):
        for part in _minibatches(tuned, batch.choices):
            error = gradient(tuned, batch, part)
            ratio = error if epoch == 0 and not norms else ratio
            norms.append(tuned.descend())
    row: Metrics = {"gradient_norm": float(np.mean(norms)), "ratio_error": ratio}
    if tuned.beta > 0:
        row["kl"] = float(batch.kl.sum(1).mean())
        if config.kl_target > 0:
            tuned.beta = adapted(tuned.beta, row["kl"], config.kl_target)
    return {**row, "columns": batch.columns, "total": batch.total}


def collect(tuned: Tuned) -> Batch:
    """Sample with noise in the window, and score."""
    group, plan = tuned.draw(), tuned.plan(window(tuned))
    noisy = [k for k, step in enumerate(plan) if step.std > 0]
    shared = noisy[0] if tuned.config.branching else 0
    start = _begin(tuned, group, plan[:shared])
    images, choices = [], []
    for rows in tuned.pieces(len(group)):
        label = labels_on(group.label, rows)
        live = _is_drawn_live(tuned, len(group))
        path = roll(tuned.model, start[rows], label, plan[shared:], tuned.noise, tuned.config.guidance, live)
        images.append(path.states[-1])
        for at, k in enumerate(noisy):
            choices.append(_choice(tuned, (rows, label), path, (at, k - shared, plan[k])))
    columns = tuned.score(group, torch.cat(images))
    kl = _distances(tuned, choices, (len(group), len(noisy)))
    total, scale = _worth(tuned, columns)
    cost = tuned.beta * kl.double().view(*total.shape, -1)
    paid = advantage.step_advantages(total, cost, scale).view(len(group), -1).float()
    direct = (tuned.beta / scale).expand(total.shape).masked_fill(total.isnan(), 0.0).reshape(-1).float()
    where = tuned.model.device
    columns_seen = columns.view(tuned.config.requests, tuned.config.group, -1)
    return Batch(group, choices, columns_seen, total, paid.to(where), direct.to(where), kl)


def _begin(tuned: Tuned, group: Group, steps: list[Step]) -> Tensor:
    """Where samples `(B, ...)` part from their siblings: after these steps, taken once for each group."""
    if not steps:
        return group.start
    each = tuned.config.group
    label = None if group.label is None else group.label[::each]
    path = roll(tuned.model, group.start[::each], label, steps, tuned.noise, tuned.config.guidance)
    return path.states[-1].repeat_interleave(each, 0)


def _is_drawn_live(tuned: Tuned, rows: int) -> bool:
    """Whether the pass that draws is differentiated: it is held in memory, so for one chunk alone."""
    config = tuned.config
    return config.epochs * config.minibatches == 1 and rows <= config.chunk


def window(tuned: Tuned) -> range:
    """The steps that draw: all, or those of GRPO's sliding window."""
    config, width = tuned.config, tuned.config.window
    # The exact rule's last step draws nothing without a floor: the window stays clear of it.
    end = config.steps - (1 if config.rule == "exact" and config.floor == 0 else 0)
    if config.method == "ddpo" or width == 0 or width >= end:
        return range(config.steps)
    first = (tuned.steps // config.window_every) % (end - width + 1)
    return range(first, first + width)


@torch.no_grad()
def _choice(
    tuned: Tuned, who: tuple[Tensor, Tensor | None], path: Trajectory, which: tuple[int, int, Step]
) -> Choice:
    (rows, label), (at, k, step) = who, which
    x = path.states[k]
    base = tuned.base.velocity(x, step.t, label, tuned.config.guidance) if tuned.beta > 0 else None
    velocity = path.velocities[k]
    live = velocity if velocity.requires_grad else None
    return Choice(rows, at, step, x, path.states[k + 1], velocity.detach(), live, base)


def _distances(tuned: Tuned, choices: list[Choice], size: tuple[int, int]) -> Tensor:
    """Nats of each choice `(B, S)`; 0 where they are not asked for."""
    kl = torch.zeros(size)
    for choice in choices:
        if choice.base is not None:
            kl[choice.rows, choice.at] = _nats(tuned, choice, choice.old).cpu()
    return kl


def _nats(tuned: Tuned, choice: Choice, velocity: Tensor) -> Tensor:
    """KL `(R,)` of the step with this velocity from that of the base."""
    assert choice.base is not None
    return choice.step.price() * reduced((velocity - choice.base).square(), tuned.reduction)


def _worth(tuned: Tuned, columns: Tensor) -> tuple[Tensor, Tensor]:
    """What samples are worth `(N, G)` and what to divide by `(N, 1)`; ddpo compares the whole batch."""
    if tuned.config.method == "ddpo":
        columns = columns.reshape(1, -1, columns.shape[2])
    summed = advantage.normalised_then_summed if tuned.config.normalise_then_sum else advantage.weighted
    total = summed(columns, tuned.weights())
    scale = advantage.deviation(total) if tuned.config.scaled else torch.ones(len(total), 1)
    return total, scale.to(total.dtype)


def _minibatches(tuned: Tuned, choices: list[Choice]) -> list[list[Choice]]:
    """The choices in as many parts as there are gradient steps in a pass, in random order."""
    n = min(tuned.config.minibatches, len(choices))
    if n == 1:
        return [choices]
    order = tuned.random.permutation(len(choices))
    return [[choices[int(i)] for i in part] for part in np.array_split(order, n)]


def gradient(tuned: Tuned, batch: Batch, part: list[Choice]) -> float:
    """Put the gradient over the choices `part` into `grads`; returns how far the ratio is from 1."""
    tuned.grads.zero_()
    furthest, clip = 0.0, tuned.config.clip
    # A part stands for all choices: scaled so that the sum over steps stays one over all of them.
    divisor = len(batch.group) * sum(len(c.rows) for c in part) / max(batch.kl.numel(), 1)
    for choice in part:
        label = labels_on(batch.group.label, choice.rows)
        velocity = choice.live
        if velocity is None:
            velocity = tuned.model.velocity(choice.x, choice.step.t, label, tuned.config.guidance)
        mean, old = choice.step.mean(choice.x, velocity), choice.step.mean(choice.x, choice.old)
        log = log_ratio(choice.x_next, mean, old, choice.step.std, tuned.reduction)
        paid = batch.advantage[choice.rows, choice.at]
        loss = clipped(log[:, None], torch.zeros_like(log)[:, None], paid[:, None], clip, clip)[:, 0]
        if choice.base is not None:
            loss = loss + batch.direct[choice.rows] * _nats(tuned, choice, velocity)
        (loss.sum() / divisor).backward()  # type: ignore[no-untyped-call]
        furthest = max(furthest, float(log.detach().exp().sub(1.0).abs().max()))
    return furthest
