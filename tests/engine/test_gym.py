"""The Gymnasium bridges, in both directions: sameness, exact state, the checkers, foreign learners."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from plaudit.engine import gym_state
from plaudit.engine.dqn import DQN, DQNConfig
from plaudit.engine.env import VecEnv
from plaudit.engine.gym import FromGym
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.to_gym import ToGym, ToGymVector
from plaudit.errors import InputError

CLASSIC = ["CartPole-v1", "FrozenLake-v1", "MountainCar-v0", "Pendulum-v1", "Acrobot-v1", "CliffWalking-v1"]


class Corridor(VecEnv):
    """Walk right from 0 to 5; "goal" pays 1 there, "step" pays -1 always; left is masked at the wall."""

    def __init__(self, num_envs):
        self.num_envs = num_envs
        self.observation_space = spaces.Box(0.0, 5.0, (1,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.term_names = ("goal", "step")

    def reset(self, seed):
        self.at = torch.from_numpy(np.random.default_rng(seed).integers(0, 3, self.num_envs))
        return self.at[:, None].float()

    def step(self, action):
        self.at = (self.at + 2 * action - 1).clamp(min=0)
        over = self.at >= 5
        final = self.at[:, None].float()
        terms = torch.stack([over.double(), -torch.ones(self.num_envs, dtype=torch.float64)], 1)
        self.at[over] = 0
        return self.at[:, None].float(), terms, over, torch.zeros_like(over), {"final_obs": final}

    def action_mask(self):
        return torch.stack([self.at > 0, torch.ones_like(self.at) > 0], 1)

    def state_dict(self):
        return {"at": self.at.clone()}

    def load_state_dict(self, state):
        self.at = state["at"].clone()


def actions_for(env, steps, seed=0):
    env.action_space.seed(seed)
    drawn = [[env.action_space.sample() for _ in range(env.num_envs)] for _ in range(steps)]
    return [torch.from_numpy(np.array(rows)) for rows in drawn]


@pytest.mark.parametrize("env_id", CLASSIC)
def test_state_is_exact_at_any_step(env_id):
    env = FromGym(env_id, 3)
    env.reset(4)
    assert env.resume_at == "step"
    actions = actions_for(env, 320)
    for action in actions[:110]:
        env.step(action)
    state = env.state_dict()
    ahead = [[part.clone() for part in env.step(action)[:4]] for action in actions[110:]]
    again = FromGym(env_id, 3)
    again.reset(99)
    again.load_state_dict(state)
    for action, expected in zip(actions[110:], ahead, strict=True):
        for got, wanted in zip(again.step(action)[:4], expected, strict=True):
            assert torch.equal(got, wanted)


def test_rows_equal_gymnasium_alone():
    """Row i is the single environment seeded with seed + i, reset in the step in which it ends."""
    env = FromGym("MountainCar-v0", 2)
    single = gymnasium.make("MountainCar-v0")
    obs, first = env.reset(7), single.reset(seed=8)[0]
    np.testing.assert_array_equal(obs[1], first)
    for action in actions_for(env, 230):
        obs, terms, terminated, truncated, info = env.step(action)
        last, reward, over, cut, _ = single.step(int(action[1]))
        np.testing.assert_array_equal(info["final_obs"][1], last)
        assert (float(terms[1, 0]), bool(terminated[1]), bool(truncated[1])) == (reward, over, cut)
        if over or cut:
            last = single.reset()[0]
        np.testing.assert_array_equal(obs[1], last)


def test_array_cartpole_has_the_single_ones_dynamics_and_no_wasted_step():
    env = FromGym("CartPole-v1", 4)
    obs, single = env.reset(0), gymnasium.make("CartPole-v1").unwrapped
    single.reset(seed=0)
    ended = 0
    for action in actions_for(env, 120):
        single.state = obs[2].double().numpy()
        single.steps_beyond_terminated = None
        before = obs[2].clone()
        obs, terms, terminated, truncated, info = env.step(action)
        expected, _, over, _, _ = single.step(int(action[2]))
        np.testing.assert_allclose(info["final_obs"][2], expected, atol=1e-5)
        assert bool(terminated[2]) == over
        assert (terms == 1.0).all()
        assert not torch.equal(before, info["final_obs"][2])
        done = terminated | truncated
        assert torch.equal(obs[~done], info["final_obs"][~done])
        assert (obs[done].abs() <= 0.05).all()
        ended += int(done.sum())
    assert ended > 10


def test_array_cartpole_is_cut_at_its_limit():
    env = FromGym("CartPole-v1", 2, max_episode_steps=3)
    env.reset(0)
    cuts = [bool(env.step(torch.tensor([0, 1]))[3].all()) for _ in range(6)]
    assert cuts == [False, False, True, False, False, True]


def test_same_step_vector_environments_are_taken_and_others_refused():
    def sync(mode):
        make = [lambda: gymnasium.make("FrozenLake-v1")] * 3
        return lambda: SyncVectorEnv(make, autoreset_mode=mode)

    whole, rows = FromGym(sync(AutoresetMode.SAME_STEP)), FromGym("FrozenLake-v1", 3)
    assert whole.num_envs == 3
    assert torch.equal(whole.reset(5), rows.reset(5))
    assert whole.resume_at == "item"
    for action in actions_for(rows, 60):
        first, second = whole.step(action), rows.step(action)
        for one, other in zip(
            (*first[:4], first[4]["final_obs"]), (*second[:4], second[4]["final_obs"]), strict=True
        ):
            assert torch.equal(one, other)
    with pytest.raises(InputError, match="same-step"):
        FromGym(sync(AutoresetMode.NEXT_STEP))


def test_state_of_every_plain_type_survives():
    value = {"a": (1, np.float64(0.5), [True, None]), "b": np.arange(3), "c": "text"}
    again = gym_state.decode(gym_state.encode(value))
    assert again["a"] == value["a"]
    assert isinstance(again["a"], tuple)
    assert isinstance(again["a"][1], np.float64)
    np.testing.assert_array_equal(again["b"], value["b"])


def test_environments_with_hidden_state_resume_at_items():
    class Hidden(gymnasium.Env):
        observation_space, action_space = spaces.Discrete(2), spaces.Discrete(2)

        def __init__(self):
            self.engine = object()

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return 0, {}

    env = FromGym(Hidden, 2)
    env.reset(0)
    assert env.resume_at == "item"


@pytest.mark.parametrize(
    ("env_id", "words"), [("Blackjack-v1", "Tuple"), ("NoSuch-v0", "NoSuch"), ("no.such:X-v0", "no.such")]
)
def test_what_cannot_be_used_is_said(env_id, words):
    with pytest.raises(InputError, match=words):
        FromGym(env_id)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake-v1", "MountainCar-v0"])
def test_our_dqn_trains(env_id):
    env = FromGym(env_id, 4)
    config = DQNConfig(learning_starts=64, chunk=200, batch_size=16)
    learner = DQN(env, UnitWeights(env.term_names), config, MLPConfig((16,)), seed=0)
    for _ in range(2):
        row = learner.step()
    assert np.isfinite(row["loss"])
    assert learner.progress == (400, "steps")


def test_our_dqn_learns_frozen_lake():
    env = FromGym("FrozenLake-v1", 8, is_slippery=False)
    config = DQNConfig(
        learning_starts=200, learning_rate=3e-3, gamma=0.95, epsilon_until=0.7, target_period=50
    )
    learner = DQN(env, UnitWeights(env.term_names), config, MLPConfig((32,)), seed=0)
    for share in np.linspace(0.0, 1.0, 12):
        learner.share = float(share)
        learner.step()
    obs = env.reset(0)
    for _ in range(20):
        obs, terms, _, _, _ = env.step(learner.policy().act(obs)[0])
        if bool((terms[:, 0] == 1.0).all()):
            return
    pytest.fail("the greedy policy does not reach the goal in 20 steps")


def test_a_module_may_be_named():
    env = FromGym("gymnasium.envs.classic_control:CartPole-v1", 2)
    assert env.reset(0).shape == (2, 4)


def test_ours_passes_gymnasiums_checker():
    check_env(ToGym(Corridor), skip_render_check=True)


def test_ours_pays_the_weighted_terms_and_shows_its_mask():
    env = ToGym(Corridor, weights=[10.0, 0.5])
    env.reset(seed=0)
    total, over = 0.0, False
    while not over:
        obs, reward, over, _, info = env.step(1)
        assert reward == pytest.approx(10.0 * info["terms"]["goal"] + 0.5 * info["terms"]["step"])
        total += reward
    assert obs[0] == 5.0
    obs, info = env.reset()
    assert obs[0] == 0.0
    assert env.action_masks().tolist() == [False, True]
    assert env.action_space.sample(info["action_mask"]) == 1
    with pytest.raises(InputError, match="weights"):
        ToGym(Corridor, weights=[1.0])


def test_ours_as_a_vector_environment_and_back():
    """Our env -> Gymnasium vector -> our env is the identity."""
    ours, there_and_back = Corridor(3), FromGym(lambda: ToGymVector(Corridor, 3))
    assert torch.equal(ours.reset(2), there_and_back.reset(2))
    for _ in range(30):
        action = torch.ones(3, dtype=torch.int64)
        first, second = ours.step(action), there_and_back.step(action)
        assert torch.equal(first[0], second[0])
        assert torch.equal(first[1].sum(1, keepdim=True), second[1])
        assert torch.equal(first[2], second[2])
        assert torch.equal(first[4]["final_obs"], second[4]["final_obs"])


@pytest.mark.parametrize("name", ["PPO", "DQN"])
def test_stable_baselines_trains_on_ours(name):
    peers = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_checker import check_env as check

    env = ToGym(Corridor)
    check(env)
    settings = {"PPO": {"n_steps": 64, "batch_size": 32}, "DQN": {"learning_starts": 50}}[name]
    model = getattr(peers, name)("MlpPolicy", env, seed=0, device="cpu", **settings)
    model.learn(300)
    assert model.num_timesteps >= 300
