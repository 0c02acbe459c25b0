"""The number shown is the number optimised: also when the weights move while an episode runs."""

import numpy as np
import pytest

from plaudit.engine.episodes import EpisodeTerms
from plaudit.errors import Diverged


class Ramp:
    """One term whose weight is the share of the budget, one that counts nothing."""

    names = ("grown", "shown")

    def weights(self, progress):
        return np.array([progress, 0.0])


def test_what_is_shown_is_what_was_paid():
    terms = EpisodeTerms(Ramp(), Ramp.names, 2)
    rewards = np.zeros(2)
    for share in (0.0, 0.25, 0.5, 1.0):
        terms.start(share)
        step = np.array([[1.0, 7.0], [2.0, np.nan]])
        rewards += terms.weigh(step)
        terms.add(step, np.array([share == 1.0] * 2))
    row = terms.metrics()
    assert rewards.tolist() == [1.75, 3.5]
    assert row["return"] == pytest.approx(rewards.mean(), abs=1e-12)
    assert row["terms"]["grown"] == {"raw": 6.0, "weight": 1.0, "weighted": pytest.approx(2.625)}
    assert row["terms"]["shown"]["weighted"] == 0.0


def test_a_row_that_cannot_be_scored_is_masked_and_counted_and_an_infinite_one_diverges():
    terms = EpisodeTerms(Ramp(), Ramp.names, 3)
    terms.start(1.0)
    reward = terms.weigh(np.array([[1.0, 0.0], [np.nan, 0.0], [2.0, np.nan]]))
    assert np.isnan(reward).tolist() == [False, True, False]
    assert terms.metrics()["masked"] == 1
    with pytest.raises(Diverged, match="grown"):
        terms.weigh(np.array([[np.inf, 0.0], [0.0, 0.0], [0.0, 0.0]]))
