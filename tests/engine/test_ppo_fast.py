"""The closed form of PPO equals autograd: each gradient, and the parameters after several rollouts."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from plaudit.engine.actor_critic import ActorCritic
from plaudit.engine.gym import FromGym
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.conv import ConvConfig
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.nets.mlp_passes import Passes
from plaudit.engine.ppo import PPO, PPOConfig
from plaudit.engine.ppo_fast import ClosedFormUpdater, suits
from plaudit.engine.ppo_update import AutogradUpdater, Batch, Rates

CPU = torch.device("cpu")
ROWS, ACTIONS = 48, 5


def model(seed=3, activation="tanh"):
    space = spaces.Box(-1.0, 1.0, (6,))
    made = ActorCritic(space, spaces.Discrete(ACTIONS), MLPConfig((16, 12), activation))
    made.initialise(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        made.actor.layers[-1].weight.mul_(100.0)  # far from uniform, so that the entropy has a slope
    return made


def random_batch(masked):
    draw = torch.Generator().manual_seed(5)
    mask = torch.rand(ROWS, ACTIONS, generator=draw) > 0.4
    mask[:, 2] = True
    return Batch(
        obs=torch.randn(ROWS, 6, generator=draw),
        mask=mask if masked else None,
        raw=torch.full((ROWS,), 2),
        value=torch.randn(ROWS, generator=draw),
        advantage=torch.randn(ROWS, generator=draw),
        target=torch.randn(ROWS, generator=draw),
        log_prob=-1.5 + 0.5 * torch.randn(ROWS, generator=draw),
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "settings",
    [{}, {"value_clip": 0.3}, {"normalise_advantage": False, "clip": 0.05}],
    ids=["plain", "value clip", "tight clip"],
)
def test_gradient_equals_autograd(activation, masked, settings):
    config = PPOConfig(max_grad_norm=1e9, **settings)
    batch, rates = random_batch(masked), Rates(1e-3, 0.02)
    updaters = [
        AutogradUpdater(model(activation=activation), config),
        ClosedFormUpdater(model(activation=activation), config),
    ]
    for updater in updaters:
        updater.start(batch, ROWS, rates)
        assert updater.update(np.arange(ROWS))
    plain, fast = updaters
    assert plain.grads.abs().max() > 1e-3
    torch.testing.assert_close(fast.grads, plain.grads, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(fast.params, plain.params, atol=1e-6, rtol=1e-5)
    for name, value in plain.statistics().items():
        assert fast.statistics()[name] == pytest.approx(value, abs=1e-5)


def test_acting_and_valuing_equal_autograd():
    plain, fast = AutogradUpdater(model(), PPOConfig()), ClosedFormUpdater(model(), PPOConfig())
    batch = random_batch(masked=True)
    torch.testing.assert_close(fast.values(batch.obs), plain.values(batch.obs), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(fast.log_probs(batch), plain.log_probs(batch), atol=1e-6, rtol=1e-5)
    drawn = [u.sample(batch.obs, batch.mask, np.random.default_rng(1)) for u in (plain, fast)]
    assert torch.equal(*drawn)
    assert bool(batch.mask.gather(1, drawn[0][:, None]).all())


@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake-v1"])
def test_same_seed_gives_the_same_training(env_id):
    runs = []
    for path in ("plain", "fast"):
        env = FromGym(env_id, 4)
        config = PPOConfig(n_steps=32, batch_size=64, entropy=0.01, path=path, normalise_obs=True)
        learner = PPO(env, UnitWeights(env.term_names), config, MLPConfig((16, 16), "tanh"), seed=1)
        rows = [learner.step() for _ in range(4)]
        assert learner.describe()["path"] == path
        runs.append((learner, rows))
    (plain, plain_rows), (fast, fast_rows) = runs
    assert torch.equal(plain.rollout.raw, fast.rollout.raw)
    torch.testing.assert_close(fast.updater.params, plain.updater.params, atol=2e-5, rtol=1e-4)
    assert plain_rows[-1]["entropy"] == pytest.approx(fast_rows[-1]["entropy"], abs=1e-4)


def test_large_products_equal_small_ones():
    """Both libraries that `Product` chooses from give one result."""
    net = model().actor
    x = torch.randn(12_000, 6, generator=torch.Generator().manual_seed(0))
    many, few = Passes(net, 12_000), Passes(net, 8)
    many.x[...], few.x[...] = x, x[:8]
    np.testing.assert_allclose(many.forward()[:8], few.forward(), atol=1e-5)
    np.testing.assert_allclose(many.out, net(x).detach(), atol=1e-5)


def test_moving_too_far_stops_the_update():
    updater = ClosedFormUpdater(model(), PPOConfig(target_kl=1e-3))
    updater.start(random_batch(masked=False), ROWS, Rates(1e-3, 0.0))
    before = updater.params.clone()
    assert not updater.update(np.arange(ROWS))
    assert torch.equal(updater.params, before)


def test_what_suits():
    box, grid = spaces.Box(-1.0, 1.0, (6,)), spaces.Box(-1.0, 1.0, (4, 4, 2))
    assert suits(model(), CPU)
    assert not suits(model(), torch.device("meta"))
    assert not suits(ActorCritic(box, spaces.Box(-1.0, 1.0, (2,)), MLPConfig()), CPU)
    assert not suits(ActorCritic(box, spaces.Discrete(2), MLPConfig(), shared=True), CPU)
    assert not suits(ActorCritic(grid, spaces.Discrete(16), ConvConfig(8, 2)), CPU)
