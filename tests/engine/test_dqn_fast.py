"""The closed-form update equals autograd, for every switch it supports."""

import dataclasses

import numpy as np
import pytest
import torch
from gymnasium import spaces
from worlds import VectorEnv, chain, grid

from plaudit.engine import nets
from plaudit.engine.dqn import DQN, DQNConfig
from plaudit.engine.dqn_fast import FastUpdater, Forward, suits
from plaudit.engine.dqn_update import PlainUpdater, QNetwork, Twins, dqn_loss
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.replay import Batch
from plaudit.errors import InputError

OBS, ACTIONS, N = 5, 3, 16
SWITCHES = {
    "2015": {"double": False, "huber": 0.0},
    "double": {"double": True},
    "dueling": {"double": True, "dueling": True},
    "ema": {"double": False, "target_tau": 0.05},
    "ema-double": {"target_tau": 0.05},
    "clipped": {"max_grad_norm": 0.05, "huber": 0.1},
}


def twins(config, network, seed=0):
    space = spaces.Box(-1.0, 1.0, (OBS,), np.float32)
    generator = torch.Generator().manual_seed(seed)
    made = [
        QNetwork(nets.build(network, space, ACTIONS + config.dueling, generator), config.dueling)
        for _ in range(2)
    ]
    pair = Twins(*made, config)
    pair.target_params.mul_(0.7)
    return pair


def batch(times, *, seed=0, masked=True, weighted=True):
    random = np.random.default_rng(seed)
    n = N * times
    mask = random.random((n, ACTIONS)) < 0.6
    mask[:, 0] |= ~mask.any(1)
    return Batch(
        np.arange(n),
        random.normal(size=(n, OBS)).astype(np.float32),
        random.integers(0, ACTIONS, n),
        random.normal(size=n).astype(np.float32) * 3,
        np.where(random.random(n) < 0.2, 0.0, 0.97).astype(np.float32),
        random.normal(size=(n, OBS)).astype(np.float32),
        mask if masked else None,
        random.random(n).astype(np.float32) if weighted else None,
    )


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("extra", [True, False], ids=["masked-weighted", "bare"])
def test_the_gradient_is_that_of_autograd(switches, activation, extra):
    config = DQNConfig(batch_size=N, **switches)
    pair = twins(config, MLPConfig(hidden=(32, 8), activation=activation))
    data = batch(1, masked=extra, weighted=extra)
    tensors = {k: torch.from_numpy(v) for k, v in vars(data).items() if v is not None}
    loss, error = dqn_loss(pair.online, pair.target, tensors, config)
    loss.backward()
    expected = pair.grads.clone()
    fast = FastUpdater(pair, N)
    got = np.empty(N, np.float32)
    with torch.inference_mode():
        fast._forward(data.obs, data.next_obs)
        value = fast._loss(data, slice(0, N), fast._target_values(data.next_obs), got)
        fast.backward.run()
    assert value == pytest.approx(float(loss.detach()), rel=1e-5)
    torch.testing.assert_close(torch.from_numpy(got), error, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(pair.grads, expected, rtol=1e-5, atol=1e-6)
    assert float(expected.abs().max()) > 1e-3


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
@pytest.mark.parametrize("hidden", [(32, 32), (16,), (160, 160)], ids=str)
def test_fifty_updates_end_at_the_same_weights(switches, hidden):
    config = DQNConfig(batch_size=N, target_period=7, **switches)
    plain, fast = (twins(config, MLPConfig(hidden=hidden)) for _ in range(2))
    updaters = (PlainUpdater(plain, torch.device("cpu")), FastUpdater(fast, N))
    start = plain.params.clone()
    for group in range(10):
        outcomes = [updater.update(batch(5, seed=group), 5, 1e-3) for updater in updaters]
        assert outcomes[0].loss == pytest.approx(outcomes[1].loss, rel=1e-3)
        np.testing.assert_allclose(outcomes[0].error, outcomes[1].error, rtol=1e-3, atol=1e-4)
    assert plain.updates == fast.updates == 50
    torch.testing.assert_close(plain.params, fast.params, rtol=0, atol=1e-5)
    torch.testing.assert_close(plain.target_params, fast.target_params, rtol=0, atol=1e-5)
    assert float((plain.params - start).abs().max()) > 1e-3


@pytest.mark.parametrize(
    "switches",
    [{}, {"n_step": 3, "prioritised": True, "double": False}, {"dueling": True, "target_tau": 0.01}],
    ids=["double", "n-step-prioritised", "dueling-ema"],
)
def test_the_whole_learner_sees_and_learns_the_same(switches):
    model = grid([".....", ".#.#.", "....."], start=(0, 0), goal=(2, 4), masked=True)
    config = DQNConfig(learning_starts=64, chunk=256, batch_size=32, target_period=10, **switches)
    learners = []
    for path in ("plain", "fast"):
        env = VectorEnv(model, 8)
        learners.append(
            DQN(env, UnitWeights(env.term_names), dataclasses.replace(config, path=path), MLPConfig(), 3)
        )
        learners[-1].step()
    plain, fast = learners
    assert [learner.describe()["path"] for learner in learners] == ["plain", "fast"]
    assert plain.twins.updates == fast.twins.updates == 50
    assert np.array_equal(plain.replay.columns["obs"], fast.replay.columns["obs"])
    torch.testing.assert_close(plain.twins.params, fast.twins.params, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dueling", [False, True])
def test_the_forward_pass_is_that_of_the_network(dueling):
    for space in (
        spaces.Box(-1, 1, (2, 3), np.float32),
        spaces.Discrete(7),
        spaces.Box(0, 255, (4, 4), np.uint8),
    ):
        network = QNetwork(nets.build(MLPConfig(hidden=(20, 10)), space, 3 + dueling), dueling)
        obs = np.stack([space.sample() for _ in range(6)])
        expected = network(torch.from_numpy(obs)).detach().numpy()
        np.testing.assert_allclose(Forward(network, 6)(obs), expected, rtol=1e-4, atol=1e-6)


def test_wide_networks_and_linear_ones_take_the_plain_path():
    space = spaces.Discrete(4)
    for hidden, fits in (((64, 64), True), ((64, 1024), False), ((), False)):
        network = QNetwork(nets.build(MLPConfig(hidden=hidden), space, 2), False)
        assert suits(network, torch.device("cpu")) is fits
    assert not suits(network, torch.device("meta"))


def test_asking_for_the_fast_path_where_it_does_not_fit_is_an_error():
    env = VectorEnv(chain(), 2)
    with pytest.raises(InputError, match="fast path"):
        DQN(env, UnitWeights(env.term_names), DQNConfig(path="fast"), MLPConfig(hidden=(2048,)), 0)
