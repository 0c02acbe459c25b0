"""Modes and their divergence by hand."""

import numpy as np
import pytest

from plaudit.measure.modes import mode_statistics, stacked_floor, stacked_label


def test_uneven_classes():
    found = mode_statistics([0, 0, 0, 2], 3)
    assert (found.found, found.of) == (2, 3)
    assert found.kl == pytest.approx(0.75 * np.log(0.75 * 3) + 0.25 * np.log(0.25 * 3))


def test_real_shares_of_ones_own():
    assert mode_statistics([0, 0, 0, 1], 2, [0.75, 0.25]).kl == pytest.approx(0)
    assert mode_statistics([0, 1], 2, [1.0, 0.0]).kl == np.inf


def test_a_perfect_generator_of_stacked_digits():
    found = stacked_floor(1000, 26_000, 3, np.random.default_rng(0))
    # The bias of a plug-in divergence is (modes - 1) / (2 n).
    assert found.found == 1000 and found.kl == pytest.approx(999 / 52_000, rel=0.1)


def test_labels_of_three_digits():
    assert stacked_label([[9, 9, 9], [0, 1, 2]]).tolist() == [999, 12]


@pytest.mark.parametrize(
    "labels, modes, real", [([], 3, None), ([3], 3, None), ([-1], 3, None), ([0], 2, [1, 1])]
)
def test_what_are_no_classes_is_refused(labels, modes, real):
    with pytest.raises(ValueError):
        mode_statistics(labels, modes, real)
