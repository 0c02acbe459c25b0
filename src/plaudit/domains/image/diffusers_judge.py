"""What can be said of any pipeline's pictures without a judge of all pictures: statistics, and failures.

Quality is a low bar, and named as such: the picture is neither flat nor burnt out. Whether it is a good one
a person says, or a judge that the user trains.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.picture_judge import Figures, statistics_of
from plaudit.domains.image.picture_request import tolerance_of
from plaudit.task import Item

FLAT, BURNT, TWIN = 0.02, 0.5, 0.02
"""Contrast below which a picture is flat; share of values at an end above which it is burnt out; root mean
square distance below which two pictures count as one."""


def judge_prompted(items: Sequence[Item]) -> Figures:
    """Figures `(n,)`."""
    images = np.stack([item.content for item in items])
    figures = statistics_of(images)
    ends = ((images == 0) | (images == 255)).mean((1, 2, 3))
    met = [
        all(
            abs(figures[name][row] - wanted) <= tolerance_of(item.request, name) + 1e-9
            for name, wanted in item.request.target.items()
        )
        for row, item in enumerate(items)
    ]
    return {
        "quality": ((figures["contrast"] >= FLAT) & (ends <= BURNT)).astype(np.float64),
        "control": np.array(met, np.float64),
        "diversity": _fresh(images.reshape(len(images), -1).astype(np.float64) / 255),
        **figures,
    }


def _fresh(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for a picture `(D,)` that no earlier one of the batch is a twin of."""
    alone = [
        not len(flat[:row]) or np.sqrt(np.square(flat[:row] - one).mean(1)).min() > TWIN
        for row, one in enumerate(flat)
    ]
    return np.array(alone, np.float64)
