"""Where episodes come from: endless random ones to train on, or one for each item that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Goals, Maps, Size
from plaudit.domains.level.seeds import training_pool
from plaudit.engine.env import State
from plaudit.engine.random import RowRandom

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Beginning:
    """R episodes at their start: seeds `(R,)`, maps `(R, H, W)`, goals `(R, G)`."""

    seeds: Index
    maps: Maps
    goals: Goals


class Episodes(Protocol):
    """A source of beginnings for the rows of an environment."""

    size: Size

    def reset(self, seed: int, rows: int) -> None: ...

    def take(self, rows: Index) -> Beginning:
        """Return the next beginning of each of the given rows."""
        ...

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class TrainingEpisodes:
    """Random starts from a pool and goals uniform over spans, each row from its own generator.

    `spans`: lowest and highest wanted value of each target, both included; equal ends fix it.
    """

    def __init__(
        self, size: Size, spans: Sequence[tuple[int, int]], pool: int = 4096, density: float | None = None
    ) -> None:
        self.size = size
        self.low, self.high = np.array(spans, dtype=np.int64).T
        self.pool = training_pool(pool, size, density)
        self.random = RowRandom([0])

    def reset(self, seed: int, rows: int) -> None:
        # Rows of neighbouring seeds must not share generators: seed 4 row 1 is not seed 5 row 0.
        self.random = RowRandom(np.int64(seed) * 1_000_003 + np.arange(rows, dtype=np.int64))

    def take(self, rows: Index) -> Beginning:
        drawn = self.random.bits(2 + len(self.low), rows)
        chosen = drawn[:, 0] % np.uint64(len(self.pool))
        width = (self.high - self.low + 1).astype(np.uint64)
        goals = self.low + (drawn[:, 2:] % width).astype(np.int64)
        return Beginning((drawn[:, 1] >> np.uint64(1)).astype(np.int64), self.pool[chosen], goals)

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
        return Beginning(self.items.seeds[at], self.items.maps[at], self.items.goals[at])

    def state_dict(self) -> State:
        return {"item": self.item.copy(), "next": self.next}

    def load_state_dict(self, state: State) -> None:
        self.item, self.next = np.array(state["item"]), int(state["next"])
