"""The weights with the highest reward among those that kept a constraint on the distance from the data.

Dual ascent meets its constraint on average and goes round it: its last weights may be on the wrong side. Of
all that were measured, those are kept that the constraint allows and that pay most. Where none is allowed,
the weights that the constraint speaks of, the first ones measured, are.

What they pay is measured on noise that is the same each time, so that two differ by their weights alone, and
which nothing is learned from. Means of columns are kept rather than their sum: where the reward's weights
change with the budget, both are weighed as of now.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from plaudit.engine.env import State
from plaudit.engine.gan.config import RewardConfig
from plaudit.engine.gan.policy import GeneratorPolicy
from plaudit.engine.gan.rewards import Rewards, known_means
from plaudit.engine.guard import Kept

_BATCHES = 16
"""Batches of items that a policy is paid for: each is as large as those learned from, for terms of groups."""


class BestFeasible:
    """Looks at a policy whenever its distance was measured.

    Attributes:
        kept: the weights, with the means of their columns, and the count of images when that was.
        allowed: whether they kept the constraint.
    """

    def __init__(self, rewards: Rewards, config: RewardConfig, seed: int) -> None:
        self.rewards, self.rows, self.seed = rewards, config.batch_size, seed
        self.kept, self.allowed = Kept(), False

    def look(self, policy: GeneratorPolicy, allowed: bool, images: int) -> None:
        """Keep the policy's weights if they are the first, or allowed and worth more than those before."""
        if self.kept.weights and not allowed:
            return
        said = self._paid(policy)
        if not self.allowed or self._worth(said) > self._worth(self.kept.said):
            self.kept.take(policy.tensors(), said, images)
            self.allowed = allowed

    def _paid(self, policy: GeneratorPolicy) -> tuple[float, ...]:
        """Mean of every column on the noise that is always the same."""
        random, classes = torch.Generator().manual_seed(self.seed), policy.shape.classes
        means = []
        for _ in range(_BATCHES):
            noise = torch.randn(self.rows, policy.noise_size, generator=random)
            labels = torch.randint(classes, (self.rows,), generator=random) if classes else None
            means.append(self.rewards.means(policy.draw(noise, labels), labels))
        return tuple(known_means(np.array(means)).tolist())

    def _worth(self, said: tuple[float, ...]) -> float:
        worth = float(self.rewards.weigh(torch.tensor([said], dtype=torch.float64)))
        return -math.inf if math.isnan(worth) else worth

    def state_dict(self) -> State:
        return {"kept": self.kept.state_dict(), "allowed": self.allowed}

    def load_state_dict(self, state: State) -> None:
        self.kept.load_state_dict(state["kept"])
        self.allowed = bool(state["allowed"])
