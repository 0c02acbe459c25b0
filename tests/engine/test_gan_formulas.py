"""Losses, lambda and reward gradients against what can be worked out by hand."""

import math

import numpy as np
import pytest
import torch

from plaudit.engine.gan import losses
from plaudit.engine.gan.config import GanConfig, RewardConfig
from plaudit.engine.gan.distance import Distance
from plaudit.engine.gan.latent import GaussianLatent, LatentTuner, OffsetLatent
from plaudit.engine.gan.rewards import Rewards
from plaudit.engine.gan.weight import RewardWeight, ascended, balanced, ramped
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.generator import Generator, GeneratorConfig, ItemShape
from plaudit.errors import Diverged, InputError

REAL, FAKE = torch.tensor([0.0, math.log(3.0)]), torch.tensor([math.log(3.0), 0.0])
"""softplus(log 3) = log 4, softplus(-log 3) = log 4/3, softplus(0) = log 2."""


@pytest.mark.parametrize(
    ("name", "critic", "generator"),
    [
        ("non-saturating", math.log(2 * 4 / 3 * 4 * 2) / 2, math.log(4 / 3 * 2) / 2),
        ("wgan-gp", 0.0, -math.log(3) / 2),
        # The pairs lie log 3 apart, once each way.
        ("relativistic", math.log(4 * 4 / 3) / 2, math.log(4 * 4 / 3) / 2),
    ],
)
def test_games_by_hand(name, critic, generator):
    got = losses.LOSSES[name](REAL, FAKE)
    assert [float(loss) for loss in got] == pytest.approx([critic, generator], abs=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_the_players_pull_at_the_fakes_in_opposite_directions(name):
    fake = torch.zeros(2, requires_grad=True)
    critic, generator = losses.LOSSES[name](REAL, fake)
    (up,) = torch.autograd.grad(critic, fake, retain_graph=True)
    (down,) = torch.autograd.grad(generator, fake)
    assert bool((up > 0).all() and (down < 0).all())


def test_penalties_by_hand():
    items = torch.tensor([[1.0, 2.0], [0.0, 0.0]], requires_grad=True)
    slope = losses.squared_slope((items[:, 0] ** 2 + 3 * items[:, 1]), items)
    assert slope.tolist() == [13.0, 9.0]
    assert float(losses.zero_centred(slope.detach())) == 5.5
    assert float(losses.one_centred(slope.detach())) == pytest.approx(((13**0.5 - 1) ** 2 + 4) / 2)
    (second,) = torch.autograd.grad(losses.zero_centred(slope), items)
    assert second.tolist() == [[2.0, 0.0], [0.0, 0.0]]
    middle = losses.between(torch.ones(2, 3), torch.zeros(2, 3), torch.tensor([0.25, 1.0]))
    assert middle[:, 0].tolist() == [0.25, 1.0]


def test_gaussians_by_hand():
    mean, log_std = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(2.0)]])
    x = torch.tensor([[3.0, 2.0]])
    expected = -(0.5 * 4 + 0.5 * 1 + math.log(2.0) + math.log(2 * math.pi))
    assert float(losses.gaussian_log_prob(x, mean, log_std)) == pytest.approx(expected, abs=1e-6)
    assert float(losses.gaussian_kl(mean, log_std)) == pytest.approx(
        0.5 * (1 + 4 - 1 - 2 * math.log(2)), abs=1e-6
    )


