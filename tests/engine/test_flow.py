"""Flows: networks, sampling, learning and policies against what is known."""

import json
import math

import numpy as np
import pytest
import torch
import toy_flows as toy

from plaudit.engine import nets, policies
from plaudit.engine.flow.average import Average
from plaudit.engine.flow.matching import FlowMatching, FlowMatchingConfig, draw_times
from plaudit.engine.flow.model import FlowModel, FlowShape
from plaudit.engine.flow.policy import FlowPolicy, best_of
from plaudit.engine.flow.sampling import (
    MEMORYLESS,
    Sampler,
    log_prob,
    log_ratio,
    noise_from,
    noise_of,
    roll,
    solve,
    step_of,
    steps_of,
)
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.nets.unet import UNetConfig
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError


def made(shape, network, seed=0, bf16=False):
    """A model with weights that are anything but zero."""
    model = FlowModel(shape, network, bf16)
    model.initialise(torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=generator))
    return model.requires_grad_(False)


@pytest.mark.parametrize("size", [(1, 28, 28), (3, 32, 32), (3, 48, 48), (3, 64, 64), (2, 13, 21)])
def test_a_unet_takes_any_picture(size):
    model = made(FlowShape(size, 4), toy.SMALL)
    x = torch.randn(2, *size, generator=torch.Generator().manual_seed(0))
    out = model.velocity(x, torch.tensor([0.2, 0.7]), torch.tensor([1, -1]))
    assert out.shape == x.shape and bool(torch.isfinite(out).all())
    # Rows, times and classes all matter, and each to its own row.
    other = model.velocity(x, torch.tensor([0.2, 0.9]), torch.tensor([1, -1]))
    assert torch.allclose(out[0], other[0], atol=1e-5) and not torch.allclose(out[1], other[1], atol=1e-3)
    named = model.velocity(x, torch.tensor([0.2, 0.7]), torch.tensor([2, -1]))
    assert not torch.allclose(out[0], named[0], atol=1e-3) and torch.allclose(out[1], named[1], atol=1e-5)
    # The farthest corner is seen, too.
    assert float(out[..., -1, -1].abs().min()) > 0


def test_the_unet_has_the_size_that_was_measured():
    model = FlowModel(FlowShape((1, 28, 28), 10), UNetConfig())
    assert 3.5e5 < sum(p.numel() for p in model.parameters()) < 4e5
    deep = made(FlowShape((3, 32, 32)), UNetConfig(8, (1, 2, 4), 2, 2, 2, True, 16))
    assert deep.velocity(torch.zeros(1, 3, 32, 32), 0.5).shape == (1, 3, 32, 32)


def test_guidance_goes_beyond_the_class():
    model = made(FlowShape((1, 8, 8), 3), toy.SMALL)
    x, label = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 0])
    with_class, without = model.velocity(x, 0.4, label), model.velocity(x, 0.4)
    expected = with_class + 0.7 * (with_class - without)
    assert torch.allclose(model.velocity(x, 0.4, label, 0.7), expected, atol=1e-5)
    assert not torch.allclose(with_class, without, atol=1e-3)


@pytest.mark.parametrize(
    ("noise", "rule"), [(0.0, "exact"), (0.7, "exact"), (MEMORYLESS, "exact"), (0.7, "euler")]
)
def test_all_samplers_have_the_same_marginals(noise, rule):
    model, rows = toy.Mixture(), 8000
    draw = noise_from(torch.Generator().manual_seed(3))
    start = draw(torch.empty(rows, 1))
    steps = steps_of(400, noise, rule)
    x = roll(model, start, None, steps, draw).states
    other = solve(model, draw(torch.empty(rows, 1)), None, Sampler(400)).numpy()[:, 0]
    assert toy.kolmogorov(x[-1].numpy()[:, 0], other) < 1.95
    for power, expected in enumerate(model.moments(), 1):
        each = x[-1] ** power
        assert float((each.mean() - expected).abs()) < 3.5 * float(each.std()) / math.sqrt(rows) + 0.02
    # Half way too: the exact velocity knows what x_0.5 is made of.
    half = model.mean[1] * 0.5, model.mean[0] * 0.5
    expected = float(model.share[1] * half[0] + model.share[0] * half[1])
    assert float((x[200].mean() - expected).abs()) < 3.5 * float(x[200].std()) / math.sqrt(rows) + 0.01


