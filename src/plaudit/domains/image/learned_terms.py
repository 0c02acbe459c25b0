"""The term `learned` and its twin: what a reward learned from two folders says (`inputs.reward`).

Without such a reward at hand both are NaN, not scored: a preset may be sampled where the file is not.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from plaudit.domains.image.learned import read_learned
from plaudit.reward.learned import Learned
from plaudit.reward.term import Context, Term

KEY = "learned"
"""In a context's cache: a `Learned`, or the path of one."""


def learned_terms() -> tuple[Term, ...]:
    """`learned` may be optimised, `learned_judge` never."""
    return (
        Term(
            "learned",
            _learned,
            "Chance that it is good, by the reward of plaudit reward in inputs.reward.",
            (0.0, 1.0),
            grad="pathwise",
        ),
        Term(
            "learned_judge",
            _judged,
            "The same by that reward's judge, which learned from other examples.",
            (0.0, 1.0),
            eval_only=True,
        ),
    )


@lru_cache(maxsize=4)
def known(path: Path) -> Learned:
    """The learned reward of a file, read once; raises `InputError`."""
    return read_learned(path)


def _found(context: Context) -> Learned | None:
    held = context.cache.get(KEY)
    if isinstance(held, Path):
        return known(held) if held.is_file() else None
    return held if isinstance(held, Learned) else None


def _learned(items: Any, context: Context) -> Any:
    held = _found(context)
    return np.full(len(items), np.nan) if held is None else held.score(items)


def _judged(items: Any, context: Context) -> Any:
    held = _found(context)
    return np.full(len(items), np.nan) if held is None else held.judged(items).double().numpy()
