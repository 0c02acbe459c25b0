"""The terms of a painting. A term sees rasters `(B, H, W)` uint8, 0 = paper and 255 = ink.

What an environment knows already stands in the context's cache: `target (B, H, W)`, `error (B,)`,
`strokes (B,)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.paint_freehand import free_terms
from plaudit.domains.image.paint_request import targets_of
from plaudit.domains.image.paint_strokes import MOST_STROKES, Pixels
from plaudit.reward.term import Context, Scores, Term

Classify = Callable[[Pixels], NDArray[np.float64]]
"""From pictures `(B, H, W)` uint8 to class probabilities `(B, C)`."""


def paint_terms() -> tuple[Term, ...]:
    """Every term of `image/paint`."""
    return (
        Term("error", error, "Mean squared difference from the picture, pixels in [0, 1].", (0, 1),
             "minimize", grad="pathwise"),
        Term("missed", missed, "Share of the picture's ink that is not on the canvas.", (0, 1), "minimize"),
        Term("spilt", spilt, "Share of the canvas' ink where the picture has none.", (0, 1), "minimize"),
        Term("ink", ink, "Ink used: the mean of the canvas.", (0, 1), "minimize", grad="pathwise"),
        Term("strokes", strokes, "Number of strokes.", (0, MOST_STROKES), "minimize"),
        Term("blurred", blurred, "Squared difference of picture and canvas at half the size.", (0, 1),
             "minimize", eval_only=True),
        *free_terms(),
    )  # fmt: skip


def class_term(classify: Classify, names: Sequence[str], wanted: str) -> Term:
    """A term for free drawing: the probability that a classifier gives the class `wanted`."""
    at = list(names).index(wanted)

    def score(rasters: Pixels, context: Context) -> Scores:
        return np.asarray(classify(rasters)[:, at], np.float64)

    return Term(f"class_{wanted}", score, f"Probability of the class {wanted}.", (0, 1))


def error(rasters: Pixels, context: Context) -> Scores:
    known = context.cache.get("error")
    if known is not None:
        return np.asarray(known, np.float64)
    off = rasters.astype(np.float64) - _targets(context)
    return np.asarray((off**2).mean((1, 2)) / 255.0**2)


def missed(rasters: Pixels, context: Context) -> Scores:
    wanted = _targets(context).astype(np.float64)
    short = np.maximum(wanted - rasters, 0.0).sum((1, 2))
    return np.asarray(short / np.maximum(wanted.sum((1, 2)), 1.0))


def spilt(rasters: Pixels, context: Context) -> Scores:
    over = np.maximum(rasters.astype(np.float64) - _targets(context), 0.0).sum((1, 2))
    return np.asarray(over / np.maximum(rasters.sum((1, 2), dtype=np.float64), 1.0))


def ink(rasters: Pixels, context: Context) -> Scores:
    return np.asarray(rasters.mean((1, 2), dtype=np.float64) / 255.0)


def strokes(rasters: Pixels, context: Context) -> Scores:
    """NaN where only the picture is known."""
    known = context.cache.get("strokes")
    return np.full(len(rasters), np.nan) if known is None else np.asarray(known, np.float64)


def blurred(rasters: Pixels, context: Context) -> Scores:
    off = (rasters.astype(np.float64) - _targets(context)) / 255.0
    side = off.shape[1] // 2 * 2
    halves = off[:, :side, :side].reshape(len(off), side // 2, 2, side // 2, 2).mean((2, 4))
    return np.asarray((halves**2).mean((1, 2)))


def _targets(context: Context) -> Any:
    known = context.cache.get("target")
    return targets_of(context.requests) if known is None else known
