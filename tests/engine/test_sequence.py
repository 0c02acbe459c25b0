"""Sequence model, cached decoding, estimators and loop against what can be counted out."""

import numpy as np
import pytest
import torch
import toy_sequences as toy

from plaudit.engine import policies
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence import losses
from plaudit.engine.sequence.decode import sample
from plaudit.engine.sequence.gradient import SequenceConfig
from plaudit.engine.sequence.likelihood import Likelihood, LikelihoodConfig
from plaudit.engine.sequence.model import GRUConfig, Prompts, SequenceModel, Shape, agreement
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import InputError

UNCLIPPED = ("rloo", "reinforce", "scst", "dr_grpo")


def conditioned(rows=5, steps=11, seed=0, copy=False):
    """A model with conditions, masks, looks back and rows of different length, and prompts for it."""
    random = torch.Generator().manual_seed(seed)
    model = SequenceModel(Shape(9, 3, 2), GRUConfig(hidden=16, embed=5, encoder=4, copy=copy))
    model.initialise(random)
    if copy:
        model.trust.data.normal_(generator=random)
    mask = torch.rand(rows, steps, 9, generator=random) < 0.5
    mask[..., 4] = True
    length = torch.tensor([steps, 3, steps - 1, 1, 7])
    back = torch.tensor([[4, 8], [2, 3], [1, 9], [5, 5], [3, 6]])
    return model, Prompts(mask, length, torch.randn(rows, steps, 3, generator=random), back)


@pytest.mark.parametrize("copy", (False, True))
def test_decoding_is_the_model(copy):
    model, prompts = conditioned(copy=copy)
    ids, log_prob = sample(model, prompts, RowRandom(range(5)))
    again, entropy = model.of(prompts, ids)
    assert torch.allclose(again, log_prob, atol=2e-6)
    assert bool(prompts.mask.gather(2, ids[..., None])[prompts.valid].all())
    assert bool((ids[~prompts.valid] == 0).all() and (log_prob[~prompts.valid] == 0).all())
    assert bool((entropy[prompts.valid] >= 0).all())


def test_agreement_is_how_long_both_have_been_the_same():
    random = np.random.default_rng(0)
    ids, back = random.integers(0, 2, (6, 40)), random.integers(1, 9, 6)
    found = agreement(torch.from_numpy(ids), torch.from_numpy(back))
    for row in range(6):
        for t in range(40):
            run = 0
            while t - 1 - run - back[row] >= 0 and ids[row, t - 1 - run] == ids[row, t - 1 - run - back[row]]:
                run += 1
            assert found[row, t] == min(run.bit_length(), 5)


def test_a_model_that_copies_learns_to_repeat():
    """Bars of four random tokens, each played twice: only pointing back tells the second."""

    class Twice:
        shape, narrowing = Shape(8, 0, 1), None

        def batch(self, n, random):
            bars = random.integers(0, 8, (n, 3, 1, 4)).repeat(2, 2).reshape(n, -1)
            back = torch.full((n, 1), 4)
            mask, length = torch.ones(n, 24, 8, dtype=torch.bool), torch.full((n,), 24)
            return Prompts(mask, length, torch.zeros(n, 24, 0), back), torch.from_numpy(bars)

        def validation(self, n):
            return self.batch(n, np.random.default_rng(9))

    losses_found = []
    for copy in (False, True):
        network = {"hidden": 24, "embed": 8, "copy": copy}
        learner = Likelihood(Twice(), None, LikelihoodConfig(dropout=0.0, updates=150), network, 0)
        learner.step()
        losses_found.append(learner.validate())
    # Half of the tokens are free choices among eight: log(8) / 2 is the least.
    assert losses_found[1] < np.log(8) / 2 + 0.1 < losses_found[0] - 0.2


def test_rules_that_depend_on_what_is_written_hold_and_the_ratio_stays_one():
    learner = toy.learner(estimator="ppo")
    learner.source.narrowing = lambda prompts: (
        lambda ids, t: torch.arange(toy.V) != ids[:, max(t - 1, 0), None]
    )
    assert learner.step()["ratio_error"] < 1e-5
    prompts = learner.source.draw(64, np.random.default_rng(0))
    ids, _ = sample(learner.model, prompts, RowRandom(range(64)), narrow=learner.source.narrowing(prompts))
    assert bool((ids[:, 1:] != ids[:, :-1]).all())


def test_a_token_sees_only_what_was_written_before_it_and_all_conditions():
    model, prompts = conditioned()
    ids, _ = sample(model, prompts, RowRandom(range(5)))
    whole = model.log_probs(prompts, ids)
    changed = ids.clone()
    changed[0, 6] = (ids[0, 6] + 1) % 9
    other = model.log_probs(prompts, changed)
    assert torch.equal(whole[0, :7], other[0, :7])
    assert not torch.allclose(whole[0, 7], other[0, 7])
    prompts.cond[0, 10] += 1.0
    assert not torch.allclose(whole[0, 0], model.log_probs(prompts, ids)[0, 0])
    # Padding says nothing.
    prompts.cond[1, 3:] += 1.0
    assert torch.equal(whole[1, :3], model.log_probs(prompts, ids)[1, :3])


