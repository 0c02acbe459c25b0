"""Kernel distance by hand, unbiased and with an interval that holds."""

import numpy as np
import pytest

from plaudit.measure.kernel_distance import kernel_distance, kernel_floor, unbiased_mmd


def by_hand(a, b):
    def k(x, y):
        return (x @ y / len(x) + 1) ** 3

    within_a = np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    within_b = np.mean([k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    return within_a + within_b - 2 * np.mean([k(x, y) for x in a for y in b])


def test_equals_the_sums_written_out():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 3)), rng.normal(1, 1, size=(5, 3))
    assert unbiased_mmd(a, b) == pytest.approx(by_hand(a, b))


def test_is_unbiased():
    rng = np.random.default_rng(1)
    values = [unbiased_mmd(rng.normal(size=(20, 4)), rng.normal(size=(20, 4))) for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20
    assert min(values) < 0


def test_the_interval_holds_zero_for_equals_and_not_for_others():
    rng = np.random.default_rng(2)
    a, b, c = rng.normal(size=(2000, 6)), rng.normal(size=(2300, 6)), rng.normal(0.5, 1, size=(2000, 6))
    _, low, high = kernel_distance(a, b, block=100)
    assert low < 0 < high
    value, low, high = kernel_distance(a, c, block=100)
    assert 0 < low < value < high
    assert abs(kernel_floor(a, 4, 900, rng).mean) < low


def test_every_row_is_used_once():
    """Two blocks by hand: a permutation of rows cannot change which rows there are."""
    a, b = np.arange(8.0)[:, None], np.arange(8.0)[:, None] + 3
    whole = kernel_distance(a, b, block=8)
    assert whole[0] == pytest.approx(by_hand(a, b))
    assert whole[1] == whole[2] == whole[0]


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError):
        kernel_distance(np.ones((1, 2)), np.ones((5, 2)))
