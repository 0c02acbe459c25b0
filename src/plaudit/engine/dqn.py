"""Deep Q-learning over any VecEnv with discrete actions. Mnih et al., 2015.

Double, dueling, n-step, prioritised replay, action masks (in the target's max too), Huber's loss and the
way the target follows are switches of `DQNConfig`; with all of them off this is the form of 2015. Departs
from it in Adam for RMSProp. The update is in `dqn_update.py`, its fast twin in `dqn_fast.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine import nets
from plaudit.engine.actor_critic import load_tensors
from plaudit.engine.adam import flushed_denormals
from plaudit.engine.dqn_fast import FastUpdater, Forward, suits
from plaudit.engine.dqn_update import PlainUpdater, QNetwork, Twins, Updater
from plaudit.engine.env import State, VecEnv
from plaudit.engine.episodes import EpisodeTerms, check_obs, final_mask
from plaudit.engine.explore import Schedule, epsilon_greedy
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.q_policy import QPolicy
from plaudit.engine.random import RowRandom
from plaudit.engine.replay import PrioritisedReplay, Replay, ReplayShape, Step
from plaudit.errors import InputError

__all__ = ["DQN", "DQNConfig", "QPolicy"]


@dataclass(frozen=True)
class DQNConfig:
    """Settings of DQN."""

    learning_rate: float = 1e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = -1.0
    """Step size at the end of the budget, reached linearly; below 0 = constant."""
    gamma: float = 0.99
    """Discount of one step."""
    batch_size: int = 64
    """Transitions per update."""
    buffer_size: int = 50_000
    """Transitions kept for replay."""
    learning_starts: int = 1_000
    """Transitions before the first update."""
    train_every: int = 4
    """Transitions per update; those of one environment step are drawn together."""
    target_period: int = 250
    """Updates between two copies of the network into the target."""
    target_tau: float = 0.0
    """Above 0: the target moves by this share after every update instead of by copies."""
    double: bool = True
    """Choose the next action with the online network, value it with the target."""
    dueling: bool = False
    """Split values into a state's value and the actions' advantages."""
    n_step: int = 1
    """Steps of reward before bootstrapping."""
    prioritised: bool = False
    """Replay in proportion to the TD error."""
    priority_alpha: float = 0.6
    """How strongly priorities count; 0 = uniform."""
    priority_beta: float = 0.4
    """Correction of their bias at the start; it reaches 1 at the end of the budget."""
    masks: bool = True
    """Keep to the environment's action masks, in acting and in the target."""
    huber: float = 1.0
    """Where Huber's loss turns into a line; 0 = squared loss."""
    max_grad_norm: float = 10.0
    """Longest gradient."""
    epsilon_start: float = 1.0
    """Share of random actions at the start."""
    epsilon_end: float = 0.05
    """Share of random actions once `epsilon_until` is reached."""
    epsilon_until: float = 0.2
    """Share of the budget over which epsilon falls linearly."""
    chunk: int = 1_000
    """Transitions in one `step` of the learner, rounded up to whole environment steps."""
    path: Literal["auto", "plain", "fast"] = "auto"
    """Autograd or closed-form gradients; "auto" takes the fast one where it suits."""
    compile: bool = False
    """Compile the loss of the plain path with torch.compile (slow to start)."""

    def __post_init__(self) -> None:
        at_least_one = ("batch_size", "buffer_size", "train_every", "target_period", "n_step", "chunk")
        for name in at_least_one:
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place="learner")
        if self.path not in ("auto", "plain", "fast"):
            raise InputError(
                f'path "{self.path}" is unknown.', place="learner", hint="Known: auto, plain, fast."
            )
        if not 0.0 <= self.gamma <= 1.0:
            raise InputError(f"gamma = {self.gamma} is not in [0, 1].", place="learner")


