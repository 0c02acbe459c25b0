"""Sliced Wasserstein distance against one-dimensional transport solved by hand and closed forms."""

import numpy as np
import pytest

from plaudit.measure.sliced import sliced_floor, sliced_wasserstein, wasserstein_squared


def test_samples_of_two_and_three():
    # Quantiles: thirds of {0, 3, 6} against halves of {0, 6}: 0-0, then half of 3 to 0 and half to 6, 6-6.
    assert wasserstein_squared(np.array([[0.0], [3.0], [6.0]]), np.array([[6.0], [0.0]])) == pytest.approx(
        [3]
    )


def test_repeating_every_row_changes_nothing():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 2)), rng.normal(size=(11, 2))
    assert wasserstein_squared(np.repeat(a, 3, 0), b) == pytest.approx(wasserstein_squared(a, b))


def test_a_shift_has_a_closed_form():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(50, 3))
    # E (u . s)^2 = |s|^2 / d over uniform directions.
    found = sliced_wasserstein(rows, rows + np.array([3.0, 0.0, 4.0]), directions=20_000, rng=rng)
    assert found == pytest.approx(5 / np.sqrt(3), rel=0.02)


def test_the_floor_lies_below_what_differs():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(600, 4))
    floor = sliced_floor(rows, 4, 300, rng)
    assert 0 < floor.mean < 0.3 < sliced_wasserstein(rows, 2 * rows)
