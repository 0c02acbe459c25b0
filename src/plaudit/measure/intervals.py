"""Intervals by resampling: the percentile bootstrap (Efron, 1979), paired ratios, MAD."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Figure = tuple[float, float, float]
"""`(estimate, low, high)`"""

_CHUNK = 1 << 21
"""Resampled values drawn at a time: 16 MB."""


def bootstrap_mean(
    values: NDArray[np.float64], level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Figure:
    """Return the mean of `(n,)` values and its bootstrap interval at `level`.

    NaN (not scored) is left out; with nothing left all three figures are NaN.

    >>> bootstrap_mean(np.ones(10))
    (1.0, 1.0, 1.0)
    """
    known = _known(values)
    if known.size == 0:
        return (float("nan"),) * 3
    means = _resampled(known, resamples, seed, median=False)
    return (float(known.mean()), *_quantiles(means, level))


def bootstrap_ratio(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], level: float = 0.95, seed: int = 0
) -> Figure:
    """Return the median of the pairs' ratios `ours / theirs`, both `(n,)`, and its bootstrap interval.

    Pair i was measured side by side, so a pair is resampled as one; a pair with NaN is left out.
    """
    ours, theirs = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise ValueError(f"pairs need two equal shapes (n,), got {ours.shape} and {theirs.shape}")
    ratios = _known(ours / theirs)
    if ratios.size == 0:
        return (float("nan"),) * 3
    medians = _resampled(ratios, 2000, seed, median=True)
    return (float(np.median(ratios)), *_quantiles(medians, level))


def mad(values: NDArray[np.float64]) -> float:
    """Return the median absolute deviation from the median of `(n,)`; times 1.4826 for a sigma."""
    known = _known(values)
    return float(np.median(np.abs(known - np.median(known)))) if known.size else float("nan")


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = np.asarray(values, dtype=np.float64)
    if flat.ndim != 1:
        raise ValueError(f"expected values of shape (n,), got {flat.shape}")
    return flat[~np.isnan(flat)]


def _resampled(values: NDArray[np.float64], resamples: int, seed: int, median: bool) -> NDArray[np.float64]:
    """Return the statistic `(resamples,)` of samples drawn with replacement."""
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // len(values))
    drawn = []
    for start in range(0, resamples, rows):
        size = (min(rows, resamples - start), len(values))
        sample = values[rng.integers(0, len(values), size)]
        drawn.append(np.median(sample, axis=1) if median else sample.mean(axis=1))
    return np.concatenate(drawn)


def _quantiles(statistics: NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(statistics, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
