"""Reward-weighted regression (Peters and Schaal, 2007; for diffusion: Lee et al., 2023, arXiv 2302.12192).

Samples are drawn by the ODE, scored, and matched again with weights exp(reward / beta), a mean of 1 for each
request. From the frozen base the target stays the base tilted by the reward, and what is learned is limited
by how many of its samples are good; from the policy itself the tilt grows with every step.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.flow.advantage import tilting, weighted
from plaudit.engine.flow.matching import draw_times, matching_loss
from plaudit.engine.flow.model import labels_on
from plaudit.engine.flow.sampling import roll
from plaudit.engine.flow.tuned import Group, Tuned
from plaudit.engine.learner import Metrics


def improve(tuned: Tuned) -> Metrics:
    """Draw samples, weigh them, and match them; returns the row to log."""
    group, images = _collect(tuned)
    columns = tuned.score(group, images)
    total = weighted(columns, tuned.weights())
    weight, effective = tilting(total, tuned.beta)
    weight = weight.reshape(-1).float().to(images.device)
    norms, losses = [], []
    for _ in range(tuned.config.epochs):
        order = torch.from_numpy(tuned.random.permutation(len(images)))
        for part in order.chunk(tuned.config.minibatches):
            losses.append(_gradient(tuned, (images, group.label), weight, part))
            norms.append(tuned.descend())
    return {
        "loss": float(np.mean(losses)),
        "gradient_norm": float(np.mean(norms)),
        "effective": effective,
        "columns": columns,
        "total": total,
    }


def _collect(tuned: Tuned) -> tuple[Group, Tensor]:
    """Samples of the ODE from the base or the policy."""
    config = tuned.config
    group, plan = tuned.draw(), tuned.plan(range(0))
    model = tuned.base if config.behaviour == "base" else tuned.model
    made = [
        roll(model, group.start[rows], labels_on(group.label, rows), plan, tuned.noise, config.guidance)
        for rows in tuned.pieces(len(group))
    ]
    return group, torch.cat([path.states[-1] for path in made])


def _gradient(tuned: Tuned, data: tuple[Tensor, Tensor | None], weight: Tensor, part: Tensor) -> float:
    """Put the gradient over the rows `part` into `grads`; returns the loss."""
    images, label = data
    tuned.grads.zero_()
    noise = torch.randn(images[part].shape, generator=tuned.generator).to(images.device)
    t = draw_times(len(part), "uniform", tuned.generator).to(images.device)
    value = 0.0
    for rows in torch.split(torch.arange(len(part)), tuned.config.chunk):
        at = part[rows]
        each = matching_loss(tuned.model, images[at], labels_on(label, at), noise[rows], t[rows])
        loss = (weight[at] * each).sum() / len(part)
        loss.backward()  # type: ignore[no-untyped-call]
        value += float(loss.detach())
    return value
