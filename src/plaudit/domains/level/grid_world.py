"""The grid world as an MDP: four moves, a goal that ends the episode, a cost for every step.

The textbook case (Sutton and Barto, 2018, chapter 6) with L layouts at once. A state is
`layout * cells + cell`, so that one table holds all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.layouts import MOVES, Layout, move_table
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.runs.recipe import RewardEntry

if TYPE_CHECKING:
    from plaudit.engine.tabular import TabularModel

STEPS_PER_CELL = 4
"""An episode is cut off after this many steps for each cell of the grid."""


@dataclass(frozen=True)
class GridConfig:
    """The `[env]` table of a grid world recipe."""

    replicas: int = 64
    """Number of layouts that one table learns."""
    copies: int = 64
    """Walkers side by side during training."""

    def __post_init__(self) -> None:
        for key in ("replicas", "copies"):
            if not 1 <= getattr(self, key) <= 65536:
                raise InputError(f"env.{key} is {getattr(self, key)}; it goes from 1 to 65536.")


def step_columns(composition: Composition, entries: Sequence[RewardEntry]) -> NDArray[np.float64]:
    """Return what a step pays, `(2, K)`: a plain one, and one that enters the goal.

    Only sums over steps can be paid step by step: raises `InputError` for anything but plain weights
    of `goal` and `steps`.
    """
    for at, entry in enumerate(entries):
        shaped = entry.target is not None or entry.threshold is not None or entry.product
        if shaped or entry.term not in ("goal", "steps"):
            raise InputError(
                f'"{entry.term}" cannot be paid step by step as it is given here.',
                place=f"reward[{at}]",
                hint='level/path learns from plain weights of "goal" and "steps".',
            )
    gains = {"goal": (0.0, 1.0), "steps": (1.0, 1.0)}
    raw = np.array([gains[term.name] for term in composition.terms]).T
    return composition.columns(raw)


class PathEnv(VecEnv):
    """B walkers with one observation number each; every episode begins in a layout drawn at random."""

    def __init__(
        self, layouts: Sequence[Layout], num_envs: int, composition: Composition, paid: NDArray[np.float64]
    ) -> None:
        self.layouts, self.num_envs, self.weighing, self.paid = list(layouts), num_envs, composition, paid
        self.term_names = composition.names
        cells, width = layouts[0].grid.size, layouts[0].grid.shape[1]
        offsets = np.arange(len(layouts)) * cells
        tables = [move_table(layout.grid) + offset for layout, offset in zip(layouts, offsets, strict=True)]
        self.moves = np.concatenate(tables).astype(np.int32)
        self.first = offsets + [layout.start[0] * width + layout.start[1] for layout in layouts]
        self.is_goal = np.zeros(len(layouts) * cells, bool)
        self.is_goal[offsets + [layout.goal[0] * width + layout.goal[1] for layout in layouts]] = True
        self.observation_space = spaces.Discrete(len(self.is_goal))
        self.action_space = spaces.Discrete(len(MOVES))
        self.budget = STEPS_PER_CELL * cells
        self.random = RowRandom(np.zeros(num_envs, np.int64))
        self.state = np.zeros(num_envs, np.int64)
        self.taken = np.zeros(num_envs, np.int64)

    def reset(self, seed: int) -> Tensor:
        # Rows of neighbouring seeds must not share generators: seed 4 row 1 is not seed 5 row 0.
        self.random = RowRandom(np.int64(seed) * 1_000_003 + np.arange(self.num_envs, dtype=np.int64))
        self._begin(np.arange(self.num_envs))
        return torch.from_numpy(self.state.copy())

    def _begin(self, rows: NDArray[np.int64]) -> None:
        self.state[rows] = self.first[self.random.integers(0, len(self.first), rows)]
        self.taken[rows] = 0

    def step(self, action: Tensor) -> StepResult:
        chosen = action.numpy().reshape(self.num_envs)
        if chosen.min() < 0 or chosen.max() >= len(MOVES):
            raise InputError(f"an action is outside of 0 to {len(MOVES) - 1}: {chosen.tolist()[:8]}.")
        self.state[:] = self.moves[self.state, chosen]
        self.taken += 1
        arrived = self.is_goal[self.state]
        spent = ~arrived & (self.taken >= self.budget)
        final = torch.from_numpy(self.state.copy())
        self._begin(np.flatnonzero(arrived | spent))
        obs, terms = (
            torch.from_numpy(self.state.copy()),
            torch.from_numpy(self.paid[arrived.astype(np.int64)]),
        )
        return obs, terms, torch.from_numpy(arrived), torch.from_numpy(spent), {"final_obs": final}

    def state_dict(self) -> State:
        return {"state": self.state.copy(), "taken": self.taken.copy(), "random": self.random.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.state[:] = state["state"]
        self.taken[:] = state["taken"]
        self.random.load_state_dict(state["random"])

    def tabular_model(self) -> TabularModel:
        """The whole MDP as tables: one world that holds all layouts."""
        from plaudit.engine.tabular import TabularModel

        done = self.is_goal[self.moves]
        return TabularModel(
            next_state=self.moves[None],
            terms=self.paid[done.astype(np.int64)][None],
            done=done[None],
            starts=self.first.astype(np.int32)[None],
            start_counts=np.array([len(self.first)], np.int64),
            max_steps=self.budget,
        )
