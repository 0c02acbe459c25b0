"""Gymnasium environments as ours: `FromGym` trains any Gymnasium environment with our learners.

Discrete, MultiDiscrete and Box actions; Discrete, MultiDiscrete and Box observations. The reward is the
one term "reward". Every row follows the same-step autoreset rule of `engine/env.py`, whatever mode
Gymnasium's own vector class has: there is no step that is not a transition.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine import gym_state
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.errors import InputError

if TYPE_CHECKING:
    from plaudit.engine.tabular_model import TabularModel

Array = NDArray[Any]
Source = str | Callable[[], "gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]"]

CARTPOLE = "gymnasium.envs.classic_control.cartpole:CartPoleVectorEnv"


class Rows(Protocol):
    """B Gymnasium episodes that write into arrays given to them."""

    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]

    def reset(self, seed: int, out: Buffers) -> None: ...

    def step(self, action: Array, out: Buffers) -> None: ...

    def exact(self) -> bool: ...

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...

    def close(self) -> None: ...


class Buffers:
    """The arrays of one step, allocated once; `final_obs` equals `obs` but where a row ended."""

    def __init__(self, num_envs: int, space: spaces.Space[Any]) -> None:
        shape, dtype = (num_envs, *(space.shape or ())), space.dtype
        self.obs: Array = np.zeros(shape, dtype)
        self.final_obs: Array = np.zeros(shape, dtype)
        self.reward: Array = np.zeros(num_envs)
        self.terminated: NDArray[np.bool_] = np.zeros(num_envs, dtype=bool)
        self.truncated: NDArray[np.bool_] = np.zeros(num_envs, dtype=bool)


class LoopRows:
    """B single environments stepped in turn."""

    def __init__(self, envs: list[gymnasium.Env[Any, Any]]) -> None:
        self.envs = envs
        self.observation_space = envs[0].observation_space
        self.action_space = envs[0].action_space

    def reset(self, seed: int, out: Buffers) -> None:
        # Neighbouring seeds are fine: Gymnasium spreads each over the whole state of its generator.
        for i, env in enumerate(self.envs):
            out.obs[i] = env.reset(seed=seed + i)[0]

    def step(self, action: Array, out: Buffers) -> None:
        for i, env in enumerate(self.envs):
            obs, reward, terminated, truncated, _ = env.step(action[i])
            out.final_obs[i] = obs
            out.reward[i] = reward
            out.terminated[i] = terminated
            out.truncated[i] = truncated
            out.obs[i] = env.reset()[0] if terminated or truncated else obs

    def exact(self) -> bool:
        return gym_state.can_resume(self.envs[0])

    def state_dict(self) -> State:
        return {str(i): gym_state.save(env) for i, env in enumerate(self.envs)}

    def load_state_dict(self, state: State) -> None:
        for i, env in enumerate(self.envs):
            gym_state.load(env, state[str(i)])

    def close(self) -> None:
        for env in self.envs:
            env.close()


class VectorRows:
    """A Gymnasium vector environment of the same-step mode."""

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        mode = env.metadata.get("autoreset_mode")
        if mode is not AutoresetMode.SAME_STEP:
            raise InputError(
                f"the vector environment resets in the mode {mode}; same-step is needed.",
                hint="Pass autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP, or its name alone.",
            )
        self.env = env
        self.observation_space = env.single_observation_space
        self.action_space = env.single_action_space

    def reset(self, seed: int, out: Buffers) -> None:
        out.obs[...] = self.env.reset(seed=seed)[0]

    def step(self, action: Array, out: Buffers) -> None:
        obs, reward, terminated, truncated, info = self.env.step(action)
        out.obs[...] = obs
        out.final_obs[...] = obs
        out.reward[...] = reward
        out.terminated[...] = terminated
        out.truncated[...] = truncated
        for i in np.flatnonzero(out.terminated | out.truncated):
            out.final_obs[i] = info["final_obs"][i]

    def exact(self) -> bool:
        return False

    def state_dict(self) -> State:
        return {}

    def load_state_dict(self, state: State) -> None:
        del state

    def close(self) -> None:
        self.env.close()


class CartPoleRows:
    """Gymnasium's array CartPole, its rows reset in the step in which they end.

    Its own mode spends one step of a finished row on the reset; here the row is reset at once by the
    same rule, so every step is a transition. Rewards and dynamics are its own.
    """

    def __init__(self, env: CartPoleVectorEnv) -> None:
        self.env = env
        self.observation_space = env.single_observation_space
        self.action_space = env.single_action_space

    def reset(self, seed: int, out: Buffers) -> None:
        out.obs[...] = self.env.reset(seed=seed)[0]

    def step(self, action: Array, out: Buffers) -> None:
        env: Any = self.env
        out.final_obs[...], out.reward[...], out.terminated[...], out.truncated[...], _ = env.step(action)
        out.obs[...] = out.final_obs
        ended = env.prev_done
        if ended.any():
            rows = np.flatnonzero(ended)
            start = env.np_random.uniform(env.low, env.high, size=(4, len(rows)))
            env.state[:, rows] = start
            env.steps[rows] = 0
            env.prev_done[rows] = False
            out.obs[rows] = start.T

    def exact(self) -> bool:
        return True

    def state_dict(self) -> State:
        return gym_state.save(self.env)

    def load_state_dict(self, state: State) -> None:
        gym_state.load(self.env, state)

    def close(self) -> None:
        self.env.close()


def make_rows(source: Source, num_envs: int, options: dict[str, Any]) -> Rows:
    """Open `num_envs` episodes of an environment id, or of a function that makes environments."""
    if isinstance(source, str):
        spec = _spec(source)
        if spec.vector_entry_point == CARTPOLE:
            vector: Any = gymnasium.make_vec(
                spec, num_envs, vectorization_mode="vector_entry_point", **options
            )
            return CartPoleRows(vector)
        return LoopRows([gymnasium.make(spec, disable_env_checker=True, **options) for _ in range(num_envs)])
    first = source()
    if isinstance(first, VectorEnv):
        return VectorRows(first)
    rest: list[Any] = [source() for _ in range(num_envs - 1)]
    return LoopRows([first, *rest])


def _spec(name: str) -> Any:
    """The specification of `Name-v0` or `module:Name-v0`, whose module is imported first."""
    module, _, bare = name.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
        return gymnasium.spec(bare)
    except (gymnasium.error.Error, ImportError) as error:
        raise InputError(f'Gymnasium knows no environment "{name}": {error}') from error


class FromGym(VecEnv):
    """Any Gymnasium environment as a VecEnv with the one term "reward".

    `source` is an environment id, a function that makes one environment (called `num_envs` times), or
    one that makes a whole vector environment of the same-step mode. `options` go to the environment.

    >>> env = FromGym("CartPole-v1", 2)
    >>> tuple(env.reset(0).shape)
    (2, 4)
    """

    def __init__(self, source: Source, num_envs: int = 1, **options: Any) -> None:
        self.rows = make_rows(source, num_envs, options)
        self.num_envs = getattr(getattr(self.rows, "env", None), "num_envs", num_envs)
        self.observation_space = self.rows.observation_space
        self.action_space = self.rows.action_space
        self.term_names = ("reward",)
        _check_spaces(self.observation_space, self.action_space)
        self._out = Buffers(self.num_envs, self.observation_space)
        out = self._out
        # The tensors share the arrays' memory: a step hands over no copy.
        self._obs, self._final_obs = torch.from_numpy(out.obs), torch.from_numpy(out.final_obs)
        self._terms = torch.from_numpy(out.reward)[:, None]
        self._terminated = torch.from_numpy(out.terminated)
        self._truncated = torch.from_numpy(out.truncated)

    def reset(self, seed: int) -> Tensor:
        self.rows.reset(seed, self._out)
        self.resume_at = "step" if self.rows.exact() else "item"
        return self._obs

    def step(self, action: Tensor) -> StepResult:
        self.rows.step(action.numpy(), self._out)
        return self._obs, self._terms, self._terminated, self._truncated, {"final_obs": self._final_obs}

    def tabular_model(self) -> TabularModel | None:
        """The tables of a deterministic toy-text environment, for the fused tabular learner."""
        from plaudit.engine.tabular_model import from_gymnasium

        return from_gymnasium(self.rows.envs[0]) if isinstance(self.rows, LoopRows) else None

    def state_dict(self) -> State:
        return {"obs": self._out.obs.copy(), "rows": self.rows.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self._out.obs[...] = state["obs"]
        self.rows.load_state_dict(state["rows"])

    def close(self) -> None:
        self.rows.close()


def _check_spaces(observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
    known = (spaces.Discrete, spaces.MultiDiscrete, spaces.Box)
    for kind, space in (("observations", observation), ("actions", action)):
        if not isinstance(space, known):
            raise InputError(
                f"{kind} of {space} cannot be learned from.",
                hint="Discrete, MultiDiscrete and Box can; wrap the environment to flatten the rest.",
            )
        if isinstance(space, spaces.Discrete) and space.start != 0:
            raise InputError(f"{kind} of {space} do not start at 0.", hint="Wrap it to start at 0.")
