"""Exploration rules: frequencies, masks, schedules."""

import numpy as np
import pytest

from plaudit.engine.explore import Schedule, boltzmann, choose, epsilon_greedy, greedy, log_probs
from plaudit.errors import InputError

EVEN = (np.arange(100_000) + 0.5) / 100_000
"""Evenly spread numbers: frequencies come out exact to 1e-5."""


def frequencies(rule, q, strength, mask=None):
    rows = len(EVEN)
    many = np.repeat(np.asarray([q], dtype=float), rows, 0)
    masks = None if mask is None else np.repeat(np.asarray([mask]), rows, 0)
    return np.bincount(choose(rule, many, strength, EVEN, masks), minlength=len(q)) / rows


def test_schedules_by_hand():
    line = Schedule("linear", 1.0, 0.2, until=0.5)
    assert [line(s) for s in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    curve = Schedule("exponential", 1.0, 0.01, until=1.0)
    assert curve(0.5) == pytest.approx(0.1)
    assert Schedule("constant", 0.3)(0.9) == 0.3


@pytest.mark.parametrize("fields", [("linaer", 1.0), ("exponential", 1.0, 0.0), ("linear", 1.0, 0.0, 0.0)])
def test_a_wrong_schedule_is_refused(fields):
    with pytest.raises(InputError):
        Schedule(*fields)


def test_epsilon_greedy_frequencies():
    assert frequencies("epsilon", [0.0, 3.0, 1.0], 0.3) == pytest.approx([0.1, 0.8, 0.1], abs=2e-5)


def test_epsilon_greedy_with_a_mask_never_leaves_it():
    got = frequencies("epsilon", [0.0, 3.0, 1.0], 0.5, [True, False, True])
    assert got == pytest.approx([0.25, 0.0, 0.75], abs=2e-5)


def test_boltzmann_frequencies():
    got = frequencies("boltzmann", [0.0, np.log(2.0), np.log(3.0)], 1.0)
    assert got == pytest.approx([1 / 6, 2 / 6, 3 / 6], abs=2e-5)
    masked = frequencies("boltzmann", [0.0, np.log(2.0), np.log(3.0)], 1.0, [True, False, True])
    assert masked == pytest.approx([1 / 4, 0.0, 3 / 4], abs=2e-5)


def test_boltzmann_survives_large_values_and_the_last_number():
    q, mask = np.array([[1e6, -1e6, 1e6 - 1]]), np.array([[True, True, False]])
    assert boltzmann(q, 0.1, np.array([1.0 - 2.0**-53]), mask).tolist() == [0]


@pytest.mark.parametrize("rule", ["epsilon", "boltzmann"])
def test_log_probs_are_those_of_the_choices(rule):
    q, mask = [0.3, -0.2, 0.9, 0.0], [True, True, False, True]
    got = np.exp(log_probs(rule, np.array([q]), 0.4, np.array([mask]))[0])
    assert got == pytest.approx(frequencies(rule, q, 0.4, mask), abs=3e-5)


def test_greedy_takes_the_first_of_equals():
    assert greedy(np.array([[1.0, 1.0], [0.0, 1.0]])).tolist() == [0, 1]
    assert epsilon_greedy(np.array([[1.0, 2.0]]), 0.0, np.array([0.0])).tolist() == [1]
