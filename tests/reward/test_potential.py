"""The number shown is the number optimised: episode sums of stepwise terms against the breakdown."""

import numpy as np
import pytest

from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import RewardEntry

TERMS = tuple(
    Term(name, lambda items, context, at=at: items[:, at], name, (0, 1), direction)
    for at, (name, direction) in enumerate(
        [("open", "maximize"), ("regions", "minimize"), ("path", "maximize"), ("even", "maximize")]
    )
)
ENTRIES = [
    RewardEntry(term="open", weight=2.0, target=0.5, tolerance=0.1),
    RewardEntry(term="regions", weight=0.7, ramp=(0.2, 0.8), normalise=True),
    RewardEntry(term="path", threshold=0.4),
    RewardEntry(term="path", product=True),
    RewardEntry(term="even", product=True),
]
B, T = 5, 12


def composition():
    made = Composition(ENTRIES, TERMS, product_weight=1.5)
    made.observe(np.random.default_rng(9).uniform(size=(20, 4)))
    return made


@pytest.fixture
def walk():
    """`(T + 1, B, 4)` item features along an episode."""
    return np.random.default_rng(1).uniform(size=(T + 1, B, 4))


def play(made, form, walk, share):
    """Return the undiscounted sums `(B,)` that a learner optimises with weights at `share(t)`.

    Like the learners, it takes the weights before it collects: the end of an episode moves the
    normalising statistics, and with them the weights of the next update only.
    """
    stepwise = Stepwise(made, form)
    weights = [made.weights(share(t)) for t in range(T + 1)]
    stepwise.start(np.arange(B), made.score(walk[0], Context()))
    total = np.zeros(B)
    for t in range(1, T + 1):
        terms = stepwise.advance(made.score(walk[t], Context()), np.full(B, t == T))
        total += terms @ weights[t]
    return total


def test_potential_sum_is_the_displayed_gain(walk):
    made = composition()
    shown = made.breakdown(walk[-1], Context(), 0.5).total - made.breakdown(walk[0], Context(), 0.5).total
    np.testing.assert_allclose(play(made, "potential", walk, lambda t: 0.5), shown, atol=1e-9)


def test_end_sum_is_the_displayed_total(walk):
    made = composition()
    shown = made.breakdown(walk[-1], Context(), 0.5).total
    np.testing.assert_allclose(play(made, "end", walk, lambda t: 0.5), shown, atol=1e-9)


def test_ramped_sum_is_the_displayed_sum_under_the_weights_in_force(walk):
    made = composition()
    shown = np.zeros(B)
    for t in range(1, T + 1):
        after, before = (made.breakdown(walk[at], Context(), t / T) for at in (t, t - 1))
        shown += (after.weighted - before.weighted).sum(axis=1)
    np.testing.assert_allclose(play(made, "potential", walk, lambda t: t / T), shown, atol=1e-9)
    assert np.abs(shown - play(made, "potential", walk, lambda t: 1.0)).max() > 1e-3


def test_rows_start_again_by_themselves():
    made = Composition([RewardEntry(term="open")], TERMS)
    stepwise = Stepwise(made, "potential")
    stepwise.start(slice(None), np.array([[0.1], [0.2]]))
    terms = stepwise.advance(np.array([[0.4], [0.9]]), np.array([False, True]))
    np.testing.assert_allclose(terms, [[0.3], [0.7]])
    stepwise.start(np.array([1]), np.array([[0.5]]))
    terms = stepwise.advance(np.array([[0.5], [0.5]]), np.array([False, False]))
    np.testing.assert_allclose(terms, [[0.1], [0.0]], atol=1e-12)


def test_nan_before_or_after_is_nan_for_that_step():
    made = Composition([RewardEntry(term="open")], TERMS)
    stepwise = Stepwise(made, "potential")
    running = np.zeros(1, bool)
    stepwise.start(np.array([0]), np.array([[0.1]]))
    steps = [stepwise.advance(np.array([[x]]), running)[0, 0] for x in (np.nan, 0.5, 0.75)]
    assert np.isnan(steps[:2]).all() and steps[2] == 0.25
    ended = Stepwise(made, "end").advance(np.array([[np.nan], [np.nan]]), np.array([True, False]))
    assert np.isnan(ended[0, 0]) and ended[1, 0] == 0


def test_finished_items_feed_normalisation_and_state_resumes():
    entries = [RewardEntry(term="open", normalise=True)]
    stepwise = Stepwise(Composition(entries, TERMS), "potential")
    stepwise.start(np.arange(3), np.zeros((3, 1)))
    stepwise.advance(np.array([[0.1], [0.2], [0.9]]), np.array([True, True, False]))
    other = Stepwise(Composition(entries, TERMS), "potential")
    other.load_state_dict(stepwise.state_dict())
    for each in (stepwise, other):
        np.testing.assert_allclose(each.composition.weights(0), 1 / np.std([0.1, 0.2], ddof=1))
    after = np.array([[0.3], [0.3], [0.3]])
    one, two = (each.advance(after, np.zeros(3, bool)) for each in (stepwise, other))
    assert one.tobytes() == two.tobytes()


def test_an_unknown_form_is_refused():
    with pytest.raises(InputError, match='"dense"'):
        Stepwise(composition(), "dense")
