"""Precision, recall, density and coverage: how good samples are apart from how many kinds there are.

Precision and recall are Kynkaanniemi et al. (2019, arXiv 1904.06991), density and coverage Naeem et al.
(2020, arXiv 2002.09797), who recommend k = 5. Distances are taken a block of rows at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from plaudit.measure.neighbours import distance_blocks, neighbour_radii, pair


@dataclass(frozen=True)
class Prdc:
    """Precision, recall and coverage in [0, 1]; density >= 0, 1 for samples like the real ones."""

    precision: float
    """Share of samples within the radius of some real picture's k-th neighbour."""
    recall: float
    """Share of real pictures within the radius of some sample's k-th neighbour."""
    density: float
    """How many real radii a sample lies in, over k."""
    coverage: float
    """Share of real pictures that have a sample in their radius."""


def prdc(real: ArrayLike, sampled: ArrayLike, k: int = 5) -> Prdc:
    """Compare samples `(m, d)` with real features `(n, d)`, both longer than k."""
    known, made = pair(real, sampled)
    real_radii, sample_radii = neighbour_radii(known, k), neighbour_radii(made, k)
    inside = np.zeros(len(made))
    recalled, covered = 0, 0
    for at, found in distance_blocks(known, made):
        near = found < real_radii[at, None]
        inside += near.sum(axis=0)
        covered += int(near.any(axis=1).sum())
        recalled += int((found < sample_radii).any(axis=1).sum())
    share = 1.0 / len(known)
    return Prdc(float((inside > 0).mean()), recalled * share, float(inside.mean()) / k, covered * share)


def prdc_floor(features: ArrayLike, draws: int, n: int, rng: np.random.Generator, k: int = 5) -> Prdc:
    """The same figures of real data against real data: means over pairs of disjoint parts of n rows."""
    rows = np.asarray(features)
    if not 0 < 2 * n <= len(rows) or draws < 1:
        raise ValueError(f"two disjoint parts of {n} rows need {2 * n}, got {len(rows)}")
    orders = [rng.permutation(len(rows)) for _ in range(draws)]
    found = [prdc(rows[at[:n]], rows[at[n : 2 * n]], k) for at in orders]
    return Prdc(*(float(np.mean([getattr(one, name) for one in found])) for name in vars(found[0])))
