"""Playing agents: the shipped players beside random play and a greedy one, on levels nobody trained on.

The levels are those of the shipped generators, from seeds that no training and no other benchmark uses; every
player plays each once, without slips, and the judge of playthroughs, plain Python that shares nothing with
the rules that players learn by, says who won. `steps_ratio` is the mean number of moves over that of the
shortest way, over levels that the player won and for which breadth-first search found a way (of runner
levels, whose gold makes too many states, over those of the way that their judge's agent goes); `winnable` is
the share for which it did. `difficulty` and `effort` are the terms' own means over the same levels. `--quick`
plays levels of the constructive generators, which take no time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.timing import say
from plaudit.domains import get_task
from plaudit.domains.level import difficulty, runner_agent
from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.baselines import at_random, greedy
from plaudit.domains.level.play.games import BY_NAME
from plaudit.domains.level.play.generation import Choose, by_policy, play_on
from plaudit.domains.level.play.judge import survey
from plaudit.domains.level.play.levels import make_levels, usual_size
from plaudit.domains.level.play.playthrough import Playthrough
from plaudit.domains.level.play.search import shortest
from plaudit.engine.random import RowRandom
from plaudit.runs import presets

Figures = dict[str, Any]
SEED = 660_001
COUNT, QUICK, SEARCHED = 500, 60, 100
"""Levels that are played, and those of them, at most, whose shortest way is looked for."""
PART = 100


def levels_of(name: str, count: int) -> Maps:
    """Levels `(count, H, W)` that the shipped generator makes."""
    task = get_task(f"level/{name}")
    policy = presets.load_policy(task.name)[0]
    seeds = [SEED * 1_000_000 + i for i in range(count)]
    return np.stack(
        [i.content for i in task.generate(policy, task.requests(count, SEED, task.Request()), seeds)]
    )


def plain_levels_of(name: str, count: int) -> Maps:
    """Levels `(count, H, W)` of the constructive generator, which players learned on, from other seeds."""
    seeds = [SEED * 1_000_000 + i for i in range(count)]
    return make_levels(name, usual_size(BY_NAME[name].game), seeds)


def played(name: str, levels: Maps, choose: Choose) -> list[Playthrough]:
    """One playthrough of each level."""
    traces: list[Playthrough] = []
    for start in range(0, len(levels), PART):
        part = levels[start : start + PART]
        random = RowRandom(SEED + start + np.arange(len(part)))
        outing = play_on(BY_NAME[name], part, choose, random, np.zeros(len(part)))
        for level, moves, taken in zip(part, outing.moves, outing.taken, strict=True):
            traces.append(Playthrough(name, level, tuple(moves[:taken].tolist())))
    return traces


def game_figures(name: str, levels: Maps, searched: int) -> Figures:
    """Success of every player, and how far the learned one is from the shortest ways."""
    rules = BY_NAME[name]
    policy = presets.load_policy(f"level/player-{name}")[0]
    begun = time.perf_counter()
    ours = played(name, levels, by_policy(policy))
    pace = len(levels) / (time.perf_counter() - begun)
    judged = [survey(trace) for trace in ours]
    ways = [_way(name, level) for level in levels[:searched]]
    hard = difficulty.measured(name, levels)
    return {
        "levels": len(levels),
        "success": _share([one["won"] for one in judged]),
        "success_random": _success(played(name, levels, at_random(rules))),
        "success_greedy": _success(played(name, levels, greedy(rules))),
        "winnable": _share([way is not None for way in ways]),
        "steps_ratio": _ratio(judged, ways),
        "difficulty": _share(hard[:, 0]),
        "difficulty_above_0": _share(hard[:, 0] > 0),
        "effort": round(float(hard[:, 1].mean()), 1),
        "games_per_s": round(pace, 1),
    }


def _way(name: str, level: Maps) -> Sequence[Any] | None:
    """The moves of the way that the player's are held against; None where none was found."""
    if name == "runner":
        start = np.argwhere(level == runner_agent.PLAYER)[0].tolist()
        return runner_agent.play(level, tuple(start)).keys or None
    return shortest(BY_NAME[name], level)


def _success(traces: Sequence[Playthrough]) -> float:
    return _share([survey(trace)["won"] for trace in traces])


def _share(values: Any) -> float:
    return round(float(np.mean(values)), 4)


def _ratio(judged: Sequence[Figures], ways: Sequence[Any]) -> float | None:
    pairs = zip(judged, ways, strict=False)
    ratios = [one["steps"] / len(way) for one, way in pairs if one["won"] and way]
    return round(float(np.mean(ratios)), 3) if ratios else None


def run(quick: bool, only: list[str] | None) -> Figures:
    """Every figure of the players, or of the named games."""
    torch.set_num_threads(1)
    figures: Figures = {"benchmark": "players", "quick": quick}
    for name in only or list(BY_NAME):
        say(f"{name} ...")
        levels = plain_levels_of(name, QUICK) if quick else levels_of(name, COUNT)
        figures[name] = game_figures(name, levels, SEARCHED // 5 if quick else SEARCHED)
        say(f"  {figures[name]}")
    return figures
