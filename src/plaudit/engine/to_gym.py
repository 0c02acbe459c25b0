"""Our environments as Gymnasium's: `ToGym` for one episode, `ToGymVector` for a batch.

The reward is the weighted sum of the terms; the terms themselves are in `info["terms"]`, the action mask
in `info["action_mask"]` and in the method `action_masks()` that maskable learners elsewhere call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import Space, spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.env import VecEnv
from plaudit.errors import InputError

Array = NDArray[Any]
Make = Callable[[int], VecEnv]
"""`num_envs -> environment`"""


def _weights(env: VecEnv, weights: Any) -> NDArray[np.float64]:
    """Weights `(K,)`, given as they are or as a function of the environment; None = 1 each."""
    weights = weights(env) if callable(weights) else weights
    given = np.ones(len(env.term_names)) if weights is None else np.asarray(weights, np.float64)
    if given.shape != (len(env.term_names),):
        raise InputError(f"{given.shape} weights were given for the terms {list(env.term_names)}.")
    return given


def _reward(terms: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted sum `(B,)`; NaN where a term of non-zero weight could not be scored."""
    used = np.flatnonzero(weights)
    reward: NDArray[np.float64] = terms[:, used] @ weights[used]
    return reward


def _array(tensor: Tensor) -> Array:
    copied: Array = tensor.detach().cpu().numpy().copy()
    return copied


class ToGym(gymnasium.Env[Any, Any]):
    """One episode of a VecEnv. After an episode ended, `reset()` starts the next; a seed starts anew."""

    metadata = {"render_modes": []}  # noqa: RUF012 - the form Gymnasium asks for

    def __init__(self, make: Make, weights: Any = None) -> None:
        self.env = make(1)
        self.weights = _weights(self.env, weights)
        self.observation_space: Space[Any] = self.env.observation_space
        self.action_space: Space[Any] = self.env.action_space
        self.render_mode = None
        self._next_obs: Tensor | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        super().reset(seed=seed)
        obs = self._next_obs
        if seed is not None or obs is None:
            obs = self.env.reset(int(self.np_random.integers(2**31)) if seed is None else seed)
        self._next_obs = None
        return self._one(obs), self._mask_info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        batch = torch.as_tensor(np.asarray(action)[None], device=self.env.device)
        obs, terms, terminated, truncated, info = self.env.step(batch)
        over, cut = bool(terminated[0]), bool(truncated[0])
        # The row has already been reset; the next `reset()` hands out what it started with.
        self._next_obs = obs.clone() if over or cut else None
        scores = _array(terms)
        named = dict(zip(self.env.term_names, scores[0].tolist(), strict=True))
        last = info["final_obs"] if over or cut else obs
        reward = float(_reward(scores, self.weights)[0])
        return self._one(last), reward, over, cut, {"terms": named, **self._mask_info()}

    def action_masks(self) -> NDArray[np.bool_]:
        """`(A,)` True = allowed, for the current observation; all True where there is no mask."""
        mask = self.env.action_mask()
        if mask is not None:
            return _array(mask[0])
        space = self.action_space
        if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
            raise InputError(f"actions of {space} have no mask.")
        return np.ones(int(space.n if isinstance(space, spaces.Discrete) else space.nvec.sum()), dtype=bool)

    def _mask_info(self) -> dict[str, Any]:
        mask = self.env.action_mask()
        # Gymnasium's `Discrete.sample(mask)` wants bytes.
        return {} if mask is None else {"action_mask": _array(mask[0]).astype(np.int8)}

    def _one(self, obs: Tensor) -> Any:
        one = _array(obs[0])
        return one[()] if isinstance(self.observation_space, spaces.Discrete) else one

    def close(self) -> None:
        self.env.close()


class ToGymVector(VectorEnv[Any, Any, Any]):
    """A VecEnv as Gymnasium's vector environment of the same-step mode."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(self, make: Make, num_envs: int = 1, weights: Any = None) -> None:
        self.env = make(num_envs)
        self.weights = _weights(self.env, weights)
        self.num_envs = num_envs
        self.single_observation_space: Space[Any] = self.env.observation_space
        self.single_action_space: Space[Any] = self.env.action_space
        self.observation_space: Space[Any] = batch_space(self.single_observation_space, num_envs)
        self.action_space: Space[Any] = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        super().reset(seed=seed)
        obs = self.env.reset(int(self.np_random.integers(2**31)) if seed is None else seed)
        return _array(obs), self._mask_info()

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        batch = torch.as_tensor(np.asarray(actions), device=self.env.device)
        obs, terms, terminated, truncated, info = self.env.step(batch)
        scores, over, cut = _array(terms), _array(terminated), _array(truncated)
        names = enumerate(self.env.term_names)
        extra: dict[str, Any] = {"terms": {name: scores[:, k] for k, name in names}, **self._mask_info()}
        ended = over | cut
        if ended.any():
            last = np.full(self.num_envs, None, dtype=object)
            for i in np.flatnonzero(ended):
                last[i] = _array(info["final_obs"][i])
            extra |= {"final_obs": last, "_final_obs": ended}
        return _array(obs), _reward(scores, self.weights), over, cut, extra

    def action_masks(self) -> NDArray[np.bool_] | None:
        """`(B, A)` True = allowed; None = all allowed."""
        mask = self.env.action_mask()
        return None if mask is None else _array(mask)

    def _mask_info(self) -> dict[str, Any]:
        mask = self.action_masks()
        return {} if mask is None else {"action_mask": mask.astype(np.int8)}

    def close_extras(self, **kwargs: Any) -> None:
        del kwargs
        self.env.close()
