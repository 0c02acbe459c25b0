"""Levels with rules: the shipped presets beside hill climbing, a constructive generator and random search.

1,000 levels a task from seeds and targets that no training or tuning has seen, on one core (a part of them
once more on two), single shot: every level counts, none is drawn again. Diversity is judged within batches of
100 by the judge of each game, plain Python that shares nothing with the kernels of the environment; where
`PCG_BENCHMARK_HOME` names a checkout of the PCG Benchmark, its own judge looks at the first of the same
levels once more: `peer_*`.

All of a task takes up to a quarter of an hour. Single columns are measured by themselves, on the same levels:
`python -m benchmarks levels --task dungeon --columns locked asked`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from benchmarks.level_env import env_ratio
from benchmarks.level_requests import asked_exactly, locked, repaired, sized
from benchmarks.level_rivals import beside
from benchmarks.level_scores import BATCH, SEED, Figures, judged, made, numbered, preset
from benchmarks.peers import pcg_benchmark
from benchmarks.timing import say

COSTLY = ("sokoban", "dungeon", "cave", "platformer", "runner")
"""Games whose statistics take a solver, or a player: less is made of what stands beside the preset."""
BY_THE_PEER = 100
"""Levels that the PCG Benchmark's judge looks at, which takes seconds over some."""
TASKS = ("zelda", "sokoban", "dungeon", "cave", "platformer", "runner")
BESIDE = 100
"""Levels for which the policy stands beside its rivals at equal wall time."""
ROOMY = {"zelda": 100, "sokoban": 40, "dungeon": 10, "cave": 10, "platformer": 10, "runner": 10}
"""Levels that are made on twice the width and height."""
REPAIRED = {"sokoban": 60, "dungeon": 60, "cave": 60, "platformer": 20, "runner": 60}
"""Levels that are damaged and mended; those of platformers have 800 cells to look at in every round."""
TWICE = 200
"""Levels that are made once more on two cores: the same ones, sooner."""


def plain(name: str, quick: bool) -> Figures:
    """The preset on requests that say nothing: shares that pass, speed, the peer's judge."""
    task, policy = preset(name)
    count = 200 if quick else 1000
    requests, seeds = task.requests(count, SEED, task.Request()), numbered(count)
    list(task.generate(policy, requests[:BATCH], seeds[:BATCH]))  # warm-up: kernels are loaded
    begun = time.process_time()
    items, speed = made(lambda: task.generate(policy, requests, seeds))
    seconds = (time.process_time() - begun) / count
    torch.set_num_threads(2)
    again, both = made(lambda: task.generate(policy, requests[:TWICE], seeds[:TWICE]))
    torch.set_num_threads(1)
    assert all((a.content == b.content).all() for a, b in zip(again, items, strict=False))
    return {
        **judged(task, items),
        "levels_per_s": round(speed, 1),
        "levels_per_s_2_cores": round(both, 1),
        "levels_per_core_s": round(1.0 / seconds, 1),
        "evaluations": round(float(np.mean([item.info["evaluations"] for item in items])), 1),
        "polished_share": round(float(np.mean([item.info["polished"] > 0 for item in items])), 4),
        **pcg_benchmark.judge(name, items[:BY_THE_PEER]),
    }


def rivals(name: str, quick: bool) -> Figures:
    """Hill climbing and the constructive generator on the first of the requests, for as long as they take."""
    task, _ = preset(name)
    count, figures = 200 if quick else 1000, {}
    for key, rival in (("hill", "hill_climbing"), ("constructive", "heuristic")):
        few = min(count, ((300, 100) if name in COSTLY else (1000, 300))[key == "hill"])
        requests, seeds = task.requests(count, SEED, task.Request())[:few], numbered(few)
        others, pace = made(lambda b=rival, r=requests, s=seeds: task.baselines()[b](r, s))
        found = judged(task, others)
        figures |= {f"{key}_{k}": v for k, v in found.items()} | {f"{key}_levels_per_s": round(pace, 1)}
    return figures


def equal_time(name: str, quick: bool) -> Figures:
    """The preset and its rivals on the first of the same requests, each with as long for a level."""
    task, policy = preset(name)
    requests = task.requests(200 if quick else 1000, SEED, task.Request())[:BESIDE]
    seeds = numbered(BESIDE)
    list(task.generate(policy, requests[:10], seeds[:10]))  # warm-up: kernels are loaded
    begun = time.process_time()
    items = list(task.generate(policy, requests, seeds))
    return beside(task, requests, items, (time.process_time() - begun) / BESIDE)


def sizes(name: str, quick: bool) -> Figures:
    """Twice the width and height; of the games with many cheap statistics four times as well."""
    del quick
    four = sized(name, 4, 20) if name in ("zelda", "sokoban") else {}
    return sized(name, 2, ROOMY[name]) | four


COLUMNS: Mapping[str, Callable[[str, bool], Figures]] = {
    "plain": plain,
    "rivals": rivals,
    "equal_time": equal_time,
    "locked": lambda name, quick: locked(name, 60 if name in COSTLY else 300),
    "sizes": sizes,
    "asked": lambda name, quick: asked_exactly(name, 100 if name in COSTLY or quick else 500),
    "repair": lambda name, quick: repaired(name, REPAIRED.get(name, 60 if quick else 300)),
}
"""What is measured of a task, by the name that `--columns` takes."""
SLOW = ("locked", "sizes")
"""Columns that a quick run leaves out."""


def run(quick: bool, only: list[str] | None, columns: list[str] | None = None) -> Figures:
    """Every figure of the levels, or only of the named tasks, or only the named columns of these."""
    unknown = [column for column in columns or () if column not in COLUMNS]
    if unknown:
        raise SystemExit(f"no column {', '.join(unknown)}; there are {', '.join(COLUMNS)}")
    torch.set_num_threads(1)
    figures: dict[str, Any] = {"benchmark": "levels", "quick": quick}
    chosen = columns or [column for column in COLUMNS if not (quick and column in SLOW)]
    for name in [name for name in only or TASKS if name in TASKS]:
        figures[name] = {}
        for column in chosen:
            say(f"{name}, {column} ...")
            found = COLUMNS[column](name, quick)
            say(f"  {found}")
            figures[name] |= found
    if columns is None and (not only or "maze" in only):
        figures |= env_ratio(quick)
    return figures
