"""The one training loop: it budgets any learner and says when to sample, save and stop.

It knows nothing of files: `fit` is a generator of events, and whoever iterates it writes logs,
samples and checkpoints between two steps of the learner. Nothing it decides depends on the wall
clock when budget and checkpoint interval are counted in steps; where they are seconds, they are
seconds of training (time inside `learner.step`), which is part of the resumable state.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from plaudit.engine.learner import Learner, Metrics
from plaudit.errors import InputError

_AMOUNT = re.compile(r"(?P<number>\d+(?:_\d+)*(?:\.\d+)?)\s*(?P<unit>s|m|h|)", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LARGEST = 1e12


@dataclass(frozen=True)
class Amount:
    """A length of training: seconds of training time, or a count of the learner's own units."""

    value: float
    unit: Literal["seconds", "steps"]

    @classmethod
    def parse(cls, text: str, place: str = "budget") -> Amount:
        """Read `"60s"`, `"10m"`, `"2h"` or `"50000"`; raises `InputError` on anything else.

        >>> Amount.parse("1.5m")
        Amount(value=90.0, unit='seconds')
        """
        match = _AMOUNT.fullmatch(str(text).strip())
        number = float(match["number"].replace("_", "")) if match and len(match["number"]) < 20 else 0.0
        whole = match is not None and (match["unit"] != "" or "." not in match["number"])
        if match is None or not whole or not 0 < number <= _LARGEST:
            raise InputError(
                f'"{str(text)[:40]}" is not a length of training.',
                place=place,
                hint='Give seconds, minutes or hours ("60s", "10m", "2h") or a count of steps ("50000").',
            )
        if match["unit"]:
            return cls(number * _SECONDS[match["unit"]], "seconds")
        return cls(number, "steps")

    def share(self, count: int, elapsed_s: float) -> float:
        """Return how much of this amount is done, in [0, 1]."""
        done = elapsed_s if self.unit == "seconds" else count
        return min(1.0, done / self.value)


@dataclass(frozen=True)
class Plan:
    """What `fit` is asked for.

    Attributes:
        budget: how long to train.
        checkpoint: how often to save.
        samples: how many times to sample over the whole budget, the untrained start not counted;
            0 = never.
    """

    budget: Amount
    checkpoint: Amount = Amount(30.0, "seconds")
    samples: int = 10


@dataclass
class Pace:
    """Where a training stands: the part of the loop that a checkpoint holds.

    Attributes:
        elapsed_s: seconds spent inside `learner.step`.
        sampled: sample events given so far.
        saved_count: the learner's count at the newest checkpoint; -1 = none yet.
        saved_s: `elapsed_s` at the newest checkpoint.
    """

    elapsed_s: float = 0.0
    sampled: int = 0
    saved_count: int = -1
    saved_s: float = 0.0

    def state_dict(self) -> dict[str, Any]:
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for item in fields(self):
            setattr(self, item.name, type(getattr(self, item.name))(state[item.name]))


@dataclass(frozen=True)
class Event:
    """Something happened between two steps of the learner.

    Attributes:
        kind: "metrics" after each step; "sample" and "checkpoint" when due; "done" last.
        step: the learner's count, in `unit`.
        share: of the budget, in [0, 1]; below 1 in "done" when the training ended before.
        elapsed_s: seconds of training so far.
        metrics: the learner's row, for "metrics" alone.
        stage: name of the stage in a training of several stages.
    """

    kind: Literal["metrics", "sample", "checkpoint", "done"]
    step: int
    unit: str
    share: float
    elapsed_s: float
    metrics: Metrics | None = None
    stage: str = ""
    finished: bool = False
    """The budget is spent, or the learner has ended by itself; False in "done" when it was stopped."""

    @property
    def eta_s(self) -> float | None:
        """Seconds of training still to come; None before the first step."""
        return self.elapsed_s * (1.0 - self.share) / self.share if self.share > 0 else None


def fit(
    learner: Learner,
    plan: Plan,
    pace: Pace | None = None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Event]:
    """Train until the budget is spent, the learner has `finished` or `stop()`; yields at each step boundary.

    A "checkpoint" event comes before the first step, then at every interval, and at the end; `pace`
    is already up to date when it is yielded. What the caller does with an event is not counted as
    training time. Errors of the learner pass through.
    """
    pace = pace or Pace()
    while True:
        share = plan.budget.share(learner.progress[0], pace.elapsed_s)
        # A learner that has such a property may end by itself, as when a judge declines.
        finished, stopped = share >= 1.0 or bool(getattr(learner, "finished", False)), stop()
        if not stopped and _sample_due(plan, pace, share):
            pace.sampled = int(share * plan.samples) + 1
            yield _event("sample", learner, pace, share)
        if _save_due(plan, pace, learner.progress[0], finished or stopped):
            pace.saved_count, pace.saved_s = learner.progress[0], pace.elapsed_s
            yield _event("checkpoint", learner, pace, share)
        if finished or stopped:
            yield replace(_event("done", learner, pace, share), finished=finished)
            return
        learner.share = share
        start = clock()
        metrics = learner.step()
        pace.elapsed_s += clock() - start
        share = plan.budget.share(learner.progress[0], pace.elapsed_s)
        yield _event("metrics", learner, pace, share, metrics)


def _sample_due(plan: Plan, pace: Pace, share: float) -> bool:
    return plan.samples > 0 and int(share * plan.samples) >= pace.sampled


def _save_due(plan: Plan, pace: Pace, count: int, last: bool) -> bool:
    if pace.saved_count < 0 or last:
        return pace.saved_count != count
    if plan.checkpoint.unit == "seconds":
        return pace.elapsed_s - pace.saved_s >= plan.checkpoint.value
    return count // plan.checkpoint.value > pace.saved_count // plan.checkpoint.value


def _event(
    kind: Literal["metrics", "sample", "checkpoint", "done"],
    learner: Learner,
    pace: Pace,
    share: float,
    metrics: Metrics | None = None,
) -> Event:
    count, unit = learner.progress
    return Event(kind, count, unit, share, pace.elapsed_s, metrics)
