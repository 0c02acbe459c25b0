"""Pictures that are each the best of n of their class: which are drawn, how often, and what cannot choose."""

import numpy as np
import one_step as toy
import pytest
import torch

from plaudit.domains.image import picture_training
from plaudit.domains.image.picture_best import BestPictures
from plaudit.domains.image.picture_recipes import picture_recipes
from plaudit.domains.image.picture_request import PictureRequest
from plaudit.domains.image.picture_source import PictureReward
from plaudit.domains.image.reward import picture_terms
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.term import Term
from plaudit.runs.recipe import RewardEntry

DRAWN = 20_000


def reward(terms=(), **weights):
    rows = [RewardEntry(term=name, weight=weight) for name, weight in weights.items()]
    composition = Composition(rows, (*picture_terms(), *terms))
    facts = toy.reference().facts
    return PictureReward(composition, rows, facts, PictureRequest(), reference=toy.reference())


def dark(images):
    return 1.0 - (images + 1).mean((1, 2, 3)).numpy() / 2


def test_each_is_the_best_of_so_many_of_its_class():
    source = BestPictures(toy.pictures(), reward(ink=1.0), 4)
    images, labels = source.batch(DRAWN, np.random.default_rng(0))
    train = toy.pictures().part("train")
    rng = np.random.default_rng(1)
    own = 1.0 - train.images.mean((1, 2, 3)) / 255
    share = np.bincount(train.labels) / len(train.labels)
    assert np.abs(np.bincount(labels) / DRAWN - share).max() < 0.02
    for kind in range(len(share)):
        values = own[train.labels == kind]
        best = rng.choice(values, (DRAWN, 4)).max(1)
        found = dark(images[labels == kind])
        assert abs(found.mean() - best.mean()) < 0.1 * (best.mean() - values.mean())
        assert np.abs(found[:, None] - values).min(1).max() < 1e-5


def test_the_sum_of_weighted_terms_decides():
    source = BestPictures(toy.pictures(), reward(ink=-1.0, sharpness=0.0), 50)
    train = toy.pictures().part("train")
    assert np.allclose(source.paid, train.images.mean((1, 2, 3)) / 255, atol=1e-5)
    plain = dark(source.batch(500, np.random.default_rng(0))[0]).mean()
    assert plain < 1.0 - train.images.mean() / 255


def test_what_cannot_be_scored_is_never_drawn():
    def upper(items, context):
        bright = items.reshape(len(items), -1).mean(1) / 255
        return np.where(bright < 0.2, np.nan, bright)

    term = Term("upper", upper, "Brightness, unknown of dark ones.", (0.0, 1.0))
    source = BestPictures(toy.pictures(), reward((term,), upper=-1.0), 3)
    assert np.isnan(source.paid).any()
    images, _ = source.batch(2000, np.random.default_rng(0))
    assert dark(images).max() < 0.8 + 1e-3


def test_without_classes_the_best_is_of_all():
    classless = BestPictures(toy.pictures(), reward(ink=1.0), 10_000, classes=False)
    images, labels = classless.batch(20, np.random.default_rng(0))
    assert labels is None
    assert len(np.unique(dark(images).round(4))) <= 2


def test_a_term_that_compares_pictures_is_refused():
    with pytest.raises(InputError, match="compares pictures with each other"):
        BestPictures(toy.pictures(), reward(distinctness=1.0), 4)


def test_a_recipe_asks_for_them(monkeypatch):
    toy.at_hand(monkeypatch)
    base = picture_recipes()["base"].model_copy(
        update={
            "env": {"pictures": "toy", "best_of": 8},
            "reward": (RewardEntry(term="symmetry"),),
            "network": {"width": 8, "levels": [1]},
            "learner": {"batch_size": 8, "updates": 1, "held_out": 8},
        }
    )
    made = picture_training.make_learner(base, {})
    assert isinstance(made.source, BestPictures) and made.source.best_of == 8
    assert torch.isfinite(torch.tensor(made.step()["loss"]))
    plain = base.model_copy(update={"env": {"pictures": "toy"}})
    assert not isinstance(picture_training.make_learner(plain, {}).source, BestPictures)
    with pytest.raises(InputError, match="those by a reward"):
        picture_training.make_learner(base.model_copy(update={"reward": ()}), {})
    with pytest.raises(InputError, match="below 1"):
        picture_training.PictureConfig(best_of=0)
