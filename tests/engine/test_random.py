"""The row generator: independence of rows, laws of the draws, exact state."""

import numpy as np
import pytest

from plaudit.engine.random import RowRandom, splitmix


def test_splitmix_is_the_published_generator():
    # First outputs of SplitMix64 seeded with 0 (state advances by the golden constant).
    states = np.array([0, 0x9E3779B97F4A7C15], dtype=np.uint64)
    assert [hex(int(x)) for x in splitmix(states)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]


def test_a_row_does_not_depend_on_its_neighbours():
    alone, among = RowRandom([5]), RowRandom([1, 5, 9])
    assert np.array_equal(alone.uniform(7)[0], among.uniform(7)[1])
    among.uniform(3, np.array([0]))
    assert np.array_equal(alone.uniform(2)[0], among.uniform(2)[1])


def test_draws_in_one_go_or_one_by_one_are_the_same():
    one, two = RowRandom([3]), RowRandom([3])
    apart = [two.uniform(n)[0].tolist() for n in (1, 3, 2)]
    assert one.uniform(6)[0].tolist() == [number for part in apart for number in part]


def test_the_laws_of_the_draws():
    random = RowRandom([0])
    n = 200_000
    assert random.uniform(n).mean() == pytest.approx(0.5, abs=0.005)
    assert random.normal(n).std() == pytest.approx(1.0, abs=0.01)
    assert random.gumbel(n).mean() == pytest.approx(0.5772, abs=0.01)
    many = RowRandom(np.arange(60_000)).integers(2, 5)
    assert np.bincount(many)[2:] == pytest.approx([20_000] * 3, rel=0.03)


def test_state_goes_on_where_it_was_taken():
    one = RowRandom([1, 2])
    one.uniform(5)
    two = RowRandom([0, 0])
    two.load_state_dict(one.state_dict())
    assert np.array_equal(one.bits(4), two.bits(4))


def test_reseeding_starts_a_row_again():
    random = RowRandom([1, 2])
    first = random.uniform(3)
    random.reseed(np.array([1]), [2])
    assert np.array_equal(random.uniform(3, np.array([1]))[0], first[1])
