"""What is learned from, and what drawn pictures are worth."""

import numpy as np
import pytest
import torch

from plaudit.domains.image.picture_reference import reference_of
from plaudit.domains.image.picture_request import PictureRequest
from plaudit.domains.image.picture_source import PATIENCE, PictureReward, PictureSource
from plaudit.domains.image.reward import picture_terms
from plaudit.domains.image.shapes import shapes
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.term import Term
from plaudit.runs.recipe import RewardEntry


@pytest.fixture(scope="module")
def pictures():
    return shapes(None, 240, 3)


@pytest.fixture(scope="module")
def reference():
    return reference_of("shapes", None)


def reward(reference, *entries, terms=(), given=None, **more):
    rows = [RewardEntry(**e) if isinstance(e, dict) else RewardEntry(term=e) for e in entries]
    composition = Composition(rows, (*picture_terms(), *terms))
    request = given or PictureRequest()
    return PictureReward(composition, rows, reference.facts, request, reference=reference, **more)


def drawn(n, seed=0):
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def as_drawn(pictures):
    return torch.from_numpy(pictures.images).permute(0, 3, 1, 2).float() / 127.5 - 1


class TestTheSource:
    def test_gives_training_pictures_with_their_classes(self, pictures):
        source = PictureSource(pictures)
        images, labels = source.batch(50, np.random.default_rng(0))
        assert images.shape == (50, 3, 32, 32) and -1 <= images.min() and images.max() <= 1
        back = ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        train = {image.tobytes(): label for image, label in zip(*_part(pictures, "train"), strict=True)}
        assert [train[image.tobytes()] for image in back] == labels.tolist()

    def test_validation_pictures_are_others_and_always_the_same(self, pictures):
        source = PictureSource(pictures)
        first, again = source.validation(10)[0], source.validation(10)[0]
        held = {image.tobytes() for image in _part(pictures, "validation")[0]}
        back = ((first + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        assert torch.equal(first, again) and all(image.tobytes() in held for image in back)

    def test_without_classes_there_are_no_labels(self, pictures):
        source = PictureSource(pictures, classes=False)
        assert source.shape.classes == 0 and source.batch(4, np.random.default_rng(0))[1] is None

    def test_half_of_the_pictures_are_mirrored_where_asked(self, pictures):
        plain = PictureSource(pictures).batch(64, np.random.default_rng(0))[0]
        turned = PictureSource(pictures, mirror=True).batch(64, np.random.default_rng(0))[0]
        same = (plain == turned).all(3).all(2).all(1)
        assert 16 < same.sum() < 48 and torch.equal(turned[~same], plain[~same].flip(3))


def _part(pictures, split):
    part = pictures.part(split)
    return part.images, part.labels


class TestTheReward:
    def test_draws_each_class_as_often_as_the_others_or_the_one_asked(self, reference):
        source = reward(reference, "ink")
        label = source.draw(16, np.random.default_rng(0))
        assert np.bincount(label.numpy()).tolist() == [2] * 8
        one = reward(reference, "ink", given=PictureRequest(label="star"))
        assert set(one.draw(4, np.random.default_rng(0)).tolist()) == {6}
        assert reward(reference, "ink", classes=False).draw(4, np.random.default_rng(0)) is None

    def test_columns_agree_with_their_differentiable_twins(self, reference):
        names = ("class_probability", "fidelity", "novelty", "distinctness", "symmetry", "ink")
        source = reward(reference, *names, {"term": "contrast", "target": 0.4, "tolerance": 0.01})
        source.draw(4, np.random.default_rng(0))
        label = torch.arange(4).repeat_interleave(3)
        images = as_drawn(shapes(None, 100, 5))[:12].requires_grad_()
        plain, value = source.score(label, images), source.value(label, images)
        np.testing.assert_allclose(value.detach().numpy(), plain, atol=2e-3, rtol=2e-3)
        for k in range(value.shape[1]):
            slope = torch.autograd.grad(value[:, k].sum(), images, retain_graph=True)[0]
            assert slope.isfinite().all() and slope.abs().sum() > 0, k

    def test_the_label_decides_what_a_picture_is_worth(self, reference):
        pictures = shapes(None, 64, 9)
        source = reward(reference, "class_probability")
        right = source.score(torch.from_numpy(pictures.labels), as_drawn(pictures))
        wrong = source.score(torch.from_numpy((pictures.labels + 1) % 8), as_drawn(pictures))
        assert (right > wrong).mean() > 0.9

    def test_a_term_without_gradient_is_refused_where_one_is_needed(self, reference):
        source = reward(reference, "compressibility")
        assert source.score(None, drawn(4)).shape == (4, 1)
        with pytest.raises(InputError, match="no gradient"):
            source.value(None, drawn(4))

    def test_a_picture_without_a_score_is_masked_and_a_batch_without_is_an_error(self, reference):
        def odd(items, context):
            return np.where(np.arange(len(items)) % 2, np.nan, items.mean((1, 2, 3)))

        some = reward(reference, "odd", terms=[Term("odd", odd, "Half.", (0, 255))])
        assert np.isnan(some.score(None, drawn(6))[:, 0]).tolist() == [False, True] * 3
        none = Term("none", lambda items, context: np.full(len(items), np.nan), "None.", (0, 1))
        with pytest.raises(InputError, match="could score none"):
            reward(reference, "none", terms=[none]).score(None, drawn(4))

    def test_a_constant_reward_is_an_error_once_it_is_clear(self, reference):
        flat = Term("flat", lambda items, context: np.full(len(items), 0.5), "Flat.", (0, 1))
        source = reward(reference, "flat", terms=[flat])
        for _ in range(PATIENCE - 1):
            source.score(None, drawn(4))
        with pytest.raises(InputError, match=r"is the same, \[0.5\]"):
            source.score(None, drawn(4))

    def test_a_reward_that_becomes_constant_later_is_none(self, reference):
        source = reward(reference, {"term": "ink", "threshold": 0.3})
        source.score(None, torch.cat([-torch.ones(2, 3, 32, 32), drawn(2)]))
        for _ in range(2 * PATIENCE):
            source.score(None, -torch.ones(4, 3, 32, 32))

    def test_a_term_of_the_wrong_shape_is_named(self, reference):
        wrong = Term("wrong", lambda items, context: np.zeros(3), "Wrong.", (0, 1), user=True)
        with pytest.raises(InputError, match='"wrong" returned shape'):
            reward(reference, "wrong", terms=[wrong]).score(None, drawn(5))

    def test_normalise_would_do_nothing_and_is_refused(self, reference):
        with pytest.raises(InputError, match="normalise_then_sum"):
            reward(reference, {"term": "ink", "normalise": True})
