"""The judge beside the reward: the gaming gap by hand, stopping on decline, and resuming exactly."""

import math

import pytest
import torch
import toy_flows as toy

from plaudit.engine.fit import Amount, Plan, fit
from plaudit.engine.flow import pathwise
from plaudit.engine.guard import JudgeGuard, relative_gain
from plaudit.errors import InputError


def looks(guard, judged, reward=1.0):
    rows = []
    for value in judged:
        spread = torch.tensor([value - 0.1, value + 0.1] * 8)
        rows.append(guard.look(spread, reward, {"w": torch.tensor([value])}))
    return rows


def test_the_gaming_gap_by_hand():
    guard = JudgeGuard(0)
    assert guard.look(torch.tensor([0.1, 0.3]), -4.0, {}) == {"judge": pytest.approx(0.2), "gaming_gap": 0.0}
    # The reward came three quarters nearer to 0, the judge doubled.
    row = guard.look(torch.tensor([0.4, 0.4, math.nan]), -1.0, {})
    assert row == {"judge": pytest.approx(0.4), "gaming_gap": pytest.approx(0.75 - 1.0)}
    assert math.isnan(relative_gain(1.0, 0.0)) and not guard.kept.weights


def test_a_decline_stops_and_a_rest_does_not():
    resting = JudgeGuard(4)
    looks(resting, [0.1, 0.4, 0.7, 0.9, 0.91, 0.9] + [0.9, 0.91] * 20)
    assert not resting.finished and float(resting.kept.weights["w"]) > 0.85
    falling = JudgeGuard(4)
    looks(falling, [0.1, 0.4, 0.7, 0.9, 0.91, 0.9, 0.9])
    assert not falling.finished
    looks(falling, [0.6, 0.5])
    assert not falling.finished
    looks(falling, [0.4, 0.3, 0.3])
    assert falling.finished and falling.kept.step == 7
    assert float(falling.kept.weights["w"]) == pytest.approx(0.9)


def test_means_that_share_a_look_are_not_compared():
    guard = JudgeGuard(8)
    looks(guard, [0.9] * 8 + [0.4] * 7)
    assert not guard.finished
    looks(guard, [0.4])
    assert guard.finished and guard.kept.step == 8


def test_noise_alone_stops_no_training():
    generator, stopped = torch.Generator().manual_seed(0), 0
    for _ in range(40):
        guard = JudgeGuard(5)
        for _ in range(60):
            guard.look(0.5 + 0.3 * torch.randn(16, generator=generator), 0.0, {"w": torch.zeros(1)})
        stopped += guard.finished
    assert stopped <= 4


class Hacked(toy.Slope):
    """The judge asks for the base's own place along the way that the reward leaves for ever."""

    def judge(self, label, x):
        return -(x.flatten(1)[:, 1] - 0.6).abs()


def tuner(seed=1, **settings):
    made = toy.tuner(
        **{"method": "pathwise", "requests": 8, "group": 8, "steps": 6, "beta": 0.0, "ema": 0.5, **settings}
    )
    made.tuned.source = Hacked()
    return made


def train(made, budget=6400):
    plan = Plan(Amount(budget, "steps"), Amount(budget, "steps"), samples=0)
    return [event for event in fit(made, plan) if event.kind in ("metrics", "done")]


def test_the_training_ends_and_keeps_what_the_judge_liked():
    settings = {"learning_rate": 5e-3, "learning_rate_end": 5e-3}
    free, made = tuner(**settings), tuner(stop_on_decline=5, **settings)
    every, events = train(free), train(made)
    assert len(every) == 101 and len(events) < 60 and made.finished and not free.finished
    assert events[-1].finished and events[-1].share < 1.0 and every[-1].share == 1.0
    last = events[-2].metrics
    assert last["declined"] == 1.0 and last["best_judge"] > last["judge"]
    assert every[-2].metrics["gaming_gap"] > 1.0
    kept, lost = (
        m.policy().draw(torch.randn(500, 2, generator=torch.Generator().manual_seed(0))) for m in (made, free)
    )
    assert float(Hacked().judge(None, kept).mean()) > float(Hacked().judge(None, lost).mean()) + 0.3
    assert all(torch.equal(made.policy().tensors()[n], t) for n, t in made.tuned.guard.kept.weights.items())


@pytest.mark.parametrize("method", ["pathwise", "adjoint", "grpo", "rwr"])
def test_every_method_is_judged_and_resumed_exactly(method):
    settings = {"method": method, "stop_on_decline": 2, "beta": 0.3, "normalise_then_sum": True}
    one, two = tuner(**settings), tuner(**settings)
    for _ in range(3):
        assert math.isfinite(one.step()["judge"])
    two.load_state_dict(one.state_dict(), {n: t.clone() for n, t in one.policy().tensors().items()})
    assert [repr(one.step()) for _ in range(3)] == [repr(two.step()) for _ in range(3)]
    assert torch.equal(one.tuned.params, two.tuned.params)
    first, second = (made.tuned.guard.kept.weights for made in (one, two))
    assert first.keys() == second.keys() != set()
    assert all(torch.equal(t, second[n]) for n, t in first.items())


def test_a_finished_learner_stays_finished():
    made = tuner(stop_on_decline=5, learning_rate=5e-3, learning_rate_end=5e-3)
    train(made)
    again = tuner(stop_on_decline=5)
    again.load_state_dict(made.state_dict(), made.policy().tensors())
    assert [event.kind for event in train(again)] == ["done"] and again.finished


def test_terms_of_any_size_pull_alike_when_normalised():
    class Two(toy.Slope):
        def value(self, label, x):
            return torch.stack([1000.0 * x[:, 0], x[:, 1]], 1)

    found = []
    for even in (False, True):
        made = toy.tuner(method="pathwise", requests=8, group=32, beta=0.0, normalise_then_sum=even)
        made.tuned.source, made.tuned.weighing = Two(), toy.UnitWeights(("a", "b"))
        made.tuned.spread = type(made.tuned.spread)((2,))
        _, columns, total = pathwise.gradient(made.tuned)
        parts = columns.flatten(0, 1).std(0, correction=0)
        found.append(total.flatten().var() / parts.square().sum())
    assert float(found[0]) > 0.5
    assert float(found[1]) < 1e-3


def test_a_judge_of_the_wrong_shape_is_said():
    made = tuner()
    made.tuned.source.judge = lambda label, x: x
    with pytest.raises(InputError, match="the judge gave"):
        made.step()


@pytest.mark.parametrize(
    ("trained", "parts"), [("condition", {"time", "label", "film"}), ("class", {"label"})]
)
def test_only_what_is_named_learns(trained, parts):
    made = toy.pictures(method="pathwise", trained=trained, requests=2, group=2)
    before = {n: t.clone() for n, t in made.tuned.model.state_dict().items()}
    made.step()
    changed = {n for n, t in made.tuned.model.state_dict().items() if not torch.equal(t, before[n])}
    assert changed and all(parts & set(n.split(".")) for n in changed)
    with pytest.raises(InputError, match="nothing that trained"):
        toy.tuner(method="pathwise", trained=trained)
