"""Copies are seen, honest samples are not."""

import numpy as np
import pytest

from plaudit.measure.memorised import auc, membership_auc, memorised


def drawn(seed):
    return np.random.default_rng(seed).normal(size=(2000, 4))


def test_an_honest_sample_is_as_near_as_held_out_data():
    found = memorised(drawn(0), drawn(1), drawn(2))
    assert found.share == pytest.approx(0.01, abs=0.01) and found.quantile == 0.01 and found.mark > 0
    assert membership_auc(drawn(0), drawn(1), drawn(2)) == pytest.approx(0.5, abs=0.03)


def test_copies_are_counted():
    train = drawn(1)
    half = np.concatenate([train[:500] + 1e-6, drawn(3)[:500]])
    assert memorised(half, train, drawn(2)).share == pytest.approx(0.5, abs=0.02)
    assert membership_auc(train + 0.01, train, drawn(2)) > 0.95


def test_the_mark_by_hand():
    # Held-out distances 1, 2, 3, 4; at the quantile 1/3 the mark is 2.
    found = memorised([[0.5], [1.5], [2.5]], [[0.0]], [[1.0], [2.0], [-3.0], [4.0]], quantile=1 / 3)
    assert found.mark == pytest.approx(2) and found.share == pytest.approx(2 / 3)


def test_where_the_data_hold_twins_only_copies_count():
    found = memorised([[0.0], [0.1]], [[0.0]], [[0.0], [0.0], [5.0]], quantile=0.1)
    assert found.mark == 0 and found.share == 0.5


def test_ties_count_half():
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5
    assert auc(np.array([0.0, 3.0]), np.array([1.0, 2.0])) == 0.5