def test_sampling_follows_the_distribution_and_the_seed_alone():
    made = toy.learner()
    ids, _ = sample(made.model, toy.prompts(4000, 1), RowRandom(range(4000)))
    shares = torch.bincount(ids[:, 0], minlength=toy.V) / 4000
    with torch.no_grad():
        expected = made.model.log_probs(toy.prompts(1, 1), torch.zeros(1, 1, dtype=torch.int64))[0, 0].exp()
    assert float((shares - expected).abs().max()) < 4 * (0.25 / 4000) ** 0.5
    alone, _ = sample(made.model, toy.prompts(64), RowRandom([7] * 64))
    assert bool((alone == alone[0]).all())


@pytest.mark.parametrize(
    "returns, expected",
    [
        ([[1.0, 2.0, 6.0]], [[-3.0, -1.5, 4.5]]),
        ([[1.0, float("nan"), 3.0]], [[-2.0, 0.0, 2.0]]),
        ([[1.0, float("nan"), float("nan")]], [[0.0, 0.0, 0.0]]),
    ],
)
def test_leave_one_out(returns, expected):
    got = losses.leave_one_out(torch.tensor(returns)[..., None])
    assert torch.equal(got[..., 0], torch.tensor(expected))


def test_formulas_by_hand():
    steps = torch.tensor([[[1.0, 2.0, 4.0]]])
    assert losses.to_go(torch.tensor([[10.0]]), steps).tolist() == [[[17.0, 16.0, 14.0]]]
    total = torch.tensor([[1.0, 3.0, float("nan")]])
    assert losses.group_relative(total, scaled=False).tolist() == [[-1.0, 1.0, 0.0]]
    assert torch.allclose(
        losses.group_relative(total, scaled=True, epsilon=0.0), torch.tensor([[-1.0, 1.0, 0.0]])
    )
    log_prob = torch.log(torch.tensor([[0.5, 2.0, 2.0]]))
    surrogate = losses.clipped(
        log_prob, torch.zeros(1, 3), torch.tensor([[1.0, 1.0, -1.0]]), low=0.2, high=0.3
    )
    assert torch.allclose(surrogate, torch.tensor([[-0.5, -1.3, 2.0]]))
    assert losses.adapted(1.0, 20.0, 10.0) == pytest.approx(1.02)
    assert losses.adapted(1.0, 9.0, 10.0) == pytest.approx(0.99)


def exact_gradient(made, ids):
    made.grads.zero_()
    (-toy.objective(made, ids)).backward()
    return made.grads.clone()


def drawn_gradients(made, draws):
    """One estimate of the gradient a draw, `(draws, P)`, with the model left as it is."""
    found = []
    for _ in range(draws):
        batch = made._collect()
        made.sequences += len(batch.ids)
        made._gradient(batch, torch.arange(len(batch.ids)))
        found.append(made.grads.clone())
    return torch.stack(found)


@pytest.mark.parametrize("estimator", UNCLIPPED)
def test_the_mean_gradient_is_the_exact_one(estimator):
    made = toy.learner(estimator=estimator, prompts=64, group=8, beta=0.2)
    # A model that has left its prior: the price of distance counts.
    made.params.add_(0.1 * torch.randn(made.params.shape, generator=torch.Generator().manual_seed(3)))
    ids = toy.everything()
    exact = exact_gradient(made, ids)
    found = drawn_gradients(made, 200)
    if estimator == "dr_grpo":
        exact = exact * (7 / 8) / toy.L
    # Along 12 directions that nothing chose: one in 370 would be off by more than 3 standard errors.
    directions = torch.randn(12, len(exact), generator=torch.Generator().manual_seed(5))
    directions[0] = exact
    along = found @ directions.T
    error = along.std(0) / len(found) ** 0.5
    assert bool(((along.mean(0) - directions @ exact).abs() < 3.2 * error).all())
    # A wrong gradient would be seen: the exact one is many standard errors from nothing.
    assert float((directions @ exact)[0] / error[0]) > 20


@pytest.mark.parametrize("estimator", ["grpo", "ppo"])
def test_clipped_estimators_point_the_same_way(estimator):
    made = toy.learner(estimator=estimator, prompts=64, group=8, beta=0.2)
    exact = exact_gradient(made, toy.everything())
    mean = drawn_gradients(made, 300).mean(0)
    assert float(torch.nn.functional.cosine_similarity(mean, exact, dim=0)) >= 0.99


@pytest.mark.parametrize("estimator", ["rloo", "reinforce", "scst", "grpo", "dr_grpo", "ppo"])
def test_the_ratio_is_one_before_the_first_update(estimator):
    made = toy.learner(estimator=estimator, prompts=16, group=4)
    assert made.step()["ratio_error"] < 1e-5


