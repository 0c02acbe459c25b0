"""Sliced Wasserstein distance: the mean over random directions of distances in one dimension.

Rabin et al. (2011) and Bonneel et al. (2015). In one dimension the optimal transport joins equal quantiles,
so that samples of any two sizes are compared exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plaudit.measure.floor import Distances, real_floor
from plaudit.measure.neighbours import pair

Floats = NDArray[np.float64]


def sliced_wasserstein(
    a: ArrayLike, b: ArrayLike, directions: int = 128, rng: np.random.Generator | None = None
) -> float:
    """Sliced 2-Wasserstein distance >= 0 between `(n, d)` and `(m, d)`, in the unit of the features."""
    rows, others = pair(a, b)
    rng = rng or np.random.default_rng(0)
    axes = rng.normal(size=(rows.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    squares = wasserstein_squared(rows @ axes, others @ axes)
    return float(np.sqrt(squares.mean()))


def wasserstein_squared(a: Floats, b: Floats) -> Floats:
    """Squared 2-Wasserstein distances `(p,)` between the columns of `(n, p)` and those of `(m, p)`.

    >>> wasserstein_squared(np.array([[0.0], [2.0]]), np.array([[1.0]])).tolist()
    [1.0]
    """
    n, m = len(a), len(b)
    # In units of 1 / (n m) every edge of a quantile is a whole number, and no edge is lost to rounding.
    edges = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    weight = np.diff(edges) / (n * m)
    left = edges[:-1]
    apart = np.sort(a, axis=0)[left // m] - np.sort(b, axis=0)[left // n]
    return np.einsum("q,qp,qp->p", weight, apart, apart)


def sliced_floor(features: ArrayLike, draws: int, n: int, rng: np.random.Generator) -> Distances:
    """What real data are from real data: see `plaudit.measure.floor`."""
    return real_floor(lambda a, b: sliced_wasserstein(a, b, rng=rng), features, draws, n, rng)