def test_noise_is_drawn_where_it_is_asked_for():
    model, draw = toy.Mixture(), noise_from(torch.Generator().manual_seed(0))
    start = draw(torch.empty(50, 1))
    still = roll(model, start, None, steps_of(20, 0.0), draw).states[-1]
    assert torch.allclose(still, solve(model, start, None, Sampler(20)), atol=1e-6)
    assert not torch.allclose(roll(model, start, None, steps_of(20, 0.5), draw).states[-1], still, atol=0.05)
    # The memoryless equation forgets where it began, the ODE does not.
    again = roll(model, start, None, steps_of(100, MEMORYLESS), draw).states[-1]
    assert abs(float(np.corrcoef(start[:, 0], again[:, 0])[0, 1])) < 0.5
    assert float(np.corrcoef(start[:, 0], still[:, 0])[0, 1]) > 0.8


def test_heun_is_of_second_order():
    model, start = toy.Mixture(), torch.linspace(-2, 2, 41)[:, None]
    exact = solve(model, start, None, Sampler(2000, "heun"))
    error = {
        (solver, n): float((solve(model, start, None, Sampler(n, solver)) - exact).abs().mean())
        for solver in ("euler", "heun")
        for n in (20, 40)
    }
    assert error["heun", 40] < error["euler", 40] / 3
    assert 1.6 < error["euler", 20] / error["euler", 40] < 2.4 < error["heun", 20] / error["heun", 40]


def test_steps_by_hand():
    ode = step_of(0.25, 0.5)
    assert (ode.keep, ode.push, ode.std) == (1.0, 0.25, 0.0)
    ancestral = step_of(0.5, 0.75, MEMORYLESS)
    # Odds go from 1 to 3: a third of the old noise stays.
    assert ancestral.std == pytest.approx(0.25 * math.sqrt(1 - 1 / 9))
    assert ancestral.keep == pytest.approx(0.75 + 0.25 / 3)
    assert ancestral.push == pytest.approx(0.75 * 0.5 - 0.25 * 0.5 / 3)
    assert ancestral.price() == pytest.approx(ancestral.push**2 / 2 / ancestral.std**2)
    assert step_of(0.9, 1.0, 0.7).std == 0 and step_of(0.9, 1.0, 0.7, floor=0.1).std == 0.1
    assert step_of(0.5, 0.6).price() == pytest.approx(0.55 / 0.45 * 0.1)
    euler = step_of(0.5, 0.6, 0.7, "euler")
    assert euler.std == pytest.approx(0.7 * math.sqrt(0.1))
    # Both rules are the same equation: small steps agree.
    near, far = step_of(0.5, 0.501, 0.7), step_of(0.5, 0.501, 0.7, "euler")
    for name in ("keep", "push", "std"):
        assert getattr(near, name) == pytest.approx(getattr(far, name), rel=5e-3)


def test_log_probabilities_by_hand_and_their_ratio():
    x, mean = torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 1.0]])
    one = torch.distributions.Normal(mean, 2.0).log_prob(x)
    assert torch.allclose(log_prob(x, mean, 2.0, "sum"), one.sum(1))
    assert torch.allclose(log_prob(x, mean, 2.0, "mean"), one.mean(1))
    for reduction in ("sum", "mean"):
        expected = log_prob(x, mean, 2.0, reduction) - log_prob(x, mean + 0.3, 2.0, reduction)
        assert torch.allclose(log_ratio(x, mean, mean + 0.3, 2.0, reduction), expected, atol=1e-6)


@pytest.mark.parametrize("bf16", [False, True])
def test_a_sample_depends_on_its_seed_and_not_on_its_neighbours(bf16):
    model = made(FlowShape((1, 8, 8), 3), toy.SMALL, bf16=bf16)
    policy = FlowPolicy(model, Sampler(3, guidance=0.3))
    seeds, label = list(range(70)), torch.arange(70) % 3
    every = policy.draw(noise_of(model.shape, RowRandom(seeds)), label)
    assert every.shape == (70, 1, 8, 8)
    for at in (0, 5, 63, 64, 69):
        alone = policy.draw(noise_of(model.shape, RowRandom([seeds[at]])), label[at : at + 1])
        assert torch.equal(alone[0], every[at])
    assert not torch.equal(every[0], every[3])


def test_a_stored_policy_draws_the_same():
    for shape, network in ((FlowShape((1, 8, 8), 3), toy.SMALL), (FlowShape((2,)), MLPConfig((8,)))):
        policy = FlowPolicy(made(shape, network), Sampler(4, "heun", 0.2))
        again = policies.build(json.loads(json.dumps(policy.describe())), policy.tensors())
        noise = noise_of(shape, RowRandom(range(3)))
        assert torch.equal(policy.draw(noise), again.draw(noise))
    for change in (
        {"sampler": {"steps": 0}},
        {"shape": {"size": [0], "classes": 0}},
        {"network": {"kind": "conv"}},
    ):
        with pytest.raises(InputError):
            policies.build({**policy.describe(), **change}, policy.tensors())
    with pytest.raises(InputError):
        policies.build(policy.describe(), {})
    with pytest.raises(InputError, match="drawn from"):
        policy.draw(torch.zeros(2, 3))