@pytest.mark.parametrize(
    "estimator", ["rloo", *(pytest.param(name, marks=pytest.mark.slow) for name in UNCLIPPED[1:])]
)
def test_the_optimum_is_reached(estimator):
    made = toy.learner(
        estimator=estimator, prompts=64, group=8, beta=0.1, learning_rate=1e-2, learning_rate_end=2e-4
    )
    ids = toy.everything()
    optimum = toy.best(made, ids)
    with torch.no_grad():
        start = float(toy.objective(made, ids))
    assert start < 0.5 * optimum
    for step in range(700):
        made.share = step / 700
        made.step()
    with torch.no_grad():
        assert float(toy.objective(made, ids)) >= 0.99 * optimum


@pytest.mark.slow
def test_dividing_by_the_deviation_has_another_fixed_point():
    made = toy.learner(
        estimator="grpo", prompts=64, group=8, beta=0.1, learning_rate=1e-2, learning_rate_end=2e-4
    )
    ids = toy.everything()
    for step in range(700):
        made.share = step / 700
        made.step()
    with torch.no_grad():
        assert 0.90 < float(toy.objective(made, ids)) / toy.best(made, ids) < 0.97


def test_rewards_of_steps_are_paid_from_their_step_on():
    made = toy.learner(prompts=64, group=8, beta=0.0)

    def pays_the_first_token(prompts, ids):
        steps = np.zeros((len(ids), toy.L, 1))
        steps[:, 0, 0] = ids[:, 0] == 3
        return steps

    made.source.score = pays_the_first_token
    batch = made._collect()
    assert bool((batch.advantage[:, 1:] == 0).all())
    assert float(batch.advantage[:, 0].abs().max()) > 0.5
    assert torch.equal(batch.reward, (batch.ids[:, 0] == 3).float())


def test_the_price_of_distance_is_steered():
    made = toy.learner(prompts=16, group=8, beta=0.01, kl_target=0.5, learning_rate=1e-2)
    for _ in range(150):
        row = made.step()
    assert made.beta > 0.02
    assert row["k3"] >= 0


def test_what_cannot_be_scored_is_masked_and_counted():
    made = toy.learner(prompts=8, group=4)
    made.source.score = lambda prompts, ids: np.where(np.arange(32) % 4 == 0, np.nan, 1.0)[:, None]
    row = made.step()
    assert row["masked"] == 8
    assert bool(torch.isfinite(made.params).all())


def test_it_goes_on_from_tuned_weights_near_the_same_prior():
    tuned, made = toy.learner(prompts=8, group=4), toy.learner(prompts=8, group=4)
    for _ in range(3):
        tuned.step()
    made.load_weights({n: t.clone() for n, t in tuned.prior.state_dict().items()})
    made.begin_from(tuned.policy().tensors())
    assert made.step()["kl"] > 0
    assert torch.equal(made.prior.head.weight, tuned.prior.head.weight)
    made.load_weights(tuned.policy().tensors())
    assert made.step()["kl"] == pytest.approx(0.0, abs=1e-4)


def test_resumed_is_uninterrupted():
    one, two = (toy.learner(estimator="reinforce", prompts=8, group=4, kl_target=1.0) for _ in range(2))
    one.step()
    two.load_state_dict(one.state_dict(), {n: t.clone() for n, t in one.policy().tensors().items()})
    assert repr(one.step()) == repr(two.step())
    assert torch.equal(one.params, two.params)


def test_a_stored_policy_writes_the_same():
    model, prompts = conditioned()
    stored = SequencePolicy(model)
    again = policies.build(stored.describe(), stored.tensors())
    random, other = RowRandom(range(5)), RowRandom(range(5))
    state = state_again = None
    for step in range(4):
        token, state, log_prob = stored.act(prompts if step == 0 else None, state, None, random)
        same, state_again, _ = again.act(prompts if step == 0 else None, state_again, None, other)
        assert torch.equal(token, same) and log_prob.shape == (5,)


class Alternating:
    """A corpus in which token 2 follows token 5, and the other way round."""

    shape = Shape(toy.V)

    def batch(self, n, random):
        start = torch.from_numpy(random.integers(0, 2, n))
        ids = torch.where((torch.arange(toy.L) + start[:, None]) % 2 == 0, 2, 5)
        return toy.prompts(n), ids

    def validation(self, n):
        return self.batch(n, np.random.default_rng(9))


def test_likelihood_learns_its_corpus():
    config = LikelihoodConfig(batch_size=32, updates=5, dropout=0.1, learning_rate=1e-2)
    made = Likelihood(Alternating(), None, config, toy.NETWORK, 0)
    first = made.step()["loss"]
    for _ in range(30):
        made.step()
    # The first token is a coin's toss, the rest is certain.
    assert first > 1.5
    assert made.validate() == pytest.approx(np.log(2) / toy.L, abs=0.03)


def test_wrong_settings_are_refused():
    for settings, word in (
        ({"estimator": "grop"}, "rloo"),
        ({"group": 1}, "group"),
        ({"epochs": 2}, "one pass"),
        ({"beta": -1.0}, "beta"),
    ):
        with pytest.raises(InputError, match=word):
            SequenceConfig(**settings)
