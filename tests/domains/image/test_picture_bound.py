"""`env.lower_bound`: what it changes, for which terms, in both ways of tuning, and what it refuses."""

from dataclasses import replace

import numpy as np
import one_step as toy
import pytest
import torch

from plaudit.domains.image.augment import SHIFTED, augmented
from plaudit.domains.image.picture_bound import bounded_terms
from plaudit.domains.image.picture_training import make_learner, reward_of
from plaudit.domains.image.reward import picture_terms
from plaudit.errors import InputError
from plaudit.reward.lower_bound import LowerBound
from plaudit.reward.term import Context
from plaudit.runs.recipe import RewardEntry

TERMS = {"class_probability": 1.0, "fidelity": 0.5, "symmetry": 1.0}


@pytest.fixture(autouse=True)
def small_set(monkeypatch):
    toy.at_hand(monkeypatch)


def bounded(kappa, terms=TERMS, name="paid", **learner):
    recipe = toy.stage("gan", name, terms, **learner)
    return recipe.model_copy(update={"env": {**recipe.env, "lower_bound": kappa}})


def some():
    held = toy.pictures().part("validation")
    images = torch.from_numpy(held.images[:12]).permute(0, 3, 1, 2) / 127.5 - 1.0
    return torch.from_numpy(held.labels[:12]), images


def test_the_number_shown_is_the_bound_by_hand_and_pixels_stay():
    labels, images = some()
    plain, one = reward_of(toy.stage("gan", "paid", TERMS)), reward_of(bounded(1.0))
    shown, followed = one.score(labels, images), one.value(labels, images)
    assert shown == pytest.approx(followed.detach().numpy(), abs=1e-4)
    net = toy.reference().reward.net

    def log_probability(view):
        return torch.log_softmax(net(view), 1)[torch.arange(len(view)), labels]

    wanted = LowerBound(log_probability, lambda x, g: augmented(x, SHIFTED, g))((images + 1.0) / 2.0)
    assert shown[:, 0] == pytest.approx(wanted.detach().numpy(), abs=1e-4)
    raw = plain.score(labels, images)
    assert np.array_equal(shown[:, 2], raw[:, 2])
    assert not np.allclose(shown[:, 1], raw[:, 1])


def test_more_deviations_are_worth_less_and_views_have_a_shelf_each():
    labels, images = some()
    mean, low, lower = (reward_of(bounded(kappa)).score(labels, images)[:, :2] for kappa in (0.0, 1.0, 3.0))
    assert (low < mean).all() and (lower < low).all()


def test_the_gradient_goes_through_the_views():
    labels, images = some()
    reward_of(bounded(1.0)).value(labels, images.requires_grad_())[:, :2].sum().backward()
    assert images.grad is not None and (images.grad.abs().flatten(1).sum(1) > 0).all()


def test_games_and_flows_are_tuned_by_it():
    reward = {"schedule": "constant", "ramp": [0, 0], "weight": 0.5}
    learner = make_learner(bounded(1.0, reward=reward), {})
    assert set(learner.step()["terms"]) == set(TERMS)
    plain = make_learner(toy.stage("gan", "paid", TERMS, reward=reward), {})
    plain.step()
    assert not torch.equal(learner.params, plain.params)


@pytest.mark.parametrize("kappa", [-1.0, float("nan"), float("inf")])
def test_what_is_no_number_of_deviations_is_said(kappa):
    with pytest.raises(InputError, match="deviations") as error:
        reward_of(bounded(kappa))
    assert error.value.place == "env.lower_bound"


def test_a_reward_without_networks_has_no_use_for_it():
    with pytest.raises(InputError, match="no term of the reward is read by a network"):
        reward_of(bounded(1.0, {"symmetry": 1.0}))


def test_one_context_serves_one_batch_after_another():
    """Features are kept by the batch's address, which a view that is gone leaves to the next."""
    terms = {term.name: term for term in bounded_terms(picture_terms(), (RewardEntry(term="fidelity"),), 1.0)}
    _, images = some()
    context = Context(requests=[], cache={"reference": toy.reference()})
    score, parts = terms["fidelity"].score, images.split(2)
    alone = [score(one, replace(context, cache=dict(context.cache))) for one in parts]
    shared = [score(one, context) for one in parts]
    assert torch.allclose(torch.cat(shared), torch.cat(alone), atol=1e-5)
