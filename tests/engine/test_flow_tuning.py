"""Tuning flows by reward, against Gaussians tilted in closed form and gradients taken another way."""

import math

import numpy as np
import pytest
import torch
import toy_flows as toy

from plaudit.engine.flow import advantage, pathwise, score
from plaudit.engine.flow.model import labels_on
from plaudit.engine.flow.sampling import MEMORYLESS, noise_of, roll
from plaudit.engine.flow.tuned import FlowRewardConfig
from plaudit.engine.random import RowRandom
from plaudit.errors import Diverged, InputError

NAN = float("nan")
DRAWS = 8
METHODS = ("grpo", "ddpo", "pathwise", "adjoint", "rwr")


def test_advantages_by_hand():
    columns = torch.tensor([[[1.0, 10.0], [3.0, 20.0], [5.0, NAN]]])
    weights = torch.tensor([2.0, 0.5])
    assert torch.equal(advantage.weighted(columns, weights)[0, :2], torch.tensor([7.0, 16.0]))
    assert bool(advantage.weighted(columns, weights)[0, 2].isnan())
    # What has no weight is not asked.
    assert advantage.weighted(columns, torch.tensor([1.0, 0.0])).tolist() == [[1.0, 3.0, 5.0]]
    relative = math.sqrt(1.5)
    total = advantage.normalised_then_summed(columns, weights)
    assert torch.allclose(total[0, :2], torch.tensor([-2 * relative - 0.5, 0.5]), atol=1e-3)
    assert bool(total[0, 2].isnan())
    spread = advantage.deviation(torch.tensor([[1.0, 3.0, NAN], [2.0, 2.0, 2.0]]))
    assert spread.tolist() == [[1.0], [1.0]]
    cost = torch.tensor([[[1.0, 2.0], [3.0, 6.0]]])
    paid = advantage.step_advantages(torch.tensor([[0.0, 8.0]]), cost, torch.tensor([[2.0]]))
    # Returns of the first step: 0 - 2 and 8 - 6; of the last: 0 and 8.
    assert paid.tolist() == [[[-1.0, -2.0], [1.0, 2.0]]]


def test_normalising_first_lets_no_term_drown_another():
    columns = torch.tensor([[[1000.0, 0.0], [0.0, 1.0], [500.0, 1.0], [500.0, 0.0]]])
    even = advantage.normalised_then_summed(columns, torch.ones(2))[0]
    assert int(even.argmax()) == 2
    assert int(advantage.weighted(columns, torch.ones(2))[0].argmax()) == 0


def test_tilting_by_hand():
    weight, effective = advantage.tilting(torch.tensor([[0.0, math.log(3.0), NAN]]), 1.0)
    assert torch.allclose(weight, torch.tensor([[0.5, 1.5, 0.0]]))
    assert effective == pytest.approx(1 / (0.25**2 + 0.75**2) / 2)


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize(("rows", "chunk"), [(1, 64), (3, 64), (64, 64), (64, 24)])
def test_the_ratio_is_one_before_the_first_update(rows, chunk, bf16):
    made = toy.pictures(
        size=(1, 16, 16),
        method="ddpo",
        requests=1,
        group=rows,
        chunk=chunk,
        epochs=2,
        precision="bf16" if bf16 else "fp32",
    )
    assert made.step()["ratio_error"] < 1e-5
    # What the ratio says is what densities say.
    batch = score.collect(made.tuned)
    made.tuned.params.add_(1e-3 * torch.randn(made.tuned.params.shape))
    assert score.gradient(made.tuned, batch, batch.choices) > 1e-4


def test_the_ratio_is_that_of_the_densities():
    from plaudit.engine.flow.sampling import log_prob

    made = toy.tuner(method="ddpo", requests=4, group=4, steps=5, noise=0.7, epochs=2)
    batch = score.collect(made.tuned)
    choice = batch.choices[2]
    before = log_prob(choice.x_next, choice.step.mean(choice.x, choice.old), choice.step.std, "sum")
    made.tuned.params.add_(1e-2 * torch.randn(made.tuned.params.shape))
    with torch.no_grad():
        velocity = made.tuned.model.velocity(choice.x, choice.step.t)
    after = log_prob(choice.x_next, choice.step.mean(choice.x, velocity), choice.step.std, "sum")
    expected = float((after - before).exp().sub(1).abs().max())
    assert score.gradient(made.tuned, batch, [choice]) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("method", ["grpo", "ddpo"])
