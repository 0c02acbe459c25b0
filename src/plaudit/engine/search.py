"""Guided beam search over problems that a simulator can branch: the expert of `expert.py`.

Many problems are searched side by side, so that the network sees large batches. A child is scored by
what the composition says it is worth, exactly, plus the guide's log-probability of the action, minus a
price for touching an edited place again, plus noise that keeps the beam from filling with near-copies.
A child that the composition cannot score (NaN) is not followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.env import State

Positions = dict[str, NDArray[Any]]
"""N problems under way, as arrays with N rows each; only their simulator knows what they mean."""
Actions = NDArray[np.int64]
Random = np.random.Generator
Guide = Callable[[Positions], NDArray[np.float32]]
"""Log-probabilities `(N, A)` of the actions."""


class Simulator(Protocol):
    """A model of an environment that search may branch, and that knows when a problem is solved."""

    observation_space: Space[Any]
    action_space: Space[Any]
    actions: int

    def fresh(self, count: int, random: Random) -> Positions:
        """Start `count` new problems."""
        ...

    def observe(self, at: Positions) -> Tensor:
        """The policy's observation `(N, *O)`."""
        ...

    def distance(self, at: Positions) -> NDArray[np.float64]:
        """How far `(N,)` each is from its goal; 0 = solved."""
        ...

    def columns(self, at: Positions) -> NDArray[np.float64]:
        """Columns `(N, K)` of the composition, as `VecEnv.step` pays their change."""
        ...

    def undoing(self, at: Positions, origin: Positions, actions: Actions) -> Actions:
        """For each of `actions (N, C)`, the action that takes its place back to what it was in `origin`."""
        ...

    def prospects(
        self, at: Positions, actions: Actions, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distance and weighted sum of the columns, both `(N, C)`, after each of `actions (N, C)`."""
        ...

    def keys(self, at: Positions, actions: Actions) -> NDArray[np.uint64]:
        """Fingerprint `(N, C)` of the position after each of the actions `(N, C)`."""
        ...

    def allowed(self, at: Positions) -> NDArray[np.bool_]:
        """Actions `(N, A)` that may be taken at all."""
        ...

    def chances(self, at: Positions) -> NDArray[np.float32] | None:
        """How much likelier than others `(N, A)` each action is to be looked at for want of a policy;
        None = all alike."""
        ...

    def reverts(self, at: Positions, actions: Actions) -> NDArray[np.bool_]:
        """Whether each of the actions `(N, C)` touches what was edited before."""
        ...

    def act(self, at: Positions, actions: Actions) -> None:
        """Apply `actions (N,)` in place; a negative action leaves its row alone."""
        ...

    def matters(self, actions: Actions) -> Actions:
        """Those of a sequence of actions that the position at its end still shows."""
        ...

    def mirror(self, at: Positions, weights: NDArray[np.float32], random: Random) -> Any:
        """Turn positions and weights over actions `(N, A)` into an equivalent problem: a symmetry."""
        ...


@dataclass(frozen=True)
class BeamConfig:
    """How wide and how far the expert looks."""

    problems: int = 24
    """Problems searched side by side."""
    width: int = 8
    """Positions kept for each problem."""
    children: int = 8
    """Actions tried from each position, the guide's likeliest."""
    depth: int = 40
    """Actions after which a problem is given up."""
    trust: float = 0.1
    """Reward that one nat of the guide's log-probability is worth."""
    noise: float = 0.05
    """Largest random addition to a score, as reward."""
    revert: float = 0.03
    """Price of touching an edited place again, as reward."""


@dataclass(frozen=True)
class Solution:
    """A solved problem: its first and last position, one row each, and the actions `(n,)` between."""

    origin: Positions
    end: Positions
    actions: Actions


class Beam:
    """A beam for each of L problems; a finished problem makes room for the next from `source`."""

    def __init__(
        self,
        simulator: Simulator,
        source: Callable[[int], Positions],
        config: BeamConfig,
        random: Random,
    ) -> None:
        self.simulator, self.source, self.config, self.random = simulator, source, config, random
        problems, width, depth = config.problems, config.width, config.depth
        self.ended = self.solved = 0
        self.origin = source(problems)
        self.at = {name: np.repeat(array, width, axis=0) for name, array in self.origin.items()}
        self.live = np.zeros((problems, width), bool)
        self.live[:, 0] = True
        self.taken = np.zeros(problems, np.int64)
        self.history = np.zeros((problems, width, depth), np.int64)
        self.seen: list[set[int]] = [set() for _ in range(problems)]

    def step(self, guide: Guide, weights: NDArray[np.float64]) -> list[Solution]:
        """Deepen every problem by one action under `weights (K,)`; return the solutions it brought."""
        rows = np.flatnonzero(self.live)
        at = take(self.at, rows)
        actions, log_probs = self._children(at, guide)
        distance, worth = self.simulator.prospects(at, actions, weights)
        price = self.config.revert * self.simulator.reverts(at, actions)
        noise = self.config.noise * self.random.random(worth.shape)
        costs = price + noise - worth - self.config.trust * log_probs
        costs[np.isnan(costs)] = np.inf
        distance[np.isneginf(log_probs)] = np.inf
        solved = self._solutions(rows, actions, distance, log_probs)
        keys = self.simulator.keys(at, actions)
        kept = self._keep(rows, actions, costs, keys)
        self._advance(*kept)
        ended = ~kept[2].any(1) | (self.taken >= self.config.depth)
        ended[list(solved)] = True
        self._refill(np.flatnonzero(ended))
        self.solved += len(solved)
        return list(solved.values())

    def _children(self, at: Positions, guide: Guide) -> tuple[Actions, NDArray[np.float32]]:
        log_probs = np.where(self.simulator.allowed(at), guide(at), -np.inf).astype(np.float32)
        best = np.argpartition(-log_probs, self.config.children - 1, axis=1)[:, : self.config.children]
        return best.astype(np.int64), np.take_along_axis(log_probs, best, 1)

    def _solutions(
        self,
        rows: Actions,
        actions: Actions,
        distance: NDArray[np.float64],
        log_probs: NDArray[np.float32],
    ) -> dict[int, Solution]:
        """The likeliest solving child of each problem that has one, by problem."""
        found: dict[int, Solution] = {}
        problems, beams = np.divmod(rows, self.config.width)
        for j in np.flatnonzero((distance <= 0).any(1)):
            problem = int(problems[j])
            if problem in found:
                continue
            child = int(np.argmax(np.where(distance[j] <= 0, log_probs[j], -np.inf)))
            before = self.history[problem, beams[j], : self.taken[problem]]
            origin, end = take(self.origin, np.array([problem])), take(self.at, rows[j : j + 1])
            self.simulator.act(end, actions[j : j + 1, child])
            found[problem] = Solution(origin, end, np.append(before, actions[j, child]))
        return found

    def _keep(
        self, rows: Actions, actions: Actions, costs: NDArray[np.float64], keys: NDArray[np.uint64]
    ) -> tuple[Actions, Actions, NDArray[np.bool_]]:
        """The best unseen children: parent beam, action and whether there is one, each `(L, width)`."""
        shape = self.live.shape
        parent, action, live = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
        problems = rows // self.config.width
        starts = np.searchsorted(problems, np.arange(shape[0] + 1))
        for problem in range(shape[0]):
            part = slice(starts[problem], starts[problem + 1])
            order = np.argsort(costs[part], axis=None, kind="stable")
            seen, place, width = self.seen[problem], 0, costs.shape[1]
            flat_keys = keys[part].ravel()
            for j in order.tolist():
                if place == shape[1] or costs[part].flat[j] == np.inf:
                    break
                key = int(flat_keys[j])
                if key in seen:
                    continue
                seen.add(key)
                row = starts[problem] + j // width
                parent[problem, place] = rows[row] % self.config.width
                action[problem, place] = actions[row, j % width]
                live[problem, place] = True
                place += 1
        return parent, action, live

    def _advance(self, parent: Actions, action: Actions, live: NDArray[np.bool_]) -> None:
        width = self.config.width
        flat = (np.arange(len(parent))[:, None] * width + parent).ravel()
        self.at = take(self.at, flat)
        self.history = np.take_along_axis(self.history, parent[:, :, None], 1)
        self.simulator.act(self.at, np.where(live, action, -1).ravel())
        depth = np.minimum(self.taken, self.config.depth - 1)
        self.history[np.arange(len(parent))[:, None], np.arange(width), depth[:, None]] = action
        self.live = live
        self.taken += 1

    def _refill(self, problems: Actions) -> None:
        if not len(problems):
            return
        fresh, width = self.source(len(problems)), self.config.width
        for name, array in fresh.items():
            self.origin[name][problems] = array
            spread = self.at[name].reshape(len(self.live), width, *array.shape[1:])
            spread[problems] = array[:, None]
        self.live[problems] = False
        self.live[problems, 0] = True
        self.taken[problems] = 0
        for problem in problems.tolist():
            self.seen[problem] = set()
        self.ended += len(problems)

    def state_dict(self) -> State:
        return {
            "origin": copied(self.origin),
            "at": copied(self.at),
            "live": self.live.copy(),
            "taken": self.taken.copy(),
            "history": self.history.copy(),
            "seen": [sorted(seen) for seen in self.seen],
            "counts": [self.ended, self.solved],
        }

    def load_state_dict(self, state: State) -> None:
        self.origin, self.at = copied(state["origin"]), copied(state["at"])
        self.live, self.taken = np.array(state["live"]), np.array(state["taken"])
        self.history = np.array(state["history"])
        self.seen = [set(keys) for keys in state["seen"]]
        self.ended, self.solved = state["counts"]


def pruned(simulator: Simulator, solution: Solution, weights: NDArray[np.float64]) -> Solution:
    """Leave out edits that the goal does not need, first the one without which the item is worth most."""
    end, needed = copied(solution.end), simulator.matters(solution.actions)
    kept = [int(action) for action in needed]
    while kept:
        back = simulator.undoing(end, solution.origin, np.array([kept]))
        distance, worth = simulator.prospects(end, back, weights)
        free = (distance[0] <= 0) & ~np.isnan(worth[0])
        if not free.any():
            break
        best = int(np.argmax(np.where(free, worth[0], -np.inf)))
        simulator.act(end, back[0, best : best + 1])
        del kept[best]
    order = [int(a) for a in solution.actions if int(a) in kept]
    actions = np.array(list(dict.fromkeys(order)), np.int64)
    return Solution(solution.origin, end, actions)


def take(at: Positions, rows: NDArray[Any] | slice) -> Positions:
    """The given rows, copied."""
    return {name: array[rows] for name, array in at.items()}


def copied(at: Positions) -> Positions:
    return {name: np.array(array) for name, array in at.items()}
