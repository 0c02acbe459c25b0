"""Policies over the latents of frozen generators, where the best one is known."""

import json

import numpy as np
import pytest
import torch
import toy_items as toy
import toy_vaes as toys

from plaudit.engine import policies
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.generator import Generator, GeneratorConfig, ItemShape
from plaudit.engine.random import RowRandom
from plaudit.engine.vae.latent import Latent, LatentConfig
from plaudit.errors import InputError

NETWORK = GeneratorConfig(latent=2, widths=(8,), embed=4)
SLOPE = torch.tensor([0.5, -0.3, 0.4])
METHODS = ["pathwise", "score", "surrogate"]


class Paid:
    """Pays SLOPE . x - bend |x|^2 of items x = LOADS z + CENTRE."""

    shape = ItemShape((3,))

    def __init__(self, bend=0.0):
        self.bend = bend

    def columns(self, items, labels):
        return (items @ SLOPE - self.bend * items.square().sum(1))[:, None]

    def score(self, items, labels):
        return self.columns(items, labels).double().numpy()


def linear_generator():
    """Tensors of a generator that computes LOADS z + CENTRE."""
    made = Generator(NETWORK, Paid.shape)
    toys.make_linear(made.body.layers[0], made.body.layers[2], toys.LOADS, toys.CENTRE)
    return {f"generator.{name}": tensor for name, tensor in made.state_dict().items()}


def latent(source=None, network=NETWORK, tensors=None, seed=0, **settings):
    settings = {"batch_size": 16, "group": 4, "updates": 2, **settings}
    made = Latent(source or Paid(), UnitWeights(("toy",)), LatentConfig(**settings), network, seed)
    made.load_weights(tensors or linear_generator())
    return made


def drawn(policy, count=4000):
    return policy.draw(policy.noise(RowRandom(range(count))))


@pytest.mark.parametrize("method", METHODS)
def test_the_policy_becomes_the_tilted_prior(method):
    """N(0, 1) tilted by exp((g . z - bend |LOADS z + CENTRE|^2) / beta) is a normal whose moments follow."""
    bend, beta = 0.2, 0.5
    settings = {"batch_size": 128, "group": 8, "updates": 10, "learning_rate": 2e-2}
    made = latent(Paid(bend), method=method, policy="gaussian", beta=beta, **settings)
    row = toy.train(made, 30)
    # A surrogate's slope is only nearly the reward's.
    near = 2.0 if method == "surrogate" else 1.0
    # LOADS has orthogonal columns: coordinates stay independent.
    precision = 1.0 + 2.0 * bend / beta * toys.LOADS.square().sum(0)
    mean = toys.LOADS.T @ (SLOPE - 2.0 * bend * toys.CENTRE) / beta / precision
    assert torch.allclose(made.tuner.policy.mean[0], mean, atol=0.12 * near)
    assert torch.allclose(made.tuner.policy.log_std[0].exp(), precision.rsqrt(), atol=0.08 * near)
    kl = float(0.5 * (1 / precision + mean**2 - 1 + precision.log()).sum())
    assert row["kl"] == pytest.approx(kl, rel=0.2 * near)
    assert row["queries"] == made.images == 30 * 10 * 128


