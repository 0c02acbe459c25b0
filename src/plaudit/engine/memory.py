"""Solutions to imitate: a ring of problems with the actions that solved them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plaudit.engine.env import State
from plaudit.engine.search import Positions, Random, Simulator, Solution, copied, take


class SolutionMemory:
    """The newest `size` solutions, each of at most `longest` actions.

    Attributes:
        total: solutions ever added.
    """

    def __init__(self, size: int, longest: int) -> None:
        self.size, self.total = size, 0
        self.origin: Positions = {}
        self.actions = np.full((size, longest), -1, np.int64)
        self.length = np.zeros(size, np.int64)

    def __len__(self) -> int:
        return min(self.total, self.size)

    def add(self, solutions: Sequence[Solution]) -> None:
        for solution in solutions:
            at = self.total % self.size
            for name, array in solution.origin.items():
                if name not in self.origin:
                    self.origin[name] = np.zeros((self.size, *array.shape[1:]), array.dtype)
                self.origin[name][at] = array[0]
            self.length[at] = len(solution.actions)
            self.actions[at] = -1
            self.actions[at, : len(solution.actions)] = solution.actions
            self.total += 1

    def draw(self, simulator: Simulator, count: int, random: Random) -> tuple[Positions, NDArray[np.float32]]:
        """Positions on the way of random solutions, and the weights `(count, A)` of what to do there."""
        chosen = random.integers(0, len(self), count)
        done = random.integers(0, self.length[chosen])
        at, actions = take(self.origin, chosen), self.actions[chosen]
        for t in range(int(done.max(initial=0))):
            simulator.act(at, np.where(t < done, actions[:, t], -1))
        weights = np.zeros((count, simulator.actions), np.float32)
        for row in range(count):
            rest = actions[row, done[row] : self.length[chosen[row]]]
            left = simulator.matters(rest)
            weights[row, left] = 0.5 / max(1, len(left))
            weights[row, rest[0]] += 0.5
        return at, weights / weights.sum(1, keepdims=True)

    def state_dict(self) -> State:
        return {
            "total": self.total,
            "origin": copied(self.origin),
            "actions": self.actions.copy(),
            "length": self.length.copy(),
        }

    def load_state_dict(self, state: State) -> None:
        self.total, self.origin = state["total"], copied(state["origin"])
        self.actions, self.length = np.array(state["actions"]), np.array(state["length"])
