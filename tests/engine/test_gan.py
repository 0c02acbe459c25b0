"""The game and its reward term on data that can be counted, and its stored policies."""

import json

import numpy as np
import pytest
import torch
import toy_items as toy

from plaudit.engine import policies
from plaudit.engine import precision as precisions
from plaudit.engine.gan.adversarial import Gan
from plaudit.engine.gan.config import GanConfig
from plaudit.engine.gan.distance import Distance
from plaudit.engine.random import RowRandom
from plaudit.errors import Diverged, InputError

METHODS = ("pathwise", "score", "surrogate")
REWARD = {"batch_size": 16, "group": 4, "memory": 64}


def drawn(policy, rows=16, classes=0, start=0):
    labels = torch.arange(rows) % classes if classes else None
    return policy.draw(policy.noise(RowRandom(range(start, start + rows))), labels)


def test_every_mode_of_a_ring_is_found():
    made = toy.gan(toy.Mixture(toy.RING), toy.RING_NETWORK, paid=False, **toy.QUICK)
    toy.train(made, 200)
    modes, near = toy.found(drawn(made.policy(), 2000), toy.RING)
    assert modes == 8
    assert near > 0.6


@pytest.mark.slow
def test_every_mode_of_a_grid_is_found():
    # Measured: the smaller network of the ring finds 22 of them in as many steps.
    made = toy.gan(toy.Mixture(toy.GRID), toy.GRID_NETWORK, paid=False, **toy.QUICK)
    toy.train(made, 1000)
    assert toy.found(drawn(made.policy(), 5000), toy.GRID)[0] == 25


def test_a_class_is_what_was_asked_for():
    made = toy.gan(toy.Mixture(toy.RING[::2], labelled=True), toy.RING_NETWORK, paid=False, **toy.QUICK)
    toy.train(made, 100)
    points = drawn(made.policy(), 400, classes=4)
    nearest = torch.cdist(points, toy.RING[::2]).argmin(1)
    assert float((nearest == torch.arange(400) % 4).float().mean()) > 0.98


@pytest.mark.parametrize("loss", ["non-saturating", "wgan-gp"])
def test_other_games_move_to_the_data(loss):
    settings = {**toy.QUICK, "loss": loss, "gamma": 1.0, "gamma_end": 1.0}
    made = toy.gan(toy.Mixture(toy.RING[:1]), toy.RING_NETWORK, paid=False, **settings)
    toy.train(made, 60)
    assert float((drawn(made.policy(), 200).mean(0) - toy.RING[0]).norm()) < 0.15


@pytest.mark.parametrize("method", METHODS)
def test_lambda_0_is_the_plain_gan_bit_for_bit(method):
    source = toy.Mixture(toy.RING, labelled=True)
    plain, paid = (
        toy.gan(source, paid=p, reward={**REWARD, "method": method, "weight": 0.0}) for p in (0, 1)
    )
    for made in (plain, paid):
        row = toy.train(made, 4)
    assert row["queries"] > 0
    assert row["lambda"] == 0
    for name in ("params", "critic_params", "average_params"):
        assert torch.equal(getattr(plain, name), getattr(paid, name))
    # With the reward on, the generator or its latents are other ones.
    moved = toy.gan(source, reward={**REWARD, "method": method})
    toy.train(moved, 4)
    same = torch.equal(moved.params, plain.params)
    assert same == (method == "score")
    assert method != "score" or bool(moved.term.tuner.params.any())


@pytest.mark.parametrize("method", METHODS)
def test_a_reward_is_raised(method):
    reward = {"method": method, "batch_size": 64, "weight": 1.0, "policy_learning_rate": 2e-2}
    means = []
    for weight in (0.0, 2.0):
        settings = {**toy.QUICK, "batch_size": 128, "updates": 4, "reward": {**reward, "weight": weight}}
        made = toy.gan(toy.Mixture(toy.RING), toy.RING_NETWORK, **settings)
        row = toy.train(made, 80)
        means.append(float(drawn(made.policy(), 1000)[:, 0].mean()))
    assert means[1] > means[0] + 0.15
    assert row["terms"]["toy"]["weight"] == 1.0
    assert row["queries"] == 80 * 4 * 64


def test_the_surrogate_learns_a_black_box():
    made = toy.gan(toy.Mixture(toy.RING), reward={**REWARD, "method": "surrogate", "weight": 0.0, "fits": 8})
    first = toy.train(made, 1)["surrogate_explained"]
    # The generator has moved by then: these items are new to it.
    assert toy.train(made, 30)["surrogate_explained"] > max(first, 0.8)
    items = made._fake(64, None).detach()
    slope = toy.mean_slope_of(made.term.surrogate, items)
    # The reward is the first coordinate: its slope is (1, 0).
    assert slope[0] > 0.5
    assert abs(slope[1]) < 0.4 * slope[0]


