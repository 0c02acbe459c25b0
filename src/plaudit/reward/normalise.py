"""Running standard deviations of the columns of a composition (Chan, Golub and LeVeque, 1979)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.reward.term import Scores

_FLAT = 1e-8
"""A deviation at or below this is a constant column: it is left as it is."""


@dataclass
class Moments:
    """Count, mean and sum of squared deviations of K columns, each `(K,)`; NaN is not counted."""

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def zeros(cls, columns: int) -> Moments:
        return cls(np.zeros(columns), np.zeros(columns), np.zeros(columns))

    @classmethod
    def of(cls, scores: Scores) -> Moments:
        """Return the moments of `(B, K)` scores."""
        known = ~np.isnan(scores)
        count = known.sum(axis=0).astype(np.float64)
        mean = np.where(known, scores, 0.0).sum(axis=0) / np.maximum(count, 1.0)
        deviation = np.where(known, scores - mean, 0.0)
        return cls(count, mean, (deviation**2).sum(axis=0))

    def merge(self, other: Moments) -> None:
        """Take the other's observations in, as if they had been seen here."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1.0)
        apart = other.mean - self.mean
        self.squares += other.squares + apart**2 * self.count * share
        self.mean += apart * share
        self.count = total

    def deviation(self) -> NDArray[np.float64]:
        """Return the standard deviations `(K,)`; 1 for a column that is constant or not seen twice."""
        spread = np.sqrt(self.squares / np.maximum(self.count - 1.0, 1.0))
        return np.where((self.count > 1) & (spread > _FLAT), spread, 1.0)

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count.copy(), "mean": self.mean.copy(), "squares": self.squares.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.count = np.array(state["count"], dtype=np.float64)
        self.mean = np.array(state["mean"], dtype=np.float64)
        self.squares = np.array(state["squares"], dtype=np.float64)
