"""Drawing: the compiled form, the differentiable one and the judge's plain one are one definition."""

import numpy as np
import pytest
import torch

from plaudit.domains.image.paint_gradient import lay, lay_plain
from plaudit.domains.image.paint_judge import plain_raster
from plaudit.domains.image.paint_kernels import draw_curves, squared_error
from plaudit.domains.image.paint_refine import kept
from plaudit.domains.image.paint_strokes import Drawing, Stroke, bernstein

WEIGHTS = bernstein(3).astype(np.float32)


def some_strokes(rows=6, strokes=5, seed=0):
    """`(rows, strokes, 8)` float32 on 28 pixels; some leave the canvas."""
    rng = np.random.default_rng(seed)
    made = rng.uniform(-3, 31, (rows, strokes, 8)).astype(np.float32)
    made[..., 6] = rng.uniform(0.3, 6.0, (rows, strokes))
    made[..., 7] = rng.uniform(0.1, 1.0, (rows, strokes))
    made[0, 0, :6] = 14.2  # a dot
    return made


def drawing_of(strokes, kind="quadratic"):
    return Drawing(
        28,
        tuple(
            Stroke(tuple(map(tuple, s[:6].reshape(3, 2).tolist())), float(s[6]), float(s[7]), kind)
            for s in strokes
        ),
    )


@pytest.mark.parametrize("kind", ["line", "quadratic"])
def test_raster_is_the_plain_one(kind):
    for row in some_strokes():
        drawing = drawing_of(row, kind)
        plain = plain_raster(drawing) * 255
        assert np.abs(plain - drawing.raster).max() <= 1
        assert (plain != drawing.raster).mean() < 0.01


def test_a_cubic_and_an_eraser_are_the_plain_ones():
    black = Stroke(((2.0, 14.0), (26.0, 14.0)), 20.0)
    curve = Stroke(((3.0, 20.0), (8.0, 0.0), (20.0, 28.0), (25.0, 8.0)), 3.0, 0.8, "cubic", erase=True)
    drawing = Drawing(28, (black, curve))
    assert np.abs(plain_raster(drawing) * 255 - drawing.raster).max() <= 1
    assert drawing.raster[14, 14] == 51  # a fifth of the ink stays


def test_the_error_is_kept_up_to_date():
    strokes, rng = some_strokes(), np.random.default_rng(1)
    canvas = np.zeros((6, 28, 28), np.uint8)
    target = rng.integers(0, 256, canvas.shape).astype(np.uint8)
    error, again = np.zeros(6, np.int64), np.zeros(6, np.int64)
    squared_error(canvas, target, error)
    curves = np.zeros((6, 9), np.float32)
    for k in range(5):
        curves[:, :8] = strokes[:, k]
        draw_curves(canvas, target, curves, WEIGHTS, error)
    squared_error(canvas, target, again)
    assert (error == again).all()
    assert (error == ((canvas.astype(int) - target) ** 2).sum((1, 2))).all()


def test_the_differentiable_drawing_is_what_is_drawn():
    strokes = some_strokes()
    soft = lay(torch.zeros(6, 28, 28), torch.from_numpy(strokes)).numpy()
    drawn = np.stack([drawing_of(row).raster for row in strokes]) / 255
    assert np.abs(soft - drawn).max() <= 0.5 / 255 + 1e-4


@pytest.mark.parametrize("softness", [1.0, 2.5])
def test_closed_form_gradients_are_those_of_autograd(softness):
    generator = torch.Generator().manual_seed(0)
    goal = torch.rand(6, 28, 28, generator=generator)
    found = []
    for draw in (lay, lay_plain):
        strokes = torch.from_numpy(some_strokes()[:, 1:]).requires_grad_()
        canvas = (0.4 * goal).clone().requires_grad_()
        drawn = draw(canvas, strokes, softness)
        (drawn - goal).square().sum().backward()
        found.append((drawn.detach(), strokes.grad, canvas.grad))
    for fast, plain in zip(*found, strict=True):
        assert torch.allclose(fast, plain, atol=2e-3, rtol=1e-4)


def test_a_drawing_drawn_twice_is_the_drawing():
    drawing = drawing_of(some_strokes()[0])
    assert (Drawing(28, drawing.strokes * 2).raster == drawing.raster).all()


def test_a_stroke_of_no_use_is_taken_off():
    strokes = some_strokes()[1, :3]
    strokes[:, 7] = 1.0
    target = drawing_of(strokes[:2]).raster
    use = kept(np.concatenate([strokes, strokes[:1]]), target)
    # The third spills, the fourth is the first once more.
    assert use.tolist() == [True, True, False, False]
    assert (drawing_of(strokes[use[:3]]).raster == target).all()


def test_strokes_are_taken_away_and_moved():
    a, b = (Stroke(((5.0, y), (20.0, y)), 2.0) for y in (6.0, 18.0))
    drawing = Drawing(28).with_stroke(a).with_stroke(b)
    assert (drawing.without(0).raster == Drawing(28, (b,)).raster).all()
    assert (drawing.moved(1, 0, -12).raster == Drawing(28, (a,)).raster).all()
