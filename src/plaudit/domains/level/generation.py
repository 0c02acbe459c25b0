"""From a policy to levels: one episode an item, in chunks of a fixed number of rows.

A row that has finished its item goes on with the next one. An item draws from its own generator, and
the rows of a chunk are always as many, so that it depends on its seed and not on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.apart import Apart, Steering
from plaudit.domains.level.climb import alike
from plaudit.domains.level.decode import Made, Problems, decode
from plaudit.domains.level.env import SHORTEST, LevelConfig, LevelEnv, Limits
from plaudit.domains.level.episodes import Beginning, ItemEpisodes
from plaudit.domains.level.film import Reel, draw_reel
from plaudit.domains.level.game import Game, Maps, Size
from plaudit.domains.level.polish import polish
from plaudit.domains.level.request import LevelRequest, complete, tolerances
from plaudit.domains.level.retry import begin_anew
from plaudit.domains.level.simulator import LevelSimulator
from plaudit.domains.level.starts import beginnings, planned
from plaudit.domains.level.views import BRUSHES
from plaudit.engine.learner import Policy
from plaudit.engine.random import RowRandom
from plaudit.engine.search import take
from plaudit.errors import Infeasible, InputError
from plaudit.media.film import Film
from plaudit.task import Item

ROWS = 64
"""Rows of a chunk for maps of 14 x 14; larger maps take fewer, so that one item does not wait for many."""
_CELLS = 14 * 14


def generate_levels(
    game: Game,
    policy: Policy,
    requests: Sequence[LevelRequest],
    seeds: Sequence[int],
    reels: dict[int, Reel] | None = None,
) -> Iterator[Item]:
    """Yield one level for each request and seed, in their order.

    `reels` takes the edits that made each level, by its place among the seeds, where it is given. Raises
    `Infeasible` for a size that the policy's network cannot read.
    """
    full = [complete(game, request, seed) for request, seed in zip(requests, seeds, strict=True)]
    made: dict[int, Item] = {}
    waiting = 0
    for members in alike(game, full):
        mine = ([full[i] for i in members], [seeds[i] for i in members])
        wide = config_for(policy, game).representation == "wide"
        noted = None if reels is None else [reels.setdefault(i, Reel(np.zeros(0, np.uint8))) for i in members]
        make = _decoded if wide else _stepped
        for at, item in make(game, policy, *mine, noted):
            made[members[at]] = item
            while waiting in made:
                yield made.pop(waiting)
                waiting += 1


def film_levels(game: Game, policy: Policy, items: Sequence[Item]) -> list[Film]:
    """The films of items that a policy made: each is made once more, its edits noted.

    Raises `InputError` for an item that comes out otherwise: another policy, or another hand, made it.
    """
    reels: dict[int, Reel] = {}
    asked: list[Any] = [item.request for item in items]
    again = generate_levels(game, policy, asked, [item.seed for item in items], reels)
    for at, (item, made) in enumerate(zip(items, again, strict=True)):
        if not np.array_equal(item.content, made.content):
            raise InputError(
                f"item {at + 1} (seed {item.seed}) is not what this policy makes of its request and seed.",
                hint="A film shows items as they were sampled, by the policy that they were sampled from.",
            )
    return [draw_reel(game, reels[at]) for at in range(len(items))]


def _stepped(
    game: Game,
    policy: Policy,
    requests: Sequence[LevelRequest],
    seeds: Sequence[int],
    reels: Sequence[Reel] | None,
) -> Iterator[tuple[int, Item]]:
    """Yield `(index, item)` of requests that differ in their goals alone, step by step in the environment."""
    return _Batch(game, policy, requests, seeds, reels).items()


def _decoded(
    game: Game,
    policy: Policy,
    requests: Sequence[LevelRequest],
    seeds: Sequence[int],
    reels: Sequence[Reel] | None,
) -> Iterator[tuple[int, Item]]:
    """Yield `(index, item)` of requests that differ in their goals alone, from a wide policy."""
    first, numbers = requests[0], np.array(seeds, np.int64)
    width, height = first.size
    beginning = beginnings(game, requests, numbers)
    steps = first.steps or max(SHORTEST, int(game.patience * width * height))
    limits = Limits(tolerances(game, first), first.changes, steps)
    simulator = LevelSimulator(game, ItemEpisodes(first.size, beginning), limits.tolerance, steps)
    begun = planned(game, beginning, first)
    start = simulator.begin(begun)
    check_fit(policy, first.size, simulator.observe(take(start, np.array([0]))), simulator.actions)
    apart = None
    if first.density is None and len(game.tiles) == 2:
        apart = Apart(numbers, first.size, Steering())
    changes = max(1, int(first.changes * width * height))
    for at, reel in enumerate(reels or ()):
        reel.start = begun.maps[at].copy()
    own = game.kept(beginning.maps)
    problems = Problems(simulator, start, apart, game.proposals, steps, changes, own, reels)
    waiting: list[Made] = []
    hopeless = game.hopeless(beginning.goals, first.size, limits.tolerance)
    for made in decode(policy, problems, torch.get_num_threads()):
        if made.distance > 0 and game.polish and first.changes == 1 and not hopeless[made.item]:
            waiting.append(made)
        else:
            yield made.item, _item(made, requests, beginning, 0)
    # A number of steps that was asked for is all that an item gets.
    retries = 0 if first.steps else game.retries
    again = begin_anew(policy, problems, requests, numbers, waiting, retries)
    waiting = [made for made in again if made.distance > 0]
    yield from ((made.item, _item(made, requests, beginning, 0)) for made in again if made.distance <= 0)
    finished = polish(problems, beginning, requests, waiting, torch.get_num_threads())
    for made, used in zip(waiting, finished, strict=True):
        yield made.item, _item(made, requests, beginning, int(used))


def _item(made: Made, requests: Sequence[LevelRequest], beginning: Beginning, polished: int) -> Item:
    """A finished item with the figures of its making."""
    info = {
        "evaluations": made.evaluations + polished,
        "polished": polished,
        "steps": made.steps,
        "edits": int(np.count_nonzero(made.map != beginning.maps[made.item])),
    }
    return Item(made.map, requests[made.item], int(beginning.seeds[made.item]), info)


class _Batch:
    """Requests that differ in their goals alone, at work in one environment."""

    def __init__(
        self,
        game: Game,
        policy: Policy,
        requests: Sequence[LevelRequest],
        seeds: Sequence[int],
        reels: Sequence[Reel] | None,
    ) -> None:
        first = requests[0]
        self.game, self.policy, self.requests, self.reels = game, policy, requests, reels
        self.seeds = np.array(seeds, np.int64)
        self.episodes = ItemEpisodes(first.size, beginnings(game, requests, self.seeds))
        rows = max(4, min(ROWS, ROWS * _CELLS // (first.size[0] * first.size[1])))
        limits = Limits(tolerances(game, first), first.changes, first.steps)
        self.env = LevelEnv(
            game, self.episodes, replace(config_for(policy, game), copies=rows), limits=limits
        )
        check_fit(policy, first.size, self.env.reset(0), self.env.editor.actions)
        self.random = RowRandom(np.zeros(rows, np.int64))
        self.best = np.zeros_like(self.env.maps)
        self.least = np.zeros(rows)

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield `(index, item)` as the episodes end."""
        obs = self.env.reset(0)
        self._begin(np.arange(self.env.num_envs))
        while (self.episodes.item >= 0).any():
            item = self.episodes.item.copy()
            action, _, _ = self.policy.act(obs, None, self.env.action_mask(), self.random)
            before = None if self.reels is None else self.env.maps.copy()
            obs, _, _, _, info = self.env.step(action)
            ended = info["ended"]
            stats, maps = self.env.stats.copy(), self.env.maps.copy()
            stats[ended], maps[ended] = info["ended_stats"], info["ended_maps"]
            if before is not None:
                self._note(item, before, maps)
            self._keep_best(item, stats, maps)
            for row, steps in zip(ended, info["ended_steps"], strict=True):
                if item[row] >= 0:
                    if self.reels is not None:
                        self.reels[item[row]].cut()
                    yield int(item[row]), self._item(int(item[row]), self.best[row].copy(), int(steps))
            self._begin(ended)
        self.env.close()

    def _begin(self, rows: NDArray[Any]) -> None:
        """Give the rows the generators of their new items, and their starts as the best so far."""
        item = np.maximum(self.episodes.item[rows], 0)
        self.random.reseed(rows, self.seeds[item])
        self.best[rows] = self.env.maps[rows]
        self.least[rows] = self._distance(item, self.env.stats[rows])
        for row in rows.tolist() if self.reels is not None else ():
            if self.reels is not None and self.episodes.item[row] >= 0:
                self.reels[self.episodes.item[row]].start = self.env.maps[row].copy()

    def _note(self, item: NDArray[np.int64], before: Maps, after: Maps) -> None:
        """Put what a step changed on the reels of the items that are under way."""
        assert self.reels is not None
        for row in np.flatnonzero(item >= 0).tolist():
            self.reels[item[row]].note(before[row], after[row])

    def _keep_best(self, item: NDArray[np.int64], stats: NDArray[np.int32], maps: Maps) -> None:
        """An item is the map nearest to its request that its episode came to, the last of equals."""
        distance = self._distance(np.maximum(item, 0), stats)
        better = distance <= self.least
        self.least[better] = distance[better]
        self.best[better] = maps[better]
        if self.reels is not None:
            for at in item[better & (item >= 0)].tolist():
                self.reels[at].keep()

    def _distance(self, item: NDArray[np.int64], stats: NDArray[np.int32]) -> NDArray[np.float64]:
        return self.game.distance(stats, self.episodes.items.goals[item], self.env.tolerance)

    def _item(self, at: int, level: Maps, steps: int) -> Item:
        edits = int(np.count_nonzero(level != self.episodes.items.maps[at]))
        # The statistics of the start count as an evaluation too.
        info = {"evaluations": steps + 1, "steps": steps, "edits": edits}
        return Item(level, self.requests[at], int(self.seeds[at]), info)


