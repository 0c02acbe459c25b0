"""Tuning by the gradient of the reward itself, through the last steps of sampling.

DRaFT-K (Clark et al., 2024, arXiv 2309.17400) and AlignProp (Prabhudesai et al., 2023): the reward is a
differentiable function of the sample, the sample of the weights. Departs from them by drawing with noise if
asked to, and by the guard: beta times the nats of every differentiated step's distance from the base,
differentiated along the path too. With noise = sqrt(2), all steps and reduction = "sum" the optimum is the
base tilted by exp(reward / beta) (arXiv 2409.08861), which keeps the variety that the reward leaves open.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from plaudit.engine.flow.model import labels_on
from plaudit.engine.flow.sampling import Step, reduced, roll
from plaudit.engine.flow.tuned import Tuned
from plaudit.engine.flow.value import value
from plaudit.engine.learner import Metrics
from plaudit.engine.sequence.losses import adapted


def improve(tuned: Tuned) -> Metrics:
    """Draw samples, and follow the reward's gradient through them; returns the row to log."""
    row, columns, total = gradient(tuned)
    row["gradient_norm"] = tuned.descend()
    if tuned.beta > 0 and tuned.config.kl_target > 0:
        tuned.beta = adapted(tuned.beta, row["kl"], tuned.config.kl_target)
    return {**row, "columns": columns, "total": total}


def gradient(tuned: Tuned) -> tuple[Metrics, Tensor, Tensor]:
    """Put the gradient into `grads`; returns figures, columns `(N, G, K)` and worth `(N, G)`."""
    tuned.grads.zero_()
    group, plan = tuned.draw(), tuned.plan()
    columns, totals, distances = [], [], []
    for rows in tuned.pieces(len(group)):
        label = labels_on(group.label, rows)
        images, distance = follow(tuned, group.start[rows], label, plan)
        found, total = value(tuned, label, images)
        tuned.watch(label, images)
        known = ~total.isnan()
        gain = total.where(known, 0.0) - tuned.beta * distance.where(known, 0.0)
        (-gain.sum() / len(group)).backward()  # type: ignore[no-untyped-call]
        columns.append(found.detach().double().cpu())
        totals.append(total.detach().double().cpu())
        distances.append(distance.detach())
    tuned.queries += len(group)
    row: Metrics = {"kl": float(torch.cat(distances).mean())} if tuned.beta > 0 else {}
    shape = (tuned.config.requests, tuned.config.group)
    return row, torch.cat(columns).view(*shape, -1), torch.cat(totals).view(shape)


def follow(tuned: Tuned, start: Tensor, label: Tensor | None, plan: list[Step]) -> tuple[Tensor, Tensor]:
    """Samples `(R, ...)` and their distance `(R,)` from the base in nats, both differentiable."""
    last = tuned.config.last or len(plan)
    cut = max(len(plan) - last, 0)
    x = roll(tuned.model, start, label, plan[:cut], tuned.noise, tuned.config.guidance).states[-1]
    distance = torch.zeros(len(x), device=x.device)
    for step in plan[cut:]:
        noise = tuned.noise(x) if step.std > 0 else None
        if tuned.config.checkpointing:
            x, nats = checkpoint(
                _advance, tuned, x, label, (step, noise), use_reentrant=False, preserve_rng_state=False
            )
        else:
            x, nats = _advance(tuned, x, label, (step, noise))
        distance = distance + nats
    return x, distance


def _advance(
    tuned: Tuned, x: Tensor, label: Tensor | None, which: tuple[Step, Tensor | None]
) -> tuple[Tensor, Tensor]:
    """One step, and the nats `(R,)` that it is away from the base's."""
    step, noise = which
    velocity = tuned.model.velocity(x, step.t, label, tuned.config.guidance)
    following = step.mean(x, velocity)
    if noise is not None:
        following = following + step.std * noise
    if tuned.beta == 0:
        return following, torch.zeros(len(x), device=x.device)
    base = tuned.base.velocity(x, step.t, label, tuned.config.guidance)
    return following, step.price() * reduced((velocity - base).square(), tuned.reduction)
