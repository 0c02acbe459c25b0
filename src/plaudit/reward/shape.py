"""Shaping: how the raw value of one term becomes a score of which more is always better.

A minimised term is negated here and nowhere else, so that every column of a composition, every
weight and every curve reads the same way: up is good.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from plaudit.errors import InputError, PlauditError
from plaudit.reward.term import Scores, Term


class Entry(Protocol):
    """One line of a recipe's reward (`plaudit.runs.recipe.RewardEntry`): see there for the meaning."""

    @property
    def term(self) -> str: ...
    @property
    def weight(self) -> float: ...
    @property
    def target(self) -> float | None: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def ramp(self) -> tuple[float, float] | None: ...
    @property
    def normalise(self) -> bool: ...
    @property
    def product(self) -> bool: ...


@dataclass(frozen=True)
class Shape:
    """The shaping of one entry: a target with tolerance, a threshold, or the plain value.

    `range` is that of the shaped score; infinite where the term's own range is.
    """

    minimize: bool
    target: float | None
    tolerance: float
    threshold: float | None
    range: tuple[float, float]

    def __call__(self, raw: Scores) -> Scores:
        """Map raw values `(B,)` to scores `(B,)`; NaN stays NaN.

        target: -(|x - target| - tolerance)+, 0 is best. threshold: 1 where x reaches it (for a
        minimised term: stays at or below it), else 0. Neither: x, negated for a minimised term.
        """
        if self.target is not None:
            return -np.maximum(np.abs(raw - self.target) - self.tolerance, 0.0)
        if self.threshold is not None:
            reached = raw <= self.threshold if self.minimize else raw >= self.threshold
            return np.where(np.isnan(raw), np.nan, reached.astype(np.float64))
        return -raw if self.minimize else raw

    def unit(self, raw: Scores) -> Scores:
        """Map raw values `(B,)` to the shaped score's place in its own range, [0, 1], 1 = best."""
        low, high = self.range
        return np.clip((self(raw) - low) / (high - low), 0.0, 1.0)


def shape_of(entry: Entry, term: Term, place: str) -> Shape:
    """Check the shaping of an entry against its term and return it; raises `InputError` at `place`."""
    low, high = term.range
    if not low < high:
        kind = InputError if term.user else PlauditError
        raise kind(f'the term "{term.name}" declares the range {low:g} to {high:g}; low must be below high.')
    if entry.target is not None and entry.threshold is not None:
        raise InputError("has both a target and a threshold.", place=place, hint="Choose one.")
    if entry.tolerance and entry.target is None:
        raise InputError("has a tolerance without a target.", place=place, hint="Set target as well.")
    for key, value in (("target", entry.target), ("threshold", entry.threshold)):
        # The range of a stepwise term holds for each step, not for the sum that is shaped.
        outside = value is not None and term.when == "end" and not low <= value <= high
        if value is not None and (outside or not math.isfinite(value)):
            raise InputError(
                f'{key} {value:g} is outside of the range of "{term.name}", {low:g} to {high:g}.', place=place
            )
    minimize = term.direction == "minimize"
    bounds = (-math.inf, math.inf) if term.when == "step" else (low, high)
    return Shape(minimize, entry.target, entry.tolerance, entry.threshold, _range(entry, minimize, bounds))


def _range(entry: Entry, minimize: bool, bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    if entry.target is not None:
        farthest = max(entry.target - low, high - entry.target) - entry.tolerance
        return -max(farthest, 0.0), 0.0
    if entry.threshold is not None:
        return 0.0, 1.0
    return (-high, -low) if minimize else (low, high)
