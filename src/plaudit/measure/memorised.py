"""Whether a generator copies what it learned from: nearest training neighbours, and a membership test.

The share follows Meehan et al. (2020, arXiv 2004.05675) in that held-out data, as near to the training data
as honest samples are, set the mark; the test of membership is the distance attack of Chen et al. (2020, arXiv
1909.03935): were the training data nearer to the samples than the held-out data are?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plaudit.measure.neighbours import nearest_distances


@dataclass(frozen=True)
class Memorised:
    """How near samples come to the training data.

    Attributes:
        share: of samples nearer to a training picture than all but `quantile` of the held-out ones;
            about `quantile` for an honest generator, 1 for one that copies.
        quantile: the mark's.
        mark: the distance that it is.
    """

    share: float
    quantile: float
    mark: float


def memorised(sampled: ArrayLike, train: ArrayLike, held_out: ArrayLike, quantile: float = 0.01) -> Memorised:
    """Compare samples `(m, d)` with training `(n, d)` and held-out data `(h, d)` of the same source."""
    mark = float(np.quantile(nearest_distances(held_out, train), quantile))
    near = nearest_distances(sampled, train)
    # Real data hold exact twins: at a mark of 0 only a copy is as near.
    share = float((near <= mark).mean()) if mark == 0 else float((near < mark).mean())
    return Memorised(share, quantile, mark)


def membership_auc(sampled: ArrayLike, members: ArrayLike, held_out: ArrayLike) -> float:
    """Chance that a training picture is nearer to the samples than a held-out one; 0.5 tells nothing.

    `sampled (m, d)`, `members (n, d)` of the training data, `held_out (h, d)`.
    """
    return auc(-nearest_distances(members, sampled), -nearest_distances(held_out, sampled))


def auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Area under the ROC curve of scores `(n,)` and `(h,)`: Mann and Whitney's U over n h, ties as halves.

    >>> auc(np.array([2.0, 1.0]), np.array([1.0, 0.0]))
    0.875
    """
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left")
    up_to = np.searchsorted(ordered, positive, "right")
    return float((below + up_to).mean() / (2 * len(negative)))
