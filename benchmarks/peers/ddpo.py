"""DDPO (Black et al., 2024, arXiv 2305.13301) as the paper has it, over a velocity network of ours.

Written from the paper's algorithm, straight: every one of T steps draws, log-probabilities of the Gaussian
steps are kept, and in training every step of every sample goes through the network once more, for PPO's
clipped ratio with advantages normalised over the batch. Its own loop, optimiser (AdamW) and arithmetic
(float32).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Score = Callable[[Tensor], Tensor]
"""Pictures `(B, ...)` to rewards `(B,)`."""


@dataclass
class Settings:
    """Those of a round: samples, steps and the size of a training batch."""

    samples: int = 64
    steps: int = 10
    batch: int = 16
    noise: float = 0.7
    clip: float = 1e-4
    learning_rate: float = 3e-5


class Ddpo:
    """One round after another: sample, score, train."""

    def __init__(self, network: nn.Module, size: tuple[int, ...], score: Score, settings: Settings) -> None:
        self.network, self.size, self.score, self.settings = network, size, score, settings
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)

    def round(self) -> float:
        """One round; returns the mean reward."""
        states, chances = self._sample()
        rewards = self.score(states[-1])
        advantages = (rewards - rewards.mean()) / (rewards.std() + 1e-8)
        order = torch.randperm(self.settings.samples)
        for rows in order.split(self.settings.batch):
            self._train([x[rows] for x in states], [c[rows] for c in chances], advantages[rows])
        return float(rewards.mean())

    @torch.no_grad()
    def _sample(self) -> tuple[list[Tensor], list[Tensor]]:
        states, chances = [torch.randn(self.settings.samples, *self.size)], []
        for k in range(self.settings.steps):
            mean, deviation = self._step(states[-1], k)
            following = mean + deviation * torch.randn_like(mean)
            chances.append(_log_prob(following, mean, deviation))
            states.append(following)
        return states, chances

    def _train(self, states: list[Tensor], chances: list[Tensor], advantages: Tensor) -> None:
        for k in range(self.settings.steps):
            mean, deviation = self._step(states[k], k)
            ratio = (_log_prob(states[k + 1], mean, deviation) - chances[k]).exp()
            clipped = ratio.clamp(1.0 - self.settings.clip, 1.0 + self.settings.clip)
            loss = torch.maximum(-advantages * ratio, -advantages * clipped).mean()
            (loss / self.settings.steps).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()

    def _step(self, x: Tensor, k: int) -> tuple[Tensor, float]:
        """Mean and deviation of step k by Flow-GRPO's rule, time 0 noise and 1 data."""
        t, span = k / self.settings.steps, 1.0 / self.settings.steps
        square = self.settings.noise**2 * (1.0 - t) / max(t, span)
        velocity = self.network(x, torch.full((len(x),), t))
        pull = 0.5 * square * span / (1.0 - t)
        return x * (1.0 - pull) + velocity * (span + pull * t), math.sqrt(square * span)


def _log_prob(x: Tensor, mean: Tensor, deviation: float) -> Tensor:
    each = (
        -((x.detach() - mean) ** 2) / (2 * deviation**2) - math.log(deviation) - 0.5 * math.log(2 * math.pi)
    )
    return each.flatten(1).mean(1)
