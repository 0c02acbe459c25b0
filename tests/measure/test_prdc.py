"""Precision, recall, density and coverage on points whose neighbours can be counted by hand."""

import numpy as np
import pytest

from plaudit.measure import neighbours
from plaudit.measure.prdc import Prdc, prdc, prdc_floor


def brute(real, made, k):
    """The definitions, pair by pair."""

    def radius(rows, i):
        return sorted(np.linalg.norm(rows[i] - other) for j, other in enumerate(rows) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    made_radii = [radius(made, j) for j in range(len(made))]
    far = np.linalg.norm(real[:, None] - made[None], axis=-1)
    near = far < np.array(real_radii)[:, None]
    return Prdc(
        near.any(0).mean(),
        (far < np.array(made_radii)).any(1).mean(),
        near.sum(0).mean() / k,
        near.any(1).mean(),
    )


def test_points_on_a_line():
    # Radii of the real (k = 1): 1, 1, 8. Samples 0.5 (in two balls), 3 (in the last one), 30 (in none).
    real, made = [[0.0], [1.0], [9.0]], [[0.5], [3.0], [30.0]]
    found = prdc(real, made, k=1)
    assert found.precision == pytest.approx(2 / 3)
    assert found.density == pytest.approx((2 + 1 + 0) / 3)
    assert found.coverage == pytest.approx(1.0)
    # Radii of the samples: 2.5, 2.5, 27: the last reaches 9, the first two 0 and 1.
    assert found.recall == pytest.approx(1.0)


@pytest.mark.parametrize("block", [1, 50, 1 << 20])
def test_equals_the_definitions_whatever_the_block(monkeypatch, block):
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(40, 3)), rng.normal(1.0, 0.6, size=(30, 3))
    found, expected = prdc(real, made, 3), brute(real, made, 3)
    for name, value in vars(expected).items():
        assert getattr(found, name) == pytest.approx(value), name
    assert 0.1 < found.recall < 0.9 and 0.1 < found.coverage < 0.9


def test_one_mode_of_two_is_precise_and_covers_half():
    rng = np.random.default_rng(1)
    real = np.concatenate([rng.normal(0, 1, (200, 2)), rng.normal(50, 1, (200, 2))])
    found = prdc(real, rng.normal(0, 1, (200, 2)))
    assert found.precision > 0.9 and found.recall < 0.55 and found.coverage < 0.55


def test_the_floor_of_real_data_is_near_one():
    found = prdc_floor(np.random.default_rng(2).normal(size=(1200, 3)), 3, 500, np.random.default_rng(0))
    assert found.precision > 0.9 and found.recall > 0.9 and found.coverage > 0.9
    assert found.density == pytest.approx(1, abs=0.1)


def test_far_twins_are_at_no_distance_from_themselves_alone():
    rows = np.full((4, 2), 1e6) + np.arange(4)[:, None]
    assert neighbours.neighbour_radii(rows, 1) == pytest.approx(np.full(4, np.sqrt(2)), rel=1e-2)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="5"):
        prdc(np.ones((5, 2)), np.ones((9, 2)), k=5)
