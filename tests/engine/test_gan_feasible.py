"""What a game with a constraint keeps: the weights that pay most among those that the constraint allows."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
import toy_items as toy

from plaudit.engine.gan.config import RewardConfig
from plaudit.engine.gan.distance import Distance, jackknife_error
from plaudit.engine.gan.feasible import BestFeasible
from plaudit.engine.gan.rewards import Rewards
from plaudit.engine.gan.weight import RewardWeight
from plaudit.engine.learner import UnitWeights
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError


def test_a_jackknife_knows_the_error_of_a_mean():
    values = np.random.default_rng(0).normal(0, 2, 20)
    left_out = [np.delete(values, at).mean() for at in range(20)]
    assert jackknife_error(left_out) == pytest.approx(values.std(ddof=1) / math.sqrt(20))
    assert jackknife_error([]) == 0.0


def test_what_two_distances_share_is_no_error_of_their_difference():
    start, now = Distance(4.0, (3.0, 4.0, 5.0)), Distance(5.0, (4.0, 5.0, 6.0))
    assert now.error > 1.0 and now.growth_error(start) == 0.0


def test_a_distance_below_the_limit_may_be_too_uncertain():
    """Below 11, 10.5 is by itself; with twice its error it is not, and lambda falls."""
    for spread, allowed in ((0.1, True), (1.0, False)):
        weight = RewardWeight(RewardConfig(schedule="dual", slack=0.1, rate=1.0))
        assert weight.measured(Distance(10.0, (10.0, 10.0, 10.0)), 0)
        assert weight.measured(Distance(10.5, (10.5 - spread, 10.5, 10.5 + spread)), 1) == allowed
        error = spread * math.sqrt(2.0 * 2.0 / 3.0)
        assert weight.bound == pytest.approx(10.5 + 2 * error)
        assert weight.base == pytest.approx(math.exp((11.0 - weight.bound) / 10.0))
        assert (weight.base > 1.0) == allowed


def test_beside_a_given_reference_a_distance_has_its_own_error():
    weight = RewardWeight(RewardConfig(schedule="dual", slack=0.0, reference=5.0))
    shifted = Distance(4.0, (3.0, 4.0, 5.0))
    assert not weight.measured(shifted, 0)
    assert weight.bound == pytest.approx(4.0 + 2 * shifted.error)


class Points:
    """A policy whose items are all one point, in two columns."""

    noise_size, shape = 2, toy.Mixture(toy.RING).shape

    def __init__(self, *point):
        self.point = torch.tensor([float(x) for x in point])

    def draw(self, noise, labels):
        return self.point.expand(len(noise), 2)

    def tensors(self):
        return {"point": self.point}


class Both(toy.Mixture):
    def score(self, items, labels):
        return items.double().numpy()


class Turning:
    """Pays for the first column, and later for the second."""

    names = ("first", "second")

    def weights(self, progress):
        return np.array([1.0 - progress, progress])


def best(weighing=None):
    rewards = Rewards(Both(toy.RING), weighing or Turning())
    return BestFeasible(rewards, RewardConfig(batch_size=8), seed=0)


def kept_of(looks, share=0.0):
    one = best()
    for images, (point, allowed) in enumerate(looks):
        one.rewards.share = share
        one.look(Points(*point), allowed, images)
    return one.kept.weights["point"].tolist()


def test_the_highest_reward_that_is_allowed_is_kept():
    assert kept_of([((1, 0), True), ((3, 0), True), ((9, 0), False), ((2, 0), True)]) == [3, 0]
    # Where nothing else is allowed it is the first, whether that was or not.
    assert kept_of([((1, 0), True), ((9, 0), False)]) == [1, 0]
    assert kept_of([((5, 0), False), ((9, 0), False)]) == [5, 0]
    assert kept_of([((5, 0), False), ((2, 0), True), ((9, 0), False)]) == [2, 0]
    # What cannot be scored is worth nothing.
    assert kept_of([((1, 0), True), ((math.nan, 0), True)]) == [1, 0]
    assert kept_of([((math.nan, 0), True), ((-7, 0), True)]) == [-7, 0]


def test_both_are_weighed_as_of_now():
    one = best()
    one.look(Points(5, 1), True, 0)
    one.rewards.share = 1.0
    one.look(Points(0, 2), True, 1)
    assert one.kept.weights["point"].tolist() == [0, 2] and one.kept.step == 1


def test_what_is_looked_at_is_asked_for_but_not_reported():
    one = best(UnitWeights(("first", "second")))
    one.look(Points(1, 1), True, 0)
    assert one.rewards.report() == {"queries": 16 * 8}


class Leaving(toy.Mixture):
    """One cloud at the origin, and a reward far from it; the distance is 1 and how far the mean has gone."""

    def __init__(self):
        super().__init__(torch.zeros(1, 2))

    def distance(self, policy):
        items = policy.draw(policy.noise(RowRandom(range(256))))
        gone = [1.0 + float(torch.cat(rest).mean(0).norm()) for rest in combinations(items.split(32), 7)]
        return Distance(1.0 + float(items.mean(0).norm()), tuple(gone))


def left(steps=60, learning_rate=5e-3, **reward):
    settings = {"schedule": "dual", "weight": 5.0, "slack": 0.3, "rate": 0.0, "judge_every": 1}
    game = {"learning_rate": learning_rate, "learning_rate_end": learning_rate, "ema_images": 16}
    made = toy.gan(Leaving(), reward={**settings, "batch_size": 64, **reward}, **game)
    rows = [made.step() for _ in range(steps)]
    return made, rows


@pytest.mark.parametrize("method", ["pathwise", "surrogate", "score"])
def test_the_policy_is_the_best_that_was_allowed(method):
    # The score function tunes latents: of a generator that stands still, or the game brings them back.
    game = {"learning_rate": 0.0} if method == "score" else {}
    made, rows = left(method=method, policy_learning_rate=0.1, **game)
    limit = 1.3 * rows[0]["reference"]
    assert rows[-1]["distance"] > limit
    assert made.source.distance(made._newest()).value == rows[-1]["distance"]
    found = made.source.distance(made.policy())
    assert rows[0]["distance"] < found.value < limit
    allowed = [row["distance"] for row in rows if row["bound"] <= limit]
    assert found.value in allowed
    # Here who goes farther is paid more.
    assert found.value == pytest.approx(max(allowed), abs=0.05)


def test_the_last_policy_is_kept_on_request():
    made, rows = left(keep_best=False)
    assert made.source.distance(made.policy()).value == rows[-1]["distance"] > 1.3 * rows[0]["reference"]


def test_where_nothing_is_allowed_the_start_is_kept():
    made, rows = left(reference=0.1)
    assert made.source.distance(made.policy()).value == rows[0]["distance"] < rows[-1]["distance"]


def test_it_is_resumed_exactly():
    one, _ = left(10)
    two, _ = left(0)
    tensors = {name: tensor.clone() for name, tensor in one.policy().tensors().items()}
    two.load_state_dict(one.state_dict(), tensors)
    # What was kept is not what goes on.
    assert not torch.equal(tensors["generator.body.layers.0.weight"], one.average.body.layers[0].weight)
    assert torch.equal(one.average_params, two.average_params)
    assert [repr(one.step()) for _ in range(5)] == [repr(two.step()) for _ in range(5)]
    assert all(torch.equal(t, two.policy().tensors()[n]) for n, t in one.policy().tensors().items())


def test_a_judge_that_declines_has_the_last_word():
    class Judged(Leaving):
        def judge(self, items, labels):
            return -items.norm(dim=1)

    settings = {"schedule": "dual", "weight": 5.0, "slack": 50.0, "judge_every": 1, "batch_size": 64}
    made = toy.gan(Judged(), reward={**settings, "stop_on_decline": 4}, learning_rate=5e-3, ema_images=16)
    for _ in range(300):
        if made.finished:
            break
        made.step()
    assert made.finished
    liked = made.term.judge.guard.kept.weights
    assert all(torch.equal(made.policy().tensors()[n], t) for n, t in liked.items())


def test_without_a_distance_there_is_nothing_to_keep():
    assert toy.gan(toy.Mixture(toy.RING), reward={"weight": 1.0}).term.best is None
    with pytest.raises(InputError, match="distance"):
        toy.gan(toy.Mixture(toy.RING), reward={"schedule": "dual"})
