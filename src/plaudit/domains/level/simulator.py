"""Tile games as search problems: exact distances after an edit, for the expert and for finishing.

A position holds the map, its start, the goals, the steps taken and a Zobrist key (Zobrist, 1970) of the
map, by which search knows a map that it has seen.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.episodes import Beginning, Episodes, TrainingEpisodes, draw_locks
from plaudit.domains.level.game import UNASKED, Game, Goals, Maps, Size, Stats, View
from plaudit.domains.level.scoring import Edited, score_levels
from plaudit.engine.random import splitmix
from plaudit.engine.search import Actions, Positions, Random, take
from plaudit.reward.compose import Composition

PLANNED_SHARE = 0.5
"""Share of fresh problems with the goals that their start was made for."""
HARD_SHARE = 0.45
"""Share of the others whose goals come from the upper half of their span."""


class LevelSimulator:
    """One game at one size and tolerance, in the wide representation.

    Args:
        episodes: where fresh problems begin; generation, which asks for none, may have another source.
        horizon: steps of an episode, which the observation counts down.
        threads: threads that share the statistics of a batch.
        composition: what search is paid by; None pays the distance to the goals alone.
    """

    def __init__(
        self,
        game: Game,
        episodes: Episodes,
        tolerance: tuple[float, ...],
        horizon: int,
        threads: int = 1,
        composition: Composition | None = None,
    ) -> None:
        self.composition = composition
        self.game, self.episodes, self.tolerance, self.horizon = game, episodes, tolerance, horizon
        self.size: Size = episodes.size
        size = self.size
        self.tiles = len(game.tiles)
        width, height = size
        self.cells = width * height
        self.per_cell = 1 if self.tiles == 2 else self.tiles
        self.actions = self.cells * self.per_cell
        self.observation_space = spaces.Box(-2.0, 2.0, (height, width, game.planes), np.float32)
        self.action_space = spaces.Discrete(self.actions)
        places = np.arange(self.cells * self.tiles, dtype=np.uint64)
        self.zobrist = splitmix(places).reshape(self.cells, self.tiles)
        self._threads = threads
        self._workers = ThreadPoolExecutor(threads) if threads > 1 else None

    def begin(self, beginning: Beginning) -> Positions:
        """Positions `(R,)` at the given starts and goals."""
        maps = beginning.maps
        flat = maps.reshape(len(maps), -1)
        key = np.bitwise_xor.reduce(self.zobrist[np.arange(self.cells), flat], axis=1)
        return {
            "map": maps.copy(),
            "start": maps.copy(),
            "locked": beginning.locked.copy(),
            "goal": beginning.goals.copy(),
            "taken": np.zeros(len(maps), np.int64),
            "key": key,
        }

    def fresh(self, count: int, random: Random) -> Positions:
        source = self.episodes
        assert isinstance(source, TrainingEpisodes)
        chosen = random.integers(len(source.pool), size=count)
        maps, planned = source.pool.maps[chosen], random.random(count)[:, None] < PLANNED_SHARE
        # The far goals are the hard ones: nearly half of the problems come from the upper half alone.
        spans = source.spans
        hard = random.random(count)[:, None] < HARD_SHARE
        lowest = np.where(hard, (spans.low + spans.high) // 2, spans.low)
        asked = spans.modes[random.integers(len(spans.modes), size=count)]
        goals = np.where(asked, random.integers(lowest, spans.high + 1), UNASKED)
        goals = np.where(planned, source.pool.goals[chosen], goals)
        locked = np.zeros(maps.shape, bool)
        if source.locks:
            locked = draw_locks(random.random((count, 2 + self.cells)), source.locks, self.size)
        if source.pool.own is not None:
            # Generation keeps an item's own cells for as long as it can: so do most of these problems.
            locked |= source.pool.own[chosen] & planned[:, :, None]
        return self.begin(Beginning(np.zeros(count, np.int64), maps, goals, locked))

    def observe(self, at: Positions) -> Tensor:
        out = np.empty((len(at["map"]), *self.observation_space.shape), np.float32)
        stats = np.empty((len(out), len(self.game.statistics)), np.int32)
        left = np.maximum(0.0, 1.0 - at["taken"] / self.horizon).astype(np.float32)

        def part(rows: slice) -> None:
            view = View(*(at[name][rows] for name in ("map", "start", "locked", "goal")), left[rows])
            self.game.observe(view, self.tolerance, out[rows], stats[rows])

        self._share(part, len(out))
        return torch.from_numpy(out)

    def distance(self, at: Positions) -> NDArray[np.float64]:
        return self.game.distance(self.game.measure(at["map"]), at["goal"], self.tolerance)

    def columns(self, at: Positions) -> NDArray[np.float64]:
        assert self.composition is not None
        return self._columns(at["map"], at["start"], at["goal"], self.game.measure(at["map"]))

    def outlook(self, at: Positions, actions: Actions) -> NDArray[np.float64]:
        out = np.empty(actions.shape)

        def part(rows: slice) -> None:
            stats = self.game.measure_after(at["map"][rows], actions[rows])
            goals = np.repeat(at["goal"][rows], actions.shape[1], axis=0)
            flat = stats.reshape(-1, stats.shape[2])
            out[rows] = self.game.distance(flat, goals, self.tolerance).reshape(out[rows].shape)

        self._share(part, len(out))
        return out

    def prospects(
        self, at: Positions, actions: Actions, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        distance, worth = np.empty(actions.shape), np.empty(actions.shape)

        def part(rows: slice) -> None:
            found = self._prospects(take(at, rows), actions[rows], weights)
            distance[rows], worth[rows] = (values.reshape(actions[rows].shape) for values in found)

        self._share(part, len(actions))
        return distance, worth

    def _prospects(
        self, at: Positions, actions: Actions, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distance and worth, flat `(N * C,)`."""
        rows = np.repeat(np.arange(len(actions)), actions.shape[1])
        goals, starts, maps = at["goal"][rows], at["start"][rows], at["map"][rows]
        stats = self.game.measure_after(at["map"], actions).reshape(len(rows), -1)
        cell, tile = self._parts(at["map"], actions)
        maps.reshape(len(rows), -1)[np.arange(len(rows)), cell.ravel()] = tile.ravel()
        columns = self._columns(maps, starts, goals, stats)
        distance = self.game.distance(stats, goals, self.tolerance)
        return distance, columns[:, weights != 0] @ weights[weights != 0]

    def _columns(self, maps: Maps, starts: Maps, goals: Goals, stats: Stats) -> NDArray[np.float64]:
        assert self.composition is not None
        return score_levels(self.game, self.composition, Edited(maps, starts, goals, stats), self.tolerance)

    def keys(self, at: Positions, actions: Actions) -> NDArray[np.uint64]:
        cell, tile = self._parts(at["map"], actions)
        before = np.take_along_axis(at["map"].reshape(len(cell), -1), cell, 1)
        changed = self.zobrist[cell, before] ^ self.zobrist[cell, tile]
        return np.asarray(at["key"][:, None] ^ changed, dtype=np.uint64)

    def allowed(self, at: Positions) -> NDArray[np.bool_]:
        """Actions `(N, A)` on cells that are not locked."""
        return np.repeat(~at["locked"].reshape(len(at["map"]), -1), self.per_cell, axis=1)

    def chances(self, at: Positions) -> NDArray[np.float32] | None:
        cells = self.game.suspects(at["map"])
        return None if cells is None else np.repeat(cells.reshape(len(cells), -1), self.per_cell, axis=1)

    def reverts(self, at: Positions, actions: Actions) -> NDArray[np.bool_]:
        edited = (at["map"] != at["start"]).reshape(len(actions), -1)
        return np.take_along_axis(edited, self._parts(at["map"], actions)[0], 1)

    def act(self, at: Positions, actions: Actions) -> None:
        rows = np.flatnonzero(actions >= 0)
        if not len(rows):
            return
        chosen = actions[rows, None]
        part = {"map": at["map"][rows], "key": at["key"][rows]}
        at["key"][rows] = self.keys(part, chosen)[:, 0]
        cell, tile = self._parts(part["map"], chosen)
        at["map"].reshape(len(actions), -1)[rows, cell[:, 0]] = tile[:, 0]
        at["taken"][rows] += 1

    def undoing(self, at: Positions, origin: Positions, actions: Actions) -> Actions:
        if self.tiles == 2:  # a flip is its own inverse
            return actions
        cell = actions // self.tiles
        before = np.take_along_axis(origin["map"].reshape(len(cell), -1), cell, 1)
        return cell * self.tiles + before

    def matters(self, actions: Actions) -> Actions:
        if self.tiles == 2:  # two flips of a cell undo each other
            cells, count = np.unique(actions, return_counts=True)
            return cells[count % 2 == 1]
        _, last = np.unique(actions[::-1] // self.tiles, return_index=True)
        return actions[::-1][last]

    def mirror(
        self, at: Positions, weights: NDArray[np.float32], random: Random
    ) -> tuple[Positions, NDArray[np.float32]]:
        """Mirror the whole batch in the ways that the game allows, by chance."""
        width, height = self.size
        turn: list[Any] = [slice(None), slice(None)]
        for axis, mirror in enumerate(("vertical", "horizontal")):
            if random.random() < 0.5 and mirror in self.game.symmetries:
                turn[axis] = slice(None, None, -1)
        swap = width == height and random.random() < 0.5 and "diagonal" in self.game.symmetries

        def turned(grid: NDArray[Any]) -> NDArray[Any]:
            grid = grid[:, turn[0], turn[1]]
            return np.ascontiguousarray(grid.swapaxes(1, 2) if swap else grid)

        grids = turned(weights.reshape(len(weights), height, width, -1))
        whole = {**at, **{name: turned(at[name]) for name in ("map", "start", "locked")}}
        return whole, grids.reshape(weights.shape)

    def _parts(self, maps: Maps, actions: Actions) -> tuple[Actions, NDArray[np.uint8]]:
        """Cell and new tile, each `(N, C)`, of actions on maps."""
        if self.tiles > 2:
            cell, tile = np.divmod(actions, self.tiles)
            return cell, tile.astype(np.uint8)
        now = np.take_along_axis(maps.reshape(len(maps), -1), actions, 1)
        return actions, now ^ np.uint8(1)

    def _share(self, part: Any, rows: int) -> None:
        """Run `part` over slices of the rows, on all threads."""
        if self._workers is None or rows < 2 * self._threads:
            part(slice(0, rows))
            return
        cuts = [rows * i // self._threads for i in range(self._threads + 1)]
        list(self._workers.map(part, [slice(a, b) for a, b in itertools.pairwise(cuts)]))
