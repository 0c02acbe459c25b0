"""Every stepwise task as a Gymnasium environment: names, checkers, options, foreign learners."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import plaudit.envs
from plaudit.domains import TASKS
from plaudit.errors import InputError

# The package may have been imported before Gymnasium was, by another test of the same process.
plaudit.envs.register()
STEPWISE = [task.name for task in TASKS if task.stepwise]


def gym_id(name):
    return f"plaudit/{name.replace('/', '-')}-v0"


@pytest.mark.parametrize("name", STEPWISE)
def test_checkers_pass(name):
    checkers = pytest.importorskip("stable_baselines3.common.env_checker")
    check_env(gymnasium.make(gym_id(name)).unwrapped, skip_render_check=True)
    checkers.check_env(plaudit.make(name), warn=False)


@pytest.mark.parametrize("name", STEPWISE)
def test_one_and_many_are_the_same_episodes(name):
    one, many = plaudit.make(name), gymnasium.make_vec(gym_id(name), num_envs=1)
    first, second = one.reset(seed=3), many.reset(seed=3)
    np.testing.assert_array_equal(first[0], second[0][0])
    for step in range(20):
        if isinstance(one.action_space, gymnasium.spaces.Discrete):
            allowed = np.flatnonzero(one.action_masks())
            action = allowed[step % len(allowed)]
        else:
            action = np.full(one.action_space.shape, 0.1 + 0.04 * step, np.float32)
        first, second = one.step(action), many.step(action[None])
        assert first[1:4] == (second[1][0], second[2][0], second[3][0])
        if first[2] or first[3]:
            return
        np.testing.assert_array_equal(first[0], second[0][0])


@pytest.mark.parametrize("algorithm", ["PPO", "DQN"])
def test_stable_baselines_trains_on_a_maze(algorithm):
    peers = pytest.importorskip("stable_baselines3")
    settings = {"PPO": {"n_steps": 32, "batch_size": 32}, "DQN": {"learning_starts": 30, "buffer_size": 100}}
    env = plaudit.make("level/maze", request={"size": [8, 8]})
    model = getattr(peers, algorithm)("MlpPolicy", env, seed=0, device="cpu", **settings[algorithm])
    model.learn(64)
    assert model.num_timesteps >= 64


def test_options_reach_the_environment():
    env = plaudit.make(
        "level/maze", request={"size": [9, 7]}, env={"representation": "narrow"}, target={"path": 20}
    )
    assert env.reset(seed=0)[0].shape[-1] > 0
    assert env.action_space.n < 9 * 7
    with pytest.raises(InputError, match="representation"):
        plaudit.make("level/maze", env={"representatio": "wide"})
    with pytest.raises(InputError, match='Did you mean "target"'):
        plaudit.make("level/maze", targets={"path": 3})
    with pytest.raises(InputError, match="level/maze"):
        plaudit.make("level/mase")


def test_reward_weights_reach_the_reward():
    plain = plaudit.make("level/path")
    name = plain.env.term_names[0]
    heavy = plaudit.make("level/path", reward={name: 7.0})
    assert heavy.weights[heavy.env.term_names.index(name)] == 7.0


@pytest.mark.parametrize(
    "code",
    [
        "import gymnasium, plaudit, sys; gymnasium.spec('plaudit/level-maze-v0')",
        "import plaudit, gymnasium, plaudit.envs, sys; gymnasium.spec('plaudit/level-maze-v0')",
        "import plaudit, plaudit.envs, sys; assert 'gymnasium' not in sys.modules",
    ],
)
def test_registration_is_cheap(code):
    light = "; assert not {'torch', 'pydantic', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + light], check=True)


def test_gymnasiums_form_with_the_module_works_in_any_order():
    code = "import plaudit, gymnasium; gymnasium.make('plaudit.envs:plaudit/level-path-v0').reset(seed=0)"
    subprocess.run([sys.executable, "-c", code], check=True)
