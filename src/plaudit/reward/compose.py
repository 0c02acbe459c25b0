"""The composition: a flat list of weighted, shaped terms and at most one product group.

Every column is a score of which more is better (see `shape.py`), so a positive weight always asks for
what the term calls good. Normalising divides a column by its running standard deviation; as dividing
and weighing commute, it lives in the weight, and the columns of an episode still telescope while the
deviation moves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError, did_you_mean
from plaudit.reward.breakdown import Breakdown
from plaudit.reward.evaluate import evaluate
from plaudit.reward.guard import check_twins
from plaudit.reward.normalise import Moments
from plaudit.reward.shape import Entry, Shape, shape_of
from plaudit.reward.term import Context, Scores, Term

PRODUCT = "product"
_USER_FILE = re.compile(r"\.py:\w+$")


@dataclass(frozen=True)
class _Part:
    """One entry at work: which raw column it reads and how it shapes it."""

    source: int
    shape: Shape


class Composition:
    """K weighted columns over the terms of a task.

    Attributes:
        names: of the K columns: the flat entries in the recipe's order, then "product".
        terms: the M distinct terms that are optimised, in the order of `raw`'s columns.
        twins: the task's `eval_only` terms: reported by `breakdown`, never optimised.
    """

    def __init__(self, entries: Sequence[Entry], terms: Sequence[Term], product_weight: float = 1.0) -> None:
        """Raise `InputError` for no entry, an unknown term, a twin or shaping that cannot be.

        An entry may name a user's function as `file.py:function`; it is loaded here.
        """
        check_twins(entries, terms)
        found = _find_terms(entries, terms)
        self.terms = tuple(found.values())
        self.twins = tuple(term for term in terms if term.eval_only)
        source = {name: at for at, name in enumerate(found)}
        parts = [
            _Part(source[entry.term], shape_of(entry, found[entry.term], _place(at)))
            for at, entry in enumerate(entries)
        ]
        flat = [at for at, entry in enumerate(entries) if not entry.product]
        grouped = [at for at, entry in enumerate(entries) if entry.product]
        for at in grouped:
            _check_member(entries[at], parts[at].shape, _place(at))
        self._flat = [parts[at] for at in flat]
        self._grouped = [parts[at] for at in grouped]
        self.names = tuple(entries[at].term for at in flat) + ((PRODUCT,) if grouped else ())
        self._set_weights([entries[at] for at in flat], product_weight)

    def _set_weights(self, flat: Sequence[Entry], product_weight: float) -> None:
        tail = [product_weight] if self._grouped else []
        self._base = np.array([entry.weight for entry in flat] + tail, dtype=np.float64)
        if not np.isfinite(self._base).all():
            raise InputError("every reward weight must be a finite number.", place="reward")
        if not self._base.any():
            raise InputError("every reward weight is 0: there is nothing to optimise.", place="reward")
        ramps = [entry.ramp or (-1.0, -1.0) for entry in flat] + [(-1.0, -1.0)] * len(tail)
        self._ramp_start, self._ramp_end = np.array(ramps, dtype=np.float64).T
        for at, entry in enumerate(flat):
            if entry.ramp is not None and not 0.0 <= entry.ramp[0] <= entry.ramp[1] <= 1.0:
                raise InputError(
                    f"the ramp of {entry.term} is {list(entry.ramp)}; it runs from one share of the budget "
                    "to a later one, both in [0, 1].",
                    place=_place(at),
                )
        self._normalised = np.array([entry.normalise for entry in flat] + [False] * len(tail))
        self._moments = Moments.zeros(len(self.names))
        self._scale = np.ones(len(self.names))

    def weights(self, progress: float) -> NDArray[np.float64]:
        """Return the weights `(K,)` in force at `progress` in [0, 1] of the training budget."""
        span = np.maximum(self._ramp_end - self._ramp_start, 1e-12)
        grown = np.clip((progress - self._ramp_start) / span, 0.0, 1.0)
        grown[progress >= self._ramp_end] = 1.0
        return np.asarray(self._base * grown / self._scale, dtype=np.float64)

    def raw(self, items: Any, context: Context) -> Scores:
        """Run every optimised term once and return `(B, M)` raw values; NaN = could not be scored."""
        return np.stack([evaluate(term, items, context) for term in self.terms], axis=1)

    def columns(self, raw: Scores) -> Scores:
        """Shape raw values `(B, M)`, in the order of `terms`, into `(B, K)` unweighted columns.

        A kernel that computes the raw values itself starts here.
        """
        scores = np.empty((raw.shape[0], len(self.names)))
        for k, part in enumerate(self._flat):
            scores[:, k] = part.shape(raw[:, part.source])
        if self._grouped:
            scores[:, -1] = 1.0
            for part in self._grouped:
                scores[:, -1] *= part.shape.unit(raw[:, part.source])
        return scores

    def score(self, items: Any, context: Context) -> Scores:
        """Return the shaped, unweighted columns `(B, K)`: what `VecEnv.step` returns as terms."""
        return self.columns(self.raw(items, context))

    def breakdown(self, items: Any, context: Context, share: float = 1.0) -> Breakdown:
        """Score the items and say what each column was worth at `share` of the budget."""
        raw = self.raw(items, context)
        shaped = self.columns(raw)
        weights = self.weights(share)
        weighted = shaped * weights
        shown = [raw[:, part.source] for part in self._flat] + ([shaped[:, -1]] if self._grouped else [])
        total = weighted[:, weights != 0].sum(axis=1)
        return Breakdown(
            names=self.names,
            raw=np.stack(shown, axis=1),
            shaped=shaped,
            weights=weights,
            weighted=weighted,
            total=total,
            valid=~np.isnan(total),
            parts={self.terms[part.source].name: raw[:, part.source] for part in self._grouped},
            twins={term.name: evaluate(term, items, context) for term in self.twins},
        )

    def observe(self, scores: Scores) -> None:
        """Let the columns `(B, K)` of finished items into the normalising statistics.

        A learner takes its weights between two updates: what is observed in one changes the next.
        """
        if self._normalised.any():
            self._moments.merge(Moments.of(scores))
            self._rescale()

    def _rescale(self) -> None:
        self._scale = np.where(self._normalised, self._moments.deviation(), 1.0)

    def state_dict(self) -> dict[str, Any]:
        return self._moments.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._moments.load_state_dict(state)
        self._rescale()


def _find_terms(entries: Sequence[Entry], terms: Sequence[Term]) -> dict[str, Term]:
    """Return the distinct terms that the entries name, in order; load the user's files among them."""
    if not entries:
        raise InputError("the reward has no term.", place="reward", hint="Add one: --reward TERM=1.")
    known = {term.name: term for term in terms}
    found: dict[str, Term] = {}
    seen: set[tuple[str, bool]] = set()
    for at, entry in enumerate(entries):
        if (entry.term, entry.product) in seen:
            raise InputError(
                f'the term "{entry.term}" is listed twice.', place=_place(at), hint="Weigh it once."
            )
        seen.add((entry.term, entry.product))
        if entry.term not in found:
            found[entry.term] = known.get(entry.term) or _load(entry.term, known, _place(at))
    return found


def _load(name: str, known: dict[str, Term], place: str) -> Term:
    if _USER_FILE.search(name):
        from plaudit.reward.user import load_user_term

        return load_user_term(name)
    names = [term.name for term in known.values() if not term.eval_only]
    hint = f"{did_you_mean(name, names)} List: plaudit rewards TASK, or give file.py:function."
    raise InputError(f'no term is called "{name}".', place=place, hint=hint)


def _check_member(entry: Entry, shape: Shape, place: str) -> None:
    if entry.weight != 1.0 or entry.ramp is not None or entry.normalise:
        raise InputError(
            f'"{entry.term}" is in the product group, where a member has no weight, ramp or normalise.',
            place=place,
            hint="Set product_weight for the group.",
        )
    low, high = shape.range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            f'"{entry.term}" cannot be in the product group: its range has no end or no width.',
            place=place,
            hint="Give it a threshold, or take it out of the group.",
        )


def _place(at: int) -> str:
    return f"reward[{at}]"
