"""Runs tabular Q-learning on an environment's tables: the bridge from the learner to the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plaudit.engine import tabular_kernel as kernel
from plaudit.engine.env import State
from plaudit.engine.random import RowRandom
from plaudit.engine.tabular_model import TabularModel
from plaudit.errors import Diverged, InputError

if TYPE_CHECKING:
    from plaudit.engine.tabular import TabularQ


class FusedPath:
    """The environment's tables take the place of the environment, which is never stepped."""

    name = "fused"

    def __init__(self, learner: TabularQ, model: TabularModel, seed: int) -> None:
        self.learner = learner
        rows = learner.env.num_envs
        self._check(model, rows)
        self.world = kernel.World(
            model.next_state.astype(np.int32),
            model.terms.astype(np.float64),
            model.done.astype(bool),
            None if model.allowed is None else model.allowed.astype(bool),
            model.starts.astype(np.int32),
            model.start_counts.astype(np.int64),
            model.max_steps,
        )
        self.starts = RowRandom(seed * rows + np.arange(rows))
        explore, terms = learner.explore, learner.terms
        self.rows = kernel.Rows(
            np.zeros(rows, np.int64),
            terms.length,
            terms.running,
            terms.paid,
            explore.key,
            explore.counter,
            self.starts.key,
            self.starts.counter,
        )
        for row in range(rows):
            kernel.start(self.world, self.rows, row)

    def _check(self, model: TabularModel, rows: int) -> None:
        worlds, states, actions = model.sizes
        if worlds not in (1, rows) or (states, actions) != self.learner.q.shape[1:]:
            raise InputError(
                f"a tabular model of {worlds} worlds, {states} states and {actions} actions does not fit an "
                f"environment of {rows} rows and a table of {self.learner.q.shape[1:]}."
            )
        used = np.flatnonzero(self.learner.terms.weighing.weights(1.0))
        for k in used:
            if np.isinf(model.terms[..., k]).any():
                raise Diverged(f'the term "{self.learner.terms.names[k]}" of the reward is infinite.')

    def run(self, steps: int, strength: float, rate: float) -> None:
        """Make `steps` steps of every row and add what happened to the learner's sums."""
        learner, terms, config = self.learner, self.learner.terms, self.learner.config
        rule = kernel.Rule(
            terms.weights, config.explore == "boltzmann", strength, learner.by_visits, rate, config.gamma
        )
        sums = kernel.Sums(terms.total, terms.total_paid, terms.scored, np.zeros(3, np.int64))
        kernel.run(learner.q, learner.visits, self.world, self.rows, sums, rule, steps)
        terms.episodes += int(sums.counts[0])
        terms.steps += int(sums.counts[1])
        terms.masked += int(sums.counts[2])

    def state_dict(self) -> State:
        return {"state": self.rows.state.copy(), "starts": self.starts.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.rows.state[...] = state["state"]
        self.starts.load_state_dict(state["starts"])
