"""Frechet distance between two samples of features, as between Gaussians of the same moments.

Heusel et al. (2017, arXiv 1706.08500); the distance of Gaussians is Dowson and Landau (1982). The trace
of the root of C1 C2 is the sum of the roots of the eigenvalues of L' C2 L with C1 = L L': one factorisation
and the eigenvalues of one symmetric matrix, where the common way takes those of a general product.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plaudit.measure.floor import Distances, real_floor

Floats = NDArray[np.float64]
_ROWS = 1280


@dataclass(frozen=True)
class Moments:
    """What is kept of a sample.

    Attributes:
        count: number of rows.
        mean: `(d,)`.
        scatter: `(d, d)` summed outer products of the rows' differences from their mean.
    """

    count: int
    mean: Floats
    scatter: Floats

    @property
    def covariance(self) -> Floats:
        """Unbiased, `(d, d)`."""
        return self.scatter / (self.count - 1)

    def __add__(self, other: Moments) -> Moments:
        """The moments of both samples together (Chan et al., 1983): batches need not be kept."""
        count = self.count + other.count
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        between = np.outer(apart, apart) * (self.count * other.count / count)
        return Moments(count, mean, self.scatter + other.scatter + between)


def moments(features: ArrayLike) -> Moments:
    """The moments of finite features `(n, d)`, n > 0; raises `ValueError` for anything else.

    What comes as float32, as from a network, is centred and multiplied in float32, a part at a time, and
    summed in float64: exact to some 1e-7 of the variances. Everything else is float64 throughout.
    """
    rows = np.asarray(features)
    if rows.dtype != np.float32:
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"expected features of shape (n, d), got {rows.shape}")
    centre = rows[:_ROWS].mean(axis=0)
    total, scatter = np.zeros(rows.shape[1]), np.zeros((rows.shape[1],) * 2)
    # A part at a time stays in the processor's cache; a product with ones is a faster sum down columns.
    buffer = np.empty((min(_ROWS, len(rows)), rows.shape[1]), rows.dtype)
    ones = np.ones(len(buffer), rows.dtype)
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        centred = np.subtract(part, centre, out=buffer[: len(part)])
        scatter += centred.T @ centred
        total += ones[: len(part)] @ centred
    shift = total / len(rows)
    scatter -= len(rows) * np.outer(shift, shift)
    if not np.isfinite(scatter).all():
        raise ValueError("features are not finite")
    return Moments(len(rows), centre + shift, scatter)


def frechet_distance(a: ArrayLike | Moments, b: ArrayLike | Moments) -> float:
    """Distance >= 0 between two samples `(n, d)` and `(m, d)`, each of features or of moments.

    Raises `ValueError` where a sample has no more rows than features: its covariance is then singular, and
    the figure says more about the size of the sample than about what is in it.

    >>> square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> round(frechet_distance(square, square + [3.0, 4.0]), 6)
    25.0
    """
    one, other = (side if isinstance(side, Moments) else moments(side) for side in (a, b))
    if one.mean.shape != other.mean.shape:
        raise ValueError(f"expected equally many features, got {one.mean.shape} and {other.mean.shape}")
    fewest = min(one.count, other.count)
    if fewest <= len(one.mean):
        raise ValueError(f"{fewest} samples are too few for {len(one.mean)} features")
    return gaussian_distance(one.mean, one.covariance, other.mean, other.covariance)


def gaussian_distance(mean_a: Floats, covariance_a: Floats, mean_b: Floats, covariance_b: Floats) -> float:
    """Squared 2-Wasserstein distance of two Gaussians with means `(d,)` and covariances `(d, d)`."""
    factor = _factor(covariance_a)
    eigenvalues = np.linalg.eigvalsh(factor.T @ covariance_b @ factor)
    cross = np.sqrt(np.maximum(eigenvalues, 0.0)).sum()
    apart = mean_a - mean_b
    distance = apart @ apart + np.trace(covariance_a) + np.trace(covariance_b) - 2.0 * cross
    return max(float(distance), 0.0)


def _factor(covariance: Floats) -> Floats:
    """L `(d, d)` with L L' = covariance, also for a singular one, as of features that are always zero."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return vectors * np.sqrt(np.maximum(values, 0.0))


def frechet_left_out(parts: Sequence[Moments], real: Moments) -> Floats:
    """Distances `(k,)` to `real` of a sample without each of its k parts in turn: what a jackknife asks for.

    Raises `ValueError` for fewer than two parts, or where what is left has no more rows than features.
    """
    if len(parts) < 2:
        raise ValueError(f"a sample of {len(parts)} parts cannot do without one")
    rest = ([*parts[:at], *parts[at + 1 :]] for at in range(len(parts)))
    return np.array([frechet_distance(functools.reduce(operator.add, left), real) for left in rest])


def frechet_floor(features: ArrayLike, draws: int, n: int, rng: np.random.Generator) -> Distances:
    """What real data are from real data: see `plaudit.measure.floor`."""
    return real_floor(frechet_distance, features, draws, n, rng)
