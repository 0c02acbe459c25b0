"""Guards against a reward that is won without the content getting better.

Twins are measures that are reported and never optimised: when the reward rises and its twin falls, the
policy has found a hole in the reward. The alarms are pure functions over logged arrays; each returns
one plain sentence, or None when there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError
from plaudit.reward.shape import Entry
from plaudit.reward.term import Term

Series = NDArray[np.float64]

_COLLAPSED = 0.05
_DUPLICATES = 0.95
_SIGMAS = 3.0
_FEWEST = 6


def check_twins(entries: Sequence[Entry], terms: Sequence[Term]) -> None:
    """Raise `InputError` when an entry would optimise a term that is marked `eval_only`."""
    twins = {term.name for term in terms if term.eval_only}
    for at, entry in enumerate(entries):
        if entry.term in twins:
            raise InputError(
                f'"{entry.term}" is a twin: it is reported and never optimised.',
                place=f"reward[{at}]",
                hint="Leave it out of the reward; it is in every report.",
            )


def entropy_collapse(entropy: Series, highest: float) -> str | None:
    """Warn when the last fifth of an entropy series `(T,)` (nats) lies below 5 % of `highest`.

    >>> entropy_collapse(np.array([1.0, 0.5, 0.01, 0.01, 0.01, 0.01]), 1.1) is None
    False
    """
    entropy = entropy[~np.isnan(entropy)]
    if len(entropy) < _FEWEST or highest <= 0:
        return None
    share = float(entropy[-max(1, len(entropy) // 5) :].mean()) / highest
    if share >= _COLLAPSED:
        return None
    return (
        f"The policy's entropy has collapsed to {max(share, 0.0):.1%} of its highest: it hardly explores. "
        "Raise the entropy bonus or lower the learning rate."
    )


def reward_against_twin(reward: Series, twin: Series, name: str, direction: str = "maximize") -> str | None:
    """Warn when the reward `(T,)` rose over training while the twin `(T,)` got worse.

    Rising means: the mean of the last third is above that of the first by more than three standard
    errors. Rows where either is NaN are left out.
    """
    known = ~(np.isnan(reward) | np.isnan(twin))
    reward, twin = reward[known], twin[known]
    if len(reward) < _FEWEST or _trend(reward) <= _SIGMAS:
        return None
    worse = _trend(twin) if direction == "minimize" else -_trend(twin)
    if worse <= _SIGMAS:
        return None
    third = len(twin) // 3
    return (
        f'The reward rises while its twin "{name}" gets worse '
        f"({twin[:third].mean():.3g} -> {twin[-third:].mean():.3g}): the policy may exploit the reward. "
        "Look at the samples."
    )


def judge_declined(row: dict[str, float]) -> str | None:
    """Say that a training ended because its judge declined; `row` is the logged row of that step.

    >>> judge_declined({"judge": 0.5, "return": 3.0}) is None
    True
    """
    if not row.get("declined"):
        return None
    return (
        f"The training was stopped: its judge, which is never optimised, fell from {row['best_judge']:.3g} "
        f"to {row['judge']:.3g} while the reward was pursued (gaming gap {row['gaming_gap']:.3g}): the "
        "policy had begun to exploit the reward. Kept are the weights that the judge liked best, of its "
        f"look {row['best_step']:.0f}."
    )


def duplicates(items: Sequence[Any]) -> str | None:
    """Warn when more than 95 % of the items after the first are copies of an earlier one.

    Items are compared by content: arrays `(n, ...)` or lists of arrays by shape and bytes, other
    objects by their text.
    """
    if len(items) < 2:
        return None
    share = (len(items) - len({_key(item) for item in items})) / (len(items) - 1)
    if share <= _DUPLICATES:
        return None
    return (
        f"{share:.0%} of the samples are copies of another: the generator has collapsed. "
        "Reward novelty, or raise the entropy bonus."
    )


def _trend(series: Series) -> float:
    """Return the change from the first third to the last, in standard errors; 0 for no change."""
    third = len(series) // 3
    first, last = series[:third], series[-third:]
    change = float(last.mean() - first.mean())
    error = float(np.sqrt((first.var(ddof=1) + last.var(ddof=1)) / third))
    return change / max(error, 1e-12)


def _key(item: Any) -> tuple[Any, ...]:
    if isinstance(item, np.ndarray):
        return item.shape, item.dtype.str, item.tobytes()
    return (repr(item),)
