"""Replay buffers: what goes in comes out, folds, wraps, and is drawn in proportion."""

import numpy as np
import pytest

from plaudit.engine.random import RowRandom
from plaudit.engine.replay import PrioritisedReplay, Replay, ReplayShape, Step, SumTree
from plaudit.errors import InputError


def step(t, rows=2, *, terminated=(), ended=(), reward=None):
    """Step `t`: observations t + row / 10, reward t, next observation one later."""
    at = np.arange(rows)
    over = np.isin(at, terminated)
    obs = (t + at / 10.0).astype(np.float32)[:, None]
    paid = np.full(rows, float(t)) if reward is None else np.asarray(reward, dtype=float)
    return Step(obs, at.copy(), paid, over, over | np.isin(at, ended), obs + 1)


def shape(**fields):
    return ReplayShape(
        **{"capacity": 6, "rows": 2, "obs_shape": (1,), "obs_dtype": np.float32, "gamma": 0.5, **fields}
    )


def column(replay, name):
    return replay.columns[name][: replay.size].ravel().tolist()


def test_a_step_is_stored_as_it_came():
    replay = Replay(shape())
    replay.add(step(3, terminated=[1]))
    assert column(replay, "obs") == pytest.approx([3.0, 3.1])
    assert column(replay, "next_obs") == pytest.approx([4.0, 4.1])
    assert column(replay, "action") == [0, 1]
    assert column(replay, "reward") == [3.0, 3.0]
    assert column(replay, "discount") == [0.5, 0.0]


def test_the_oldest_is_overwritten_and_an_odd_capacity_wraps():
    replay = Replay(shape(capacity=5))
    for t in range(4):
        replay.add(step(t))
    assert replay.size == 5
    assert sorted(column(replay, "obs")) == pytest.approx([1.1, 2.0, 2.1, 3.0, 3.1])


def test_masked_rows_are_not_stored():
    replay = Replay(shape())
    replay.add(step(0, reward=[np.nan, 7.0]))
    replay.add(step(1, reward=[np.nan, np.nan]))
    assert column(replay, "reward") == [7.0]


def test_n_steps_are_folded_and_cut_at_the_end():
    replay = Replay(shape(n_step=3))
    replay.add(step(1))
    replay.add(step(2, terminated=[0], ended=[1]))
    assert replay.size == 0
    replay.add(step(4))
    assert column(replay, "reward") == [1 + 0.5 * 2, 1 + 0.5 * 2]
    assert column(replay, "discount") == [0.0, 0.25]
    assert column(replay, "next_obs") == pytest.approx([3.0, 3.1])
    replay.add(step(8))
    assert column(replay, "reward")[2:] == [2.0, 2.0]
    replay.add(step(16))
    assert column(replay, "reward")[4:] == [4 + 0.5 * 8 + 0.25 * 16] * 2
    assert column(replay, "next_obs")[4:] == pytest.approx([17.0, 17.1])


def test_a_nan_after_the_end_of_an_episode_does_no_harm():
    replay = Replay(shape(n_step=2, rows=1))
    replay.add(step(1, rows=1, ended=[0]))
    replay.add(step(2, rows=1, reward=[np.nan]))
    replay.add(step(3, rows=1))
    assert column(replay, "reward") == [1.0]


def test_the_window_survives_an_environment_that_writes_in_place():
    replay = Replay(shape(n_step=2))
    first = step(1)
    replay.add(first)
    first.obs[...] = -1.0
    replay.add(step(2))
    assert column(replay, "obs") == pytest.approx([1.0, 1.1])


def test_masks_travel_with_the_next_observation():
    replay = Replay(shape(actions=3))
    one = step(0)
    one.next_mask = np.array([[True, False, True], [False, True, True]])
    replay.add(one)
    batch = replay.sample(8, RowRandom([0]))
    assert (batch.next_mask == one.next_mask[batch.action]).all()


def test_uniform_sampling_reaches_everything_alike():
    replay = Replay(shape())
    for t in range(3):
        replay.add(step(t))
    count = np.bincount(replay.sample(60_000, RowRandom([1])).index, minlength=6)
    assert count == pytest.approx(np.full(6, 10_000), rel=0.05)


def test_observations_keep_their_type():
    replay = Replay(shape(obs_dtype=np.uint8))
    assert replay.columns["obs"].dtype == np.uint8


@pytest.mark.parametrize("capacity", [5, 64, 70, 5000])
def test_the_sum_tree_finds_what_a_cumulative_sum_finds(capacity):
    tree = SumTree(capacity)
    number = RowRandom([2]).uniform(capacity)[0]
    number[::3] = 0.0
    tree.set(np.arange(capacity), number)
    places = (np.arange(997) + 0.5) / 997
    index, share = tree.find(places)
    expected = np.searchsorted(number.cumsum(), places * number.sum(), side="right")
    assert index.tolist() == expected.tolist()
    assert share == pytest.approx(number[expected] / number.sum())


def test_the_sum_tree_never_finds_a_zero_at_its_edge():
    tree = SumTree(100)
    tree.set(np.array([3]), 1.0)
    assert tree.find(np.array([0.0, 1.0 - 2.0**-53]))[0].tolist() == [3, 3]


def test_priorities_shape_the_draw_and_the_weights_take_it_back():
    replay = PrioritisedReplay(shape(), alpha=1.0)
    for t in range(2):
        replay.add(step(t))
    replay.reprioritise(np.arange(4), np.array([1.0, 2.0, 3.0, 4.0]))
    replay.beta = 1.0
    batch = replay.sample(100_000, RowRandom([3]))
    share = np.bincount(batch.index, minlength=4) / 100_000
    assert share == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.01)
    weight = {int(i): float(w) for i, w in zip(batch.index, batch.weight, strict=True)}
    assert [weight[i] for i in range(4)] == pytest.approx([1.0, 1 / 2, 1 / 3, 1 / 4], rel=1e-4)


def test_new_transitions_get_the_largest_priority():
    replay = PrioritisedReplay(shape(), alpha=1.0)
    replay.add(step(0))
    replay.reprioritise(np.array([0, 1]), np.array([5.0, 0.0]))
    replay.add(step(1))
    assert replay.tree.leaves[:4] == pytest.approx([5.0, 0.0, 5.0, 5.0], abs=1e-5)


@pytest.mark.parametrize("kind", ["uniform", "prioritised"])
def test_resume_is_exact(kind):
    def make():
        return Replay(shape(n_step=2)) if kind == "uniform" else PrioritisedReplay(shape(n_step=2), 0.6)

    one, two = make(), make()
    for t in range(6):
        one.add(step(t))
    if kind == "prioritised":
        one.reprioritise(np.array([0, 2]), np.array([0.3, 4.0]))
    two.load_state_dict(one.state_dict())
    for replay in (one, two):
        replay.add(step(9, ended=[0]))
        replay.add(step(10))
    a, b = (replay.sample(32, RowRandom([4])) for replay in (one, two))
    for name, value in vars(a).items():
        assert np.array_equal(value, getattr(b, name)), name


def test_an_impossible_shape_is_refused():
    with pytest.raises(InputError, match="1 transitions, 2 rows"):
        shape(capacity=1)
