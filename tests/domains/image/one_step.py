"""A small set with its reference, and recipes that learn from it within a second."""

import functools

import numpy as np

from plaudit.domains.image import picture_training
from plaudit.domains.image.picture_one_step import one_step_recipes
from plaudit.domains.image.picture_reference import make_reference
from plaudit.domains.image.shapes import shapes
from plaudit.runs.recipe import RewardEntry

SIDE = 16
NETWORK = {"kind": "generator", "latent": 6, "widths": [16, 8], "embed": 4}
SMALL = {
    "gan": {"batch_size": 16, "updates": 2},
    "vae": {"batch_size": 16, "updates": 2, "held_out": 32},
    "latent": {"batch_size": 16, "updates": 2},
}


@functools.cache
def pictures():
    return shapes(SIDE, count=400)


@functools.cache
def reference():
    return make_reference(pictures(), steps=20)


def at_hand(monkeypatch):
    """Let every name of a set stand for the small one."""
    monkeypatch.setattr(picture_training, "pictures_of", lambda *place: pictures())
    monkeypatch.setattr(picture_training, "facts_of", lambda *place: reference().facts)
    monkeypatch.setattr(picture_training, "reference_of", lambda *place: reference())


def stage(recipe, name, terms=None, **learner):
    """A stage of a recipe, small, with changes of its reward and of its learner."""
    found = next(s for s in one_step_recipes()[recipe].stages if s.name == name)
    settings = {**found.learner, **SMALL[found.algorithm], **learner}
    if "reward" in found.learner:
        own = {"batch_size": 16, "judge_every": 16, **learner.get("reward", {})}
        settings["reward"] = {**found.learner["reward"], **own}
    change = {"learner": settings, "network": NETWORK}
    if terms is not None:
        change["reward"] = tuple(RewardEntry(term=term, weight=weight) for term, weight in terms.items())
    return found.model_copy(update=change)


def weights(policy, folder):
    """A policy's weights as the file that the next stage begins from."""
    from safetensors.torch import save_file

    path = folder / "model.safetensors"
    save_file({name: tensor.clone().contiguous() for name, tensor in policy.tensors().items()}, path)
    return path


def requests(n, **given):
    from plaudit.domains.image.picture_request import PictureRequest

    names = reference().facts.names
    return [PictureRequest(**{"label": names[i % len(names)], **given}) for i in range(n)]


def drawn(policy, n, **given):
    """Pictures `(n, H, W, C)` by requests of every class in turn."""
    from plaudit.domains.image.picture_generation import generate_pictures

    items = generate_pictures(policy, requests(n, **given), range(50, 50 + n), reference().facts)
    return np.stack([item.content for item in items])
