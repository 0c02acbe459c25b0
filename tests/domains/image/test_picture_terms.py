"""Terms over pixels: by hand, on uint8 and float alike, and their gradients against differences."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from plaudit.domains.image.picture_reward import MOST_KB, jpeg_kb, pixel_terms
from plaudit.domains.image.pictures import as_pixels, as_tensor, from_model, to_model
from plaudit.reward.evaluate import evaluate
from plaudit.reward.term import Context

TERMS = {term.name: term for term in pixel_terms()}
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (5, 12, 10, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (4, 8, 8, 1), dtype=np.uint8)


def asked(n, palette=None, **target):
    return Context(requests=[SimpleNamespace(target=target, palette=palette)] * n)


def score(name, pictures, context=None):
    return evaluate(TERMS[name], np.asarray(pictures, np.uint8), context or asked(len(pictures)))


def test_pixels_survive_the_way_to_the_model_and_back():
    assert np.array_equal(as_pixels(from_model(to_model(as_tensor(NOISE)))), NOISE)
    outside = torch.full((1, 1, 2, 2), 1.5, requires_grad=True)
    shown = from_model(outside)
    shown.sum().backward()
    assert shown.max() == 1.0 and bool((outside.grad == 0.5).all())


def test_symmetry_is_one_for_mirror_images_and_zero_for_the_one_sided():
    mirrored = np.concatenate([NOISE, NOISE[:, :, ::-1]], 2)
    one_sided = np.concatenate([NOISE, np.zeros_like(NOISE)], 2)
    assert score("symmetry", mirrored) == pytest.approx(1.0)
    assert score("symmetry", one_sided) == pytest.approx(0.0, abs=1e-5)


def test_ink_contrast_and_sharpness_by_hand():
    halves = np.zeros((1, 4, 4, 1), np.uint8)
    halves[:, :, 2:] = 255
    assert score("ink", halves) == pytest.approx([0.5]) and score("contrast", halves) == pytest.approx([1.0])
    # The Laplacian is 1 left of the edge, -1 right of it, 0 elsewhere: variance 1/2.
    assert score("sharpness", halves) == pytest.approx([0.5])
    assert score("ink_target", halves, asked(1, ink=0.2)) == pytest.approx([-0.3])
    assert score("ink_target", halves) == pytest.approx([0.0])


def test_colourfulness_is_none_in_grey_and_as_the_formula_says():
    assert score("colourfulness", GREY).max() == 0.0
    assert score("colourfulness", GREY.repeat(3, 3)).max() < 2e-3
    x = NOISE / 255.0
    side, other = x[..., 0] - x[..., 1], (x[..., 0] + x[..., 1]) / 2 - x[..., 2]
    spread = np.sqrt(side.var((1, 2)) + other.var((1, 2)))
    strength = np.sqrt(side.mean((1, 2)) ** 2 + other.mean((1, 2)) ** 2)
    assert score("colourfulness", NOISE) == pytest.approx(spread + 0.3 * strength, abs=1e-3)


def test_palette_is_the_distance_to_the_nearest_colour():
    red = np.zeros((1, 2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert score("palette", red, asked(1, [(1, 0, 0), (0, 0, 1)])) == pytest.approx([0.0], abs=1e-5)
    assert score("palette", red, asked(1, [(0, 0, 0)])) == pytest.approx([-1.0])
    assert score("palette", red) == pytest.approx([0.0])


def test_jpeg_sizes_tell_plain_pictures_from_noise():
    plain = np.full((1, 12, 10, 3), 90, np.uint8)
    assert jpeg_kb(plain)[0] < jpeg_kb(NOISE).min() < MOST_KB
    assert score("compressibility", NOISE) == pytest.approx(-score("incompressibility", NOISE))
    assert jpeg_kb(as_tensor(NOISE)) == pytest.approx(jpeg_kb(NOISE))


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term.grad == "pathwise"])
def test_gradients_are_those_of_the_score(name):
    context = asked(2, [(0.9, 0.1, 0.2), (0.1, 0.8, 0.3)], ink=0.1)
    start = torch.from_numpy(RNG.uniform(0.2, 0.8, (2, 3, 6, 5))).float().requires_grad_()
    TERMS[name].score(start, context).sum().backward()
    way = torch.from_numpy(RNG.normal(size=start.shape)).float()
    with torch.no_grad():
        high, low = (TERMS[name].score(start + s * 1e-3 * way, context).sum() for s in (1, -1))
    assert float((start.grad * way).sum()) == pytest.approx(float(high - low) / 2e-3, rel=0.03, abs=2e-3)