def test_lambda_by_hand():
    assert [ramped(s, 0.25, 0.75) for s in (0.0, 0.25, 0.5, 0.75, 1.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert ramped(0.0, 0.0, 0.0) == 1.0
    assert balanced(0.5, 6.0, 2.0) == 1.5
    assert balanced(0.5, 6.0, 0.0) == 0.0
    # At the limit nothing moves; off by half the reference: exp(rate / 2); by more than all of it: exp(rate).
    assert ascended(2.0, 11.0, 11.0, 10.0, 0.4) == 2.0
    assert ascended(2.0, 16.0, 11.0, 10.0, 0.4) == pytest.approx(2.0 * math.exp(-0.2))
    assert ascended(2.0, 6.0, 11.0, 10.0, 0.4) == pytest.approx(2.0 * math.exp(0.2))
    assert ascended(2.0, 1e9, 11.0, 10.0, 0.4) == pytest.approx(2.0 * math.exp(-0.4))


def test_the_first_distance_is_the_reference():
    weight = RewardWeight(RewardConfig(schedule="dual", slack=0.5, rate=1.0, judge_every=10, ramp=(0.5, 0.5)))
    assert not weight.due(100, 0.2)
    assert weight.due(100, 0.6)
    weight.measured(Distance(4.0), 100)
    assert (weight.reference, weight.base, weight.due(109, 0.6), weight.due(110, 0.6)) == (
        4.0,
        1.0,
        False,
        True,
    )
    weight.measured(Distance(8.0), 110)
    assert weight.base == pytest.approx(math.exp(-0.5))
    with pytest.raises(Diverged):
        weight.measured(Distance(float("nan")), 120)


class Linear:
    """Pays `direction . x`; the generator below is linear too, so that the gradient is known."""

    direction = torch.tensor([1.0, -2.0, 0.5])

    def score(self, items, labels):
        return (items @ self.direction).double().numpy()[:, None]

    def columns(self, items, labels):
        return (items @ self.direction)[:, None]


MATRIX = torch.tensor([[1.0, 0.5, 0.0], [0.0, 2.0, -1.0]])


def tuner(kind, method, source=None, **settings):
    config = RewardConfig(
        method=method,
        policy=kind,
        **{"batch_size": 4096, "group": 8, "policy_learning_rate": 1e-2, **settings},
    )
    rewards = Rewards(source or Linear(), UnitWeights(("toy",)))
    network = GeneratorConfig(latent=2, widths=(8,))
    return LatentTuner(rewards, config, network, ItemShape((3,)), seed=0)


@pytest.mark.parametrize("kind", ["gaussian", "network"])
def test_pathwise_and_score_gradients_agree(kind):
    made = tuner(kind, "score", batch_size=1 << 15)
    with torch.no_grad():
        # A policy that has left the prior.
        made.params.add_(0.2 * torch.randn(made.params.shape, generator=torch.Generator().manual_seed(1)))
    gradients = []
    for way in (made.score, made.pathwise):
        total = torch.zeros_like(made.params)
        random = torch.Generator().manual_seed(7)
        for _ in range(8 if way == made.score else 2):
            noise, labels = made._states(random)
            made.grads.zero_()
            way(lambda z, y: z @ MATRIX, noise, labels).backward()
            total += made.grads / (8 if way == made.score else 2)
        gradients.append(total)
    score, pathwise = gradients
    assert float(torch.nn.functional.cosine_similarity(score, pathwise, dim=0)) >= 0.99
    assert float(score.norm() / pathwise.norm()) == pytest.approx(1.0, abs=0.05)
    if kind == "gaussian":
        # E[R] = direction . (mean MATRIX): the slope by the mean is known, that by the deviation is 0.
        assert torch.allclose(pathwise[:2], -(MATRIX @ Linear.direction), atol=1e-2)


@pytest.mark.parametrize("method", ["score", "pathwise"])
def test_the_latent_policy_reaches_the_tilted_prior(method):
    """N(0, 1) tilted by exp(w g . z) is N(w g, 1), whose distance is |w g|^2 / 2."""
    made, weight = tuner("gaussian", method, batch_size=256), 0.5
    random = torch.Generator().manual_seed(3)
    for _ in range(600):
        made.update(lambda z, y: z @ MATRIX, weight, random)
    best = weight * (MATRIX @ Linear.direction)
    assert torch.allclose(made.policy.mean[0], best, atol=0.12)
    assert torch.allclose(made.policy.log_std, torch.zeros(1, 2), atol=0.12)
    assert made.kl == pytest.approx(float(best @ best) / 2, rel=0.15)


@pytest.mark.parametrize("kind", ["gaussian", "network"])
def test_a_new_policy_is_the_prior(kind):
    made = tuner(kind, "score").policy
    noise = torch.randn(20_000, made.noise_size, generator=torch.Generator().manual_seed(0))
    latent = made.draw(noise, None).detach()
    assert torch.allclose(latent.T.cov(), torch.eye(2), atol=0.05)
    assert float(made.kl(noise, None).detach().abs().max()) == 0.0
    if kind == "gaussian":
        assert torch.equal(latent, noise)


def test_the_distance_of_a_network_is_that_of_its_proposals():
    made = OffsetLatent(2, 3, 0.5)
    made.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        made.offset[-1].weight.normal_(generator=torch.Generator().manual_seed(1))
    noise, labels = torch.randn(4, 4, generator=torch.Generator().manual_seed(2)), torch.tensor([0, 1, 2, 2])
    moved = made._move(noise[:, :2], labels)
    apart = (made.kept * moved).square().sum(1) / (2 * 0.5**2)
    assert torch.allclose(made.kl(noise, labels), apart)
    # Classes are told apart, and so are states.
    assert not torch.allclose(made._move(noise[:1, :2], labels[:1]), made._move(noise[:1, :2], labels[1:2]))


def test_classes_have_policies_of_their_own():
    made = GaussianLatent(2, 3)
    with torch.no_grad():
        made.mean[1] = 5.0
    noise = torch.zeros(3, 2)
    assert made.draw(noise, torch.tensor([0, 1, 2])).tolist() == [[0, 0], [5, 5], [0, 0]]


def test_what_cannot_be_scored_takes_no_part():
    class Half(Linear):
        def columns(self, items, labels):
            # The root of what is below 0 is not a number, and neither is its slope.
            return items[:, :1].sqrt()

        def score(self, items, labels):
            return np.where(items[:, :1] < 0, np.nan, 1.0)

    rewards = Rewards(Half(), UnitWeights(("toy",)))
    items = torch.tensor([[4.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    slope = rewards.slope(items, None)
    assert slope[:, 0].tolist() == [0.125, 0.0, 0.25]
    assert rewards.queries == 3
    row = rewards.report()
    assert (row["masked"], row["return"], row["terms"]["toy"]["raw"]) == (1, 1.5, 1.5)
    made = tuner("gaussian", "score", Half(), batch_size=64)
    made.update(lambda z, y: z @ MATRIX, 1.0, torch.Generator().manual_seed(0))
    assert bool(made.params.isfinite().all())


def test_rewards_of_the_wrong_kind_are_refused():
    class Wrong(Linear):
        def score(self, items, labels):
            return np.zeros((len(items), 2))

        def columns(self, items, labels):
            return (items @ self.direction)[:, None].detach()

    rewards = Rewards(Wrong(), UnitWeights(("toy",)))
    with pytest.raises(InputError, match="shape"):
        rewards.score(torch.zeros(3, 3), None)
    with pytest.raises(InputError, match="gradient"):
        rewards.slope(torch.zeros(3, 3), None)
    with pytest.raises(InputError, match="no score"):
        Rewards(object(), UnitWeights(("toy",))).score(torch.zeros(3, 3), None)
    endless = Rewards(Linear(), UnitWeights(("toy",)))
    with pytest.raises(Diverged):
        endless.score(torch.tensor([[torch.inf, 0.0, 0.0]]), None)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"loss": "relativstic"}, "relativistic"),
        ({"batch_size": 0}, "batch_size"),
        ({"gamma": float("nan")}, "gamma"),
        ({"beta2": 1.0}, "beta2"),
        ({"precision": "fp16"}, "bf16"),
        ({"reward": {"method": "pathwize"}}, "pathwise"),
        ({"reward": {"group": 1}}, "group"),
        ({"reward": {"ramp": (0.5, 0.2)}}, "ramp"),
        ({"reward": {"method": "score", "schedule": "balanced"}}, "dual"),
    ],
)
def test_wrong_settings_are_refused(settings, word):
    with pytest.raises(InputError, match=word):
        GanConfig(**settings)


@pytest.mark.parametrize(
    ("settings", "shape", "word"),
    [
        ({"patch": 3}, (1, 28, 28), "divide"),
        ({"group": 7}, (1, 28, 28), "group"),
        ({"latent": 0}, (1, 28, 28), "latent"),
        ({}, (1, 28), "neither"),
    ],
)
def test_networks_that_cannot_be_are_refused(settings, shape, word):
    with pytest.raises(InputError, match=word):
        Generator(GeneratorConfig(**settings), ItemShape(shape))
