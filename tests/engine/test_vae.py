"""Variational autoencoders against a linear Gaussian world whose evidence is known."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
import toy_items as toy
import toy_vaes as toys

from plaudit.engine import policies
from plaudit.engine.nets.coupling import Couplings
from plaudit.engine.random import RowRandom
from plaudit.engine.vae.config import VaeConfig
from plaudit.engine.vae.model import best_variance, log_likelihood, priced
from plaudit.errors import Diverged, InputError


def test_likelihood_and_price_by_hand():
    error = torch.tensor([2.0, 6.0])
    assert float(best_variance(error, 4)) == 1.0
    got = log_likelihood(error, 4, torch.tensor(1.0))
    assert got.tolist() == pytest.approx([-1.0 - 2 * math.log(2 * math.pi), -3.0 - 2 * math.log(2 * math.pi)])
    halved = log_likelihood(error, 4, torch.tensor(2.0))
    assert (halved - got).tolist() == pytest.approx([0.5 - 2 * math.log(2), 1.5 - 2 * math.log(2)])
    distances = torch.tensor([[0.0, 3.0], [0.2, 1.0]], requires_grad=True)
    assert float(priced(distances, 0.0).detach()) == pytest.approx(2.1)
    cost = priced(distances, 0.5)
    assert float(cost.detach()) == pytest.approx(2.5)
    # What is free is not pushed.
    (slope,) = torch.autograd.grad(cost, distances)
    assert slope.tolist() == [[0.0, 0.5], [0.0, 0.5]]


@pytest.mark.parametrize("widen", [1.0, 1.5])
def test_the_bound_is_the_evidence_less_the_distance_from_the_posterior(widen):
    made = toys.vae()
    toys.exact(made.average.model, widen)
    items, _ = toys.Factors().validation(20_000)
    noise = torch.randn(len(items), 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        gap = toys.evidence(items) - made._bound(items, None, noise)
    # KL between normals of the same mean whose deviations are `widen` apart, in two dimensions.
    expected = 2 * (0.5 * (widen**2 - 1) - math.log(widen))
    assert float(gap.mean()) == pytest.approx(expected, abs=4 * float(gap.std()) / len(items) ** 0.5)
    assert float(gap.std()) / len(items) ** 0.5 < 0.02


def moved_prior(classes=2, latent=3):
    """Couplings that are anything but the identity."""
    made = Couplings(latent, classes, 4, 4)
    noise = torch.Generator().manual_seed(0)
    for weight in made.parameters():
        weight.data.copy_(0.12 * torch.randn(weight.shape, generator=noise))
    return made


def test_a_learned_prior_is_a_density():
    """The way back is the way there, and it stretches as its derivative says."""
    made, labels = moved_prior(), torch.tensor([0, 1, 1])
    noise = torch.randn(3, 3, generator=torch.Generator().manual_seed(1))
    latent = made.draw(noise, labels)
    assert float((latent - noise).detach().abs().max()) > 0.3
    before, stretched = made.back(latent, labels)
    assert torch.allclose(before, noise, atol=1e-4)
    for row in range(3):
        own = labels[row : row + 1]
        slope = torch.autograd.functional.jacobian(lambda z, y=own: made.back(z[None], y)[0][0], latent[row])
        assert float(stretched[row].detach()) == pytest.approx(float(slope.det().abs().log()), abs=1e-3)
    assert not torch.allclose(made.draw(noise[:1], labels[:1]), made.draw(noise[:1], labels[1:2]))


def test_a_learned_prior_begins_as_the_normal_one_and_finds_the_latents():
    """Where latents lie elsewhere than N(0, 1) the bound is loose, and a prior that learns closes it."""
    source = toys.Factors()
    plain, learned = (
        toys.vae(source, dataclasses.replace(toys.NETWORK, prior=count), batch_size=128, updates=5)
        for count in (0, 4)
    )
    toys.exact(plain.model)
    toys.exact(learned.model)
    # Latents that lie elsewhere than N(0, 1): q and generator both know, the prior does not.
    for made in (plain, learned):
        layers = made.model.generator.body.layers
        with torch.no_grad():
            made.model.encoder.out.bias[:2] += 2.0
            layers[2].bias.sub_(2.0 * toys.LOADS.sum(1))
        made.average.restart(made.model.state_dict())
    assert plain.validate() == pytest.approx(learned.validate(), abs=0.1)
    items, _ = source.validation(512)
    assert float(toys.evidence(items).mean()) - plain.validate() > 3.0
    learned.share = 0.5
    for _ in range(40):
        before = {n: p.clone() for n, p in learned.model.state_dict().items() if "prior" not in n}
        learned.step()
        for name, tensor in before.items():
            learned.model.state_dict()[name].copy_(tensor)
    learned.average.restart(learned.model.state_dict())
    assert float(toys.evidence(items).mean()) - learned.validate() < 1.5


def test_learning_closes_the_gap():
    made = toys.vae(batch_size=256, updates=10, learning_rate=1e-2, held_out=4000, ema=0.99)
    toy.train(made, 90)
    items, _ = toys.Factors().validation(4000)
    gap = float(toys.evidence(items).mean()) - made.validate()
    assert -0.02 < gap < 0.06
    assert float(made.model.variance) == pytest.approx(toys.VARIANCE, rel=0.05)
    # What it makes has the world's moments.
    policy = made.policy()
    with torch.no_grad():
        drawn = policy.draw(policy.noise(RowRandom(range(8000))))
    assert torch.allclose(drawn.T.cov(), toys.LOADS @ toys.LOADS.T, atol=0.12)
    assert torch.allclose(drawn.mean(0), toys.CENTRE, atol=0.06)


def test_a_fixed_deviation_stays():
    made = toys.vae(deviation=0.5)
    toy.train(made, 2)
    assert float(made.model.variance) == float(made.average.model.variance) == 0.25


def test_beta_rises_and_prices_the_distance():
    made = toys.vae(beta=4.0, beta_warm_up=0.5)
    seen = []
    for made.share in (0.0, 0.25, 0.5, 1.0):
        seen.append(made.step()["beta"])
    assert seen == [0.0, 2.0, 4.0, 4.0]
    told = []
    for beta, free in ((1.0, 0.0), (30.0, 0.0), (30.0, 0.5)):
        settings = {"batch_size": 128, "updates": 8, "learning_rate": 1e-2, "beta_warm_up": 0.0}
        row = toy.train(toys.vae(beta=beta, free_bits=free, **settings), 40)
        told.append(row["kl"])
    assert told[1] < 0.2
    # Two dimensions have half a nat each for nothing.
    assert told[2] == pytest.approx(1.0, abs=0.3)
    assert told[0] > 1.5


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("shape", ["flat", "pictures"])
def test_resumed_is_uninterrupted(shape, precision):
    source, network = {
        "flat": (toys.Factors(2), toys.NETWORK),
        "pictures": (Pictures(), dataclasses.replace(toy.PICTURE, prior=2)),
    }[shape]
    one, two = (toys.vae(source, network, precision=precision) for _ in range(2))
    toy.train(one, 3)
    tensors = {name: tensor.clone() for name, tensor in one.policy().tensors().items()}
    two.load_state_dict(one.state_dict(), tensors)
    for made in (one, two):
        made.share = 0.5
    rows = [repr([made.step() for _ in range(15)]) for made in (one, two)]
    assert "validation_elbo" in rows[0]
    assert rows[0] == rows[1]
    for a, b in zip(one.policy().tensors().values(), two.policy().tensors().values(), strict=True):
        assert torch.equal(a, b)
    assert one.progress == two.progress == (18 * 2 * 16, "images")


class Pictures(toy.Pictures):
    def validation(self, n):
        return self.batch(n, np.random.default_rng(9))


def stored(**settings):
    made = toys.vae(Pictures(), dataclasses.replace(toy.PICTURE, prior=2), **settings)
    toy.train(made, 3)
    return made.policy()


def test_a_stored_policy_makes_the_same():
    policy = stored()
    tensors = {name: tensor.clone() for name, tensor in policy.tensors().items()}
    again = policies.build(json.loads(json.dumps(policy.describe())), tensors)
    labels = torch.arange(70) % 2
    noise = policy.noise(RowRandom(range(70)))
    items = policy.draw(noise, labels)
    assert torch.equal(items, again.draw(noise, labels))
    assert items.shape == (70, 1, 8, 8)
    # An item depends on its noise and not on its neighbours.
    assert torch.equal(policy.draw(noise[67:68], labels[67:68])[0], items[67])
    for ours, theirs in zip(policy.encode(items, labels), again.encode(items, labels), strict=True):
        assert torch.equal(ours, theirs)
        assert ours.shape == (70, 4)
    one = policy.encode(items[67:68], labels[67:68])[0]
    assert torch.equal(one[0], policy.encode(items, labels)[0][67])


def test_what_was_encoded_is_made_again():
    network = dataclasses.replace(toy.PICTURE, prior=2)
    made = toys.vae(Pictures(), network, batch_size=64, updates=8, learning_rate=1e-2)
    toy.train(made, 20)
    policy, (items, labels) = made.policy(), made.source.validation(64)
    again = policy.decode(policy.encode(items, labels)[0], labels)
    assert float((again - items).square().mean()) < 0.3 * float(items.var())


@pytest.mark.parametrize(
    "change",
    [
        {"shape": {"item": [1, 8], "classes": 2}},
        {"shape": {"item": [1, 16, 16], "classes": 2}},
        {"shape": {"item": [1, 8, 8], "classes": 3}},
        {"network": {"kind": "mlp"}},
        {"network": {"kind": "generator", "latent": 4096, "widths": [4096, 4096]}},
        {"latent": {"kind": "gaussian"}},
        {"latent": {"kind": "other"}},
        {"precision": "int8"},
        {"kind": "generator"},
    ],
)
def test_a_damaged_description_is_refused(change):
    policy = stored()
    with pytest.raises(InputError):
        policies.build({**policy.describe(), **change}, policy.tensors())


@pytest.mark.parametrize("lost", ["variance", "encoder.out.bias", "generator.body.mix.weight"])
def test_tensors_that_are_lost_are_missed(lost):
    policy = stored()
    tensors = policy.tensors()
    del tensors[lost]
    with pytest.raises(InputError):
        policies.build(policy.describe(), tensors)


def test_items_and_classes_are_checked():
    policy = stored()
    for items, labels in (
        (torch.zeros(2, 1, 8, 9), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 1, 8, 8), None),
        (torch.zeros(2, 1, 8, 8), torch.tensor([0, 2])),
    ):
        with pytest.raises(InputError):
            policy.encode(items, labels)
    assert policy.encode(torch.zeros(0, 1, 8, 8), torch.zeros(0, dtype=torch.int64))[0].shape == (0, 4)


def test_it_goes_on_from_stored_weights():
    first = toys.vae(Pictures(), toy.PICTURE)
    toy.train(first, 3)
    second = toys.vae(Pictures(), toy.PICTURE, seed=1)
    second.load_weights(first.policy().tensors())
    for name, tensor in first.policy().tensors().items():
        assert torch.equal(second.model.state_dict()[name], tensor)
        assert torch.equal(second.policy().tensors()[name], tensor)
    with pytest.raises(InputError, match="another model"):
        toys.vae().load_weights(first.policy().tensors())


def test_what_is_not_finite_is_a_divergence():
    source = toys.Factors()
    source.batch = lambda n, random: (torch.full((n, 3), torch.nan), None)
    with pytest.raises(Diverged):
        toys.vae(source).step()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"beta": -1.0}, "beta"),
        ({"beta": float("nan")}, "beta"),
        ({"beta_warm_up": 1.5}, "beta_warm_up"),
        ({"precision": "fp16"}, "bf16"),
    ],
)
def test_wrong_settings_are_refused(settings, word):
    with pytest.raises(InputError, match=word):
        VaeConfig(**settings)
