"""Intervals against known distributions and exact small cases."""

import math

import numpy as np
import pytest

from plaudit.measure.intervals import bootstrap_mean, bootstrap_ratio, mad


def test_mean_interval_matches_the_normal_theory():
    values = np.random.default_rng(0).normal(3, 2, 400)
    mean, low, high = bootstrap_mean(values, seed=1)
    half = 1.96 * values.std() / 20
    assert mean == values.mean()
    np.testing.assert_allclose([low, high], [mean - half, mean + half], atol=0.02)


def test_wider_level_gives_a_wider_interval_and_a_seed_repeats():
    values = np.random.default_rng(0).normal(size=50)
    _, low, high = bootstrap_mean(values, level=0.95)
    _, lower, higher = bootstrap_mean(values, level=0.99)
    assert lower < low < high < higher
    assert bootstrap_mean(values) == bootstrap_mean(values) != bootstrap_mean(values, seed=5)


def test_coverage_is_near_the_level():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        _, low, high = bootstrap_mean(rng.normal(size=60), resamples=500, seed=seed)
        hits += low <= 0 <= high
    assert 0.89 <= hits / 200 <= 0.99


def test_nan_is_left_out_and_nothing_gives_nan():
    assert bootstrap_mean(np.array([1.0, np.nan, 1.0])) == (1, 1, 1)
    assert all(math.isnan(x) for x in bootstrap_mean(np.array([np.nan])))
    with pytest.raises(ValueError, match=r"shape \(n,\)"):
        bootstrap_mean(np.ones((2, 2)))


def test_chunks_do_not_change_the_draws(monkeypatch):
    values = np.random.default_rng(0).normal(size=30)
    whole = bootstrap_mean(values, resamples=100)
    monkeypatch.setattr("plaudit.measure.intervals._CHUNK", 90)
    assert bootstrap_mean(values, resamples=100) == whole


def test_paired_ratio_cancels_what_the_pair_shares():
    rng = np.random.default_rng(0)
    load = rng.uniform(1, 5, 40)
    ours, theirs = 3.0 * load * rng.normal(1, 0.01, 40), load
    ratio, low, high = bootstrap_ratio(ours, theirs)
    assert abs(ratio - 3) < 0.02 and low <= ratio <= high and high - low < 0.05
    assert ratio == np.median(ours / theirs)
    with pytest.raises(ValueError, match="equal shapes"):
        bootstrap_ratio(np.ones(2), np.ones(3))


def test_mad_by_hand():
    assert mad(np.array([1.0, 1, 2, 2, 4, 6, 9])) == 1.0
    assert mad(np.array([np.nan, 3.0])) == 0.0
