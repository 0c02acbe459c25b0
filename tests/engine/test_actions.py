"""Action heads against hand-computed numbers, finite differences and counts of samples."""

import math

import numpy as np
import pytest
import torch
from gymnasium import spaces

from plaudit.engine.actions import Categorical, Factored, SquashedGaussian, check_mask, make_head
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError


def sources(rows):
    return [RowRandom(range(rows)), np.random.default_rng(0), torch.Generator().manual_seed(0)]


def test_masked_categorical_by_hand():
    logits = torch.tensor([[math.log(1.0), math.log(2.0), math.log(5.0)]])
    masked = Categorical(logits, torch.tensor([[True, True, False]]))
    assert masked.log_prob(torch.tensor([1])).item() == pytest.approx(math.log(2 / 3), abs=1e-6)
    expected = -(1 / 3 * math.log(1 / 3) + 2 / 3 * math.log(2 / 3))
    assert masked.entropy().item() == pytest.approx(expected, abs=1e-6)
    assert masked.mode().item() == 1
    assert Categorical(logits).mode().item() == 2


def test_masked_action_gets_no_gradient():
    logits = torch.zeros(1, 3, requires_grad=True)
    masked = Categorical(logits, torch.tensor([[True, True, False]]))
    (masked.log_prob(torch.tensor([0])) + masked.entropy()).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 2] == 0
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("kind", range(3))
def test_samples_follow_the_probabilities(kind):
    rows = 20_000
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log().expand(rows, 4)
    mask = torch.tensor([True, False, True, True]).expand(rows, 4)
    drawn = Categorical(logits, mask).sample(sources(rows)[kind])
    share = torch.bincount(drawn, minlength=4) / rows
    assert share[1] == 0
    np.testing.assert_allclose(share, [0.125, 0.0, 0.375, 0.5], atol=0.015)


def test_largest_quantile_never_picks_a_masked_action():
    last_masked = Categorical(torch.zeros(1, 3), torch.tensor([[True, True, False]]))
    assert last_masked.pick(torch.tensor([[1.0 - 2**-24]])).item() == 1
    first_masked = Categorical(torch.zeros(1, 3), torch.tensor([[False, True, True]]))
    assert first_masked.pick(torch.tensor([[0.0]])).item() == 1


def test_a_row_depends_on_its_seed_alone():
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(1))
    together = Categorical(logits).sample(RowRandom([1, 2, 3, 4, 5]))
    alone = Categorical(logits[3:4]).sample(RowRandom([4]))
    assert together[3] == alone[0]


def test_factored_is_a_product_of_categoricals():
    logits, mask = torch.randn(4, 5, generator=torch.Generator().manual_seed(2)), torch.ones(4, 5) > 0
    mask[:, 0] = False
    joint = Factored(logits, (2, 3), mask)
    raw = joint.sample(np.random.default_rng(0))
    first, second = Categorical(logits[:, :2], mask[:, :2]), Categorical(logits[:, 2:])
    assert raw.shape == (4, 2)
    assert (raw[:, 0] == 1).all()
    torch.testing.assert_close(joint.log_prob(raw), first.log_prob(raw[:, 0]) + second.log_prob(raw[:, 1]))
    torch.testing.assert_close(joint.entropy(), first.entropy() + second.entropy())
    torch.testing.assert_close(joint.mode()[:, 1], second.mode())


def test_squashed_density_integrates_to_one():
    head = make_head(spaces.Box(-2.0, 3.0, (1,)))
    raw = torch.linspace(-9.0, 9.0, 20_001)[:, None]
    out = torch.tensor([[0.4, -0.3]]).expand(len(raw), 2)
    density = head(out).log_prob(raw).exp()
    action = head.action(raw)[:, 0]
    assert torch.trapezoid(density, action).item() == pytest.approx(1.0, abs=1e-4)
    assert action.min() >= -2.0
    assert action.max() <= 3.0


def test_squashed_log_prob_is_finite_far_out():
    gaussian = SquashedGaussian(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1))
    assert gaussian.log_prob(torch.tensor([[50.0]])).isfinite().all()


@pytest.mark.parametrize("kind", range(3))
def test_gaussian_samples_have_its_mean_and_deviation(kind):
    rows = 20_000
    gaussian = SquashedGaussian(torch.full((rows, 1), 0.5), torch.full((rows, 1), -1.0), torch.ones(1))
    raw = gaussian.sample(sources(rows)[kind])
    assert raw.mean().item() == pytest.approx(0.5, abs=0.02)
    assert raw.std().item() == pytest.approx(math.exp(-1.0), abs=0.02)


def test_box_actions_keep_their_shape():
    head = make_head(spaces.Box(-1.0, 1.0, (2, 3)))
    raw = head(torch.zeros(4, 12)).sample(np.random.default_rng(0))
    assert head.action(raw).shape == (4, 2, 3)


def test_an_all_masked_row_is_named():
    mask = torch.ones(3, 4) > 0
    check_mask(mask)
    mask[2] = False
    with pytest.raises(InputError, match="row 2"):
        check_mask(mask)


@pytest.mark.parametrize("space", [spaces.Box(-np.inf, np.inf, (1,)), spaces.Text(4)])
def test_spaces_without_a_head_are_refused(space):
    with pytest.raises(InputError, match="no action head"):
        make_head(space)
