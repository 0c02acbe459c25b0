"""A composition at work on items: scores, their weighted sum, its slope by the items, how many.

What is optimised goes through the items alone, so that a source need know nothing of networks: a slope
`(B, *item)` is asked for at detached items, and whoever made them passes it on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.env import State
from plaudit.engine.learner import Metrics, Weighing
from plaudit.errors import Diverged, InputError


class Rewards:
    """A source's columns, weighed.

    Attributes:
        queries: items that were scored so far.
        share: of the budget, for the weights.
    """

    def __init__(self, source: Any, weighing: Weighing) -> None:
        self.source, self.weighing = source, weighing
        self.queries, self.share = 0, 0.0
        self._seen: list[NDArray[np.float64]] = []

    def score(self, items: Tensor, labels: Tensor | None) -> NDArray[np.float64]:
        """Columns `(B, K)` of a black box; NaN = could not be scored."""
        columns = np.asarray(self._way("score")(items.detach(), labels), np.float64)
        self._count(columns, len(items))
        return columns

    def slope(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """The gradient `(B, *item)` of the mean reward by detached items; 0 for one that was not scored."""
        leaf = items.detach().requires_grad_()
        columns = self._way("columns")(leaf, labels)
        self._count(columns.detach().double().numpy(), len(items))
        total = self.weigh(columns)
        if not total.requires_grad:
            raise InputError(
                "no term of the reward has a gradient.",
                place="learner.reward.method",
                hint='Take "score" or "surrogate" for black boxes.',
            )
        return mean_slope(total, leaf)

    def weigh(self, columns: Tensor) -> Tensor:
        """Weighted sums `(B,)` of columns `(B, K)`, differentiable; NaN where a used one is unknown."""
        weights = self.weighing.weights(self.share)
        used = np.flatnonzero(weights)
        scaled = columns[:, used] * torch.as_tensor(weights[used], dtype=columns.dtype)
        return scaled.sum(1)

    def measure(self, items: Tensor, labels: Tensor | None) -> None:
        """Score items for the log alone."""
        self._count(self._plain(items, labels), len(items))

    def means(self, items: Tensor, labels: Tensor | None) -> NDArray[np.float64]:
        """Mean of every column `(K,)` over items beside the training, not reported; NaN = unknown."""
        columns = self._plain(items, labels)
        self._check(columns, len(items))
        return known_means(columns)

    def _plain(self, items: Tensor, labels: Tensor | None) -> NDArray[np.float64]:
        """Columns `(B, K)` that nothing follows, whichever way the source has."""
        if hasattr(self.source, "score"):
            return np.asarray(self.source.score(items.detach(), labels), np.float64)
        with torch.no_grad():
            found: Tensor = self._way("columns")(items.detach(), labels)
        return found.double().numpy()

    def _way(self, name: str) -> Any:
        if not hasattr(self.source, name):
            raise InputError(
                f"the task cannot give a reward this way: it has no {name}(items, labels).",
                place="learner.reward.method",
            )
        return getattr(self.source, name)

    def _count(self, columns: NDArray[np.float64], rows: int) -> None:
        self._check(columns, rows)
        self._seen.append(columns)

    def _check(self, columns: NDArray[np.float64], rows: int) -> None:
        """Refuse columns of another shape or without bounds; what remains was asked for, and counts."""
        if columns.shape != (rows, len(self.weighing.names)):
            raise InputError(
                f"{rows} items were to be scored by {len(self.weighing.names)} terms; "
                f"the scores have the shape {columns.shape}.",
                place="reward",
            )
        if np.isinf(columns).any():
            raise Diverged("the reward of an item is infinite.")
        self.queries += rows

    def report(self) -> Metrics:
        """What was scored since the last report: mean of every term, and the count of queries."""
        if not self._seen:
            return {"queries": self.queries}
        seen = np.concatenate(self._seen)
        self._seen.clear()
        weights, known = np.asarray(self.weighing.weights(self.share)), ~np.isnan(seen)
        raw = np.where(known, seen, 0.0).sum(0) / np.maximum(known.sum(0), 1)
        weighted = np.where(weights != 0, raw * weights, 0.0)
        rows = zip(self.weighing.names, raw, weights, weighted, strict=True)
        return {
            "queries": self.queries,
            "return": float(weighted.sum()),
            "masked": int((~known[:, weights != 0].all(1)).sum()),
            "terms": {n: {"raw": float(r), "weight": float(w), "weighted": float(x)} for n, r, w, x in rows},
        }

    def state_dict(self) -> State:
        return {"queries": self.queries}

    def load_state_dict(self, state: State) -> None:
        self.queries = int(state["queries"])


def known_means(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means `(K,)` over the known rows of columns `(B, K)`; NaN where none is known."""
    known = ~np.isnan(columns)
    count = known.sum(0)
    return np.where(count > 0, np.where(known, columns, 0.0).sum(0) / np.maximum(count, 1), np.nan)


def mean_slope(total: Tensor, items: Tensor) -> Tensor:
    """The gradient of the mean of `total (B,)` over its known rows by `items (B, *item)`; 0 in the others.

    Rows are cut after the gradient, as what is not a number would go through a mask before it.
    """
    known = ~total.detach().isnan()
    (slope,) = torch.autograd.grad(total[known].sum(), items)
    rows = known.view(-1, *[1] * (items.dim() - 1))
    slope = torch.where(rows, slope, 0.0) / known.sum().clamp(min=1)
    if not bool(slope.isfinite().all()):
        raise Diverged("the slope of the reward is not finite.")
    return slope
