"""How many kinds a generator makes and how evenly: modes and divergence of StackedMNIST.

Metz et al. (2017, arXiv 1611.02163): three digits in the three colour channels make 1,000 classes; 26,000
samples are classified, and the classes that occur are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Modes:
    """Modes that occur, out of how many, and the divergence of the samples' classes from the real ones'."""

    found: int
    of: int
    kl: float
    """Kullback-Leibler divergence KL(samples || real) in nats, >= 0."""


def mode_statistics(labels: ArrayLike, modes: int, real: ArrayLike | None = None) -> Modes:
    """Count the classes `(n,)` in 0..modes-1; `real (modes,)` are their true shares, uniform by default.

    A class that the real data do not have and the samples do makes the divergence infinite.

    >>> mode_statistics([0, 0, 1, 1], 4)
    Modes(found=2, of=4, kl=0.6931471805599453)
    """
    seen = np.asarray(labels)
    if seen.ndim != 1 or len(seen) == 0 or seen.min() < 0 or seen.max() >= modes:
        raise ValueError(f"expected classes (n,) in 0..{modes - 1}")
    share = np.bincount(seen, minlength=modes) / len(seen)
    true = np.full(modes, 1.0 / modes) if real is None else np.asarray(real, np.float64)
    if true.shape != (modes,) or (true < 0).any() or not np.isclose(true.sum(), 1.0):
        raise ValueError(f"expected {modes} shares that add to 1")
    at = share > 0
    with np.errstate(divide="ignore"):
        kl = float((share[at] * np.log(share[at] / true[at])).sum())
    return Modes(int(at.sum()), modes, max(kl, 0.0))


def stacked_label(digits: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The class `(n,)` of three digits `(n, 3)`: hundreds, tens, ones.

    >>> stacked_label([[3, 0, 7]]).tolist()
    [307]
    """
    three = np.asarray(digits, np.int64)
    if three.ndim != 2 or three.shape[1] != 3:
        raise ValueError(f"expected digits (n, 3), got {three.shape}")
    return three @ np.array([100, 10, 1])


def stacked_floor(modes: int, n: int, draws: int, rng: np.random.Generator) -> Modes:
    """Modes and divergence of n samples of a perfect generator: means over draws from the uniform."""
    drawn = [mode_statistics(rng.integers(0, modes, n), modes) for _ in range(draws)]
    found = round(float(np.mean([one.found for one in drawn])))
    return Modes(found, modes, float(np.mean([one.kl for one in drawn])))
