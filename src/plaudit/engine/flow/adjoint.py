"""Tuning by adjoint matching: each step is drawn to where the reward's gradient points, as the base sees it.

Domingo-Enrich et al., 2024 (arXiv 2409.08861). The reward's gradient at a sample is carried back along the
path through the frozen base (the "lean" adjoint), which gives the velocity that each step should have had,
and the model is fitted to those by least squares: nothing is differentiated through the model's own path,
so that the gradient neither explodes nor profits from holes in the path, and a path can be learned from
more than once. With noise = sqrt(2) and reduction = "sum" the fixed point is the base tilted by exp(reward
/ beta). Departs from the paper by taking the exact step of `sampling.py` with its own coefficients, of
which theirs are the limit for small steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.flow.model import labels_on
from plaudit.engine.flow.sampling import Step, Trajectory, reduced, roll
from plaudit.engine.flow.tuned import Tuned
from plaudit.engine.flow.value import slope
from plaudit.engine.learner import Metrics
from plaudit.engine.sequence.losses import adapted


@dataclass
class Lesson:
    """One step of some samples and the velocity that it should have.

    Attributes:
        rows: which samples, `(R,)`.
        step: its coefficients.
        x, wanted: `(R, ...)`.
    """

    rows: Tensor
    step: Step
    x: Tensor
    wanted: Tensor


@dataclass
class Paths:
    """B finished samples with what is to be learned from them.

    Attributes:
        columns, total: `(N, G, K)` and `(N, G)`.
        kl: `(B,)` nats from the base.
    """

    label: Tensor | None
    lessons: list[Lesson]
    columns: Tensor
    total: Tensor
    kl: Tensor


def improve(tuned: Tuned) -> Metrics:
    """Draw samples, carry the reward's gradient back, fit the velocities; returns the row to log."""
    paths, config = collect(tuned), tuned.config
    norms, losses = [], []
    for _ in range(config.epochs):
        for part in _minibatches(tuned, paths.lessons):
            losses.append(gradient(tuned, paths, part))
            norms.append(tuned.descend())
    row: Metrics = {
        "loss": float(np.mean(losses)),
        "gradient_norm": float(np.mean(norms)),
        "kl": float(paths.kl.mean()),
    }
    if config.kl_target > 0:
        tuned.beta = adapted(tuned.beta, row["kl"], config.kl_target)
    return {**row, "columns": paths.columns, "total": paths.total}


def collect(tuned: Tuned) -> Paths:
    """Sample, score, and find what each step should have been."""
    group, plan = tuned.draw(), tuned.plan()
    lessons, columns, totals, distances = [], [], [], []
    for rows in tuned.pieces(len(group)):
        label = labels_on(group.label, rows)
        path = roll(tuned.model, group.start[rows], label, plan, tuned.noise, tuned.config.guidance)
        found, total, toward = slope(tuned, label, path.states[-1])
        tuned.watch(label, path.states[-1])
        taught, distance = carry_back(tuned, path, label, plan, toward / tuned.beta)
        lessons += [Lesson(rows, step, x, wanted) for step, x, wanted in taught]
        columns.append(found)
        totals.append(total)
        distances.append(distance)
    tuned.queries += len(group)
    shape = (tuned.config.requests, tuned.config.group)
    return Paths(
        group.label,
        lessons,
        torch.cat(columns).view(*shape, -1),
        torch.cat(totals).view(shape),
        torch.cat(distances),
    )


def carry_back(
    tuned: Tuned, path: Trajectory, label: Tensor | None, plan: list[Step], adjoint: Tensor
) -> tuple[list[tuple[Step, Tensor, Tensor]], Tensor]:
    """From the gradient at the sample: step, place and wanted velocity of each step, and the nats `(R,)`.

    `adjoint (R, ...)` is the gradient of reward / beta. The wanted velocity maximises, step by step, what a
    change earns, push * adjoint * change, less what it costs, price * |change|^2.
    """
    taught, distance = [], torch.zeros(len(adjoint), device=adjoint.device)
    size = 1.0 if tuned.reduction == "sum" else float(adjoint[0].numel())
    for k in reversed(range(len(plan))):
        step, x = plan[k], path.states[k].detach().requires_grad_()
        base = tuned.base.velocity(x, step.t, label, tuned.config.guidance)
        wanted = base.detach() + (size * step.push / (2.0 * step.price())) * adjoint
        taught.append((step, x.detach(), wanted))
        away = reduced((path.velocities[k] - base.detach()).square(), tuned.reduction)
        distance = distance + step.price() * away
        if k > 0:
            (back,) = torch.autograd.grad(base, x, adjoint)
            adjoint = step.keep * adjoint + step.push * back
    return taught, distance


def _minibatches(tuned: Tuned, lessons: list[Lesson]) -> list[list[Lesson]]:
    """The lessons in as many parts as there are gradient steps in a pass, in random order."""
    n = min(tuned.config.minibatches, len(lessons))
    if n == 1:
        return [lessons]
    order = tuned.random.permutation(len(lessons))
    return [[lessons[int(i)] for i in part] for part in np.array_split(order, n)]


def gradient(tuned: Tuned, paths: Paths, part: list[Lesson]) -> float:
    """Put the gradient over the lessons `part` into `grads`, beta times the nats missed; returns those."""
    tuned.grads.zero_()
    missed = 0.0
    # A part stands for all lessons.
    scale = sum(len(each.rows) for each in paths.lessons) / sum(len(each.rows) for each in part)
    for lesson in part:
        label = labels_on(paths.label, lesson.rows)
        velocity = tuned.model.velocity(lesson.x, lesson.step.t, label, tuned.config.guidance)
        off = lesson.step.price() * reduced((velocity - lesson.wanted).square(), tuned.reduction)
        loss = scale * off.sum() / len(paths.kl)
        (tuned.beta * loss).backward()  # type: ignore[no-untyped-call]
        missed += float(loss.detach())
    return missed
