"""From noise to data: ordinary differential equation, or a stochastic one with the same marginals.

Flow-GRPO (Liu et al., 2025, arXiv 2505.05470) runs dx = (v + s^2 / 2 * score) dt + s dw with s = a *
sqrt((1 - t) / t), by Euler's and Maruyama's rule ("euler" here). That rule has no value at t = 0, leaves
noise in the result, and needs small steps. The default ("exact") integrates the same equation with the data
that the velocity points at held fixed over a step: the noise that x_t comes from is turned by an
Ornstein-Uhlenbeck process, e' = r e + sqrt(1 - r^2) z with r = (odds(t) / odds(t'))^(a^2 / 2). Its last step
adds no noise. a = 0 is Euler's rule for the ODE; a = sqrt(2) is DDPM's ancestral step (Ho et al., 2020), the
memoryless schedule, under which the optimum of reward - beta * KL of the paths is the data's distribution
tilted by exp(reward / beta) (Domingo-Enrich et al., 2024, arXiv 2409.08861).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.flow.model import FlowModel, FlowShape
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError

Rule = Literal["exact", "euler"]
Reduction = Literal["sum", "mean"]
Noise = Callable[[Tensor], Tensor]
"""From a tensor to standard normal numbers of its shape."""
MEMORYLESS = math.sqrt(2.0)


@dataclass(frozen=True)
class Sampler:
    """How a policy draws: solver of the ODE, steps and guidance."""

    steps: int = 20
    """Steps from noise to data; heun evaluates the network twice in all but the last."""
    solver: Literal["euler", "heun"] = "euler"
    """Rule of the first or of the second order."""
    guidance: float = 0.0
    """Strength of classifier-free guidance; 0 = none."""

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 10_000 or self.solver not in ("euler", "heun"):
            raise InputError(
                f"sampling in {self.steps} steps by {self.solver} is not known.",
                place="learner",
                hint="Steps from 1 on, by euler or heun.",
            )
        if not math.isfinite(self.guidance):
            raise InputError("guidance is not finite.", place="learner.guidance")


@dataclass(frozen=True)
class Step:
    """One step from `t` to `t_next`: x' = keep * x + push * v + std * z."""

    t: float
    t_next: float
    keep: float
    push: float
    std: float

    def mean(self, x: Tensor, velocity: Tensor) -> Tensor:
        """The mean `(B, ...)` of x' given x."""
        return self.keep * x + self.push * velocity

    def price(self) -> float:
        """Nats that a squared unit of difference between velocities costs.

        For a step with noise the closed form, KL = push^2 |v - v0|^2 / (2 std^2). One without has no
        density: it takes what the memoryless equation would pay, t / (1 - t) dt, at the middle of the step.
        """
        if self.std > 0:
            return self.push**2 / (2.0 * self.std**2)
        middle = 0.5 * (self.t + self.t_next)
        return middle / (1.0 - middle) * (self.t_next - self.t)


def step_of(t: float, t_next: float, noise: float = 0.0, rule: Rule = "exact", floor: float = 0.0) -> Step:
    """The step from `t` to `t_next` with noise level a = `noise` and at least `floor` as deviation."""
    span = t_next - t
    if noise <= 0:
        return Step(t, t_next, 1.0, span, floor)
    if rule == "euler":
        # As in Flow-GRPO: where the level has no value, that of the next time stands in.
        odds = (1.0 - t) / (t if t > 0 else t_next)
        square = noise**2 * odds
        pull = 0.5 * square * span / (1.0 - t)
        return Step(t, t_next, 1.0 - pull, span + pull * t, max(math.sqrt(square * span), floor))
    turned = 0.0
    if t > 0 and t_next < 1:
        turned = (t * (1.0 - t_next) / ((1.0 - t) * t_next)) ** (0.5 * noise**2)
    left = (1.0 - t_next) * turned
    std = (1.0 - t_next) * math.sqrt(1.0 - turned**2)
    return Step(t, t_next, t_next + left, t_next * (1.0 - t) - left * t, max(std, floor))


