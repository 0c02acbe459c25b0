"""PPO: learns, resumes bit for bit, leaves out what could not be scored, and says when it diverges."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from plaudit.engine.actor_critic import ActorCritic
from plaudit.engine.env import VecEnv
from plaudit.engine.gym import FromGym
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.conv import ConvConfig
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.normalise import ReturnScale, RunningMoments
from plaudit.engine.ppo import PPO, PPOConfig, explained_variance
from plaudit.errors import Diverged, InputError


class Paint(VecEnv):
    """A grid where painting the marked cell pays 1; ends after `limit` steps. For tests.

    `poison` is paid instead in row 0: NaN = could not be scored.
    """

    def __init__(self, num_envs=4, side=3, limit=4, poison=0.0):
        self.num_envs, self.side, self.limit, self.poison = num_envs, side, limit, poison
        self.observation_space = spaces.Box(0.0, 1.0, (side, side, 1), np.float32)
        self.action_space = spaces.Discrete(side * side)
        self.term_names = ("hit", "spare")
        self.random = np.random.default_rng(0)

    def _obs(self):
        return torch.eye(self.side**2)[torch.from_numpy(self.marked)].view(-1, self.side, self.side, 1)

    def reset(self, seed):
        self.random = np.random.default_rng(seed)
        self.marked = self.random.integers(0, self.side**2, self.num_envs)
        self.clock = np.zeros(self.num_envs, dtype=np.int64)
        return self._obs()

    def step(self, action):
        terms = torch.zeros(self.num_envs, 2, dtype=torch.float64)
        terms[:, 0] = torch.from_numpy((action.numpy() == self.marked).astype(np.float64))
        terms[:, 1] = torch.nan
        if self.poison:
            terms[0, 0] = self.poison
        self.clock += 1
        over = self.clock >= self.limit
        self.marked = self.random.integers(0, self.side**2, self.num_envs)
        final = self._obs()
        self.clock[over] = 0
        done = torch.from_numpy(over)
        return final, terms, done, torch.zeros_like(done), {"final_obs": final}

    def action_mask(self):
        mask = torch.ones(self.num_envs, self.side**2) > 0
        mask[:, 0] = torch.from_numpy(self.marked == 0)
        return mask

    def state_dict(self):
        return {
            "random": self.random.bit_generator.state,
            "marked": self.marked.copy(),
            "clock": self.clock.copy(),
        }

    def load_state_dict(self, state):
        self.random.bit_generator.state = state["random"]
        self.marked, self.clock = state["marked"].copy(), state["clock"].copy()


class OnlyHit:
    """Weighs the first term alone, so that the NaN of the second must not matter."""

    names = ("hit", "spare")

    def weights(self, progress):
        return np.array([1.0, 0.0])


def learner_on(env_id, num_envs=4, network=None, seed=0, **settings):
    env = FromGym(env_id, num_envs)
    network = network or MLPConfig((32, 32), "tanh")
    return PPO(env, UnitWeights(env.term_names), PPOConfig(**settings), network, seed)


@pytest.mark.parametrize("head", ["cells", "pooled", "flat"])
@pytest.mark.parametrize("shared", [False, True])
def test_convolutional_nets_train(head, shared):
    config = PPOConfig(n_steps=16, batch_size=32, shared=shared, path="plain")
    learner = PPO(Paint(), OnlyHit(), config, ConvConfig(8, 2, head=head), seed=0)
    row = learner.step()
    assert row["masked"] == 0
    assert row["episodes"] == 16
    assert row["grad_norm"] > 0
    assert row["terms"]["hit"]["weighted"] == row["terms"]["hit"]["raw"]


def test_learns_to_paint_the_marked_cell():
    config = PPOConfig(n_steps=32, batch_size=128, learning_rate=5e-3, gamma=0.5)
    learner = PPO(Paint(16), OnlyHit(), config, ConvConfig(8, 2), seed=0)
    first = learner.step()["return"]
    for _ in range(30):
        last = learner.step()["return"]
    assert first < 1.5
    assert last > 3.6


def test_learns_frozen_lake():
    env = FromGym("FrozenLake-v1", 8, is_slippery=False)
    config = PPOConfig(n_steps=64, batch_size=128, learning_rate=3e-3, entropy=0.02, gamma=0.95)
    learner = PPO(env, UnitWeights(env.term_names), config, MLPConfig((32,), "tanh"), seed=0)
    for _ in range(40):
        row = learner.step()
    assert row["return"] > 0.8


def test_learns_cartpole():
    learner = learner_on(
        "CartPole-v1", 8, n_steps=64, batch_size=128, epochs=6, learning_rate=2e-3, gamma=0.98
    )
    rows = [learner.step() for _ in range(30)]
    # A rollout in which no pole fell has no return to tell; whether there is one depends on the processor.
    returns = [row["return"] for row in rows if "return" in row]
    assert returns[0] < 60 and len(returns) > 20
    assert np.mean(returns[-5:]) > 100


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [
        ("Pendulum-v1", {"normalise_obs": True, "normalise_return": True}),
        ("MountainCar-v0", {"shared": True}),
        ("Acrobot-v1", {"value_clip": 0.2, "target_kl": 0.02}),
    ],
)
def test_trains_on_gymnasium(env_id, settings):
    learner = learner_on(env_id, n_steps=32, batch_size=32, **settings)
    for _ in range(3):
        row = learner.step()
    assert learner.progress == (3 * 32 * 4, "steps")
    assert np.isfinite([row[name] for name in ("policy_loss", "value_loss", "grad_norm", "kl")]).all()


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [("CartPole-v1", {"normalise_return": True}), ("Pendulum-v1", {"normalise_obs": True})],
)
def test_resume_is_bit_identical(env_id, settings):
    ahead = learner_on(env_id, n_steps=24, batch_size=32, **settings)
    for _ in range(3):
        ahead.step()
    state, tensors = ahead.state_dict(), ahead.policy().tensors()
    expected = [ahead.step() for _ in range(2)]
    again = learner_on(env_id, n_steps=24, batch_size=32, seed=9, **settings)
    again.load_state_dict(state, tensors)
    assert [again.step() for _ in range(2)] == expected
    assert torch.equal(again.updater.params, ahead.updater.params)


def test_steps_without_a_score_are_masked():
    learner = PPO(Paint(poison=float("nan")), OnlyHit(), PPOConfig(n_steps=8, batch_size=8), MLPConfig(), 0)
    learner.terms.start(0.0)
    learner.rollout.fill(learner.env, learner.model.head, learner._choose)
    batch = learner._batch(learner._rewards())
    assert len(batch.raw) == len(batch.log_prob) == 8 * 3  # row 0 of 4 is left out
    row = learner.step()
    assert row["masked"] == 2 * 8
    assert torch.isfinite(learner.updater.params).all()


def test_an_infinite_term_is_named():
    learner = PPO(Paint(poison=float("inf")), OnlyHit(), PPOConfig(n_steps=8), MLPConfig(), 0)
    with pytest.raises(Diverged, match="hit"):
        learner.step()


def test_an_observation_that_is_not_finite_is_named():
    learner = PPO(Paint(), OnlyHit(), PPOConfig(n_steps=8), MLPConfig(), 0)
    learner.rollout.obs[-1, 2] = torch.nan
    with pytest.raises(Diverged, match="row 2"):
        learner.step()


@pytest.mark.parametrize("path", ["plain", "fast"])
def test_a_gradient_that_is_not_finite_is_caught(path):
    learner = PPO(Paint(), OnlyHit(), PPOConfig(n_steps=8, path=path), MLPConfig(), 0)
    learner.updater.params[-1] = torch.inf
    with pytest.raises(Diverged):
        learner.step()


def test_truncated_episodes_bootstrap_from_their_last_observation():
    """The value of the true next observation stands where MountainCar was cut off."""
    learner = learner_on("MountainCar-v0", 1, n_steps=200, batch_size=200, gamma=0.9, lam=0.0)
    learner.terms.start(0.0)
    learner.rollout.fill(learner.env, learner.model.head, learner._choose)
    assert [int(t) for t, _, _ in learner.rollout.cut] == [199]
    batch = learner._batch(learner._rewards())
    final = learner.rollout.cut[0][2]
    assert not torch.equal(final, learner.rollout.obs[-1])
    expected = -1.0 + 0.9 * learner.updater.values(final)[0] - batch.value[-1]
    assert float(batch.advantage[-1]) == pytest.approx(float(expected), abs=1e-5)


def test_schedules_follow_the_share():
    learner = learner_on(
        "CartPole-v1", n_steps=8, learning_rate=1e-3, learning_rate_end=0.0, entropy=0.1, entropy_end=0.0
    )
    learner.share = 0.5
    row = learner.step()
    assert row["learning_rate"] == pytest.approx(5e-4)
    assert row["entropy_coef"] == pytest.approx(0.05)


def test_per_cell_head_runs_at_any_size():
    space, actions = spaces.Box(0.0, 1.0, (4, 5, 2)), spaces.Discrete(4 * 5 * 3)
    model = ActorCritic(space, actions, ConvConfig(8, 3, dilations=(1, 2)), shared=True)
    out, value = model(torch.zeros(2, 7, 6, 2))
    assert out.shape == (2, 7 * 6 * 3)
    assert value.shape == (2,)


def test_per_cell_outputs_stand_in_row_major_order():
    space, actions = spaces.Box(0.0, 1.0, (3, 3, 1)), spaces.Discrete(9 * 2)
    model = ActorCritic(space, actions, ConvConfig(4, 1, kernel=1))
    model.initialise(torch.Generator().manual_seed(0))
    grid = torch.zeros(1, 3, 3, 1)
    changed = grid.clone()
    changed[0, 1, 2] = 1.0
    moved = (model.decide(changed) - model.decide(grid)).abs()[0] > 1e-8
    assert set(moved.nonzero().flatten().tolist()) <= {10, 11}
    assert moved.any()


def test_running_moments_match_numpy():
    data = np.random.default_rng(0).normal(3.0, 2.0, (50, 4))
    moments = RunningMoments((4,))
    for part in (data[:7], data[7:7], data[7:]):
        moments.update(torch.from_numpy(part))
    np.testing.assert_allclose(moments.mean, data.mean(0))
    np.testing.assert_allclose(moments.variance, data.var(0))


def test_return_scale_by_hand():
    """Returns 1, 1.5 | 1 with the episode ending in between: their deviation is 0.2357."""
    scaled = ReturnScale(1, 0.5)(torch.ones(3, 1), torch.tensor([[False], [True], [False]]))
    assert float(scaled[0, 0]) == pytest.approx(1 / np.std([1.0, 1.5, 1.0]), rel=1e-5)


def test_explained_variance_by_hand():
    target = torch.tensor([1.0, 2.0, 3.0])
    assert explained_variance(target, target) == 1.0
    assert explained_variance(torch.zeros(3), target) == pytest.approx(0.0)


@pytest.mark.parametrize("settings", [{"gamma": 1.5}, {"n_steps": 0}, {"clip": 0.0}, {"path": "quick"}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        PPOConfig(**settings)


def test_fast_path_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="fast path"):
        learner_on("Pendulum-v1", path="fast")
