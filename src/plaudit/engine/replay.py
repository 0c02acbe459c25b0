"""Replay buffers in preallocated arrays: uniform, n-step and prioritised.

A stored transition is already the n-step one (the rewards of up to n steps folded into one, the
observation n steps later, its discount), so that drawing a batch is nothing but indexing. Batches for
several updates are drawn in one call. Lin, 1992; Schaul et al., 2016.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.engine.env import State
from plaudit.engine.random import RowRandom
from plaudit.engine.returns import n_step
from plaudit.errors import InputError

Array = NDArray[Any]


@dataclass(frozen=True)
class ReplayShape:
    """What a buffer must hold.

    Attributes:
        capacity: number of transitions.
        rows: B, how many arrive in each step.
        obs_shape, obs_dtype: of one observation, stored as it comes.
        actions: A where action masks are stored, 0 where there are none.
        n_step: length of the folded return.
        gamma: discount of one step.
    """

    capacity: int
    rows: int
    obs_shape: tuple[int, ...]
    obs_dtype: Any
    actions: int = 0
    n_step: int = 1
    gamma: float = 0.99

    def __post_init__(self) -> None:
        if self.capacity < self.rows or self.n_step < 1:
            raise InputError(
                f"a replay buffer of {self.capacity} transitions, {self.rows} rows and {self.n_step} steps "
                "is not possible.",
                hint="Give at least one transition per row and at least one step.",
            )


@dataclass
class Batch:
    """N transitions: `obs, next_obs (N, *O)`, the rest `(N,)`; `next_mask (N, A)` or None.

    `discount` is gamma^n, 0 where terminated; `weight` is the importance weight (1 when uniform).
    """

    index: NDArray[np.int64]
    obs: Array
    action: NDArray[np.int64]
    reward: NDArray[np.float32]
    discount: NDArray[np.float32]
    next_obs: Array
    next_mask: NDArray[np.bool_] | None
    weight: NDArray[np.float32] | None = None


@dataclass
class Step:
    """What one environment step gave: `obs, next_obs (B, *O)`, the rest `(B,)`.

    `next_obs` is the true one (`final_obs` where a row ended). A NaN reward marks a masked row: no
    return that holds it is stored.
    """

    obs: Array
    action: NDArray[np.int64]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    next_obs: Array
    next_mask: NDArray[np.bool_] | None = None


class Replay:
    """The uniform buffer. The oldest transition is overwritten first."""

    def __init__(self, shape: ReplayShape) -> None:
        self.shape = shape
        n = shape.capacity
        self.columns: dict[str, Array] = {
            "obs": np.zeros((n, *shape.obs_shape), shape.obs_dtype),
            "next_obs": np.zeros((n, *shape.obs_shape), shape.obs_dtype),
            "action": np.zeros(n, np.int64),
            "reward": np.zeros(n, np.float32),
            "discount": np.zeros(n, np.float32),
        }
        if shape.actions:
            self.columns["next_mask"] = np.zeros((n, shape.actions), bool)
        self.size, self.head = 0, 0
        self._window: list[Step] = []

    def add(self, step: Step) -> None:
        """Store the transitions of one environment step, those of masked rows excepted."""
        if self.shape.n_step == 1:
            self._store(step, step.reward, self.shape.gamma * ~step.terminated, step)
            return
        window = self._window
        window.append(_copy(step))
        if len(window) < self.shape.n_step:
            return
        reward, discount, last = n_step(
            np.stack([s.reward for s in window]),
            np.stack([s.terminated for s in window]),
            np.stack([s.ended for s in window]),
            self.shape.gamma,
        )
        rows = np.arange(self.shape.rows)
        self._store(window[0], reward, discount, _pick(window, last, rows))
        window.pop(0)

    def _store(self, first: Step, reward: Array, discount: Array, last: Step) -> None:
        values: dict[str, Any] = {
            "obs": first.obs,
            "action": first.action,
            "reward": reward,
            "discount": discount,
            "next_obs": last.next_obs,
        }
        if self.shape.actions:
            values["next_mask"] = True if last.next_mask is None else last.next_mask
        known = ~np.isnan(reward)
        n = len(reward)
        if not known.all():
            n = int(known.sum())
            values = {k: v[known] if isinstance(v, np.ndarray) else v for k, v in values.items()}
        at = self._advance(n)
        for name, value in values.items():
            self.columns[name][at] = value

    def _advance(self, n: int) -> Any:
        """Move the head by `n` and return the places it passed: a slice, or indices where it wraps."""
        head, capacity = self.head, self.shape.capacity
        self.head = (head + n) % capacity
        self.size = min(self.size + n, capacity)
        return slice(head, head + n) if head + n <= capacity else np.arange(head, head + n) % capacity

    def sample(self, n: int, generator: RowRandom) -> Batch:
        """Draw `n` transitions with replacement, uniformly."""
        return self._batch((generator.uniform(n)[0] * self.size).astype(np.int64))

    def _batch(self, index: NDArray[np.int64]) -> Batch:
        columns = {name: column.take(index, axis=0) for name, column in self.columns.items()}
        return Batch(index=index, next_mask=columns.pop("next_mask", None), **columns)

    def state_dict(self) -> State:
        """The filled part of every column, the place of the head, and the open n-step window."""
        window = {
            str(i): {k: v for k, v in vars(s).items() if v is not None} for i, s in enumerate(self._window)
        }
        filled = {name: column[: self.size].copy() for name, column in self.columns.items()}
        return {"columns": filled, "size": self.size, "head": self.head, "window": window}

    def load_state_dict(self, state: State) -> None:
        self.size, self.head = int(state["size"]), int(state["head"])
        for name, column in self.columns.items():
            column[: self.size] = state["columns"][name]
        steps = state["window"]
        self._window = [Step(**{k: np.array(v) for k, v in steps[str(i)].items()}) for i in range(len(steps))]


def _copy(step: Step) -> Step:
    """The environment may write into its arrays again; a window must keep what they held."""
    held: dict[str, Any] = {k: None if v is None else v.copy() for k, v in vars(step).items()}
    return Step(**held)


def _pick(window: list[Step], last: NDArray[np.int64], rows: NDArray[np.int64]) -> Step:
    """The first step of the window, with the next observation at which each row's return ends."""
    chosen: dict[str, Any] = {}
    for name in ("next_obs", "next_mask"):
        values = [getattr(step, name) for step in window]
        chosen[name] = None if values[0] is None else np.stack(values)[last, rows]
    return replace(window[0], **chosen)


