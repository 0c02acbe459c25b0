"""The breakdown: what every term said of every item, and what that was worth. The number shown is this."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.reward.term import Scores


@dataclass(frozen=True)
class Breakdown:
    """K columns for B items.

    Attributes:
        names: of the K columns; the product group is the one named "product".
        raw: `(B, K)` values as the terms returned them (the product itself for the product group).
        shaped: `(B, K)` scores after shaping, more is better.
        weights: `(K,)` in force, ramps and normalisation included.
        weighted: `(B, K)` `shaped * weights`.
        total: `(B,)` sum of the weighted columns of non-zero weight; NaN for a masked item.
        valid: `(B,)` False where a term of non-zero weight could not score the item.
        parts: raw values `(B,)` of the product group's members.
        twins: raw values `(B,)` of the terms that are reported and never optimised.
    """

    names: tuple[str, ...]
    raw: Scores
    shaped: Scores
    weights: Scores
    weighted: Scores
    total: Scores
    valid: NDArray[np.bool_]
    parts: Mapping[str, Scores]
    twins: Mapping[str, Scores]

    @property
    def masked(self) -> int:
        """How many items could not be scored."""
        return int((~self.valid).sum())

    def item(self, row: int) -> dict[str, dict[str, Any]]:
        """Return `name -> {"raw", "weight", "weighted"}` of one item, as JSON; None = not scored.

        Product members and twins stand below the columns, with weight 0.
        """
        table = {
            name: _cell(self.raw[row, k], self.weights[k], self.weighted[row, k])
            for k, name in enumerate(self.names)
        }
        for name, values in (*self.parts.items(), *self.twins.items()):
            table.setdefault(name, _cell(values[row], 0.0, 0.0))
        return table

    def means(self) -> dict[str, dict[str, Any]]:
        """Return `name -> {"raw", "weight", "weighted"}` averaged over the items that were scored."""
        table = {
            name: _cell(_mean(self.raw[:, k]), self.weights[k], _mean(self.weighted[:, k]))
            for k, name in enumerate(self.names)
        }
        for name, values in (*self.parts.items(), *self.twins.items()):
            table.setdefault(name, _cell(_mean(values), 0.0, 0.0))
        return table


def _cell(raw: float, weight: float, weighted: float) -> dict[str, Any]:
    cell = {"raw": raw, "weight": weight, "weighted": weighted}
    return {key: None if math.isnan(value) else float(value) for key, value in cell.items()}


def _mean(values: Scores) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan
