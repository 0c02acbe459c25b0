"""Kernel distance between two samples of features: the squared maximum mean discrepancy, unbiased.

Binkowski et al. (2018, arXiv 1801.01401), with their polynomial kernel (x'y / d + 1)^3. Departs from their
code in that the blocks are disjoint, so that their values are independent and an interval can be given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plaudit.measure.floor import Distances, real_floor
from plaudit.measure.intervals import Figure, bootstrap_mean
from plaudit.measure.neighbours import pair


def kernel_distance(
    a: ArrayLike, b: ArrayLike, block: int = 500, rng: np.random.Generator | None = None
) -> Figure:
    """Mean over blocks and its 95 % interval, for `(n, d)` and `(m, d)`; below 0 by chance near equality.

    The samples are cut into as many disjoint blocks of equal size, about `block` rows, as the smaller one
    holds. Cost grows with n * block.
    """
    rows, others = pair(a, b)
    rng = rng or np.random.default_rng(0)
    blocks = max(1, min(len(rows), len(others)) // block)
    ours = np.array_split(rng.permutation(len(rows)), blocks)
    theirs = np.array_split(rng.permutation(len(others)), blocks)
    values = [unbiased_mmd(rows[i], others[j]) for i, j in zip(ours, theirs, strict=True)]
    return bootstrap_mean(np.array(values))


def unbiased_mmd(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Unbiased squared MMD of `(n, d)` and `(m, d)`, n and m > 1 (Gretton et al., 2012, eq. 3).

    >>> unbiased_mmd(np.array([[1.0], [1.0]]), np.array([[0.0], [0.0]]))
    7.0
    """
    n, m = len(a), len(b)
    if min(n, m) < 2:
        raise ValueError(f"a kernel distance needs two rows on each side, got {n} and {m}")
    own_a, own_b, cross = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    within_a = (own_a.sum() - np.trace(own_a)) / (n * (n - 1))
    within_b = (own_b.sum() - np.trace(own_b)) / (m * (m - 1))
    return float(within_a + within_b - 2.0 * cross.mean())


def _kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product = a @ b.T / a.shape[1] + 1.0
    return product * product * product


def kernel_floor(features: ArrayLike, draws: int, n: int, rng: np.random.Generator) -> Distances:
    """What real data are from real data: see `plaudit.measure.floor`."""
    return real_floor(lambda a, b: kernel_distance(a, b, rng=rng)[0], features, draws, n, rng)