class PrioritisedReplay(Replay):
    """Transitions drawn in proportion to `(|td error| + eps)^alpha`. Schaul et al., 2016.

    The sum tree has 64 children a node instead of two: three vectorised levels serve 262,144
    transitions. `weight` is `(N p)^-beta`, divided by the largest of its batch.
    """

    def __init__(self, shape: ReplayShape, alpha: float, eps: float = 1e-6) -> None:
        super().__init__(shape)
        self.alpha, self.eps, self.largest, self.beta = alpha, eps, 1.0, 0.4
        self.tree = SumTree(shape.capacity)

    def _advance(self, n: int) -> Any:
        at = super()._advance(n)
        self.tree.set(np.arange(at.start, at.stop) if isinstance(at, slice) else at, self.largest)
        return at

    def sample(self, n: int, generator: RowRandom) -> Batch:
        """Draw `n` transitions by priority, with their importance weights at `beta`."""
        index, share = self.tree.find(generator.uniform(n)[0])
        batch = self._batch(np.minimum(index, self.size - 1))
        weight = (self.size * share) ** -self.beta
        batch.weight = (weight / weight.max()).astype(np.float32)
        return batch

    def reprioritise(self, index: NDArray[np.int64], error: Array) -> None:
        """Set the priorities of the transitions at `index (N,)` from their TD errors `(N,)`."""
        priority = (np.abs(error, dtype=np.float64) + self.eps) ** self.alpha
        self.largest = max(self.largest, float(priority.max()))
        self.tree.set(index, priority)

    def state_dict(self) -> State:
        tree = {"priority": self.tree.leaves[: self.size].copy(), "largest": self.largest}
        return {**super().state_dict(), "tree": tree}

    def load_state_dict(self, state: State) -> None:
        super().load_state_dict(state)
        self.largest = float(state["tree"]["largest"])
        self.tree.set(np.arange(self.size), np.asarray(state["tree"]["priority"]))


class SumTree:
    """Sums of `capacity` non-negative numbers, by 64 at a time, to draw an index by its number."""

    FANOUT = 64

    def __init__(self, capacity: int) -> None:
        self.levels: list[NDArray[np.float64]] = []
        n = capacity
        while not self.levels or len(self.levels[-1]) > 1:
            n = -(-n // self.FANOUT)
            self.levels.append(np.zeros((n, self.FANOUT)))

    @property
    def leaves(self) -> NDArray[np.float64]:
        """Every number, `(>= capacity,)`, as a view."""
        return self.levels[0].reshape(-1)

    def set(self, index: NDArray[np.int64], value: Any) -> None:
        """Write numbers at `index (N,)`, the last one where it repeats, and renew the sums above."""
        self.leaves[index] = value
        for level, parent in zip(self.levels, self.levels[1:], strict=False):
            index = index // self.FANOUT
            parent.reshape(-1)[index] = level[index].sum(1)

    def find(self, uniform: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the index at each place `uniform (N,)` in [0, 1) of the whole sum, and its share of it."""
        total = float(self.levels[-1].sum())
        left = uniform * total
        index = np.zeros(len(uniform), dtype=np.int64)
        for level in reversed(self.levels):
            sums = level[index].cumsum(1)
            # Rounding may leave a number at or past the last sum of its node: it stays in the last child.
            child = np.minimum((sums <= left[:, None]).sum(1), (sums < sums[:, -1:]).sum(1))
            rows = np.arange(len(index))
            left = left - np.where(child > 0, sums[rows, child - 1], 0.0)
            index = index * self.FANOUT + child
        return index, self.leaves[index] / total