def config_for(policy: Policy, game: Game) -> LevelConfig:
    """The representation and window that a stored policy was trained in, from what it says of itself."""
    about = policy.describe()
    actions = int(about["action_space"]["n"])
    small = {1 + len(game.tiles): "narrow", 4 + len(game.tiles): "turtle"}
    threads = torch.get_num_threads()
    height, width = about["observation_space"]["shape"][:2]
    if actions == height * width * len(BRUSHES) * len(game.tiles):
        return LevelConfig(representation="patch", threads=threads)
    if actions not in small:
        return LevelConfig(threads=threads)
    window = int(height)
    return LevelConfig(representation=small[actions], view=window, threads=threads)  # type: ignore[arg-type]


def check_fit(policy: Policy, size: Size, obs: Tensor, actions: int) -> None:
    """Raise `Infeasible` for a size whose observations `(B, *O)` the policy's network cannot read."""
    trained = tuple(policy.describe()["observation_space"]["shape"])
    if trained == tuple(obs.shape[1:]):
        return
    try:
        fits = int(policy.act(obs)[0].max()) < actions
    except (RuntimeError, ValueError, IndexError):
        fits = False
    if not fits:
        raise Infeasible(
            f"this policy cannot make levels of {size[0]}x{size[1]}; "
            f"the nearest it can is {trained[1]}x{trained[0]}, which it was trained on.",
            hint='A network of kind "conv" with head "cells" makes levels of any size.',
        )
