"""Drawing with wishes: from a start, around what stays, towards statistics that were asked.

Editing begins between noise and the start (SDEdit, Meng et al., 2022, arXiv 2108.01073). What stays takes the
place of the network's estimate in every step, and noise is renewed, so that the rest fits to it (RePaint,
Lugmayr et al., 2022, arXiv 2201.09865, without its jumps back). Targets pull at the noisy picture along the
gradient that the statistic of the finished one has through the network (Chung et al., 2023, arXiv 2209.14687)
by the step that would reach them if all were linear.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from plaudit.domains.image import picture_reward
from plaudit.domains.image.pictures import from_model
from plaudit.engine.flow.model import FlowModel
from plaudit.engine.flow.sampling import Sampler
from plaudit.engine.random import RowRandom
from plaudit.reward.term import Context

STEERED = {
    "ink": picture_reward.ink,
    "contrast": picture_reward.contrast,
    "symmetry": picture_reward.symmetry,
    "colourfulness": picture_reward.colourfulness,
    "sharpness": picture_reward.sharpness,
}
"""Statistics that have a gradient; the size of a JPEG has none."""
_PULL = 1.0
"""Share of the way to a target that is gone in one step."""
_FARTHEST = 0.35
"""Longest pull, as a share of the noise's own length."""


@dataclass(frozen=True)
class Wishes:
    """What is asked of B pictures beside their class.

    Attributes:
        targets: `(B, len(STEERED))`, NaN where nothing is asked; None = nothing at all.
        known: the starts `(B, C, H, W)` in [-1, 1]; None = from noise.
        kept: `(B, 1, H, W)`, what of them stays; None = nothing.
        begin: the time in [0, 1) at which the drawing begins: 0 = from noise.
    """

    targets: Tensor | None
    known: Tensor | None
    kept: Tensor | None
    begin: float


def draw_towards(
    model: FlowModel, given: tuple[Tensor, Tensor | None], sampler: Sampler, wishes: Wishes, random: RowRandom
) -> tuple[Tensor, int]:
    """Pictures `(B, C, H, W)` from noise and classes, and how often the network was asked for one."""
    noise, label = given
    x = noise
    if wishes.known is not None and wishes.begin > 0:
        x = (1.0 - wishes.begin) * noise + wishes.begin * wishes.known
    steps = max(1, math.ceil(sampler.steps * (1.0 - wishes.begin) - 1e-9))
    times = [wishes.begin + (1.0 - wishes.begin) * k / steps for k in range(steps + 1)]
    for t, t_next in pairwise(times):
        data, pull = _estimate(model, x, t, (label, sampler.guidance), wishes.targets)
        source = (x - t * data) / (1.0 - t)
        if wishes.kept is not None and wishes.known is not None:
            data = torch.where(wishes.kept, wishes.known, data)
            source = _renewed(source, t, t_next, random)
        x = t_next * data + (1.0 - t_next) * source
        if pull is not None and t_next < 1.0:
            x = x + pull
    return x, steps * (2 if sampler.guidance and label is not None else 1)


def _estimate(
    model: FlowModel, x: Tensor, t: float, how: tuple[Tensor | None, float], targets: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The picture `(B, C, H, W)` that the network sees in x, and the pull of the targets on x."""
    label, guidance = how
    if targets is None:
        with torch.no_grad():
            return x + (1.0 - t) * model.velocity(x, t, label, guidance), None
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        data = leaf + (1.0 - t) * model.velocity(leaf, t, label, guidance)
        pictures = from_model(data)
        found = torch.stack([measure(pictures, Context()) for measure in STEERED.values()], 1)
        pull = torch.zeros_like(x)
        for column in range(len(STEERED)):
            asked = ~targets[:, column].isnan()
            if not bool(asked.any()):
                continue
            slope = torch.autograd.grad(found[:, column].sum(), leaf, retain_graph=True)[0]
            off = torch.where(asked, targets[:, column] - found[:, column].detach(), 0.0)
            pull = pull + _step(off, slope, (1.0 - t) * _FARTHEST)
    return data.detach(), pull


def _step(off: Tensor, slope: Tensor, farthest: float) -> Tensor:
    """The shortest step `(B, ...)` that changes a linear statistic by `off (B,)`, cut at a length."""
    square = slope.flatten(1).square().sum(1)
    scale = _PULL * off / square.clamp(min=1e-12)
    length = scale.abs() * square.sqrt()
    most = farthest * math.sqrt(slope[0].numel())
    scale = scale * (most / length.clamp(min=1e-12)).clamp(max=1.0)
    return scale.view(-1, 1, 1, 1) * slope


def _renewed(source: Tensor, t: float, t_next: float, random: RowRandom) -> Tensor:
    """Noise turned as far as the memoryless equation does from t to t_next (`engine/flow/sampling.py`)."""
    if t_next >= 1.0:
        return source
    turned = t * (1.0 - t_next) / ((1.0 - t) * t_next)
    fresh = torch.from_numpy(random.normal(source[0].numel())).float().view_as(source)
    return turned * source + math.sqrt(1.0 - turned**2) * fresh