def test_a_network_reaches_it_too():
    """Without bend the tilted prior is N(g / beta, 1), which the network's offset can give."""
    settings = {"batch_size": 128, "group": 8, "updates": 10, "learning_rate": 1e-2}
    made = latent(policy="network", beta=0.8, **settings)
    toy.train(made, 30)
    best = toys.LOADS.T @ SLOPE / 0.8
    noise = torch.randn(4000, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = made.tuner.policy.draw(noise, None)
    # State and action together cost more than the latents do: the mean stops at kept^2 + spread^2 of the way.
    assert torch.allclose(found.mean(0), best * made.tuner.policy.spread**2, atol=0.1)


@pytest.mark.parametrize("start", [0.02, 5.0])
def test_beta_is_steered_to_the_distance_asked_for(start):
    settings = {"batch_size": 32, "updates": 20, "learning_rate": 2e-2, "learning_rate_end": 5e-3}
    made = latent(policy="gaussian", beta=start, kl_target=0.7, **settings)
    row = toy.train(made, 25)
    assert row["kl"] == pytest.approx(0.7, rel=0.1)
    # KL = |g / beta|^2 / 2 at the optimum.
    best = float((toys.LOADS.T @ SLOPE).norm()) / (2 * 0.7) ** 0.5
    assert row["beta"] == pytest.approx(best, rel=0.1)
    mean = drawn(made.policy()).mean(0)
    assert float((mean - toys.CENTRE) @ SLOPE) > 0.3


class Labelled(toy.Pictures):
    """Pays for light."""

    def validation(self, n):
        return self.batch(n, np.random.default_rng(9))


def frozen(kind):
    """A small policy of a trained VAE or GAN."""
    make = toys.vae if kind == "vae" else toy.gan
    made = make(Labelled(), toy.PICTURE)
    toy.train(made, 3)
    return made.policy()


@pytest.mark.parametrize("kind", ["vae", "generator"])
@pytest.mark.parametrize("policy", ["gaussian", "network"])
def test_what_was_frozen_stays_and_is_stored(kind, policy):
    base = frozen(kind)
    made = latent(Labelled(), toy.PICTURE, base.tensors(), policy=policy, learning_rate=5e-2)
    before = {name: tensor.clone() for name, tensor in base.tensors().items()}
    toy.train(made, 4)
    tuned = made.policy()
    assert tuned.describe()["kind"] == kind
    for name, tensor in tuned.tensors().items():
        assert name.startswith("latent.") or torch.equal(tensor, before[name])
    tensors = {name: tensor.clone() for name, tensor in tuned.tensors().items()}
    again = policies.build(json.loads(json.dumps(tuned.describe())), tensors)
    noise, labels = tuned.noise(RowRandom(range(70))), torch.arange(70) % 2
    items = tuned.draw(noise, labels)
    assert torch.equal(items, again.draw(noise, labels))
    # The encoder of a VAE is kept, and what lies at a latent is still made there.
    at = torch.zeros(4, 4)
    if kind == "vae":
        assert torch.equal(tuned.decode(at, labels[:4]), base.decode(at, labels[:4]))
        assert torch.equal(tuned.encode(items, labels)[0], base.encode(items, labels)[0])
    with pytest.raises(InputError):
        policies.build({**tuned.describe(), "latent": None}, tensors)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["vae", "generator"])
def test_resumed_is_uninterrupted(method, kind):
    base = frozen(kind).tensors()
    settings = {"method": method, "policy": "network", "kl_target": 0.2, "precision": "bf16"}
    one, two = (latent(Labelled(), toy.PICTURE, base, seed=seed, **settings) for seed in (0, 0))
    toy.train(one, 3)
    stored = {name: tensor.clone() for name, tensor in one.policy().tensors().items()}
    # Whoever resumes need not have what it was begun from.
    two = Latent(two.source, UnitWeights(("toy",)), two.config, toy.PICTURE, 0)
    two.load_state_dict(one.state_dict(), stored)
    for made in (one, two):
        made.share = 0.5
    assert repr([one.step() for _ in range(3)]) == repr([two.step() for _ in range(3)])
    assert torch.equal(one.tuner.params, two.tuner.params)
    assert one.policy().describe() == two.policy().describe()


def test_it_goes_on_from_a_policy_and_stays_near_the_prior():
    first = latent(policy="gaussian", learning_rate=5e-2)
    toy.train(first, 5)
    second = latent(policy="gaussian", tensors=first.policy().tensors())
    assert torch.equal(first.tuner.params, second.tuner.params)
    assert bool(second.tuner.params.any())


def test_what_cannot_be_frozen_is_refused():
    with pytest.raises(InputError, match="another model"):
        latent(tensors=frozen("generator").tensors())
    with pytest.raises(InputError, match="another model"):
        latent(tensors=frozen("vae").tensors())


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"method": "pathwize"}, "pathwise"),
        ({"group": 5}, "group"),
        ({"beta": 0.0}, "beta"),
        ({"kl_target": float("nan")}, "kl_target"),
        ({"updates": 0}, "updates"),
        ({"precision": "fp16"}, "precision"),
    ],
)
def test_wrong_settings_are_refused(settings, word):
    with pytest.raises(InputError, match=word):
        LatentConfig(**settings)
