"""A judge beside the reward while a generator is tuned: the gaming gap, and stopping when the judge declines.

The judge is a measure that is never optimised. As long as its samples get better, reward and judge rise
together; a reward that is won by exploiting it rises while the judge falls. Gains are shares of the base's
values, so that the two can be told apart in one unit: gaming gap = reward gain - judge gain.

The rule: the judge is looked at on samples of every step. Over each `patience` steps its mean and error
are taken; where the present mean lies more than three standard errors below the best one so far, and the
two have no step in common, the judge has declined. A judge that has come to rest does not stop the
training.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.env import State
from plaudit.engine.learner import Metrics
from plaudit.errors import InputError

_SIGMAS = 3.0


def relative_gain(value: float, before: float) -> float:
    """How far `value` is above `before`, as a share of its size; NaN where that is 0.

    >>> relative_gain(-1.0, -4.0)
    0.75
    """
    return (value - before) / abs(before) if before else math.nan


def judgement(judged: Any, rows: int) -> Tensor:
    """What a judge gave for so many samples, `(B,)` float64; raises `InputError` for another shape."""
    found = torch.as_tensor(judged, dtype=torch.float64)
    if found.shape != (rows,):
        raise InputError(f"the judge gave {tuple(found.shape)} for {rows} samples.")
    return found


class JudgeGuard:
    """What a judge says over the training, and the weights that it liked best.

    Attributes:
        finished: the judge has declined.
        best: weights by name when its running mean was highest; empty before the first full window.
        best_step: at which look that was.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.looks, self.finished = patience, 0, False
        self.before = (math.nan, math.nan)
        self.recent: deque[tuple[float, float]] = deque(maxlen=max(patience, 1))
        self.best: dict[str, Tensor] = {}
        self.best_step, self.highest, self.error = 0, -math.inf, 0.0

    def look(self, judged: Tensor, reward: float, weights: dict[str, Tensor]) -> Metrics:
        """Take in what the judge said of a step's samples `(B,)` and their mean reward; the row to log.

        NaN = could not be judged. `weights` are those that would be kept now.
        """
        known = judged[~judged.isnan()].double()
        if len(known) == 0:
            return {"judge": math.nan, "gaming_gap": math.nan}
        mean = float(known.mean())
        if self.looks == 0:
            # Nothing has been learned before the first step: these are the base's values.
            self.before = (reward, mean)
        self.looks += 1
        self.recent.append((mean, float(known.var(correction=0)) / len(known)))
        if self.patience > 0 and len(self.recent) == self.patience:
            self._weigh(weights)
        gains = [relative_gain(now, then) for now, then in zip((reward, mean), self.before, strict=True)]
        row: Metrics = {"judge": mean, "gaming_gap": gains[0] - gains[1]}
        if self.finished:
            row |= {"declined": 1.0, "best_judge": self.highest, "best_step": self.best_step}
        return row

    def _weigh(self, weights: dict[str, Tensor]) -> None:
        mean, error = self._window()
        if mean > self.highest:
            self.highest, self.error, self.best_step = mean, error, self.looks
            self.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
        elif self.looks - self.best_step >= self.patience:
            self.finished = self.highest - mean > _SIGMAS * math.hypot(error, self.error)

    def _window(self) -> tuple[float, float]:
        """Mean of the recent looks and its standard error, from within the looks and between them."""
        means, squares = np.array(self.recent).T
        within = float(squares.sum()) / len(means) ** 2
        between = float(means.var(ddof=1)) / len(means) if len(means) > 1 else 0.0
        return float(means.mean()), math.sqrt(max(within, between))

    def state_dict(self) -> State:
        return {
            "looks": self.looks,
            "finished": self.finished,
            "before": list(self.before),
            "recent": [list(each) for each in self.recent],
            "best": dict(self.best),
            "best_step": self.best_step,
            "highest": self.highest,
            "error": self.error,
        }

    def load_state_dict(self, state: State) -> None:
        self.looks, self.best_step = int(state["looks"]), int(state["best_step"])
        self.finished = bool(state["finished"])
        self.before = (float(state["before"][0]), float(state["before"][1]))
        self.recent.clear()
        self.recent.extend((float(mean), float(square)) for mean, square in state["recent"])
        self.best = {name: torch.as_tensor(tensor) for name, tensor in state["best"].items()}
        self.highest, self.error = float(state["highest"]), float(state["error"])
