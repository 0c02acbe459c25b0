"""Stroke sets of people: reading, tracing with the pen, and the stage that imitates it."""

import numpy as np
import pytest

from plaudit.domains.image.paint_human import HumanDrawings, human_drawings
from plaudit.domains.image.paint_kernels import squared_error
from plaudit.domains.image.paint_pen import Pen
from plaudit.domains.image.paint_pictures import pictures_of
from plaudit.domains.image.paint_tracing import Hand, Tracing
from plaudit.domains.image.task import Paint
from plaudit.errors import InputError

# A hook of two lines: down and right; then, apart from it, a bar.
HOOK = [[0, 0, 0], [0, 90, 0], [60, 0, 1], [30, -80, 0], [40, 0, 1]]


def write(path, **arrays):
    points, offsets = np.array(HOOK * 2, np.int16), np.array([0, 5, 10])
    whole = {part: points for part in ("train", "valid", "test")}
    np.savez(path, **{**whole, **{f"{part}_offsets": offsets for part in whole}, **arrays})
    return str(path)


def test_lines_come_in_their_order_and_fit_the_canvas(tmp_path):
    found = human_drawings(write(tmp_path / "a.npz"), "train", 28)
    assert len(found) == 2
    first, second = found.lines(0)
    assert len(first) == 3 and len(second) == 2
    assert first[0, 0] == first[1, 0] and first[2, 1] == first[1, 1] and second[0, 1] < first[1, 1]
    every = np.concatenate([first, second])
    assert every.min() > 1 and every.max() < 27
    assert 0.5 * 28 < np.ptp(every, 0).max() < 0.8 * 28
    assert (found.take(np.array([0, 0, 1]))[0] == found.take(np.array([0]))[0]).all()
    both = human_drawings(f"{tmp_path}/a.npz+{tmp_path}/a.npz", "validation", 28)
    assert len(both) == 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"train": np.zeros((10, 2), np.int16)}, "shape"),
        ({"train": np.zeros((10, 3))}, "whole numbers"),
        ({"train_offsets": np.array([0, 5, 11])}, "offsets"),
        ({"train_offsets": np.array([0, 5, 5, 10])}, "offsets"),
        ({"train": np.full((10, 3), 2**22)}, "million"),
        ({"train": np.array([None] * 10)}, "npz|not what it says"),
    ],
)
def test_damaged_sets_are_one_clear_error(tmp_path, wrong, said):
    with pytest.raises(InputError, match=said):
        human_drawings(write(tmp_path / "a.npz", **wrong), "train", 28)


def test_what_is_no_stroke_set_is_said(tmp_path):
    (tmp_path / "b.npz").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="npz"):
        human_drawings(str(tmp_path / "b.npz"), "train", 28)
    np.savez(tmp_path / "c.npz", images=np.zeros((3, 28, 28), np.uint8))
    with pytest.raises(InputError, match="train_offsets"):
        human_drawings(str(tmp_path / "c.npz"), "train", 28)


@pytest.mark.parametrize("number", range(6))
def test_a_hand_draws_the_lines_in_their_order(number):
    """The pen goes to the start of each line, and its drawing covers the line."""
    shown = pictures_of("", "train", 28)
    lines, target = shown.lines(number), shown.take(np.array([number]))
    pen = Pen(28, 200, True, 1)
    pen.begin(np.array([0]))
    canvas, error = np.zeros_like(target), np.zeros(1, np.int64)
    squared_error(canvas, target, error)
    blank, hand, starts = error.copy(), Hand(lines, 28), []
    for _ in range(200):
        x, y = pen.place[0].tolist()
        move = hand.move(x, y)
        if move < 0:
            break
        before = int(pen.count[0])
        pen.apply(np.array([move]), canvas, target, error)
        if int(pen.count[0]) > before:
            starts.append((x, y))
    assert move < 0 and error < 0.6 * blank
    assert len(starts) == len(lines)
    for (x, y), line in zip(starts, lines, strict=True):
        assert np.abs(np.floor(line[0]) - (x, y)).max() == 0


def test_what_a_tracing_earns_is_the_error_it_takes_away():
    shown = pictures_of("", "train", 28)
    tracing = Tracing(shown, Pen(28, 64, True, 8), 100.0, None)
    played = tracing.play(np.random.default_rng(0), 1.0)
    again = tracing.play(np.random.default_rng(0), 1.0)
    assert (played.action == again.action).all() and (played.obs == again.obs).all()
    # Undiscounted, the best start is worth most of a blank canvas' error, which is about .1.
    assert 4.0 < played.earned.max() < 20.0 and played.obs.shape == (len(played.action), 416)
    shorter = tracing.play(np.random.default_rng(0), 0.5).earned
    assert shorter.max() < played.earned.max()


def test_the_recipe_strokes_learns_and_dqn_begins_from_it(tmp_path):
    from safetensors.torch import save_file

    task = Paint()
    recipe = task.recipes()["strokes"].model_copy(update={"learner": {"learning_rate": 3e-3, "passes": 1}})
    learner = task.build(recipe, {})
    same = [learner.step()["same_action"] for _ in range(14)]
    assert same[-1] > 0.25 > same[0]  # of 105 moves
    save_file(learner.policy().tensors(), tmp_path / "model.safetensors")
    dqn = task.recipes()["dqn"]
    begun = task.build(dqn.model_copy(update={"env": {**dqn.env, "copies": 2}}), {"init": tmp_path})
    for name, tensor in begun.policy().tensors().items():
        assert (tensor == learner.policy().tensors()[name]).all()


def test_only_known_strokes_are_traced(tmp_path):
    task = Paint()
    recipe = task.recipes()["strokes"]
    wrong = recipe.model_copy(update={"env": {**recipe.env, "pictures": "scribbles"}})
    with pytest.raises(InputError, match="known"):
        task.build(wrong, {})
    assert isinstance(pictures_of(write(tmp_path / "a.npz"), "test", 28), HumanDrawings)
