"""How different the items of a batch are, from their similarities alone.

`unique_values` follows the definition of diversity in the PCG Benchmark (Khalifa et al., 2025,
arXiv 2503.21474); `vendi_score` is Friedman and Dieng (2023, arXiv 2210.02410).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unique_values(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a value `(n,)` per item; 1 = counted as diverse, less = removed as too alike.

    Takes out, again and again, the item with the largest summed similarity to those still in (its own
    similarity of 1 included), until no sum exceeds 1. What stays has value 1; an item taken out has 1
    minus its mean excess over the items that it resembled at all. Departs from the benchmark's code in
    one point: each value stands at its own item (there some are displaced); the values are the same.

    `similarity (n, n)` in [0, 1], 1 on the diagonal. Cubic in n: meant for batches of about 100.

    >>> unique_values(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])).tolist()
    [0.5, 1.0, 1.0]
    """
    values = np.ones(_square(similarity))
    kept = np.arange(len(values))
    while kept.size:
        # Sums are taken afresh, as running differences would decide ties by their rounding.
        left = similarity[np.ix_(kept, kept)]
        sums = left.sum(axis=1)
        worst = int(np.argmax(sums))
        if sums[worst] <= 1:
            break
        alike = np.count_nonzero(left[worst] > 0)
        values[kept[worst]] = min(max(1 - (sums[worst] - 1) / alike, 0.0), 1.0)
        kept = np.delete(kept, worst)
    return values


def unique_share(similarity: NDArray[np.float64]) -> float:
    """Return the share of items, in [0, 1], whose value in `unique_values` is 1."""
    return float((unique_values(similarity) >= 1).mean())


def vendi_score(similarity: NDArray[np.float64]) -> float:
    """Return the effective number of different items in a batch, in [1, n].

    The exponential of the entropy of the eigenvalues of `similarity / n`, which must be positive
    semi-definite `(n, n)` with 1 on the diagonal.

    >>> round(vendi_score(np.eye(4)), 6), round(vendi_score(np.ones((4, 4))), 6)
    (4.0, 1.0)
    """
    n = _square(similarity)
    eigenvalues = np.linalg.eigvalsh(similarity / n)
    shares = eigenvalues[eigenvalues > 1e-15]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _square(similarity: NDArray[np.float64]) -> int:
    if similarity.ndim != 2 or similarity.shape[0] != similarity.shape[1] or len(similarity) == 0:
        raise ValueError(f"expected similarities of shape (n, n), n > 0, got {similarity.shape}")
    return len(similarity)