def test_a_balanced_reward_has_its_share_of_the_gradient():
    made = toy.gan(toy.Mixture(toy.RING), reward={**REWARD, "schedule": "balanced", "weight": 0.25})
    made.step()
    game = torch.randn(made.grads.shape, generator=torch.Generator().manual_seed(0))
    made.grads.copy_(game)
    made.term.add(made.grads, made._now())
    added = made.grads - game
    assert float(added.norm() / game.norm()) == pytest.approx(0.25, rel=1e-3)
    # What was added points to more reward.
    made.grads.zero_()
    (-made._make(torch.randn(512, 3, generator=made.noise), None)[:, 0].mean()).backward()
    assert float(torch.nn.functional.cosine_similarity(made.grads, added, dim=0)) > 0.8


def test_a_reward_now_and_then_counts_as_often():
    once, seldom = (toy.gan(toy.Mixture(toy.RING), reward={**REWARD, "every": every}) for every in (1, 4))
    for made in (once, seldom):
        made.grads.zero_()
        made.term.add(made.grads, made._now())
    assert torch.allclose(4 * once.grads, seldom.grads)
    seldom.rounds = 1
    seldom.grads.zero_()
    seldom.term.add(seldom.grads, seldom._now())
    assert not bool(seldom.grads.any())


def test_lambda_grows_with_the_budget():
    made = toy.gan(toy.Mixture(toy.RING), reward={**REWARD, "weight": 2.0, "ramp": (0.2, 0.6)})
    seen = []
    for made.share in (0.1, 0.4, 0.8):
        seen.append(made.step()["lambda"])
    assert seen == pytest.approx([0.0, 1.0, 2.0])


class Held(toy.Mixture):
    """One cloud at the origin; its distance is one plus how far the generator's mean has gone."""

    def __init__(self):
        super().__init__(torch.zeros(1, 2))

    def distance(self, policy):
        return Distance(1.0 + float(drawn(policy, 256, start=9_000).mean(0).norm()))


def test_dual_ascent_holds_its_constraint():
    reward = {
        "schedule": "dual",
        "weight": 0.01,
        "slack": 0.3,
        "reference": 1.0,
        "rate": 0.5,
        "judge_every": 1,
        "batch_size": 64,
    }
    settings = {
        **toy.QUICK,
        "batch_size": 64,
        "updates": 2,
        "ema_images": 500,
        "gamma": 1.0,
        "gamma_end": 1.0,
    }
    made = toy.gan(Held(), toy.RING_NETWORK, reward=reward, **settings, learning_rate_end=2e-3)
    distances = []
    for step in range(500):
        made.share = min(step / 250, 1.0)
        distances.append(made.step()["distance"])
    # It goes as far as it may, and no farther: the mean over the second half is the limit.
    assert np.mean(distances[250:]) == pytest.approx(1.3, abs=0.06)
    assert made.term.weight.base > 0.02
    free = toy.gan(
        Held(), toy.RING_NETWORK, reward={**reward, "schedule": "constant", "weight": 5.0}, **settings
    )
    toy.train(free, 150)
    assert free.source.distance(free.policy()).value > 1.6


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", ["flat", "pictures"])
def test_resumed_is_uninterrupted(method, shape):
    source, network = {
        "flat": (toy.Mixture(toy.RING), toy.SMALL),
        "pictures": (toy.Pictures(), toy.PICTURE),
    }[shape]
    source.distance = lambda policy: Distance(float(drawn(policy, 8, source.shape.classes).square().mean()))
    reward = {**REWARD, "method": method, "schedule": "dual", "judge_every": 20, "policy": "network"}
    settings = {"penalty_every": 3, "precision": "bf16", "reward": reward}
    one, two = (toy.gan(source, network, **settings) for _ in range(2))
    toy.train(one, 3)
    two.load_state_dict(one.state_dict(), {n: t.clone() for n, t in one.policy().tensors().items()})
    for made in (one, two):
        made.share = 0.5
    assert repr([one.step() for _ in range(3)]) == repr([two.step() for _ in range(3)])
    for name in ("params", "critic_params", "average_params"):
        assert torch.equal(getattr(one, name), getattr(two, name))
    assert one.progress == two.progress == (6 * 2 * 16, "images")
    kept = two.policy().tensors()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in one.policy().tensors().items())


def test_bfloat16_follows_float32(monkeypatch):
    """The critic's gradient with its penalty, which is differentiated twice; in software where need be."""
    monkeypatch.setattr(precisions, "native_bfloat16", lambda: True)
    found = []
    for precision in ("fp32", "bf16"):
        made = toy.gan(toy.Pictures(), toy.PICTURE, precision=precision, batch_size=64)
        with torch.no_grad():
            # Past the fix-up's zeros, so that every layer has a part in it.
            made.critic_params.add_(0.05 * torch.randn(made.critic_params.shape, generator=made.noise))
        real, labels = made.source.batch(64, made.random)
        loss = made._critic_loss(real, torch.rand(real.shape, generator=made.noise) - 0.5, labels, 1.0)
        loss.backward()
        found.append(made.critic_grads.clone())
    assert not torch.equal(*found)
    assert float(torch.nn.functional.cosine_similarity(*found, dim=0)) > 0.999


