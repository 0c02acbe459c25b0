"""The recipe `vae` of `image/picture`: an autoencoder, and a policy that chooses its latents."""

import json

import numpy as np
import one_step as toy
import pytest
import torch
from PIL import Image

from plaudit.domains.image.picture_training import make_learner
from plaudit.engine import policies
from plaudit.errors import InputError


@pytest.fixture(autouse=True)
def small_set(monkeypatch):
    toy.at_hand(monkeypatch)


def learned(recipe, steps, inputs=None):
    made = make_learner(recipe, inputs or {})
    for step in range(steps):
        made.share = step / steps
        row = made.step()
    return made, row


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        toy.at_hand(patch)
        made, _ = learned(
            toy.stage("vae", "vae", updates=10, batch_size=32, learning_rate=5e-3, beta=1.0), 16
        )
    return made, toy.weights(made.policy(), tmp_path_factory.mktemp("vae"))


def test_it_learns_the_pictures(base):
    made, _ = base
    items, labels = made.source.validation(60)
    policy = made.policy()
    again = policy.decode(policy.encode(items, labels)[0], labels)
    spread = float((items - items.mean(0)).square().mean())
    assert float((again - items).square().mean()) < 0.5 * spread


@pytest.mark.parametrize("kind", ["vae", "generator"])
def test_a_policy_chooses_latents_that_pay(base, kind, tmp_path):
    """Lighter pictures, of a frozen autoencoder and of the frozen generator of a game."""
    if kind == "generator":
        # Past the beginning, where what it draws hardly depends on the latent.
        game, _ = learned(toy.stage("gan", "game", updates=5, learning_rate=5e-3, gamma=0.1), 8)
        policy, path = game.policy(), toy.weights(game.policy(), tmp_path)
    else:
        policy, path = base[0].policy(), base[1]
    recipe = toy.stage("vae", "latent", {"ink": -1.0}, updates=10, learning_rate=3e-2, kl_target=10.0)
    tuned, row = learned(recipe, 8, {"init": path})
    assert row["kl"] > 0.1
    assert row["queries"] == 8 * 10 * 16
    chosen = tuned.policy()
    assert toy.drawn(chosen, 96).mean() > 1.05 * toy.drawn(policy, 96).mean()
    assert torch.equal(tuned.generator.body.draw.weight, policy.generator.body.draw.weight)
    again = policies.build(json.loads(json.dumps(chosen.describe())), chosen.tensors())
    assert np.array_equal(toy.drawn(again, 70), toy.drawn(chosen, 70))
    assert np.array_equal(toy.drawn(chosen, 3), toy.drawn(chosen, 70)[:3])


@pytest.mark.parametrize("method", ["score", "surrogate"])
def test_black_boxes_choose_too(base, method):
    recipe = toy.stage("vae", "latent", {"compressibility": 1.0}, method=method, policy="gaussian")
    _, row = learned(recipe, 2, {"init": base[1]})
    assert row["terms"]["compressibility"]["raw"] < 0
    assert row["kl"] > 0


def test_what_a_policy_over_latents_needs_is_said(base):
    with pytest.raises(InputError, match="generator to choose"):
        make_learner(toy.stage("vae", "latent"), {})
    with pytest.raises(InputError, match="reward"):
        make_learner(toy.stage("vae", "latent", {}), {"init": base[1]})
    other = toy.stage("vae", "latent").model_copy(update={"network": {**toy.NETWORK, "latent": 7}})
    with pytest.raises(InputError, match="another model"):
        make_learner(other, {"init": base[1]})


def test_a_start_is_read_and_drawn_again(base, tmp_path):
    """The stronger an edit the farther from the start; at 0 it is what the autoencoder makes of it."""
    policy, images = base[0].policy(), toy.pictures().part("validation").images
    place = tmp_path / "start.png"
    Image.fromarray(images[0]).save(place)
    name = toy.pictures().names[toy.pictures().part("validation").labels[0]]
    away = []
    for strength in (0.05, 0.5, 1.0):
        found = toy.drawn(policy, 24, start=str(place), strength=strength, label=name)
        away.append(float(np.abs(found - images[0].astype(float)).mean()))
    assert away[0] < away[1] < away[2]
    again = toy.drawn(policy, 3, start=str(place), strength=0.5, label=name)
    assert np.array_equal(again, toy.drawn(policy, 24, start=str(place), strength=0.5, label=name)[:3])
    with pytest.raises(InputError, match="one step"):
        toy.drawn(policy, 1, start=str(place), keep=(0, 0, 4, 4), label=name)