def steps_of(
    n: int, noise: float | Sequence[float] = 0.0, rule: Rule = "exact", floor: float = 0.0
) -> list[Step]:
    """n equal steps from 0 to 1; `noise` is one level or one for each step, `floor` is for noisy ones."""
    levels = [float(noise)] * n if isinstance(noise, int | float) else list(noise)
    return [
        step_of(k / n, (k + 1) / n, level, rule, floor if level > 0 else 0.0)
        for k, level in enumerate(levels)
    ]


@dataclass
class Trajectory:
    """What B samples went through.

    Attributes:
        states: n + 1 tensors `(B, ...)` from noise to data.
        velocities: n tensors `(B, ...)`.
    """

    states: list[Tensor]
    velocities: list[Tensor]


@torch.no_grad()
def roll(
    model: FlowModel,
    start: Tensor,
    label: Tensor | None,
    steps: Sequence[Step],
    noise: Noise,
    guidance: float = 0.0,
    differentiable: bool = False,
) -> Trajectory:
    """Take the steps from `start (B, ...)`; `noise` is asked in the steps that have some.

    Where it is `differentiable`, the velocities of these can be traced back to the weights, though not to the
    states before: what a policy gradient asks for.
    """
    trajectory = Trajectory([start], [])
    for step in steps:
        x = trajectory.states[-1]
        with torch.set_grad_enabled(differentiable and step.std > 0):
            velocity = model.velocity(x, step.t, label, guidance)
        following = step.mean(x, velocity)
        if step.std > 0:
            following = following + step.std * noise(x)
        trajectory.states.append(following)
        trajectory.velocities.append(velocity)
    return trajectory


@torch.no_grad()
def solve(model: FlowModel, start: Tensor, label: Tensor | None, sampler: Sampler) -> Tensor:
    """Follow the ODE from `start (B, ...)` to data `(B, ...)`."""
    x, n = start, sampler.steps
    for k in range(n):
        t, t_next = k / n, (k + 1) / n
        velocity = model.velocity(x, t, label, sampler.guidance)
        if sampler.solver == "heun" and k + 1 < n:
            ahead = model.velocity(x + (t_next - t) * velocity, t_next, label, sampler.guidance)
            velocity = 0.5 * (velocity + ahead)
        x = x + (t_next - t) * velocity
    return x


def log_prob(x: Tensor, mean: Tensor, std: float, reduction: Reduction) -> Tensor:
    """Log-density `(B,)` of `x (B, ...)` under a Gaussian, summed or averaged over the numbers of a row.

    "sum" is the density. "mean" is its D-th root, as in Flow-GRPO's code: ratios are tempered by 1 / D.
    """
    each = -0.5 * ((x - mean) / std).square() - math.log(std) - 0.5 * math.log(2.0 * math.pi)
    return reduced(each, reduction)


def log_ratio(x: Tensor, mean: Tensor, old_mean: Tensor, std: float, reduction: Reduction) -> Tensor:
    """Log-density `(B,)` under `mean` less that under `old_mean`, without the rounding of either."""
    return reduced((mean - old_mean) * (2.0 * x - mean - old_mean) / (2.0 * std**2), reduction)


def reduced(each: Tensor, reduction: Reduction) -> Tensor:
    """Sum or mean `(B,)` over all but the first axis."""
    flat = each.flatten(1)
    return flat.sum(1) if reduction == "sum" else flat.mean(1)


def noise_of(shape: FlowShape, random: RowRandom) -> Tensor:
    """Standard normal noise `(B, *size)`, each row from its own generator."""
    size = int(np.prod(shape.size))
    return torch.from_numpy(random.normal(size)).float().view(-1, *shape.size)


def noise_from(generator: torch.Generator) -> Noise:
    """Noise from one generator of the CPU, on whichever device the tensor is."""
    return lambda x: torch.randn(x.shape, generator=generator).to(x.device)