def test_the_pass_that_drew_is_differentiated_as_another_would_be(method, bf16):
    shared = {"method": method, "steps": 6, "window": 3, "precision": "bf16" if bf16 else "fp32"}
    batches, grads = [], []
    for minibatches in (1, 2):
        made = toy.pictures(size=(1, 16, 16), requests=2, group=8, minibatches=minibatches, **shared)
        made.tuned.params.add_(0.05 * torch.randn(made.tuned.params.shape, generator=toy.seeded(4)))
        batch = score.collect(made.tuned)
        assert all((choice.live is None) == (minibatches == 2) for choice in batch.choices)
        assert score.gradient(made.tuned, batch, batch.choices) < 1e-5
        batches.append(batch)
        grads.append(made.tuned.grads.clone())
    assert all(torch.equal(*each) for each in zip(*([c.x for c in b.choices] for b in batches), strict=True))
    assert float(grads[0].norm()) > 0
    assert torch.equal(*grads)


def test_branching_shares_the_steps_before_the_window():
    shared = {"size": (1, 16, 16), "method": "grpo", "requests": 2, "group": 3, "steps": 6, "window": 2}
    made = toy.pictures(**shared, branching=True)
    made.tuned.params.add_(0.05 * torch.randn(made.tuned.params.shape, generator=toy.seeded(4)))
    made.tuned.steps = 2
    assert score.window(made.tuned) == range(2, 4)
    batch = score.collect(made.tuned)
    first, second = batch.choices
    start, label = batch.group.start[::3], labels_on(batch.group.label, slice(None, None, 3))
    before = roll(made.tuned.model, start, label, made.tuned.plan(range(0))[:2], made.tuned.noise).states[-1]
    assert torch.allclose(first.x, before.repeat_interleave(3, 0), atol=1e-5)
    apart = first.x_next.view(2, 3, -1)
    assert float((apart[:, 0] - apart[:, 1]).abs().max()) > 0.01
    assert torch.equal(second.x, first.x_next)
    assert score.gradient(made.tuned, batch, batch.choices) < 1e-5
    assert made.progress[0] == 6


def test_the_pass_that_drew_is_not_held_for_many_chunks():
    made = toy.pictures(size=(1, 16, 16), method="grpo", requests=2, group=8, chunk=15)
    assert all(choice.live is None for choice in score.collect(made.tuned).choices)


def test_pathwise_and_score_function_gradients_agree():
    shared = {
        "requests": 1,
        "group": 4096,
        "chunk": 4096,
        "steps": 4,
        "noise": 0.7,
        "floor": 0.3,
        "beta": 0.2,
    }
    ratio = toy.tuner(method="ddpo", scaled=False, **shared)
    path = toy.tuner(method="pathwise", **shared)
    # A model that has left its base: the price of distance counts.
    apart = 0.15 * torch.randn(ratio.tuned.params.shape, generator=torch.Generator().manual_seed(3))
    found = []
    for made in (ratio, path):
        made.tuned.source.bend = 0.3
        made.tuned.params.add_(apart)
        total = torch.zeros_like(apart)
        for _ in range(DRAWS):
            if made is ratio:
                batch = score.collect(made.tuned)
                score.gradient(made.tuned, batch, batch.choices)
            else:
                pathwise.gradient(made.tuned)
            total += made.tuned.grads / DRAWS
        found.append(total)
    assert float(torch.nn.functional.cosine_similarity(*found, dim=0)) >= 0.99
    assert float(found[0].norm() / found[1].norm()) == pytest.approx(1.0, abs=0.05)


def tilted(made):
    """Mean and deviation of the base as drawn, and the mean that the tilt should have."""
    noise = noise_of(made.tuned.model.shape, RowRandom(range(4000)))
    policy = made.policy()
    policy.model = made.tuned.base
    x = policy.draw(noise)
    return x.mean(0), x.std(0), x.mean(0) + x.var(0) * toy.SLOPE / made.config.beta


