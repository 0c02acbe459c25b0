"""Rewards that a classifier gives, made pessimistic: what a picture is worth in a bad light.

A recipe asks for it by `env.lower_bound`: kappa of `reward/lower_bound.py`, which is there explained. A term
that reads pictures by a network then looks at four changed copies of each, moved, scaled and with noise, as
that network learned to see them. Terms over pixels mean the pixels as they are, terms of groups compare
pictures with each other: both stay what they were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from plaudit.domains.image.augment import SHIFTED, augmented
from plaudit.domains.image.pictures import as_tensor
from plaudit.errors import InputError
from plaudit.reward.lower_bound import LowerBound
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import RewardEntry

BOUNDED = ("class_probability", "fidelity", "learned")
"""Terms that a lower bound is for."""


def check_kappa(kappa: float | None) -> None:
    """Raise `InputError` where `kappa` is given and no number from 0 on."""
    if kappa is not None and not (math.isfinite(kappa) and kappa >= 0):
        raise InputError(
            f"lower_bound = {kappa} is no number of deviations from 0 on.",
            place="env.lower_bound",
            hint="1 is usual; leave it out to score pictures as they are.",
        )


def bounded_terms(
    terms: Sequence[Term], entries: Sequence[RewardEntry], kappa: float | None
) -> tuple[Term, ...]:
    """The terms, those in `BOUNDED` by their lower bound at `kappa` deviations; None leaves all as they are.

    Raises `InputError` where none of the reward's entries would change.
    """
    if kappa is None:
        return tuple(terms)
    if not {entry.term for entry in entries} & set(BOUNDED):
        raise InputError(
            "no term of the reward is read by a network, which a lower bound is for.",
            place="env.lower_bound",
            hint=f"Those are: {', '.join(BOUNDED)}.",
        )
    return tuple(
        replace(term, score=_Bounded(term, kappa)) if term.name in BOUNDED else term for term in terms
    )


class _Bounded:
    """The `score` of a term, bounded."""

    def __init__(self, term: Term, kappa: float) -> None:
        self.term, self.kappa = term, kappa

    def __call__(self, items: Any, context: Context) -> Tensor:
        held = {key: value for key, value in context.cache.items() if not key.startswith("reward features")}

        def score(view: Tensor) -> Tensor:
            # Features are kept by the batch that they are of: each view needs a shelf of its own.
            found: Tensor = self.term.score(view, replace(context, cache=dict(held)))
            return found

        bound = LowerBound(score, lambda view, random: augmented(view, SHIFTED, random), kappa=self.kappa)
        return bound(as_tensor(items))
