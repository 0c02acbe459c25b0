"""How far a generator is from its data, and how sure that is: a measured distance with its jackknife.

Two generators that are asked on the same noise err alike. Leaving out each part of the pictures in turn, for
both, gives the standard error of how much farther one is than the other, which is what a constraint on the
distance has to know: that of each by itself is larger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SIGMAS = 2.0
"""Standard errors that are added where a distance is to be below a limit rather surely."""


@dataclass(frozen=True)
class Distance:
    """A distance of what a generator makes from the data.

    Attributes:
        value: the distance, above 0.
        left_out: the same without each of k parts of the made items in turn; empty: its error is not known,
            and counts as 0.
    """

    value: float
    left_out: tuple[float, ...] = ()

    def growth_error(self, start: Distance) -> float:
        """Standard error of `value - start.value`, both taken on the same noise in the same parts."""
        return jackknife_error(np.subtract(self.left_out, start.left_out))

    @property
    def error(self) -> float:
        """Standard error of `value` by itself."""
        return jackknife_error(self.left_out)


def jackknife_error(left_out: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Standard error of a figure, from what it is without each of k parts `(k,)`. Tukey, 1958.

    >>> round(jackknife_error([1.0, 2.0, 3.0]), 3)
    1.155
    """
    values = np.asarray(left_out, np.float64)
    return math.sqrt((len(values) - 1) * float(values.var())) if len(values) else 0.0
