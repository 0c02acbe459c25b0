"""Diversity against tables computed by hand and known limits of the Vendi score."""

import numpy as np
import pytest

from plaudit.measure.diversity import unique_share, unique_values, vendi_score


def symmetric(n, pairs):
    matrix = np.eye(n)
    for (i, j), value in pairs.items():
        matrix[i, j] = matrix[j, i] = value
    return matrix


def test_table_by_hand():
    # sums 1.5, 1.9, 1.4, 1, 1: item 1 goes first, resembling 3 items with itself: 1 - .9 / 3 = .7
    # then sums 1, -, 1, 1, 1: nothing exceeds 1
    matrix = symmetric(5, {(0, 1): 0.5, (1, 2): 0.4})
    np.testing.assert_allclose(unique_values(matrix), [1, 0.7, 1, 1, 1])
    # sums 1.8, 2.2, 1.9, 1.5: item 1 (1 - 1.2 / 3 = .6), then 1, -, 1.5, 1.5: item 2 (1 - .5 / 2)
    matrix = symmetric(4, {(0, 1): 0.8, (1, 2): 0.4, (2, 3): 0.5})
    np.testing.assert_allclose(unique_values(matrix), [1, 0.6, 0.75, 1])
    assert unique_share(matrix) == 0.5


def test_copies_leave_one_behind():
    assert unique_share(np.ones((10, 10))) == 0.1
    assert unique_share(np.eye(10)) == 1.0
    groups = np.kron(np.eye(4), np.ones((3, 3)))
    assert unique_share(groups) == 4 / 12
    assert vendi_score(groups) == pytest.approx(4.0)


def test_vendi_lies_between_one_and_n():
    assert vendi_score(np.eye(7)) == pytest.approx(7)
    assert vendi_score(np.ones((7, 7))) == pytest.approx(1)
    # eigenvalues of [[1, s], [s, 1]] / 2 are (1 +- s) / 2
    shares = np.array([0.75, 0.25])
    assert vendi_score(symmetric(2, {(0, 1): 0.5})) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_a_table_that_is_not_square_is_refused():
    for bad in (np.ones((2, 3)), np.ones(4), np.ones((0, 0))):
        with pytest.raises(ValueError, match=r"shape \(n, n\)"):
            unique_values(bad)
