"""The lower bound over views: by hand, by its gradient, and against an accident of the pixels."""

import pytest
import torch

from plaudit.domains.image.augment import Augment, augmented
from plaudit.errors import InputError
from plaudit.reward.lower_bound import LowerBound, lower_bound


def moved(items, generator):
    return items + torch.randn(len(items), 1, generator=generator)


def test_by_hand():
    scores = torch.tensor([[1.0, 2.0], [3.0, 2.0], [5.0, 2.0]])
    assert lower_bound(scores, 1.0).tolist() == pytest.approx([3 - (8 / 3) ** 0.5, 2.0], abs=1e-5)
    assert lower_bound(scores, 0.0).tolist() == [3.0, 2.0]
    assert lower_bound(torch.tensor([[1.0], [float("nan")]]), 1.0).isnan().all()


def test_it_depends_on_the_item_and_not_on_its_neighbours():
    bound = LowerBound(lambda x: x.sum(1), moved, views=3)
    items = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    together, state = bound(items), torch.get_rng_state()
    assert torch.equal(bound(items), together)
    assert torch.allclose(torch.cat([bound(items[i : i + 1]) for i in range(5)]), together)
    assert torch.equal(torch.get_rng_state(), state)
    assert len({float(a - b.sum()) for a, b in zip(together, items, strict=True)}) > 1


def test_the_gradient_is_that_of_differences():
    bound = LowerBound(
        lambda x: x.pow(3).sum(1), lambda x, g: x * torch.rand(len(x), 1, generator=g, dtype=x.dtype)
    )
    x = torch.tensor([[0.7, -1.3, 0.4]], dtype=torch.float64, requires_grad=True)
    # Views follow the content: they are held for the comparison.
    held = bound._views(x)
    lower_bound(torch.stack([bound.score(v) for v in held]), 1.0).sum().backward()
    (whole,) = torch.autograd.grad(bound(x).sum(), x)
    assert torch.equal(whole, x.grad)
    share = [float(v[0, 0] / x[0, 0]) for v in held]
    step, at = 1e-6, x.detach()
    for k in range(3):
        near = [at.clone(), at.clone()]
        near[0][0, k] += step
        near[1][0, k] -= step
        up, down = (float(lower_bound(torch.stack([bound.score(n * s) for s in share]), 1.0)) for n in near)
        assert float(x.grad[0, k]) == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-7)


def test_an_accident_of_single_pixels_is_worth_less_than_a_shape():
    # The score adores one pixel, or a wide blot alike.
    def score(pictures):
        return pictures[:, 0, 13, 13]

    pictures = torch.zeros(2, 1, 28, 28)
    pictures[0, 0, 13, 13] = 1.0
    pictures[1, 0, 8:20, 8:20] = 1.0
    how = Augment(shift=0.1, zoom=0.1, noise=0.02)
    bound = LowerBound(score, lambda x, g: augmented(x, how, g), views=8)
    assert score(pictures).tolist() == [1.0, 1.0]
    speck, blot = bound(pictures).tolist()
    assert blot > 0.9 and speck < 0.3


@pytest.mark.parametrize("wrong", [{"views": 1}, {"kappa": -1.0}, {"kappa": float("nan")}])
def test_bad_settings_are_said(wrong):
    with pytest.raises(InputError):
        LowerBound(lambda x: x.sum(1), moved, **wrong)
