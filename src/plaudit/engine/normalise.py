"""Running statistics of observations and returns: mean and variance by the parallel rule.

Chan, Golub and LeVeque, 1983. Statistics change between two rollouts only, so that a policy is one
fixed function while it collects and while it is updated.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.env import State


class RunningMoments:
    """Mean and variance of everything seen so far, per element of `shape`.

    >>> moments = RunningMoments(())
    >>> moments.update(torch.tensor([1.0, 3.0])); moments.update(torch.tensor([5.0]))
    >>> float(moments.mean), round(float(moments.variance), 3)
    (3.0, 2.667)
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = 0
        self.mean: NDArray[np.float64] = np.zeros(shape)
        self.square: NDArray[np.float64] = np.zeros(shape)

    def update(self, x: Tensor) -> None:
        """Take in `x (N, *shape)`."""
        if len(x) == 0:
            return
        x = x.double()
        mean = x.mean(0)
        square = (x - mean).square().sum(0)
        self._merge(len(x), mean.cpu().numpy(), square.cpu().numpy())

    def _merge(self, count: int, mean: NDArray[np.float64], square: NDArray[np.float64]) -> None:
        total = self.count + count
        gap = mean - self.mean
        self.mean = self.mean + gap * (count / total)
        self.square = self.square + square + gap**2 * (self.count * count / total)
        self.count = total

    @property
    def variance(self) -> NDArray[np.float64]:
        """Population variance; 1 before anything was seen."""
        return self.square / self.count if self.count else np.ones_like(self.square)

    @property
    def scale(self) -> NDArray[np.float64]:
        """What to multiply with for unit variance; 1 for an element that never changed."""
        variance = self.variance
        return np.where(variance > 1e-12, 1.0 / np.sqrt(variance + 1e-12), 1.0)

    def state_dict(self) -> State:
        return {"count": self.count, "mean": self.mean.copy(), "square": self.square.copy()}

    def load_state_dict(self, state: State) -> None:
        self.count = int(state["count"])
        self.mean, self.square = (np.array(state[name], np.float64) for name in ("mean", "square"))


class ReturnScale:
    """Divides rewards by the running deviation of the discounted return, as OpenAI Baselines does."""

    def __init__(self, rows: int, gamma: float) -> None:
        self.gamma = gamma
        self.running = torch.zeros(rows, dtype=torch.float64)
        self.moments = RunningMoments(())

    def __call__(self, rewards: Tensor, ended: Tensor) -> Tensor:
        """Take in `rewards (T, B)` (NaN = masked) and return them scaled, within [-10, 10]."""
        seen = torch.empty(rewards.shape, dtype=torch.float64)
        paid, over = rewards.double().nan_to_num(0.0).cpu(), ended.cpu()
        for t in range(len(paid)):
            self.running.mul_(self.gamma).add_(paid[t])
            seen[t] = self.running
            self.running.masked_fill_(over[t], 0.0)
        self.moments.update(seen.flatten())
        return (rewards * float(self.moments.scale)).clamp(-10.0, 10.0)

    def state_dict(self) -> State:
        return {"running": self.running.clone(), "moments": self.moments.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.running.copy_(torch.as_tensor(state["running"]))
        self.moments.load_state_dict(state["moments"])
