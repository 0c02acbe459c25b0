"""Where episodes come from: endless random ones to train on, or one for each item that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Goals, Maps, Size
from plaudit.engine.env import State
from plaudit.engine.random import RowRandom

Index = NDArray[np.int64]
LEAST_LOCKED, MOST_LOCKED = 0.1, 0.3
"""Share of the cells that are locked in an episode of training with locks."""


@dataclass(frozen=True)
class Beginning:
    """R episodes at their start: seeds `(R,)`, maps and locked cells `(R, H, W)`, goals `(R, G)`."""

    seeds: Index
    maps: Maps
    goals: Goals
    locked: NDArray[np.bool_]

    def only(self, rows: Index) -> Beginning:
        """The given rows."""
        return Beginning(self.seeds[rows], self.maps[rows], self.goals[rows], self.locked[rows])


class Episodes(Protocol):
    """A source of beginnings for the rows of an environment."""

    size: Size

    def reset(self, seed: int, rows: int) -> None: ...

    def take(self, rows: Index) -> Beginning:
        """Return the next beginning of each of the given rows."""
        ...

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


@dataclass(frozen=True)
class Spans:
    """Lowest and highest wanted value of each target `(G,)`, both included, and which are asked together.

    `modes (M, G)`: True where a mode asks for the target; an episode takes one of them by chance.
    """

    low: Index
    high: Index
    modes: NDArray[np.bool_]

    def goals(self, numbers: NDArray[np.uint64]) -> Goals:
        """Goals `(R, G)` from 64-bit random numbers `(R, G + 1)`, the first of which picks the mode."""
        width = (self.high - self.low + 1).astype(np.uint64)
        goals = self.low + (numbers[:, 1:] % width).astype(np.int64)
        mode = (numbers[:, 0] % np.uint64(len(self.modes))).astype(np.int64)
        return np.where(self.modes[mode], goals, UNASKED)


def draw_locks(numbers: NDArray[np.float64], share: float, size: Size) -> NDArray[np.bool_]:
    """Locked cells `(R, H, W)` of episodes from numbers `(R, 2 + H * W)` in [0, 1).

    A `share` of the episodes has some: 10 to 30 % of their cells.
    """
    some = LEAST_LOCKED + (MOST_LOCKED - LEAST_LOCKED) * numbers[:, 1:2]
    density = np.where(numbers[:, :1] < share, some, 0.0)
    return np.asarray(numbers[:, 2:] < density).reshape(-1, size[1], size[0])


@dataclass(frozen=True)
class Pool:
    """Start maps `(P, H, W)` to train on, the goals `(P, G)` that each was made for, and its own cells."""

    maps: Maps
    goals: Goals
    own: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.maps)


class TrainingEpisodes:
    """Random starts from a pool and goals, each row from its own generator.

    Every other episode keeps the goals that its start was made for; the rest draw theirs from the spans.

    `locks`: share of the episodes in which some cells must stay as they are.
    """

    def __init__(self, size: Size, pool: Pool, spans: Spans, locks: float = 0.0) -> None:
        self.size, self.pool, self.spans, self.locks = size, pool, spans, locks
        self.random = RowRandom([0])

    def reset(self, seed: int, rows: int) -> None:
        # Rows of neighbouring seeds must not share generators: seed 4 row 1 is not seed 5 row 0.
        self.random = RowRandom(np.int64(seed) * 1_000_003 + np.arange(rows, dtype=np.int64))

    def take(self, rows: Index) -> Beginning:
        drawn = self.random.bits(3 + len(self.spans.low), rows)
        chosen = drawn[:, 0] % np.uint64(len(self.pool))
        seeds = (drawn[:, 1] >> np.uint64(1)).astype(np.int64)
        kept = (drawn[:, 1:2] & np.uint64(1)).astype(bool)
        goals = np.where(kept, self.pool.goals[chosen], self.spans.goals(drawn[:, 2:]))
        return Beginning(seeds, self.pool.maps[chosen], goals, self._locked(rows))

    def _locked(self, rows: Index) -> NDArray[np.bool_]:
        if self.locks == 0:
            return np.zeros((len(rows), *self.pool.maps.shape[1:]), bool)
        return draw_locks(self.random.uniform(2 + self.pool.maps[0].size, rows), self.locks, self.size)

    def state_dict(self) -> State:
        return self.random.state_dict()

    def load_state_dict(self, state: State) -> None:
        self.random = RowRandom(np.zeros(len(state["key"]), np.int64))
        self.random.load_state_dict(state)


class ItemEpisodes:
    """One episode for each of N items in order; then blank ones that belong to no item.

    Attributes:
        item: which item each row is at `(B,)`; -1 = none.
    """

    def __init__(self, size: Size, items: Beginning) -> None:
        self.size, self.items = size, items
        self.item = np.zeros(0, np.int64)
        self.next = 0

    def reset(self, seed: int, rows: int) -> None:
        self.item = np.full(rows, -1, np.int64)
        self.next = 0

    def take(self, rows: Index) -> Beginning:
        item = self.next + np.arange(len(rows))
        self.next += len(rows)
        known = item < len(self.items.seeds)
        self.item[rows] = np.where(known, item, -1)
        # A row without an item repeats the last one: its result is nobody's.
        at = np.minimum(item, len(self.items.seeds) - 1)
        return Beginning(
            self.items.seeds[at], self.items.maps[at], self.items.goals[at], self.items.locked[at]
        )

    def state_dict(self) -> State:
        return {"item": self.item.copy(), "next": self.next}

    def load_state_dict(self, state: State) -> None:
        self.item, self.next = np.array(state["item"]), int(state["next"])
