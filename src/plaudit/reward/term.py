"""A term: one named, batched measure of items, and the context it is scored in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plaudit.engine.random import RowRandom

Scores = NDArray[np.float64]
"""`(B,)`, or `(B, T)` for a term with `when="step"`; NaN = could not be scored."""


@dataclass
class Context:
    """What a term may look at beside the items.

    Attributes:
        requests: B requests (the task's pydantic model), one for each item.
        references: the items to compare with (a corpus, a style), where the task has some.
        groups: `(B,)` group ids for terms of scope "group"; None = every item its own group.
        generator: one random generator per item, for terms that sample.
        cache: features shared by several terms of one scoring call, keyed by the feature's name.
    """

    requests: Sequence[Any] = ()
    references: Sequence[Any] = ()
    groups: NDArray[np.int64] | None = None
    generator: RowRandom | None = None
    cache: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Term:
    """A named measure `score(items, context) -> (B,)`, with all that a user must know to weigh it.

    Attributes:
        name: how recipes and `--reward name=weight` call it.
        score: the batched function; `items` is the domain's plain batch (an array or a list).
        summary: one sentence for `plaudit rewards`.
        range: lowest and highest possible value; scores outside of it are a defect of the term.
        direction: which way is better.
        scope: "item" scores each alone; "group" and "batch" compare items with each other.
        when: "end" scores finished (or, in potential form, partial) items; "step" gives `(B, T)`.
        grad: "pathwise" terms are differentiable in torch and run in process.
        eval_only: a twin: reported, never optimised.
        user: written by the user; runs in a child process under a time limit.
    """

    name: str
    score: Callable[[Any, Context], Any]
    summary: str
    range: tuple[float, float]
    direction: Literal["maximize", "minimize"] = "maximize"
    scope: Literal["item", "group", "batch"] = "item"
    when: Literal["end", "step"] = "end"
    grad: Literal["none", "pathwise"] = "none"
    eval_only: bool = False
    user: bool = False

    def __call__(self, items: Any, context: Context) -> Any:
        """Score the items, unchecked; `plaudit.reward.evaluate` holds the result to the declaration."""
        return self.score(items, context)


def describe_terms(terms: Sequence[Term]) -> list[dict[str, Any]]:
    """Return one JSON row a term for `plaudit rewards`; an endless side of a range is None."""
    return [
        {
            "name": term.name,
            "range": [bound if math.isfinite(bound) else None for bound in term.range],
            "direction": term.direction,
            "scope": term.scope,
            "when": term.when,
            "differentiable": term.grad == "pathwise",
            "eval_only": term.eval_only,
            "summary": term.summary,
        }
        for term in terms
    ]
