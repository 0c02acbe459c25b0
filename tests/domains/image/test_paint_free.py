"""Drawing without a picture: the distance by hand, the world, the items, and who judges them."""

import dataclasses

import numpy as np
import pytest
import torch

from plaudit.domains.image import paint_freehand
from plaudit.domains.image.classifier import Classifier
from plaudit.domains.image.features import NetConfig, build_net
from plaudit.domains.image.judges import Judges
from plaudit.domains.image.paint_free import NOISE, FreeWorld, chamfer, looks
from plaudit.domains.image.paint_pictures import DIGIT_SHAPES
from plaudit.domains.image.paint_strokes import Drawing, Stroke
from plaudit.domains.image.sets import PictureSet
from plaudit.domains.image.task import Paint
from plaudit.errors import Infeasible, InputError

TASK = Paint()


@pytest.fixture
def digits(monkeypatch):
    """Ones and sevens of our own with two untrained classifiers: what is learned then is their likeness."""
    rng, images = np.random.default_rng(0), []
    for n in range(80):
        shape = np.array(DIGIT_SHAPES[(1, 7)[n % 2]]) * (10, 18) + (9, 5) + rng.normal(0, 0.7, 2)
        strokes = (Stroke(tuple(map(tuple, s.tolist())), 2.5, kind="quadratic") for s in shape)
        images.append(Drawing(28, tuple(strokes)).raster)
    pictures = PictureSet(
        np.stack(images)[..., None],
        np.arange(80) % 2,
        ("1", "7"),
        np.repeat([0, 1], 40).astype(np.int8),
        "own",
    )
    nets = [
        Classifier(build_net(NetConfig(kind, 28, 1, 2), 3), ("1", "7"), {})
        for kind in ("strided", "depthwise")
    ]
    known = (pictures, Judges(nets[0], nets[1], True))
    for module in (paint_freehand, __import__("plaudit.domains.image.paint_training", fromlist=["x"])):
        monkeypatch.setattr(module, "known_set", lambda place, size: known)
    return known


def recipe(**learner):
    found = TASK.recipes()["free"]
    settings = {**found.learner, "updates": 10, "batch_size": 32, "learning_rate": 5e-3, **learner}
    env = {**found.env, "strokes": 3, "bundle": 3}
    return found.model_copy(
        update={"learner": settings, "env": env, "network": {"kind": "mlp", "hidden": [64]}}
    )


def test_the_distance_is_what_it_says():
    drawn = torch.tensor([[[0.0], [3.0]]])
    real = torch.tensor([[[1.0], [2.0], [7.0]]])
    # Drawn to real: 1, 1. Real to drawn: 1 (first), 1 and 16 (second).
    assert torch.allclose(chamfer(drawn, real), 0.5 * torch.tensor([[1 + 1 * 2 / 3, 1 + 17 * 2 / 3]]))
    canvas = torch.zeros(2, 28, 28)
    canvas[1] = 1.0
    a, b = looks(canvas)
    assert float((a - b).square().sum()) == pytest.approx(0.5 + 0.5 * 4.0)


def test_the_world_pays_for_likeness_with_a_gradient(digits):
    learner = TASK.build(recipe(), {})
    world = learner.world
    assert isinstance(world, FreeWorld) and world.term_names == ("unlike", "legible")
    state = world.begin(8, np.random.default_rng(0), 1.0)
    label = state.label.numpy()
    assert sorted(set(label)) == [0, 1] and (state.seen[:, :2].argmax(1).numpy() == label).all()
    true = dataclasses.replace(state, canvas=state.real)
    assert torch.allclose(world.score(true)[:, 0], torch.zeros(8), atol=1e-5)
    action = torch.full((8, 24), 0.4, requires_grad=True)
    world.score(world.act(state, action))[:, 0].sum().backward()
    assert float(action.grad.abs().max()) > 0


def test_it_learns_to_draw_what_is_like_them(digits):
    learner = TASK.build(recipe(), {})
    found = []
    for share in np.linspace(0, 0.9, 10):
        learner.share = float(share)
        found.append(-learner.step()["terms"]["unlike"]["raw"])
    assert found[-1] < 0.5 * found[0]
    items = list(TASK.generate(learner.policy(), [TASK.Request(label=k % 2) for k in range(6)], range(6)))
    batch, context = TASK.batch(items)
    terms = {
        term.name: term.score(batch, context) for term in TASK.terms() if term.name in ("unlike", "error")
    }
    assert terms["unlike"].max() < 0.3 and np.isnan(terms["error"]).all()
    assert len(items[0].content.strokes) == 3
    again = next(iter(TASK.generate(learner.policy(), [TASK.Request(label=1)], [3])))
    assert again.content == items[3].content
    assert items[1].content != items[3].content  # another seed, another drawing
    judged = TASK.judge(items)
    read = digits[1].judge.logits(np.stack([i.content.raster for i in items])[..., None]).argmax(1)
    assert (judged["quality"] == (read == np.arange(6) % 2)).mean() > 0.8
    assert "error" not in judged


def test_what_cannot_be_drawn_is_said(digits):
    policy = TASK.build(recipe(), {}).policy()
    with pytest.raises(Infeasible, match="nearest is 1"):
        list(TASK.generate(policy, [TASK.Request(label=7)], [0]))
    with pytest.raises(InputError, match="refined"):
        list(TASK.generate(policy, [TASK.Request(label=1, refine=3)], [0]))
    copies = TASK.build(TASK.recipes()["model"], {}).policy()
    with pytest.raises(InputError, match="copies pictures"):
        list(TASK.generate(copies, [TASK.Request(label=1)], [0]))
    assert policy.describe()["observation_space"]["shape"] == [2 + NOISE]