def tune(made, steps):
    for step in range(steps):
        made.share = step / steps
        row = made.step()
    return row, made.policy().draw(noise_of(made.tuned.model.shape, RowRandom(range(4000))))


TILTS = {
    "pathwise": ({"group": 16, "steps": 12, "learning_rate": 5e-3}, 50),
    "adjoint": ({"group": 16, "steps": 12, "learning_rate": 5e-3, "epochs": 2, "minibatches": 2}, 50),
    "ddpo": ({"group": 256, "steps": 20, "scaled": False, "learning_rate": 5e-3, "chunk": 2048}, 100),
    "rwr": ({"group": 256, "steps": 10, "epochs": 2, "minibatches": 8, "chunk": 2048}, 20),
}


@pytest.mark.parametrize(
    "method", ["pathwise", "adjoint", pytest.param("ddpo", marks=pytest.mark.slow), "rwr"]
)
def test_the_known_tilted_gaussian_is_reached(method):
    settings, steps = TILTS[method]
    made = toy.tuner(method=method, requests=8, beta=0.5, **{"learning_rate": 3e-3, **settings})
    mean, spread, wanted = tilted(made)
    assert float((wanted - mean).abs().min()) > 0.25, "the tilt is worth the way"
    _, x = tune(made, steps)
    assert torch.allclose(x.mean(0), wanted, atol=0.08)
    assert torch.allclose(x.std(0), spread, atol=0.08), "a tilt by a slope keeps the spread"


def test_without_a_price_it_runs_away():
    made = toy.tuner(
        method="pathwise", requests=8, group=16, beta=0.0, learning_rate=5e-3, learning_rate_end=5e-3
    )
    _, spread, _ = tilted(made)
    row, x = tune(made, 60)
    assert "kl" not in row
    assert float(((x.mean(0) - toy.MEAN) / spread).max()) > 3.0


@pytest.mark.parametrize("method", [*METHODS, "branching"])
def test_every_method_earns_more(method):
    settings = {"method": "grpo", "branching": True} if method == "branching" else {"method": method}
    made = toy.tuner(**settings, requests=8, group=16, steps=8, learning_rate=3e-3, ema=0.8)
    noise = noise_of(made.tuned.model.shape, RowRandom(range(1000)))
    before = float(made.tuned.source.value(None, made.policy().draw(noise)).mean())
    row, x = tune(made, 30)
    assert float(made.tuned.source.value(None, x).mean()) > before + 0.15
    assert row["queries"] == 30 * 128 == made.progress[0]


@pytest.mark.parametrize("method", METHODS)
def test_resumed_is_uninterrupted(method):
    extra = {"kl_target": 1.0} if method != "rwr" else {"epochs": 2, "minibatches": 2}
    if method == "grpo":
        extra |= {"epochs": 2, "minibatches": 2, "window": 2}
    one, two = (toy.pictures(method=method, requests=2, group=3, seed=seed, **extra) for seed in (0, 5))
    one.step()
    two.load_state_dict(one.state_dict(), {n: t.clone() for n, t in one.policy().tensors().items()})
    assert [repr(one.step()) for _ in range(2)] == [repr(two.step()) for _ in range(2)]
    assert torch.equal(one.tuned.params, two.tuned.params)
    assert torch.equal(one.tuned.average.params, two.tuned.average.params)


def test_the_window_slides_and_stays_clear_of_the_last_step():
    made = toy.tuner(method="grpo", steps=6, window=3, window_every=2)
    seen = []
    for made.tuned.steps in range(8):
        seen.append(score.window(made.tuned))
    assert seen == [range(k, k + 3) for k in (0, 0, 1, 1, 2, 2, 0, 0)]
    batch = score.collect(made.tuned)
    assert sorted({choice.step.t for choice in batch.choices}) == [0.0, 1 / 6, 2 / 6]
    assert len(score.window(toy.tuner(method="ddpo", steps=6).tuned)) == 6