def test_a_late_penalty_counts_as_often():
    made = toy.gan(toy.Mixture(toy.RING), penalty_every=4, gamma=0.5, gamma_end=0.5)
    seen = []
    plain = made._critic_loss
    made._critic_loss = lambda real, fake, labels, gamma: (
        seen.append(gamma) or plain(real, fake, labels, gamma)
    )
    for _ in range(3):
        made.step()
    assert seen == [2.0, 0, 0, 0, 2.0, 0]


@pytest.mark.parametrize("method", ["pathwise", "score"])
@pytest.mark.parametrize("policy", ["gaussian", "network"])
def test_a_stored_policy_makes_the_same(method, policy):
    made = toy.gan(toy.Pictures(), toy.PICTURE, reward={**REWARD, "method": method, "policy": policy})
    toy.train(made, 3)
    stored = made.policy()
    tensors = {name: tensor.clone() for name, tensor in stored.tensors().items()}
    again = policies.build(json.loads(json.dumps(stored.describe())), tensors)
    items = drawn(stored, 20, classes=2)
    assert torch.equal(items, drawn(again, 20, classes=2))
    assert items.shape == (20, 1, 8, 8)
    assert float(items.abs().max()) <= 1.0
    # An item depends on its seed, not on its neighbours.
    one = again.draw(again.noise(RowRandom([7])), torch.tensor([7 % 2]))
    assert torch.equal(one[0], items[7])
    assert not torch.equal(items[5], items[7])


@pytest.mark.parametrize(
    "change",
    [
        {"shape": {"item": [1, 8], "classes": 2}},
        {"shape": {"item": [1, 16, 16], "classes": 2}},
        {"network": {"kind": "mlp"}},
        {"latent": {"kind": "gaussian"}},
        {"critic": False},
        {"precision": "int8"},
        {"latent": {"kind": "other"}},
    ],
)
def test_a_damaged_description_is_refused(change):
    stored = toy.gan(toy.Pictures(), toy.PICTURE).policy()
    with pytest.raises(InputError):
        policies.build({**stored.describe(), **change}, stored.tensors())


def test_noise_and_classes_are_checked():
    policy = toy.gan(toy.Pictures(), toy.PICTURE).policy()
    for noise, labels in (
        (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 4), None),
        (torch.zeros(2, 4), torch.tensor([0, 2])),
        (torch.zeros(2, 4), torch.tensor([0])),
    ):
        with pytest.raises(InputError):
            policy.draw(noise, labels)
    assert policy.draw(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)).shape == (0, 1, 8, 8)


def test_it_goes_on_from_stored_weights():
    first = toy.gan(toy.Pictures(), toy.PICTURE)
    toy.train(first, 3)
    second = toy.gan(toy.Pictures(), toy.PICTURE, seed=1)
    second.load_weights(first.policy().tensors())
    assert torch.equal(second.params, first.average_params)
    assert torch.equal(second.critic_params, first.critic_params)
    alone = {n: t for n, t in first.policy().tensors().items() if n.startswith("generator.")}
    second.load_weights(alone)
    with pytest.raises(InputError, match="another model"):
        toy.gan(toy.Mixture(toy.RING)).load_weights(alone)


def test_an_average_that_was_stored_is_not_soon_forgotten():
    """New weights are nearly followed at the start; stored ones are averaged over all of the half-life."""
    first = toy.gan(toy.Mixture(toy.RING))
    toy.train(first, 3)
    kept = {}
    for stored in (False, True):
        made = toy.gan(toy.Mixture(toy.RING), updates=1, batch_size=16, ema_images=160)
        if stored:
            made.load_weights({name: tensor.clone() for name, tensor in first.policy().tensors().items()})
        before = made.average_params.clone()
        made.step()
        moved = (made.average_params - before).norm() / (made.params - before).norm()
        kept[stored] = 1.0 - float(moved)
    again = toy.gan(toy.Mixture(toy.RING), updates=1, batch_size=16, ema_images=160)
    again.load_state_dict(made.state_dict(), made.policy().tensors())
    assert repr(again.step()) == repr(made.step()) and torch.equal(again.average_params, made.average_params)
    assert kept[True] == pytest.approx(0.5**0.1, abs=1e-4)
    assert kept[False] == pytest.approx(0.5**16.0, abs=1e-4)


def test_what_is_not_finite_is_a_divergence():
    source = toy.Mixture(toy.RING)
    source.batch = lambda n, random: (torch.full((n, 2), torch.nan), None)
    with pytest.raises(Diverged):
        toy.gan(source).step()


def test_a_network_of_another_kind_is_refused():
    with pytest.raises(InputError, match="generator"):
        Gan(toy.Mixture(toy.RING), None, GanConfig(), {"kind": "mlp"}, 0)
