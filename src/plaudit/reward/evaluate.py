"""Run one term and hold what it returns to its declaration: shape, range, finiteness."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.errors import Diverged, InputError, PlauditError
from plaudit.reward.term import Context, Scores, Term

_SLACK = 1e-6
"""Relative excess over a range that is rounding (float32 models), not a defect."""


def evaluate(term: Term, items: Any, context: Context) -> Scores:
    """Return the raw values `(B,)` of one term; NaN where it could not score an item.

    A term with `when="step"` returns `(B, T)`; its values are summed over the steps, as an
    undiscounted episode does. Raises `Diverged` for Inf and, for a wrong type, shape or range,
    `InputError` when the user wrote the term and `PlauditError` (a defect) otherwise.
    """
    values = _numbers(term, term.score(items, context))
    expected = (len(items),) if term.when == "end" else (len(items), "T")
    if values.ndim != len(expected) or values.shape[0] != len(items):
        raise _defect(term)(
            f'the term "{term.name}" returned shape {values.shape}, expected {_shape(expected)}.',
            hint="Return one number for each item.",
        )
    _check_finite(term, values)
    _check_range(term, values)
    return values.sum(axis=1) if term.when == "step" else values


def _numbers(term: Term, returned: Any) -> Scores:
    if hasattr(returned, "detach"):
        returned = returned.detach().cpu().numpy()
    try:
        return np.asarray(returned, dtype=np.float64)
    except (TypeError, ValueError) as error:
        got = type(returned).__name__
        raise _defect(term)(
            f'the term "{term.name}" returned {got}, expected an array of numbers: {error}.'
        ) from error


def _check_finite(term: Term, values: Scores) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.argwhere(infinite)[0, 0])
        raise Diverged(
            f'the term "{term.name}" returned {values[infinite][0]} for item {row}.',
            hint="Return NaN for an item that cannot be scored.",
        )


def _check_range(term: Term, values: Scores) -> None:
    low, high = term.range
    outside = (values < low - _SLACK * max(1.0, abs(low))) | (values > high + _SLACK * max(1.0, abs(high)))
    if outside.any():
        row = int(np.argwhere(outside)[0, 0])
        raise _defect(term)(
            f'the term "{term.name}" returned {values[outside][0]:g} for item {row}, '
            f"outside of its declared range {low:g} to {high:g}.",
            hint="Widen the range or correct the term.",
        )


def _defect(term: Term) -> type[PlauditError]:
    return InputError if term.user else PlauditError


def _shape(expected: tuple[Any, ...]) -> str:
    return "(" + ", ".join(str(n) for n in expected) + (",)" if len(expected) == 1 else ")")
