"""The training loop on a learner that is no MDP: budgets, events, resuming, stopping."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from plaudit.engine.fit import Amount, Event, Pace, Plan, fit
from plaudit.errors import Diverged, InputError


class RunningMean:
    """The smallest learner: its model is the mean of a stream of numbers."""

    def __init__(self, fail_at: int = -1) -> None:
        self.share, self.count, self.fail_at = 0.0, 0, fail_at
        self.mean = torch.zeros(1, dtype=torch.float64)
        self.shares: list[float] = []

    def step(self) -> dict[str, Any]:
        if self.count == self.fail_at:
            raise Diverged("the mean is not finite.")
        self.shares.append(self.share)
        self.count += 1
        self.mean += (self.count - self.mean) / self.count
        return {"mean": float(self.mean)}

    @property
    def progress(self) -> tuple[int, str]:
        return self.count, "numbers"


def names(events: list[Event]) -> list[tuple[str, int]]:
    return [(event.kind, event.step) for event in events if event.kind != "metrics"]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("60s", 60.0, "seconds"),
        ("1.5m", 90.0, "seconds"),
        (" 2h ", 7200.0, "seconds"),
        ("50000", 50000.0, "steps"),
        ("50_000", 50000.0, "steps"),
    ],
)
def test_amounts_are_read(text: str, value: float, unit: str) -> None:
    assert Amount.parse(text) == Amount(value, unit)


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5", "ten", "5d", "1e5", "1.5", "nan", "inf", "9" * 30, "1__0", "٣s", "5 5"]
)
def test_nonsense_amounts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"recipe: .*length of training"):
        Amount.parse(text, place="recipe")


def test_a_step_budget_gives_every_event_at_its_step() -> None:
    learner = RunningMean()
    plan = Plan(Amount(10, "steps"), Amount(4, "steps"), samples=5)
    events = list(fit(learner, plan))
    assert [event.step for event in events if event.kind == "metrics"] == list(range(1, 11))
    assert [event.step for event in events if event.kind == "sample"] == [0, 2, 4, 6, 8, 10]
    assert [event.step for event in events if event.kind == "checkpoint"] == [0, 4, 8, 10]
    assert names(events)[:2] == [("sample", 0), ("checkpoint", 0)]
    assert names(events)[-3:] == [("sample", 10), ("checkpoint", 10), ("done", 10)]
    assert learner.shares == pytest.approx([i / 10 for i in range(10)])
    assert events[-1].share == 1.0 and events[-1].unit == "numbers"
    assert float(learner.mean) == pytest.approx(5.5)


def test_seconds_are_seconds_of_training() -> None:
    """A clock that ticks once per reading: each step takes 1 s, what happens between steps nothing."""
    ticks = iter(range(1000))
    plan = Plan(Amount(5, "seconds"), Amount(2, "seconds"), samples=0)
    events = list(fit(RunningMean(), plan, clock=lambda: float(next(ticks))))
    assert names(events) == [
        ("checkpoint", 0),
        ("checkpoint", 2),
        ("checkpoint", 4),
        ("checkpoint", 5),
        ("done", 5),
    ]
    middle = next(event for event in events if event.step == 2)
    assert middle.elapsed_s == 2.0 and middle.eta_s == pytest.approx(3.0)


def test_a_resumed_loop_gives_the_events_that_were_left() -> None:
    plan = Plan(Amount(20, "steps"), Amount(4, "steps"), samples=10)
    whole = list(fit(RunningMean(), plan))
    for cut in range(0, 21, 4):
        learner, pace = RunningMean(), Pace()
        for event in fit(learner, plan, pace):
            if event.kind == "checkpoint" and event.step == cut:
                break
        again = Pace()
        again.load_state_dict(pace.state_dict())
        rest = [(event.kind, event.step) for event in fit(learner, plan, again)]
        seen = [(event.kind, event.step) for event in whole]
        assert rest == seen[seen.index(("checkpoint", cut)) + 1 :]


def test_stopping_saves_and_says_so() -> None:
    learner = RunningMean()
    plan = Plan(Amount(100, "steps"), Amount(50, "steps"), samples=0)
    events = list(fit(learner, plan, stop=lambda: learner.count >= 7))
    assert names(events)[-2:] == [("checkpoint", 7), ("done", 7)]
    assert events[-1].share == pytest.approx(0.07)


def test_a_spent_budget_trains_no_further() -> None:
    learner, pace = RunningMean(), Pace()
    plan = Plan(Amount(3, "steps"), samples=0)
    list(fit(learner, plan, pace))
    assert [event.kind for event in fit(learner, plan, pace)] == ["done"]
    assert learner.count == 3


def test_divergence_passes_through() -> None:
    learner = RunningMean(fail_at=3)
    with pytest.raises(Diverged, match="mean"):
        list(fit(learner, Plan(Amount(10, "steps"))))
    assert learner.count == 3
