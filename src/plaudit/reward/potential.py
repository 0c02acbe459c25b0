"""From a composition to the terms of every step: paid as it changes, or paid at the end.

The potential form is the difference of the score before and after the step (Ng, Harada and Russell,
1999, without their discount): undiscounted, an episode's sum telescopes to score(end) - score(start).
It departs from the paper in that this difference is the whole reward and not an addition to one.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.term import Scores

Form = Literal["potential", "end"]


class Stepwise:
    """Pays the columns of a composition over the steps of B episodes.

    Finished items feed the composition's normalising statistics, which `state_dict` holds too.
    """

    def __init__(self, composition: Composition, form: Form) -> None:
        if form not in ("potential", "end"):
            raise InputError(f'the reward form is "{form}".', place="form", hint='Use "potential" or "end".')
        self.composition, self.form = composition, form
        self._before: Scores = np.empty((0, len(composition.names)))

    def start(self, rows: Any, scores: Scores) -> None:
        """Begin episodes in `rows` (indices, mask or slice) with columns `(R, K)` of their first item.

        The first call starts all B rows. The end form keeps nothing, but takes the call.
        """
        if len(self._before) == 0:
            self._before = np.full((len(scores), len(self.composition.names)), np.nan)
        self._before[rows] = scores

    def advance(self, scores: Scores, done: NDArray[np.bool_]) -> Scores:
        """Return the terms `(B, K)` of a step that led to `scores (B, K)`, ending where `done (B,)`.

        NaN before or after makes the step's term NaN. In the end form only the scores of finished
        rows are read. Finished rows are begun again by `start`.
        """
        if done.any():
            self.composition.observe(scores[done])
        if self.form == "end":
            return np.where(done[:, None], scores, 0.0)
        terms = scores - self._before
        self._before = np.array(scores, dtype=np.float64)
        return terms

    def state_dict(self) -> dict[str, Any]:
        return {"before": self._before.copy(), "composition": self.composition.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._before = np.array(state["before"], dtype=np.float64)
        self.composition.load_state_dict(state["composition"])
