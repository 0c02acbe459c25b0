"""Tabular Q-learning: dynamic programming as the judge, the kernel equal to the plain loop."""

import dataclasses

import numpy as np
import pytest
import torch
from worlds import TableEnv, chain, grid, optimal_values, route

from plaudit.engine.gym import FromGym
from plaudit.engine.learner import UnitWeights
from plaudit.engine.random import RowRandom
from plaudit.engine.tabular import QConfig, QTablePolicy, TabularQ
from plaudit.engine.tabular_model import TabularModel
from plaudit.errors import Diverged, InputError

CLIFF = grid(["............"] * 3 + [".~~~~~~~~~~."], start=(3, 0), goal=(3, 11))
ROOMS = grid(["...#...", ".#.#.#.", ".#...#.", ".#####.", "......."], start=(0, 0), goal=(2, 4), masked=True)


def learn(model, config, rows=1, seed=0, *, steps=1, offer=True, weighing=None):
    env = TableEnv(model, rows, offer=offer)
    learner = TabularQ(env, weighing or UnitWeights(env.term_names), config, seed)
    for i in range(steps):
        learner.share = i / steps
        learner.step()
    return learner


def many_worlds(seed=0, *, worlds=3, masked=False, terms=2):
    """Random tables, several start states, a NaN here and there in the second term."""
    random = np.random.default_rng(seed)
    shape = (worlds, 6, 3)
    reward = random.normal(size=(*shape, terms))
    reward[random.random(shape) < 0.1, 1] = np.nan
    allowed = random.random(shape) < 0.6
    allowed[..., 1] = True
    return TabularModel(
        random.integers(0, 6, shape).astype(np.int32),
        reward,
        random.random(shape) < 0.1,
        random.integers(0, 6, (worlds, 2)).astype(np.int32),
        np.array([1, 2, 2][:worlds]),
        9,
        allowed if masked else None,
    )


@pytest.mark.parametrize("model", [CLIFF, ROOMS], ids=["cliff", "rooms"])
@pytest.mark.parametrize("explore", ["epsilon", "boltzmann"])
def test_the_greedy_policy_is_that_of_dynamic_programming(model, explore):
    strength = {"explore_start": 1.0, "explore_end": 1.0} if explore == "epsilon" else {"explore_start": 50.0}
    config = QConfig(explore=explore, explore_shape="constant", learning_rate=0.5, chunk=400_000, **strength)
    learner = learn(model, config)
    best = optimal_values(model, 0.99)
    policy = learner.policy()
    mask = None if model.allowed is None else model.allowed[0]

    def act(state):
        allowed = None if mask is None else torch.from_numpy(mask[[state]])
        return int(policy.act(torch.tensor([state]), mask=allowed)[0])

    visited = route(model, act)
    for state in visited[:-1]:
        assert best[state, act(state)] == pytest.approx(best[state].max(), abs=1e-9)
    assert len(visited) == len(route(model, lambda s: int(best[s].argmax())))
    reached = learner.visits[0] > 200
    assert learner.q[0][reached] == pytest.approx(best[reached], abs=0.05)


@pytest.mark.parametrize("replicas", ["shared", "own"])
@pytest.mark.parametrize("explore", ["epsilon", "boltzmann"])
@pytest.mark.parametrize("masked", [False, True], ids=["free", "masked"])
@pytest.mark.parametrize("rate", ["linear", "visits"])
def test_the_kernel_equals_the_plain_loop(replicas, explore, masked, rate):
    model = many_worlds(masked=masked)
    config = QConfig(
        replicas=replicas, explore=explore, learning_rate_shape=rate, explore_start=0.9, chunk=600
    )
    plain, fused = (learn(model, config, 3, seed=4, steps=3, offer=offer) for offer in (False, True))
    assert (plain.describe()["path"], fused.describe()["path"]) == ("plain", "fused")
    assert np.array_equal(plain.visits, fused.visits)
    np.testing.assert_allclose(plain.q, fused.q, rtol=1e-12, atol=1e-12)


