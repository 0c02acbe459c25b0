"""Euclidean distances between two samples of features, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_BLOCK = 1 << 22
"""Distances held at a time: 32 MB."""


def distance_blocks(a: ArrayLike, b: ArrayLike) -> Iterator[tuple[slice, Floats]]:
    """Yield rows of `a (n, d)` as a slice and their distances to all of `b (m, d)`, in order."""
    rows, others = pair(a, b)
    squares = np.einsum("nd,nd->n", others, others)
    size = max(1, _BLOCK // len(others))
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        found = block @ others.T
        found *= -2.0
        found += squares
        found += np.einsum("nd,nd->n", block, block)[:, None]
        np.sqrt(np.maximum(found, 0.0, out=found), out=found)
        yield slice(start, start + len(block)), found


def nearest_distances(a: ArrayLike, b: ArrayLike) -> Floats:
    """For each row of `a (n, d)` the distance `(n,)` to its nearest row of `b (m, d)`.

    >>> nearest_distances([[0.0], [5.0]], [[1.0], [9.0]]).tolist()
    [1.0, 4.0]
    """
    return np.concatenate([found.min(axis=1) for _, found in distance_blocks(a, b)])


def neighbour_radii(rows: ArrayLike, k: int) -> Floats:
    """The distance `(n,)` of each row of `(n, d)` to its k-th nearest other one."""
    count = len(np.asarray(rows))
    if not 1 <= k < count:
        raise ValueError(f"a {k}-th neighbour needs more than {k} rows, got {count}")
    radii = np.empty(count)
    for at, found in distance_blocks(rows, rows):
        # By rounding a row may be a little away from itself; it is left out by name.
        found[np.arange(len(found)), np.arange(at.start, at.stop)] = np.inf
        radii[at] = np.partition(found, k - 1, axis=1)[:, k - 1]
    return radii


def pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """Two samples as float64 `(n, d)` and `(m, d)`; raises `ValueError` for other shapes."""
    rows, others = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if (
        rows.ndim != 2
        or others.ndim != 2
        or rows.shape[1] != others.shape[1]
        or 0 in (len(rows), len(others))
    ):
        raise ValueError(f"expected features (n, d) and (m, d), got {rows.shape} and {others.shape}")
    return rows, others