class DQN:
    """The learner: collects with epsilon-greedy, replays, updates. `step` is `chunk` transitions."""

    def __init__(self, env: VecEnv, weighing: Weighing, config: DQNConfig, network: Any, seed: int) -> None:
        if not isinstance(env.action_space, spaces.Discrete) or env.action_space.start != 0:
            raise InputError(
                f"DQN needs Discrete actions from 0, the environment has {env.action_space}.",
                hint="PPO takes MultiDiscrete and Box actions.",
            )
        self.env, self.config, self.share = env, config, 0.0
        self.network, self.device = nets.config_of(network), env.device
        self.terms = EpisodeTerms(weighing, env.term_names, env.num_envs)
        self.epsilon = Schedule("linear", config.epsilon_start, config.epsilon_end, config.epsilon_until)
        end = config.learning_rate if config.learning_rate_end < 0 else config.learning_rate_end
        self.learning_rate = Schedule("linear", config.learning_rate, end)
        # One stream for exploration, one for replay: each can be drawn in blocks.
        self.explore, self.draw = RowRandom([2 * seed]), RowRandom([2 * seed + 1])
        self.obs: NDArray[Any] = env.reset(seed).cpu().numpy().copy()
        self.mask = self._mask()
        self.replay = self._buffer()
        self.twins = self._twins(torch.Generator().manual_seed(seed))
        self.updater = self._updater()
        self.values = self._values()
        self.transitions = 0

    @flushed_denormals()
    def step(self) -> Metrics:
        """Collect `chunk` transitions, with one update every `train_every` of them."""
        rows = self.env.num_envs
        steps = -(-self.config.chunk // rows)
        epsilon = self.epsilon(self.share)
        uniform = self.explore.uniform(steps * rows)[0].reshape(steps, rows)
        self.terms.start(self.share)
        if isinstance(self.replay, PrioritisedReplay):
            beta = self.config.priority_beta
            self.replay.beta = beta + (1.0 - beta) * self.share
        loss, norm, first = 0.0, 0.0, self.twins.updates
        for u in uniform:
            self._collect(epsilon_greedy(self.values(self.obs), epsilon, u, self.mask))
            due = self._updates_due(rows)
            if due:
                outcome = self._update(due)
                loss, norm = loss + outcome[0], norm + outcome[1]
        done = self.twins.updates - first
        row: Metrics = {"epsilon": epsilon, "updates": self.twins.updates, "buffer": self.replay.size}
        if done:
            row |= {"loss": loss / done, "grad_norm": norm / done}
        return row | self.terms.metrics()

    def _collect(self, action: NDArray[np.int64]) -> None:
        obs, terms, terminated, truncated, info = self.env.step(torch.from_numpy(action).to(self.device))
        scores: NDArray[np.float64] = terms.cpu().numpy().astype(np.float64, copy=False)
        over = terminated.cpu().numpy()
        ended = over | truncated.cpu().numpy()
        next_obs = info["final_obs"].cpu().numpy()
        check_obs(next_obs)
        mask = self._mask()
        next_mask = final_mask(mask, ended, info)
        self.replay.add(Step(self.obs, action, self.terms.weigh(scores), over, ended, next_obs, next_mask))
        self.terms.add(scores, ended)
        np.copyto(self.obs, obs.cpu().numpy())
        self.mask = mask
        self.transitions += len(action)

    def _updates_due(self, arrived: int) -> int:
        if self.transitions < self.config.learning_starts or self.replay.size == 0:
            return 0
        every = self.config.train_every
        return self.transitions // every - (self.transitions - arrived) // every

    def _update(self, times: int) -> tuple[float, float]:
        batch = self.replay.sample(times * self.config.batch_size, self.draw)
        outcome = self.updater.update(batch, times, self.learning_rate(self.share))
        if isinstance(self.replay, PrioritisedReplay):
            self.replay.reprioritise(batch.index, outcome.error)
        return outcome.loss, outcome.grad_norm

    def _mask(self) -> NDArray[np.bool_] | None:
        mask = self.env.action_mask() if self.config.masks else None
        return None if mask is None else mask.cpu().numpy().copy()

    def _buffer(self) -> Replay:
        shape = ReplayShape(
            capacity=self.config.buffer_size,
            rows=self.env.num_envs,
            obs_shape=self.obs.shape[1:],
            obs_dtype=self.obs.dtype,
            actions=0 if self.mask is None else self.mask.shape[1],
            n_step=self.config.n_step,
            gamma=self.config.gamma,
        )
        return (
            PrioritisedReplay(shape, self.config.priority_alpha) if self.config.prioritised else Replay(shape)
        )

    def _twins(self, generator: torch.Generator) -> Twins:
        space: Any = self.env.action_space
        outputs = int(space.n) + int(self.config.dueling)
        made = [
            QNetwork(
                nets.build(self.network, self.env.observation_space, outputs, generator), self.config.dueling
            )
            for _ in range(2)
        ]
        return Twins(made[0].to(self.device), made[1].to(self.device), self.config)

    def _updater(self) -> Updater:
        fits = suits(self.twins.online, self.device)
        if self.config.path == "fast" and not fits:
            raise InputError(
                f"the fast path of DQN does not fit {self.network} on {self.device}.",
                hint='It takes an MLP with hidden layers below 1024 on the CPU; set path = "auto".',
            )
        if fits and self.config.path != "plain":
            return FastUpdater(self.twins, self.config.batch_size)
        return PlainUpdater(self.twins, self.device)

    def _values(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """How acting gets its values: one function for both paths, so that they see the same episodes."""
        if suits(self.twins.online, self.device):
            return Forward(self.twins.online, self.env.num_envs)

        @torch.no_grad()
        def values(obs: NDArray[Any]) -> NDArray[Any]:
            q: NDArray[Any] = self.twins.online(torch.from_numpy(obs).to(self.device)).cpu().numpy()
            return q

        return values

    @property
    def progress(self) -> tuple[int, str]:
        return self.transitions, "steps"

    def policy(self) -> QPolicy:
        return QPolicy(
            self.twins.online,
            self.network,
            self.env.observation_space,
            self.env.action_space,
            self.config.epsilon_end,
        )

    def describe(self) -> dict[str, Any]:
        """Algorithm, path taken, sizes."""
        return {
            "algorithm": "dqn",
            "path": self.updater.name,
            "device": str(self.device),
            "parameters": self.twins.params.numel(),
            "network": nets.describe(self.network),
        }

    def state_dict(self) -> State:
        state: State = {
            "env": self.env.state_dict(),
            "obs": self.obs.copy(),
            "replay": self.replay.state_dict(),
            "twins": self.twins.state_dict(),
            "terms": self.terms.state_dict(),
            "explore": self.explore.state_dict(),
            "draw": self.draw.state_dict(),
            "transitions": self.transitions,
        }
        return state if self.mask is None else {**state, "mask": self.mask.copy()}

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights, the target too: what it says of the next state is trusted at once."""
        load_tensors(self.twins.online, tensors)
        self.twins.target_params.copy_(self.twins.params)

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        for name, tensor in self.twins.online.state_dict().items():
            tensor.copy_(tensors[name])
        self.env.load_state_dict(state["env"])
        self.obs[...] = state["obs"]
        self.mask = np.array(state["mask"], dtype=bool) if "mask" in state else None
        for name in ("replay", "twins", "terms", "explore", "draw"):
            getattr(self, name).load_state_dict(state[name])
        self.transitions = int(state["transitions"])
