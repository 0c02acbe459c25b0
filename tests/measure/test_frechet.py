"""Frechet distance against closed forms, against scipy where it is there, and its floor."""

import numpy as np
import pytest

from plaudit.measure.floor import to_real
from plaudit.measure.frechet import (
    frechet_distance,
    frechet_floor,
    frechet_left_out,
    gaussian_distance,
    moments,
)


def random_covariance(rng, d, rank=None):
    factor = rng.normal(size=(d, rank or d))
    return factor @ factor.T


class TestGaussians:
    def test_one_dimension(self):
        # (m1 - m2)^2 + (s1 - s2)^2
        found = gaussian_distance(np.array([1.0]), np.array([[4.0]]), np.array([-1.0]), np.array([[9.0]]))
        assert found == pytest.approx(4.0 + 1.0)

    def test_covariances_that_commute(self):
        rng = np.random.default_rng(0)
        turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
        a, b = rng.uniform(0.1, 3, 6), rng.uniform(0.1, 3, 6)
        found = gaussian_distance(np.zeros(6), turn * a @ turn.T, np.zeros(6), turn * b @ turn.T)
        assert found == pytest.approx(((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rel=1e-9)

    @pytest.mark.parametrize("rank", [8, 5])
    def test_the_root_of_the_product_squares_to_it(self, rank):
        """The trace term against another way: eigenvalues of the general product, rank-deficient too."""
        rng = np.random.default_rng(rank)
        a, b = random_covariance(rng, 8, rank), random_covariance(rng, 8)
        roots = np.sqrt(np.maximum(np.linalg.eigvals(a @ b).real, 0)).sum()
        expected = np.trace(a) + np.trace(b) - 2 * roots
        assert gaussian_distance(np.zeros(8), a, np.zeros(8), b) == pytest.approx(expected, rel=1e-6)
        assert gaussian_distance(np.zeros(8), b, np.zeros(8), a) == pytest.approx(expected, rel=1e-6)

    def test_equals_scipy(self):
        linalg = pytest.importorskip("scipy.linalg")
        rng = np.random.default_rng(3)
        a, b = random_covariance(rng, 40), random_covariance(rng, 40)
        expected = np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
        assert gaussian_distance(np.zeros(40), a, np.zeros(40), b) == pytest.approx(expected, rel=1e-6)


class TestSamples:
    def test_moments_of_parts_add_up(self):
        rows = np.random.default_rng(0).normal(5, 2, size=(50, 3))
        whole, parts = moments(rows), moments(rows[:7]) + moments(rows[7:20]) + moments(rows[20:])
        assert parts.count == 50
        assert np.allclose(parts.mean, rows.mean(0)) and np.allclose(parts.covariance, np.cov(rows.T))
        assert np.allclose(whole.scatter, parts.scatter)

    def test_the_same_sample_is_no_distance_away(self):
        rows = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
        assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)

    def test_approaches_the_distance_of_what_was_drawn_from(self):
        rng = np.random.default_rng(1)
        a, b = rng.normal(0, 1, (40_000, 4)), rng.normal(1, 2, (40_000, 4))
        assert frechet_distance(a, moments(b)) == pytest.approx(4 * (1 + 1), rel=0.02)

    @pytest.mark.parametrize(
        "a, b",
        [
            (np.zeros((5, 5)), np.zeros((9, 5))),
            (np.zeros((9, 5)), np.zeros((9, 4))),
            (np.zeros(9), np.zeros(9)),
            (np.zeros((0, 2)), np.zeros((9, 2))),
            (np.full((9, 2), np.nan), np.zeros((9, 2))),
        ],
    )
    def test_what_makes_no_distance_is_refused(self, a, b):
        with pytest.raises(ValueError):
            frechet_distance(a, b)


class TestLeftOut:
    def test_each_part_is_left_out_in_turn(self):
        rng = np.random.default_rng(0)
        rows, real = rng.normal(size=(90, 4)), moments(rng.normal(0.2, 1, (80, 4)))
        found = frechet_left_out([moments(part) for part in np.split(rows, 3)], real)
        rest = [np.delete(rows, range(at, at + 30), 0) for at in (0, 30, 60)]
        assert found == pytest.approx([frechet_distance(part, real) for part in rest])

    def test_one_part_cannot_be_left_out(self):
        one = moments(np.random.default_rng(0).normal(size=(9, 2)))
        with pytest.raises(ValueError, match="without"):
            frechet_left_out([one], one)


class TestFloor:
    def test_shrinks_as_samples_grow(self):
        rows = np.random.default_rng(0).normal(size=(4000, 8))
        few = frechet_floor(rows, 5, 100, np.random.default_rng(1))
        many = frechet_floor(rows, 5, 1600, np.random.default_rng(1))
        assert few.values.shape == (5,) and few.n == 100
        # The bias of an estimate goes with 1 / n.
        assert few.mean / many.mean == pytest.approx(16, rel=0.5)

    def test_samples_of_the_same_kind_lie_at_the_floor(self):
        rng = np.random.default_rng(0)
        real, like, unlike = rng.normal(size=(3000, 6)), rng.normal(size=(900, 6)), rng.normal(1, 1, (900, 6))
        floor = frechet_floor(real, 8, 800, rng).mean
        assert to_real(frechet_distance, like, real, 8, 800, rng).mean / floor == pytest.approx(1, abs=0.35)
        assert to_real(frechet_distance, unlike, real, 8, 800, rng).mean / floor > 50

    def test_needs_two_disjoint_parts(self):
        with pytest.raises(ValueError, match="120"):
            frechet_floor(np.ones((100, 2)), 1, 60, np.random.default_rng(0))
