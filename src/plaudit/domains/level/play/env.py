"""Playing as an MDP: B levels of one game side by side, a move a step, until won, lost or out of moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.board import UNDER_WAY, WON, Boards, Rules, look
from plaudit.domains.level.play.playthrough import Figures, figures
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context

SPAN = 8
"""Observations hold whole numbers from -SPAN to SPAN."""


@dataclass(frozen=True)
class PlayConfig:
    """What is played, and how many games at once: the `[env]` of a recipe."""

    game: str = "zelda"
    """`zelda`, `maze`, `sokoban`, `dungeon`, `cave`, `platformer` or `runner`."""
    copies: int = 64
    """Games side by side during training."""
    pool: int = 1024
    """Levels that training draws from."""

    def __post_init__(self) -> None:
        for key, low, high in (("copies", 1, 2**16), ("pool", 1, 2**17)):
            if not low <= getattr(self, key) <= high:
                raise InputError(f"env.{key} is {getattr(self, key)}; it goes from {low} to {high}.")


def observation_space(rules: Rules) -> spaces.Box:
    """What a player of a game sees and knows, as small whole numbers."""
    return spaces.Box(-SPAN, SPAN, (rules.values,), np.int8)


class Eyes:
    """Observations and moves ahead of boards, into memory of a fixed number of rows."""

    def __init__(self, rules: Rules, rows: int) -> None:
        self.rules = rules
        self.planes = np.array(rules.planes, np.int64)
        self.ahead = np.zeros(rows, np.float32)
        self.carried = np.zeros((rows, len(rules.carried)), np.int8)
        self.obs = np.zeros((rows, rules.values), np.int8)

    def look(self, boards: Boards, left: NDArray[np.float64]) -> NDArray[np.int8]:
        """Observations `(B, N)`, valid until the next call; `left (B,)` is the share of moves left."""
        self.rules.survey(boards, self.ahead, self.carried)
        felt = np.clip(np.ceil(left * 4), 0, 4).astype(np.int8)
        parts = boards.maps, boards.body, boards.trod
        look(parts, self.planes, self.rules.window, felt, self.carried, self.obs)
        return self.obs


class PlayEnv(VecEnv):
    """B games; every episode begins on a level drawn at random from the pool."""

    def __init__(self, rules: Rules, pool: Maps, num_envs: int, pays: Stepwise) -> None:
        self.rules, self.pool, self.num_envs, self.pays = rules, pool, num_envs, pays
        self.weighing: Composition = pays.composition
        self.term_names = self.weighing.names
        self.observation_space, self.action_space = (
            observation_space(rules),
            spaces.Discrete(len(rules.moves)),
        )
        self.limit = rules.limit((pool.shape[2], pool.shape[1]))
        self.fresh = rules.begin(pool)
        self.eyes = Eyes(rules, num_envs)
        self.random = RowRandom(np.zeros(num_envs, np.int64))
        self.boards = self.fresh.take(np.zeros(num_envs, np.int64))
        self.taken = np.zeros(num_envs, np.int64)
        self.first = np.zeros(num_envs)

    def reset(self, seed: int) -> Tensor:
        # Rows of neighbouring seeds must not share generators: seed 4 row 1 is not seed 5 row 0.
        self.random = RowRandom(np.int64(seed) * 1_000_003 + np.arange(self.num_envs, dtype=np.int64))
        return self._begin(np.arange(self.num_envs))

    def _begin(self, rows: NDArray[np.int64]) -> Tensor:
        """Start the next game in each of the rows; the observations of all."""
        self.boards.put(rows, self.fresh.take(self.random.integers(0, len(self.pool), rows)))
        self.taken[rows] = 0
        obs = self._look()
        self.first[rows] = self.eyes.ahead[rows]
        self.pays.start(rows, self._score()[rows])
        return obs

    def _look(self) -> Tensor:
        return torch.from_numpy(self.eyes.look(self.boards, 1.0 - self.taken / self.limit))

    def _figures(self) -> Figures:
        return figures(self.boards, self.taken, self.eyes.ahead.astype(np.float64), self.first)

    def _score(self) -> NDArray[np.float64]:
        return self.weighing.score(self._figures(), Context())

    def step(self, action: Tensor) -> StepResult:
        chosen = action.numpy().astype(np.int64, copy=False).reshape(self.num_envs)
        if chosen.min() < 0 or chosen.max() >= len(self.rules.moves):
            raise InputError(
                f"an action is outside of 0 to {len(self.rules.moves) - 1}: {chosen.tolist()[:8]}."
            )
        self.rules.step(self.boards, chosen)
        self.taken += 1
        final = self._look()
        over = self.boards.outcome != UNDER_WAY
        spent = ~over & (self.taken >= self.limit)
        terms = torch.from_numpy(self.pays.advance(self._score(), over | spent))
        ended = np.flatnonzero(over | spent)
        info = {"final_obs": final, "won": torch.from_numpy(self.boards.outcome == WON)}
        obs = final
        if len(ended):
            info["final_obs"] = final.clone()
            obs = self._begin(ended)
        return obs, terms, torch.from_numpy(over), torch.from_numpy(spent), info

    def state_dict(self) -> State:
        boards = {name: getattr(self.boards, name).copy() for name in ("maps", "body", "outcome", "trod")}
        rest = {"taken": self.taken.copy(), "first": self.first.copy()}
        return {"boards": boards, **rest, "random": self.random.state_dict(), "pays": self.pays.state_dict()}

    def load_state_dict(self, state: State) -> None:
        for name in ("maps", "body", "outcome", "trod"):
            getattr(self.boards, name)[:] = state["boards"][name]
        self.taken[:], self.first[:] = state["taken"], state["first"]
        self.random.load_state_dict(state["random"])
        self.pays.load_state_dict(state["pays"])
        self._look()
