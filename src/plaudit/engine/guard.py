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


class Kept:
    """Weights of a moment of a training that are to outlive it.

    Attributes:
        weights: by name, copied; empty before anything was kept.
        said: what spoke for them, as numbers that later moments are compared with.
        step: when that was.
    """

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}
        self.said: tuple[float, ...] = ()
        self.step = 0

    def take(self, weights: dict[str, Tensor], said: tuple[float, ...], step: int) -> None:
        """Keep a copy of these weights in the place of those before."""
        self.weights = {name: tensor.detach().clone() for name, tensor in weights.items()}
        self.said, self.step = said, step

    def state_dict(self) -> State:
        return {"weights": dict(self.weights), "said": list(self.said), "step": self.step}

    def load_state_dict(self, state: State) -> None:
        self.weights = {name: torch.as_tensor(tensor) for name, tensor in state["weights"].items()}
        self.said, self.step = tuple(float(number) for number in state["said"]), int(state["step"])


class JudgeGuard:
    """What a judge says over the training, and the weights that it liked best.

    Attributes:
        finished: the judge has declined.
        kept: the weights when its running mean was highest, with that mean and its standard error; none
            before the first full window.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.looks, self.finished = patience, 0, False
        self.before = (math.nan, math.nan)
        self.recent: deque[tuple[float, float]] = deque(maxlen=max(patience, 1))
        self.kept = Kept()

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
            row |= {"declined": 1.0, "best_judge": self.kept.said[0], "best_step": self.kept.step}
        return row

    def _weigh(self, weights: dict[str, Tensor]) -> None:
        mean, error = self._window()
        highest, uncertain = self.kept.said or (-math.inf, 0.0)
        if mean > highest:
            self.kept.take(weights, (mean, error), self.looks)
        elif self.looks - self.kept.step >= self.patience:
            self.finished = highest - mean > _SIGMAS * math.hypot(error, uncertain)

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
            "kept": self.kept.state_dict(),
        }

    def load_state_dict(self, state: State) -> None:
        self.looks, self.finished = int(state["looks"]), bool(state["finished"])
        self.before = (float(state["before"][0]), float(state["before"][1]))
        self.recent.clear()
        self.recent.extend((float(mean), float(square)) for mean, square in state["recent"])
        self.kept.load_state_dict(state["kept"])