def test_the_gradient_flows_through_the_last_steps_alone():
    made = toy.tuner(method="pathwise", steps=5, last=1, noise=0.0, beta=0.0, requests=2, group=2)
    state = made.state_dict()
    row, columns, _ = pathwise.gradient(made.tuned)
    found = made.tuned.grads.clone()
    made.load_state_dict(state, {n: t.clone() for n, t in made.policy().tensors().items()})
    group = made.tuned.draw()
    with torch.no_grad():
        x = group.start
        for k in range(4):
            x = x + 0.2 * made.tuned.model.velocity(x, k / 5)
    made.tuned.grads.zero_()
    value = made.tuned.source.value(None, x + 0.2 * made.tuned.model.velocity(x, 0.8))
    (-value.mean()).backward()
    assert torch.allclose(made.tuned.grads, found, atol=1e-6) and float(found.norm()) > 0.01
    assert float(columns.mean()) == pytest.approx(float(value.detach().mean()), abs=1e-6) and row == {}


def test_checkpointing_changes_nothing():
    grads = []
    for checkpointing in (False, True):
        made = toy.pictures(method="pathwise", requests=2, group=2, beta=0.3, checkpointing=checkpointing)
        made.begin_from({n: 1.1 * t for n, t in made.policy().tensors().items()})
        pathwise.gradient(made.tuned)
        grads.append(made.tuned.grads.clone())
    assert torch.allclose(*grads, atol=1e-6) and float(grads[0].norm()) > 1e-3


def test_distance_is_none_at_the_base_and_steers_its_price():
    made = toy.tuner(method="pathwise", requests=4, group=4, beta=0.01, kl_target=0.01, learning_rate=1e-2)
    assert made.step()["kl"] == 0.0
    assert made.tuned.beta < 0.01, "nothing was spent: distance gets cheaper"
    for _ in range(40):
        row = made.step()
    assert row["kl"] > 0.01 and made.tuned.beta > 0.01


def test_it_goes_on_from_tuned_weights_near_the_same_base():
    tuned, made = (toy.tuner(method="pathwise", requests=4, group=4) for _ in range(2))
    for _ in range(4):
        tuned.step()
    made.begin_from(tuned.policy().tensors())
    assert made.step()["kl"] > 0
    made.load_weights(tuned.policy().tensors())
    assert made.step()["kl"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_scored_is_masked_and_counted(method):
    made = toy.tuner(method=method, requests=2, group=4, steps=4)
    mask = torch.tensor([NAN] + [0.0] * 7)[:, None]
    plain = made.tuned.source.value
    made.tuned.source.value = lambda label, x: plain(label, x) + mask
    row = made.step()
    assert row["masked"] == 1 and row["queries"] == 8
    assert bool(torch.isfinite(made.tuned.params).all()) and np.isfinite(row["return"])


def test_wrong_rewards_are_refused():
    made = toy.tuner(method="grpo", requests=2, group=2)
    made.tuned.source.score = lambda label, x: np.zeros((4, 2))
    with pytest.raises(InputError, match="1 terms"):
        made.step()
    made.tuned.source.score = lambda label, x: np.full((4, 1), np.inf)
    with pytest.raises(Diverged):
        made.step()
    blind = toy.tuner(method="pathwise", requests=2, group=2)
    blind.tuned.source = type("Blind", (), {"shape": toy.Slope().shape, "draw": lambda self, n, r: None})()
    with pytest.raises(InputError, match="with a gradient"):
        blind.step()


def test_wrong_settings_are_refused():
    for settings, word in (
        ({"method": "dpo"}, "pathwise"),
        ({"method": "grpo", "group": 1}, "group"),
        ({"method": "rwr", "beta": 0.0}, "beta"),
        ({"method": "ddpo", "noise": 0.0}, "noise"),
        ({"method": "pathwise", "epochs": 2}, "one pass"),
        ({"method": "ddpo", "branching": True}, "branching"),
        ({"reduction": "max"}, "sum"),
        ({"beta": -1.0}, "beta"),
        ({"chunk": 0}, "chunk"),
    ):
        with pytest.raises(InputError) as caught:
            FlowRewardConfig(**settings)
        assert word in str(caught.value)
    assert FlowRewardConfig().noise == MEMORYLESS
