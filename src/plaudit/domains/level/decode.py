"""A wide policy at work: it proposes edits, and the exact outcome of its first few decides.

What a step does: rank the edits by the policy's log-probability, steered apart (`apart.py`); leave out
those that lead back to a map the item has been at; measure the first `proposals` exactly and take the
best. Once every goal is met, edits that the goals do not need are taken back, one exact look each, as
every cell left alone keeps the item apart from the others. The policy is one half of the product, the
exact looks are the other: `Item.info` says how many evaluations of the statistics an item took.
An item depends on its seed alone: the network always sees `ROWS` rows on one thread, and a row that has
finished its item goes on with the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.apart import Apart
from plaudit.domains.level.film import Reel
from plaudit.domains.level.simulator import LevelSimulator
from plaudit.engine.search import Positions, take

ROWS = 64
"""Rows of a chunk for maps of 14 x 14; larger maps take fewer, so that a chunk stays in the cache."""
_CELLS = 14 * 14
RELEASE = 0.6
_SPARE = 6
"""Ranked edits kept beside the proposals, in case some lead back to a map already seen."""


class Ranker(Protocol):
    """A policy that can say how much it likes every action."""

    def preferences(self, obs: Tensor) -> Tensor:
        """Log-probabilities or values `(B, A)`."""
        ...


@dataclass(frozen=True)
class Made:
    """One finished item: its place among the problems, its map, how far off it is and what it took."""

    item: int
    map: NDArray[np.uint8]
    distance: float
    steps: int
    evaluations: int


@dataclass(frozen=True)
class Problems:
    """What is to be made: positions at their start `(N, ...)`, and how the items are kept apart."""

    simulator: LevelSimulator
    start: Positions
    apart: Apart | None
    proposals: int
    steps: int
    changes: int
    """Cells that may differ from the start; reaching it ends the item."""
    own: NDArray[np.bool_] | None = None
    """Cells `(N, H, W)` that tell an item from its neighbours: locked too, until `RELEASE` of the steps."""
    reels: Sequence[Reel] | None = None
    """Where the edits of each item are noted, if they are."""


def decode(policy: Ranker, problems: Problems, threads: int) -> Iterator[Made]:
    """Yield every item as it is finished; `threads` share the items and change none of them."""
    count = len(problems.start["map"])
    parts = np.array_split(np.arange(count), max(1, min(threads, count // ROWS)))
    if len(parts) == 1:
        yield from Chunk(policy, problems, parts[0]).run()
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        for made in pool.map(lambda part: _alone(policy, problems, part), parts):
            yield from made


def _alone(policy: Ranker, problems: Problems, part: NDArray[np.int64]) -> list[Made]:
    torch.set_num_threads(1)  # OpenMP keeps this number for each thread
    return list(Chunk(policy, problems, part).run())


class Chunk:
    """A fixed number of rows that work through their share of the items."""

    def __init__(self, policy: Ranker, problems: Problems, items: NDArray[np.int64]) -> None:
        self.policy, self.problems = policy, problems
        self.waiting = deque(items.tolist())
        cells = problems.simulator.cells
        rows = max(4, min(ROWS, ROWS * _CELLS // cells))
        self.item = np.full(rows, -1, np.int64)
        self.at = take(problems.start, np.zeros(rows, np.int64))
        self.distance = np.zeros(rows)
        self.least = np.zeros(rows)
        self.best = self.at["map"].copy()
        self.visited = np.zeros((rows, problems.steps + 1), np.uint64)
        self.evaluations = np.zeros(rows, np.int64)
        self.settled = np.zeros(rows, bool)
        self.tried = np.zeros((rows, problems.simulator.cells), bool)

    def run(self) -> Iterator[Made]:
        """Yield the items of this chunk in the order in which they are finished."""
        previous = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            self._begin(np.arange(len(self.item)))
            while (self.item >= 0).any():
                yield from self._finish()
                self._edit(np.flatnonzero(self.item >= 0))
        finally:
            torch.set_num_threads(previous)

    def _begin(self, rows: NDArray[np.int64]) -> None:
        """Give the rows their next items; rows for which none is left stand idle."""
        for row in rows.tolist():
            self.item[row] = self.waiting.popleft() if self.waiting else -1
        live = rows[self.item[rows] >= 0]
        if not len(live):
            return
        fresh = take(self.problems.start, self.item[live])
        for name, array in fresh.items():
            self.at[name][live] = array
        if self.problems.own is not None:
            self.at["locked"][live] |= self.problems.own[self.item[live]]
        self.distance[live] = self.problems.simulator.distance(fresh)
        self.least[live] = self.distance[live]
        self.best[live] = fresh["map"]
        self.visited[live] = fresh["key"][:, None]
        self.evaluations[live] = 1
        self.settled[live] = False
        self.tried[live] = False

    def _finish(self) -> Iterator[Made]:
        """Yield what is finished and begin the next items, until every busy row has work to do."""
        while True:
            changed = np.count_nonzero(self.at["map"] != self.at["start"], axis=(1, 2))
            spent = (self.at["taken"] >= self.problems.steps) | (changed >= self.problems.changes)
            rows = np.flatnonzero((self.item >= 0) & np.where(self.distance <= 0, self.settled, spent))
            if not len(rows):
                return
            for row in rows.tolist():
                if self.problems.reels is not None:
                    self.problems.reels[self.item[row]].cut()
                yield Made(
                    int(self.item[row]),
                    self.best[row].copy(),
                    float(self.least[row]),
                    int(self.at["taken"][row]),
                    int(self.evaluations[row]),
                )
            self._begin(rows)

    def _edit(self, rows: NDArray[np.int64]) -> None:
        """One edit in each of the busy rows; the network sees the idle ones too."""
        if not len(rows):
            return
        self._release(rows)
        obs = self.problems.simulator.observe(self.at)
        self.evaluations[rows] += 1  # the observation takes the statistics once
        met = self.distance[rows] <= 0
        if met.any():
            self._trim(rows[met], obs.numpy()[rows[met]])
        if not met.all():
            self._seek(rows[~met], self.policy.preferences(obs).numpy()[rows[~met]])

    def _release(self, rows: NDArray[np.int64]) -> None:
        """Let the cells go that an item should keep, where it does not get on without them."""
        if self.problems.own is not None:
            late = rows[self.at["taken"][rows] >= RELEASE * self.problems.steps]
            self.at["locked"][late] = self.problems.start["locked"][self.item[late]]

    def _seek(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Take the better of the first proposals, by their exact outcome."""
        at = take(self.at, rows)
        scores = np.where(self.problems.simulator.allowed(at), scores, -np.inf)
        if self.problems.apart is not None:
            scores = scores + self.problems.apart.bias(self.item[rows], at["map"], at["taken"])
        actions = self._proposals(rows, at, scores)
        outlook = self._outlook(rows, at, actions)
        chosen = np.argmin(outlook, axis=1)[:, None]  # of equals, the one that the policy likes best
        found = np.take_along_axis(outlook, chosen, 1)[:, 0]
        if np.isinf(found).any():  # nothing that is left may be edited
            self.at["taken"][rows[np.isinf(found)]] = self.problems.steps
            left = np.isfinite(found)
            rows, chosen, actions, found = (part[left] for part in (rows, chosen, actions, found))
        self.distance[rows] = found
        self._act(rows, np.take_along_axis(actions, chosen, 1)[:, 0])
        self.visited[rows, self.at["taken"][rows]] = self.at["key"][rows]
        better = rows[self.distance[rows] <= self.least[rows]]
        self.least[better] = self.distance[better]
        self._keep(better)

    def _outlook(
        self, rows: NDArray[np.int64], at: Positions, actions: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """How far each edit `(R, proposals)` leads; infinite where it may not be made, or was not looked at.

        Where one of the first few already brings the item nearer, the others are not looked at.
        """
        simulator, glance = self.problems.simulator, self.problems.simulator.game.glance
        outlook = np.full(actions.shape, np.inf)
        outlook[:, :glance] = simulator.outlook(at, actions[:, :glance])
        outlook[~np.take_along_axis(simulator.allowed(at), actions, 1)] = np.inf
        self.evaluations[rows] += min(glance, actions.shape[1])
        on = np.flatnonzero(outlook.min(1) >= self.distance[rows])
        if glance >= actions.shape[1] or not len(on):
            return outlook
        some, rest = take(at, on), actions[on, glance:]
        more = simulator.outlook(some, rest)
        more[~np.take_along_axis(simulator.allowed(some), rest, 1)] = np.inf
        outlook[on, glance:] = more
        self.evaluations[rows[on]] += rest.shape[1]
        return outlook

    def _trim(self, rows: NDArray[np.int64], planes: NDArray[np.float32]) -> None:
        """Take back the most telling edit that the goals seem not to need, if they really do not."""
        at, simulator = take(self.at, rows), self.problems.simulator
        edited = (at["map"] != at["start"]).reshape(len(rows), -1)
        kept = simulator.game.seems_kept(planes, at["goal"], simulator.tolerance)
        gain = np.ones(edited.shape, np.float32)
        if self.problems.apart is not None:
            gain = self.problems.apart.bias(self.item[rows], at["map"])
        gain = np.where(edited & kept & ~self.tried[rows], gain, -np.inf)
        cell = gain.argmax(1)
        worth = gain[np.arange(len(rows)), cell] > 0
        self.settled[rows[~worth]] = True
        rows, cell = rows[worth], cell[worth]
        if not len(rows):
            return
        at = take(at, np.flatnonzero(worth))
        back = simulator.undoing(at, {"map": at["start"]}, (cell * simulator.per_cell)[:, None])
        self.evaluations[rows] += 1
        free = simulator.outlook(at, back)[:, 0] <= 0
        self.tried[rows, cell] = True
        self._act(rows[free], back[free, 0])
        self._keep(rows[free])

    def _keep(self, rows: NDArray[np.int64]) -> None:
        """The maps of these rows are the best of their items so far."""
        self.best[rows] = self.at["map"][rows]
        if self.problems.reels is not None:
            for item in self.item[rows].tolist():
                self.problems.reels[item].keep()

    def _act(self, rows: NDArray[np.int64], actions: NDArray[np.int64]) -> None:
        wide = np.full(len(self.item), -1, np.int64)
        wide[rows] = actions
        before = None if self.problems.reels is None else self.at["map"].copy()
        self.problems.simulator.act(self.at, wide)
        if self.problems.reels is not None and before is not None:
            for row in rows.tolist():
                self.problems.reels[self.item[row]].note(before[row], self.at["map"][row])

    def _proposals(
        self, rows: NDArray[np.int64], at: Positions, scores: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """The first few edits `(R, proposals)` by score that lead to maps the item has not been at."""
        count = min(self.problems.proposals + _SPARE, scores.shape[1])
        top = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(scores, top, 1), axis=1, kind="stable")
        top = np.take_along_axis(top, order, 1).astype(np.int64)
        keys = self.problems.simulator.keys(at, top)
        longest = int(at["taken"].max()) + 1
        old = (keys[:, :, None] == self.visited[rows][:, None, :longest]).any(2)
        old |= np.isneginf(np.take_along_axis(scores, top, 1))
        fresh_first = np.argsort(old, axis=1, kind="stable")
        return np.take_along_axis(top, fresh_first, 1)[:, : self.problems.proposals]
