"""One random generator per row of a batch: a counter-based generator in plain NumPy.

Each row owns a 64-bit seed and a counter; draw `j` of a row is SplitMix64 (Steele et al., 2014) of
both. A row's numbers therefore depend on nothing but its own seed and its own number of draws: not
on its neighbours, the batch size or the number of workers, and the whole state is two arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def splitmix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64-bit integers of any shape so that neighbouring inputs give unrelated outputs."""
    with np.errstate(over="ignore"):
        x = x + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _MIX1
        x = (x ^ (x >> np.uint64(27))) * _MIX2
        return np.asarray(x ^ (x >> np.uint64(31)), dtype=np.uint64)


class RowRandom:
    """Random numbers for B rows, each from its own seed.

    >>> a, b = RowRandom([7, 8]), RowRandom([8])
    >>> bool((a.uniform(3)[1] == b.uniform(3)[0]).all())
    True
    """

    def __init__(self, seeds: Any) -> None:
        raw = np.asarray(seeds, dtype=np.int64).view(np.uint64)
        self.key: NDArray[np.uint64] = splitmix(raw)
        self.counter: NDArray[np.uint64] = np.zeros_like(self.key)

    def bits(self, n: int, rows: NDArray[Any] | None = None) -> NDArray[np.uint64]:
        """Draw `(R, n)` 64-bit integers for the given rows (all rows when None)."""
        at = slice(None) if rows is None else rows
        counter = self.counter[at]
        with np.errstate(over="ignore"):
            steps = np.asarray(counter[:, None] + np.arange(n, dtype=np.uint64), dtype=np.uint64)
            self.counter[at] = counter + np.uint64(n)
            return splitmix(np.bitwise_xor(self.key[at][:, None], steps * _GOLDEN))

    def uniform(self, n: int, rows: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Draw `(R, n)` floats in [0, 1)."""
        return (self.bits(n, rows) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def integers(self, low: int, high: int, rows: NDArray[Any] | None = None) -> NDArray[np.int64]:
        """Draw `(R,)` integers in [low, high)."""
        return (low + self.uniform(1, rows)[:, 0] * (high - low)).astype(np.int64)

    def gumbel(self, n: int, rows: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Draw `(R, n)` standard Gumbel numbers: `argmax(logits + gumbel)` samples a softmax."""
        u = self.uniform(n, rows)
        return -np.log(-np.log(u + 2.0**-54) + 2.0**-54)

    def normal(self, n: int, rows: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Draw `(R, n)` standard normal numbers (Box and Muller, 1958)."""
        u = self.uniform(2 * n, rows)
        radius = np.sqrt(-2.0 * np.log(1.0 - u[:, :n]))
        return np.asarray(radius * np.cos(2.0 * np.pi * u[:, n:]), dtype=np.float64)

    def reseed(self, rows: NDArray[Any], seeds: Any) -> None:
        """Give the rows new seeds and start their counters again."""
        raw = np.asarray(seeds, dtype=np.int64).view(np.uint64)
        self.key[rows] = splitmix(raw)
        self.counter[rows] = 0

    def state_dict(self) -> dict[str, Any]:
        return {"key": self.key.copy(), "counter": self.counter.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.key[...] = state["key"]
        self.counter[...] = state["counter"]
