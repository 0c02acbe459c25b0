"""Frechet distance to the tilted reference: an honest gain in reward comes nearer to it, hacking does not.

The best that tuning under a reward r and a price beta can do is the data's distribution p times exp(r /
beta) (Levine, 2018, arXiv 1805.00909). Real data weighed by exp(r / beta) are a sample of it, so its
moments are known without any tuning, and a generator is measured against them: one that earns its reward as
real data do comes nearer, one that exploits the reward goes away, whatever the reward says. Weights are
self-normalised; how much they leave of the sample is said by Kish's effective size, (sum w)^2 / sum w^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plaudit.measure.frechet import Floats, Moments, gaussian_distance, moments

FEWEST_PER_FEATURE = 2.0
"""Effective rows for each feature below which a weighted covariance is about single rows."""


@dataclass(frozen=True)
class Tilted:
    """Moments of the tilted reference.

    Attributes:
        mean, covariance: `(d,)` and `(d, d)`; unbiased for weights that know nothing of the features.
        effective: effective number of rows, in [1, rows].
        rows: how many rows were scored.
    """

    mean: Floats
    covariance: Floats
    effective: float
    rows: int

    @property
    def reliable(self) -> bool:
        """Whether enough rows count for a distance to mean something."""
        return self.effective > FEWEST_PER_FEATURE * len(self.mean)


def tilted_weights(reward: ArrayLike, beta: float) -> Floats:
    """Weights `(n,)` proportional to exp(reward / beta), sum 1; 0 where the reward is NaN.

    Raises `ValueError` for a beta that is not above 0, an infinite reward, or none that is known.

    >>> tilted_weights([0.0, np.log(3.0), np.nan], 1.0).round(2)
    array([0.25, 0.75, 0.  ])
    """
    scores = np.asarray(reward, np.float64)
    known = ~np.isnan(scores)
    if scores.ndim != 1 or not known.any() or np.isinf(scores).any():
        raise ValueError(f"expected finite rewards of shape (n,), got {scores.shape}, {known.sum()} known")
    if not 0.0 < beta < np.inf:
        raise ValueError(f"beta is {beta}; it is above 0")
    logits = np.where(known, scores / beta, -np.inf)
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum(), np.float64)


def tilted_moments(features: ArrayLike, reward: ArrayLike, beta: float) -> Tilted:
    """Moments of real features `(n, d)` weighed by exp(reward / beta), `reward (n,)`; raises `ValueError`."""
    rows = np.asarray(features, np.float64)
    weights = tilted_weights(reward, beta)
    if rows.ndim != 2 or 0 in rows.shape or len(rows) != len(weights):
        raise ValueError(f"expected features of shape ({len(weights)}, d), got {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("features are not finite")
    mean = weights @ rows
    centred = (rows - mean) * np.sqrt(weights)[:, None]
    squares = float(weights @ weights)
    # One row that takes all the weight has no spread to estimate.
    covariance = centred.T @ centred / max(1.0 - squares, np.finfo(np.float64).tiny)
    return Tilted(mean, covariance, effective_size(weights), len(rows))


def tilted_distance(generated: ArrayLike | Moments, reference: Tilted) -> float:
    """Frechet distance >= 0 of generated features `(m, d)`, or of their moments, to the reference.

    NaN where the reference is not `reliable`, or where there are no more samples than features: a number
    would then be about the size of the sample.

    >>> rng = np.random.default_rng(0)
    >>> real = rng.standard_normal((20_000, 1))
    >>> reference = tilted_moments(real, real[:, 0], 1.0)
    >>> bool(tilted_distance(real + 1.0, reference) < 0.01 < tilted_distance(real, reference))
    True
    """
    ours = generated if isinstance(generated, Moments) else moments(generated)
    if ours.mean.shape != reference.mean.shape:
        raise ValueError(f"expected {len(reference.mean)} features, got {len(ours.mean)}")
    if not reference.reliable or ours.count <= len(ours.mean):
        return float("nan")
    return gaussian_distance(ours.mean, ours.covariance, reference.mean, reference.covariance)


def effective_size(weights: NDArray[np.float64]) -> float:
    """Kish's effective number of rows of weights `(n,)`, in [1, n].

    >>> effective_size(np.array([0.5, 0.5, 0.0]))
    2.0
    """
    return float(weights.sum() ** 2 / (weights @ weights))
