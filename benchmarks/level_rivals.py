"""What stands beside a level policy at equal wall time: random starts, a constructive generator, hill
climbing.

Time is that of one processor core (`time.process_time`), as other work on the machine would shorten some
rivals' share. Each rival has as long for a level as the policy took, and keeps what is nearest to the
request: random starts and the constructive generator begin again until a level is good and as asked or time
is up, hill climbing has the evaluations that it does in that time, on all levels together.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.level_scores import CRITERIA, Figures, judged
from benchmarks.timing import say
from plaudit.domains.level.climb import climb
from plaudit.domains.level.game import Maps
from plaudit.domains.level.request import LevelRequest, complete, goals_of, tolerances
from plaudit.domains.level.starts import beginnings
from plaudit.task import Item

PACE = 100
"""Evaluations of each level by which hill climbing's speed is measured."""
_AGAIN = 10_000
"""From the seed of a level to those of its further tries."""


def beside(task: Any, requests: Sequence[Any], items: Sequence[Item], seconds: float) -> Figures:
    """What the rivals make of the same requests at equal wall time, and how far the policy is ahead:
    `vs_*`."""
    ours, figures = judged(task, items), {}
    for rival, made_by in at_equal_time(task, requests, [item.seed for item in items], seconds).items():
        theirs = judged(task, made_by)
        say(f"  {rival} in {seconds:.3f} s a level: {theirs}")
        figures[f"equal_time_{rival}"] = theirs
        figures[f"vs_{rival}"] = {key: round(ours[key] - theirs[key], 4) for key in CRITERIA}
    return figures


def at_equal_time(task: Any, requests: Sequence[LevelRequest], seeds: Sequence[int], seconds: float) -> Any:
    """Levels `{rival: items}` for the same requests, each rival with so many seconds of one core a level."""
    full = [complete(task.game, request, seed) for request, seed in zip(requests, seeds, strict=True)]
    return {
        "filter": [_tried(task, "random", *each, seconds) for each in zip(full, seeds, strict=True)],
        "constructive": [_tried(task, "heuristic", *each, seconds) for each in zip(full, seeds, strict=True)],
        "hill": _climbed(task.game, full, seeds, seconds),
    }


def _tried(task: Any, rival: str, request: LevelRequest, seed: int, seconds: float) -> Item:
    """The best of what a generator makes in the time; it has one try at least."""
    begun, tries, best, least = time.process_time(), 0, None, np.inf
    make = task.baselines()[rival]
    while best is None or (least > 0 and time.process_time() - begun < seconds):
        item = next(iter(make([request], [seed * _AGAIN + tries])))
        tries += 1
        far = _far(task.game, item.content[None], [request])[0]
        if far < least:
            best, least = item, far
    return best


def _far(game: Any, maps: Maps, requests: Sequence[LevelRequest]) -> Any:
    """How far `(R,)` levels are from their requests."""
    return game.distance(game.measure(maps), goals_of(game, requests), tolerances(game, requests[0]))


def _climbed(game: Any, requests: Sequence[LevelRequest], seeds: Sequence[int], seconds: float) -> list[Item]:
    """Levels after hill climbing for as many evaluations as it does in the time."""
    start = beginnings(game, requests, np.array(seeds, np.int64))
    limits = tolerances(game, requests[0])
    trial, begun = start.only(np.arange(len(seeds))), time.process_time()
    used = climb(game, trial, limits, PACE)[0]
    pace = used.sum() / (time.process_time() - begun)
    climb(game, start, limits, max(1, int(pace * seconds)))
    return [
        Item(level, request, seed) for level, request, seed in zip(start.maps, requests, seeds, strict=True)
    ]
