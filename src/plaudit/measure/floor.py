"""The real-vs-real floor: what a distance between samples is when both are real.

Distances between finite samples are never zero, and most grow as samples shrink. A figure is read beside what
two disjoint real samples of the same sizes are from each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Distance = Callable[[Any, Any], float]


@dataclass(frozen=True)
class Distances:
    """One distance a draw.

    Attributes:
        values: `(draws,)`.
        n: rows on each side of a draw.
    """

    values: NDArray[np.float64]
    n: int

    @property
    def mean(self) -> float:
        return float(self.values.mean())


def real_floor(
    distance: Distance, features: ArrayLike, draws: int, n: int, rng: np.random.Generator
) -> Distances:
    """Distances of `draws` pairs of disjoint random parts of `features (N, d)`, n rows each, 2 n <= N.

    >>> rng = np.random.default_rng(0)
    >>> far = real_floor(lambda a, b: abs(a.mean() - b.mean()), np.ones((8, 2)), 3, 4, rng)
    >>> far.mean, far.n
    (0.0, 4)
    """
    rows = _rows(features, draws)
    if not 0 < 2 * n <= len(rows):
        raise ValueError(f"two disjoint parts of {n} rows need {2 * n}, got {len(rows)}")
    pairs = (rng.permutation(len(rows)) for _ in range(draws))
    return Distances(np.array([distance(rows[at[:n]], rows[at[n : 2 * n]]) for at in pairs]), n)


def to_real(
    distance: Distance, sampled: ArrayLike, real: ArrayLike, draws: int, n: int, rng: np.random.Generator
) -> Distances:
    """Distances of `draws` pairs of n random rows of `sampled` and of `real`: compare with `real_floor`."""
    ours, theirs = _rows(sampled, draws), _rows(real, draws)
    if not 0 < n <= min(len(ours), len(theirs)):
        raise ValueError(f"parts of {n} rows need as many, got {len(ours)} and {len(theirs)}")
    parts = ((rng.permutation(len(ours))[:n], rng.permutation(len(theirs))[:n]) for _ in range(draws))
    return Distances(np.array([distance(ours[a], theirs[b]) for a, b in parts]), n)


def _rows(features: ArrayLike, draws: int) -> NDArray[Any]:
    rows = np.asarray(features)
    if rows.ndim != 2 or draws < 1:
        raise ValueError(f"expected features (n, d) and at least one draw, got {rows.shape} and {draws}")
    return rows
