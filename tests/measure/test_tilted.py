"""The tilted reference against Gaussians whose tilt is known, and a hack that it must not like."""

import math

import numpy as np
import pytest

from plaudit.measure.frechet import frechet_distance
from plaudit.measure.tilted import effective_size, tilted_distance, tilted_moments, tilted_weights

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((40_000, 3)) * [1.0, 2.0, 0.5]
SLOPE = np.array([0.6, 0.2, 0.0])
BETA = 0.8


def test_the_moments_are_those_of_the_tilted_gaussian():
    # A Gaussian tilted by a slope keeps its covariance and moves by covariance @ slope / beta.
    found = tilted_moments(REAL, REAL @ SLOPE, BETA)
    assert np.allclose(found.mean, np.array([0.6, 0.8, 0.0]) / BETA, atol=0.06)
    assert np.allclose(found.covariance, np.diag([1.0, 4.0, 0.25]), atol=0.2)
    # E[w]^2 / E[w^2] of exp(s z) is exp(-s^2) with s the deviation of the logit.
    expected = len(REAL) * math.exp(-(0.6**2 + 0.4**2) / BETA**2)
    assert found.effective == pytest.approx(expected, rel=0.1)


def test_a_constant_reward_is_the_plain_distance():
    other = RNG.standard_normal((5_000, 3))
    reference = tilted_moments(REAL, np.full(len(REAL), 7.0), 1.0)
    assert tilted_distance(other, reference) == pytest.approx(frechet_distance(other, REAL), rel=1e-9)
    assert reference.effective == pytest.approx(len(REAL))


def test_an_honest_gain_comes_nearer_and_a_hack_goes_away():
    reference = tilted_moments(REAL, REAL @ SLOPE, BETA)
    base = RNG.standard_normal((4_000, 3)) * [1.0, 2.0, 0.5]
    start = tilted_distance(base, reference)
    honest = base + 0.8 * np.array([0.6, 0.8, 0.0]) / BETA
    assert (honest @ SLOPE).mean() > (base @ SLOPE).mean()
    assert tilted_distance(honest, reference) < 0.2 * start
    # As much reward in one point, and in a direction that no real data take.
    point = np.tile(honest.mean(0), (4_000, 1)) + 1e-3 * base
    along = base + 3.0 * SLOPE / np.linalg.norm(SLOPE) * np.array([1.0, 0.0, 0.0]) + [0.0, 0.0, 4.0]
    for hacked in (point, along):
        assert (hacked @ SLOPE).mean() > 0.95 * (honest @ SLOPE).mean()
        assert tilted_distance(hacked, reference) > start


def test_too_few_that_count_give_no_number():
    reference = tilted_moments(REAL, REAL @ SLOPE, 0.01)
    assert reference.effective < 6 and not reference.reliable
    assert math.isnan(tilted_distance(REAL[:100], reference))
    good = tilted_moments(REAL, REAL @ SLOPE, BETA)
    assert math.isnan(tilted_distance(REAL[:3], good))


def test_weights_of_what_could_not_be_scored_are_zero():
    assert tilted_weights([np.nan, 1000.0, 1000.0], 0.1).tolist() == [0.0, 0.5, 0.5]
    assert effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    with_nan = np.where(np.arange(len(REAL)) < 100, np.nan, 0.0)
    assert np.allclose(tilted_moments(REAL, with_nan, 1.0).mean, REAL[100:].mean(0))


@pytest.mark.parametrize(
    ("reward", "beta"), [([1.0, np.inf], 1.0), ([np.nan, np.nan], 1.0), ([1.0, 2.0], 0.0), ([[1.0]], 1.0)]
)
def test_what_cannot_be_a_tilt_is_refused(reward, beta):
    with pytest.raises(ValueError):
        tilted_weights(reward, beta)
    with pytest.raises(ValueError):
        tilted_moments(REAL, [1.0, 2.0], 1.0)