def test_best_of_keeps_the_best():
    policy = FlowPolicy(made(FlowShape((2,)), MLPConfig((8,))), Sampler(2))
    seeds, asked = list(range(30)), []

    def value(label, images):
        asked.append(images)
        return np.where(np.arange(30) == 7, np.nan, images[:, 0].numpy())

    plain = policy.draw(noise_of(policy.model.shape, RowRandom(seeds)))
    assert torch.equal(best_of(policy, 1, seeds, value).images, plain)
    asked.clear()
    best = best_of(policy, 8, seeds, value)
    every = torch.stack(asked)[..., 0]
    known = np.arange(30) != 7
    assert best.queries == 240 and np.isnan(best.values[7]) and torch.equal(best.images[7], plain[7])
    assert np.allclose(best.values[known], every.amax(0).numpy()[known])
    assert np.allclose(best.images[:, 0].numpy()[known], best.values[known])


def test_the_running_mean():
    model = made(FlowShape((2,)), MLPConfig((4,)))
    average = Average(model, 0.9)
    start = average.params.clone()
    average.step(start + 1.0)
    assert torch.allclose(average.params, start + 0.9)
    average.steps = 1000
    average.step(start + 1.9)
    assert torch.allclose(average.params, start + 1.0, atol=1e-6)
    assert torch.equal(next(model.parameters()).flatten()[:1], start[:1]), "the model itself stays"


def test_times_are_spread_evenly():
    generator = torch.Generator().manual_seed(0)
    even = draw_times(100, "uniform", generator)
    assert bool((even.sort().values * 100).long().eq(torch.arange(100)).all())
    middle = draw_times(1000, "logit_normal", generator)
    assert float((middle.logit()).std()) == pytest.approx(1.0, abs=0.05)


def learner(**settings):
    config = FlowMatchingConfig(
        **{"batch_size": 128, "learning_rate": 1e-2, "ema": 0.99, "precision": "fp32", **settings}
    )
    return FlowMatching(toy.Clouds(2), None, config, MLPConfig((48, 48)), 0)


def test_it_learns_two_clouds_and_their_names():
    made_ = learner()
    first = made_.step()
    for step in range(90):
        made_.share = step / 90
        made_.step()
    assert made_.validate() < 0.6 * first["validation_loss"]
    policy, noise = made_.policy(), noise_of(made_.source.shape, RowRandom(range(2000)))
    x = policy.draw(noise, torch.ones(2000, dtype=torch.int64))
    assert torch.allclose(x.mean(0), torch.tensor([1.5, 1.5]), atol=0.06)
    assert torch.allclose(x.std(0), 0.4 * toy.SPREAD, atol=0.06)
    # Without a class, both clouds in equal shares: the class was hidden often enough.
    free = policy.draw(noise)
    assert 0.42 < float((free[:, 0] > 0).float().mean()) < 0.58
    assert float((free[:, 0].abs() - 1.5).abs().mean()) < 0.3


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_matching_resumed_is_uninterrupted(precision):
    one, two = learner(precision=precision), learner(precision=precision)
    one.step()
    state, tensors = one.state_dict(), {n: t.clone() for n, t in one.policy().tensors().items()}
    two.load_state_dict(state, tensors)
    assert [one.step() for _ in range(2)] == [two.step() for _ in range(2)]
    assert torch.equal(one.params, two.params) and torch.equal(one.average.params, two.average.params)
    assert one.progress == (24 * 128, "samples")


def test_wrong_settings_are_refused():
    for settings, word in (
        ({"precision": "fp8"}, "bf16"),
        ({"times": "cosine"}, "logit_normal"),
        ({"batch_size": 0}, "batch_size"),
        ({"label_dropout": 1.5}, "label_dropout"),
        ({"sampler": {"solver": "rk4"}}, "heun"),
    ):
        with pytest.raises(InputError, match=word):
            FlowMatchingConfig(**settings)
    with pytest.raises(InputError, match="unet makes"):
        FlowModel(FlowShape((2,)), toy.SMALL)
    with pytest.raises(InputError, match="multiple of 8"):
        UNetConfig(width=12)
    with pytest.raises(InputError, match="reads no observations"):
        nets.build({"kind": "unet"}, None, 1)
