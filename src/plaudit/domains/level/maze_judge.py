"""The judge of mazes, in plain Python: shares no code with the kernels that rewards use.

The definitions are those of the PCG Benchmark's `binary` (Khalifa et al., 2025, arXiv 2503.21474).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import longest_path, neighbours, number_of_regions

SIMILAR = 0.4
"""Share of the cells in which two levels must differ to count as different."""


def survey(level: Maps) -> dict[str, Any]:
    """Regions, longest path (steps), open share and dead ends of a map `(H, W)`, 1 = open."""
    free = level == 1
    dead = sum(len(neighbours(free, (int(y), int(x)))) <= 1 for y, x in np.argwhere(free))
    return {
        "regions": number_of_regions(free),
        "path": max(len(longest_path(free)) - 1, 0),
        "open": float(free.mean()),
        "dead_ends": dead,
    }


def passes(level: Maps, found: Mapping[str, Any]) -> bool:
    """One region, and a path of at least width + height."""
    return bool(found["regions"] == 1 and found["path"] >= sum(level.shape))


def similarity(levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 1 for equal levels, 0 from 40 % of differing cells on or other sizes."""
    del figures  # mazes are compared cell by cell
    alike = np.eye(len(levels))
    for i, one in enumerate(levels):
        for j in range(i):
            other = levels[j]
            if one.shape == other.shape:
                share = np.count_nonzero(one != other) / (SIMILAR * one.size)
                alike[i, j] = alike[j, i] = 1.0 - min(share, 1.0)
    return alike