def test_both_paths_log_the_same():
    rows = []
    for offer in (False, True):
        env = TableEnv(many_worlds(), 3, offer=offer)
        rows.append(TabularQ(env, UnitWeights(env.term_names), QConfig(chunk=600), 1).step())
    plain, fused = rows
    assert plain["masked"] == fused["masked"] > 0
    assert plain["episodes"] == fused["episodes"] > 0
    for name, figures in plain["terms"].items():
        assert fused["terms"][name] == pytest.approx(figures)


def test_the_weights_choose_what_is_learned():
    class Only:
        names = ("t0", "t1")

        def weights(self, progress):
            return np.array([-2.0, 0.0])

    model = many_worlds(worlds=1)
    config = QConfig(learning_rate=0.2, explore_shape="constant", chunk=300_000)
    learner = learn(model, config, weighing=Only())
    best = optimal_values(dataclasses.replace(model, terms=model.terms[..., :1]), 0.99, (-2.0,))
    seen = learner.visits[0] > 1000
    assert seen.any()
    assert learner.q[0][seen] == pytest.approx(best[seen], abs=0.01)


def test_an_optimistic_start_explores_without_chance():
    config = QConfig(
        initial=2.0, explore_start=0.0, explore_end=0.0, learning_rate=0.5, gamma=0.9, chunk=4000
    )
    assert learn(chain(), config).q[0].argmax(1)[2:9].tolist() == [1] * 7
    timid = learn(chain(), dataclasses.replace(config, initial=0.0))
    assert timid.q[0].argmax(1)[2] == 0


@pytest.mark.parametrize("offer", [False, True], ids=["plain", "fused"])
def test_resume_is_exact(offer):
    model, config = many_worlds(masked=True), QConfig(replicas="own", chunk=90)
    one = learn(model, config, 3, steps=2, offer=offer)
    env = TableEnv(model, 3, offer=offer)
    two = TabularQ(env, UnitWeights(env.term_names), config, 99)
    two.load_state_dict(one.state_dict(), one.policy().tensors())
    two.share = one.share
    for _ in range(3):
        assert one.step() == two.step()
    assert np.array_equal(one.q, two.q)
    assert one.progress == two.progress


def test_gymnasium_tables_reach_the_kernel_and_chance_does_not():
    sure = FromGym("FrozenLake-v1", 1, map_name="4x4", is_slippery=False)
    learner = TabularQ(sure, UnitWeights(sure.term_names), QConfig(chunk=100_000), 0)
    assert learner.describe()["path"] == "fused"
    learner.step()
    assert learner.policy().act(torch.tensor([14]))[0].tolist() == [2]
    slippery = FromGym("FrozenLake-v1", 2, map_name="4x4", is_slippery=True)
    plain = TabularQ(slippery, UnitWeights(slippery.term_names), QConfig(chunk=100), 0)
    assert plain.describe()["path"] == "plain"
    assert plain.step()["episodes"] > 0


def test_an_infinite_term_is_named_on_both_paths():
    model = many_worlds()
    model.terms[..., 1] = np.inf
    for offer in (False, True):
        with pytest.raises(Diverged, match="t1"):
            learn(model, QConfig(chunk=30), 3, offer=offer)


def test_a_table_that_runs_away_is_noticed():
    with pytest.raises(Diverged, match="Q-table"):
        learn(CLIFF, QConfig(learning_rate=1e200, chunk=1000))


def test_other_spaces_are_refused():
    env = FromGym("CartPole-v1", 1)
    with pytest.raises(InputError, match="Discrete"):
        TabularQ(env, UnitWeights(env.term_names), QConfig(), 0)


def test_the_policy_is_rebuilt_from_its_description():
    policy = learn(many_worlds(), QConfig(replicas="own", chunk=300), 3).policy()
    again = QTablePolicy.from_description(policy.describe(), policy.tensors())
    obs = torch.tensor([0, 1, 2])
    one, two = (p.act(obs, generator=RowRandom([1, 2, 3])) for p in (policy, again))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[2], two[2])
    assert (one[2] < 0).all()
    with pytest.raises(InputError, match="2 rows"):
        policy.act(obs[:2])


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="outside"):
        dataclasses.replace(CLIFF, next_state=CLIFF.next_state + 1000)
    with pytest.raises(InputError, match="without start"):
        dataclasses.replace(CLIFF, start_counts=np.array([0]))
