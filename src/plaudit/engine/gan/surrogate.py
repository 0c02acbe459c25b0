"""An online surrogate of a black-box reward: a network fitted to the scores of the generator's newest items.

Its slope by the items takes the place of the reward's own. It is right only near what it has seen, which is
why it is fitted anew to fresh items before each use, and why its error on items that it has not been fitted
to is measured and logged.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.adam import Adam, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.gan.config import RewardConfig
from plaudit.engine.gan.rewards import Rewards, mean_slope
from plaudit.engine.nets.critic import Critic
from plaudit.engine.nets.generator import GeneratorConfig, ItemShape


class Surrogate:
    """Reads items as the critic does and says K columns; learns from a ring of scored items."""

    def __init__(
        self, rewards: Rewards, config: RewardConfig, network: GeneratorConfig, shape: ItemShape, seed: int
    ) -> None:
        self.rewards, self.config = rewards, config
        columns = len(rewards.weighing.names)
        self.net = Critic(network, shape, columns)
        self.net.initialise(torch.Generator().manual_seed(seed))
        self.params, self.grads = flatten(self.net)
        self.adam = Adam(self.params)
        self.random = np.random.default_rng([seed, 3])
        self.items = torch.zeros(config.memory, *shape.item)
        self.labels = torch.zeros(config.memory, dtype=torch.int64)
        self.columns = torch.full((config.memory, columns), torch.nan)
        self.mean, self.deviation = torch.zeros(columns), torch.ones(columns)
        self.written = 0
        self.explained = float("nan")

    def slope(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """Score `items (B, *item)`, learn from them, and return the slope `(B, *item)` of the mean guess."""
        self.fit(items, labels)
        leaf = items.detach().requires_grad_()
        return mean_slope(self.guess(leaf, labels), leaf)

    def fit(self, items: Tensor, labels: Tensor | None) -> None:
        """Score items and learn from them."""
        columns = self.rewards.score(items, labels)
        self.explained = self._explained(items, labels, columns)
        self._remember(items, labels, columns)
        for _ in range(self.config.fits):
            self._fit()

    def guess(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """The weighted reward `(B,)` as the network sees it; differentiable."""
        return self.rewards.weigh(self.net(items, labels) * self.deviation + self.mean)

    @torch.no_grad()
    def _explained(self, items: Tensor, labels: Tensor | None, columns: NDArray[np.float64]) -> float:
        """Share of the reward's variance that the network knew before it learned from these items."""
        true = self.rewards.weigh(torch.from_numpy(columns)).float()
        error = true - self.guess(items, labels)
        known = ~true.isnan()
        if int(known.sum()) < 2 or self.written == 0:
            return float("nan")
        return 1.0 - float(error[known].square().mean() / true[known].var().clamp(min=1e-12))

    def _remember(self, items: Tensor, labels: Tensor | None, columns: NDArray[np.float64]) -> None:
        places = (self.written + torch.arange(len(items))) % self.config.memory
        self.items[places] = items.detach()
        self.columns[places] = torch.from_numpy(columns).float()
        if labels is not None:
            self.labels[places] = labels
        self.written += len(items)
        seen = self.columns[: self.written]
        known = ~seen.isnan()
        count = known.sum(0).clamp(min=1)
        self.mean = seen.nan_to_num(nan=0.0).sum(0) / count
        spread = (seen - self.mean).where(known, 0.0).square().sum(0) / count
        # A column that says the same of everything is guessed by its mean.
        self.deviation = spread.sqrt().clamp(min=1e-6)

    def _fit(self) -> None:
        filled = min(self.written, self.config.memory)
        rows = torch.from_numpy(self.random.integers(0, filled, self.config.batch_size))
        target = (self.columns[rows] - self.mean) / self.deviation
        known = ~target.isnan()
        labels = self.labels[rows] if self.net.shape.classes else None
        self.grads.zero_()
        error = (self.net(self.items[rows], labels) - target.nan_to_num(nan=0.0)).where(known, 0.0)
        (error.square().sum() / known.sum().clamp(min=1)).backward()  # type: ignore[no-untyped-call]
        with flushed_denormals():
            self.adam.step(self.grads, self.config.surrogate_learning_rate)

    def state_dict(self) -> State:
        return {
            "params": self.params.clone(),
            "adam": self.adam.state_dict(),
            "random": self.random.bit_generator.state,
            "items": self.items.clone(),
            "labels": self.labels.clone(),
            "columns": self.columns.clone(),
            "moments": torch.stack([self.mean, self.deviation]),
            "written": self.written,
        }

    def load_state_dict(self, state: State) -> None:
        for name in ("params", "items", "labels", "columns"):
            getattr(self, name).copy_(torch.as_tensor(state[name]))
        self.adam.load_state_dict(state["adam"])
        self.random.bit_generator.state = state["random"]
        self.mean, self.deviation = (row.clone() for row in torch.as_tensor(state["moments"]))
        self.written = int(state["written"])
