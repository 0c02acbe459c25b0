"""Tabular Q-learning over any VecEnv with discrete observations and actions. Watkins, 1989.

Rows share one table or own one each. An environment that offers `tabular_model()` runs in the fused
kernel of `tabular_kernel.py`; this file's loop is the specification: for the same random numbers both
learn the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.env import State, VecEnv
from plaudit.engine.episodes import EpisodeTerms, final_mask
from plaudit.engine.explore import RULES, Exploration, Rule, Schedule, choose, greedy
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.random import RowRandom
from plaudit.engine.returns import q_target, td_error
from plaudit.engine.tabular_model import TabularModel
from plaudit.errors import Diverged, InputError

__all__ = ["QConfig", "QTablePolicy", "TabularModel", "TabularQ"]

Mask = NDArray[np.bool_] | None


@dataclass(frozen=True)
class QConfig:
    """Settings of tabular Q-learning."""

    gamma: float = 0.99
    """Discount of one step."""
    initial: float = 0.0
    """Value of every action at the start; above what can be reached, it makes the learner curious."""
    learning_rate: float = 0.1
    """Share of the error that is learned, at the start."""
    learning_rate_end: float = 0.1
    """The same at the end of the budget."""
    learning_rate_shape: Literal["constant", "linear", "exponential", "visits"] = "constant"
    """How it gets there; "visits" takes 1/n at the n-th visit of an action instead."""
    explore: Rule = "epsilon"
    """Epsilon-greedy, or "boltzmann": in proportion to exp(value / temperature)."""
    explore_start: float = 1.0
    """Epsilon or temperature at the start."""
    explore_end: float = 0.05
    """The same from `explore_until` on."""
    explore_until: float = 0.5
    """Share of the budget over which it changes."""
    explore_shape: Literal["constant", "linear", "exponential"] = "linear"
    """How it changes."""
    replicas: Literal["shared", "own"] = "shared"
    """One table for all rows, or one for each."""
    chunk: int = 10_000
    """Transitions in one `step` of the learner, rounded up to whole environment steps."""
    path: Literal["auto", "plain", "fused"] = "auto"
    """Step the environment, or run its tables in the fused kernel; "auto" does so where they are offered."""

    def __post_init__(self) -> None:
        for name, known in (
            ("explore", RULES),
            ("replicas", ("shared", "own")),
            ("path", ("auto", "plain", "fused")),
        ):
            if getattr(self, name) not in known:
                raise InputError(
                    f'{name} = "{getattr(self, name)}" is unknown.', place="learner", hint=f"Known: {known}."
                )
        if not 0.0 <= self.gamma <= 1.0 or self.chunk < 1:
            raise InputError(f"gamma = {self.gamma}, chunk = {self.chunk} is out of range.", place="learner")


class TabularQ:
    """The learner. `step` is `chunk` transitions over all rows."""

    def __init__(self, env: VecEnv, weighing: Weighing, config: QConfig, seed: int) -> None:
        self.env, self.config, self.share = env, config, 0.0
        states, actions = _sizes(env)
        self.owner = np.arange(env.num_envs) * (config.replicas == "own")
        tables = int(self.owner.max()) + 1
        self.q: NDArray[np.float64] = np.full((tables, states, actions), float(config.initial))
        self.visits: NDArray[np.int64] = np.zeros(self.q.shape, np.int64)
        self.strength = Schedule(
            config.explore_shape, config.explore_start, config.explore_end, config.explore_until
        )
        self.by_visits = config.learning_rate_shape == "visits"
        shape = "constant" if config.learning_rate_shape == "visits" else config.learning_rate_shape
        self.learning_rate = Schedule(shape, config.learning_rate, config.learning_rate_end)
        self.terms = EpisodeTerms(weighing, env.term_names, env.num_envs)
        self.explore = RowRandom(2 * (seed * env.num_envs + np.arange(env.num_envs)))
        self.transitions = 0
        self.path: Any = self._path(seed)

    def _path(self, seed: int) -> Any:
        offer = getattr(self.env, "tabular_model", None)
        model = offer() if offer is not None and self.config.path != "plain" else None
        if model is None and self.config.path == "fused":
            raise InputError(
                "this environment offers no tables for the fused path.", hint='Set path = "auto".'
            )
        if model is None:
            return PlainPath(self, seed)
        from plaudit.engine.tabular_fused import FusedPath

        return FusedPath(self, model, seed)

    def step(self) -> Metrics:
        """Make `chunk` transitions and learn from each."""
        self.terms.start(self.share)
        strength, rate = self.strength(self.share), self.learning_rate(self.share)
        steps = -(-self.config.chunk // self.env.num_envs)
        self.path.run(steps, strength, rate)
        self.transitions += steps * self.env.num_envs
        if not np.isfinite(self.q.sum()):
            raise Diverged(
                "a value of the Q-table is not finite.", hint="Lower learning_rate or the weights."
            )
        row: Metrics = {"explore": strength, "learning_rate": rate, "mean_value": float(self.q.mean())}
        return row | self.terms.metrics()

    @property
    def progress(self) -> tuple[int, str]:
        return self.transitions, "steps"

    def policy(self) -> QTablePolicy:
        return QTablePolicy(torch.from_numpy(self.q), self.config.explore, self.strength(1.0))

    def describe(self) -> dict[str, Any]:
        """Algorithm, path taken, sizes."""
        tables, states, actions = self.q.shape
        return {
            "algorithm": "tabular-q",
            "path": self.path.name,
            "tables": tables,
            "states": states,
            "actions": actions,
        }

    def state_dict(self) -> State:
        return {
            "visits": self.visits.copy(),
            "terms": self.terms.state_dict(),
            "explore": self.explore.state_dict(),
            "path": self.path.state_dict(),
            "transitions": self.transitions,
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        self.q[...] = tensors["q"].numpy()
        self.visits[...] = state["visits"]
        for name in ("terms", "explore", "path"):
            getattr(self, name).load_state_dict(state[name])
        self.transitions = int(state["transitions"])


class PlainPath:
    """Step the environment; all rows choose and value by the tables before the step, then learn in turn."""

    name = "plain"

    def __init__(self, learner: TabularQ, seed: int) -> None:
        self.learner, self.env = learner, learner.env
        self.obs = learner.env.reset(seed).cpu().numpy().astype(np.int64)
        self.mask = self._mask()

    def run(self, steps: int, strength: float, rate: float) -> None:
        learner = self.learner
        for _ in range(steps):
            uniform = learner.explore.uniform(1)[:, 0]
            q = learner.q[learner.owner, self.obs]
            action = choose(learner.config.explore, q, strength, uniform, self.mask)
            obs, terms, terminated, truncated, info = self.env.step(torch.from_numpy(action))
            scores = terms.cpu().numpy().astype(np.float64)
            over = terminated.cpu().numpy()
            ended = over | truncated.cpu().numpy()
            mask = self._mask()
            next_q = learner.q[learner.owner, info["final_obs"].cpu().numpy()]
            best = greedy(next_q, final_mask(mask, ended, info))
            value = next_q[np.arange(len(best)), best]
            target = q_target(learner.terms.weigh(scores), learner.config.gamma * ~over, value)
            self._learn(action, td_error(q[np.arange(len(best)), action], target), rate)
            learner.terms.add(scores, ended)
            self.obs, self.mask = obs.cpu().numpy().astype(np.int64), mask

    def _learn(self, action: NDArray[np.int64], error: NDArray[np.float64], rate: float) -> None:
        known = ~np.isnan(error)
        at = (self.learner.owner[known], self.obs[known], action[known])
        np.add.at(self.learner.visits, at, 1)
        rates = 1.0 / self.learner.visits[at] if self.learner.by_visits else rate
        np.add.at(self.learner.q, at, rates * error[known])

    def _mask(self) -> Mask:
        mask = self.env.action_mask()
        return None if mask is None else mask.cpu().numpy().copy()

    def state_dict(self) -> State:
        state: State = {"env": self.env.state_dict(), "obs": self.obs.copy()}
        return state if self.mask is None else {**state, "mask": self.mask.copy()}

    def load_state_dict(self, state: State) -> None:
        self.env.load_state_dict(state["env"])
        self.obs[...] = state["obs"]
        self.mask = np.array(state["mask"], dtype=bool) if "mask" in state else None


class QTablePolicy:
    """Acts by a table `(T, S, A)`: greedy, or by the rule of the training where it is given numbers."""

    def __init__(self, q: Tensor, explore: Rule, strength: float) -> None:
        self.q, self.explore, self.strength = q, explore, strength

    def act(
        self,
        obs: Tensor,
        state: Any = None,
        mask: Tensor | None = None,
        generator: RowRandom | None = None,
    ) -> tuple[Tensor, Any, Tensor]:
        """Map `obs (B,)` to `action (B,), state, log_prob (B,)`; with T > 1 row b reads table b."""
        if len(self.q) not in (1, len(obs)):
            raise InputError(f"{len(obs)} rows were given to a policy of {len(self.q)} tables.")
        rows = torch.arange(len(obs)) if len(self.q) > 1 else 0
        q = self.q[rows, obs.cpu().long()].numpy()
        action, log_prob = Exploration(self.explore, self.strength).act(
            q, None if mask is None else mask.cpu().numpy(), generator
        )
        return torch.from_numpy(action), state, torch.from_numpy(log_prob)

    def tensors(self) -> dict[str, Tensor]:
        """A copy of the tables."""
        return {"q": self.q.clone()}

    def describe(self) -> dict[str, Any]:
        """JSON that `from_description` reads."""
        return {"kind": "q-table", "explore": self.explore, "strength": self.strength}

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> QTablePolicy:
        """Make the policy that `describe` described."""
        q = tensors["q"]
        if q.dim() != 3 or q.dtype != torch.float64 or description["explore"] not in RULES:
            raise InputError(
                f"a table {tuple(q.shape)} of {q.dtype} with {description} is no Q-table policy."
            )
        return cls(q, description["explore"], float(description["strength"]))


def _sizes(env: VecEnv) -> tuple[int, int]:
    observation, action = env.observation_space, env.action_space
    for space in (observation, action):
        if not isinstance(space, spaces.Discrete) or space.start != 0:
            raise InputError(
                f"tabular Q-learning needs Discrete observations and actions from 0, not {space}.",
                hint="DQN and PPO take others.",
            )
    return int(observation.n), int(action.n)  # type: ignore[attr-defined]
