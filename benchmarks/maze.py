"""Mazes: the shipped preset beside hill climbing in the same environment, judged by code apart.

1,000 mazes of 14 x 14 from seeds and targets that no training or tuning has seen, single shot: every
level counts, none is drawn again. Diversity is judged within batches of 100. The judge is
`plaudit.domains.level.metrics`, a plain search that shares nothing with the kernels of the
environment; where `PCG_BENCHMARK_HOME` names a checkout of the PCG Benchmark, its own judge gives the
same figures once more, as `peer_*`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.env_speed import env_steps_per_s
from benchmarks.peers import pcg_benchmark
from benchmarks.timing import say
from plaudit.domains import get_task
from plaudit.runs import presets
from plaudit.task import Item

Figures = dict[str, Any]
TASK, SEED, BATCH = "level/maze", 770_001, 100
VALIDATION = 550_001
"""Seed of the mazes that decide when a training from nothing is good enough; not the judged ones."""


def quality_figures(quick: bool) -> Figures:
    """The preset, the baseline and their ratio of statistics evaluations, on the same requests."""
    count = 200 if quick else 1000
    task = get_task(TASK)
    torch.set_num_threads(2)
    policy = presets.load_policy(TASK)[0]
    requests, seeds = task.requests(count, SEED, task.Request()), _seeds(count)
    list(task.generate(policy, requests[:BATCH], seeds[:BATCH]))  # warm-up: compiled kernels are loaded
    ours, seconds = _timed(lambda: list(task.generate(policy, requests, seeds)))
    hill, hill_seconds = _timed(lambda: list(task.baselines()["hill_climbing"](requests, seeds)))
    figures = _judged(task, ours)
    base = _judged(task, hill)
    evaluations = [_evaluations(items) for items in (ours, hill)]
    return {
        **figures,
        "levels_per_s": round(count / seconds, 1),
        "evaluations_per_level": round(evaluations[0], 1),
        **{f"hill_{key}": value for key, value in base.items()},
        "hill_levels_per_s": round(count / hill_seconds, 1),
        "hill_evaluations_per_level": round(evaluations[1], 1),
        "stat_evals_vs_hill": round(evaluations[0] / evaluations[1], 3),
        **pcg_benchmark.judge("maze", ours),
    }


def _seeds(count: int, seed: int = SEED) -> list[int]:
    """Item seeds as `plaudit sample --seed` numbers them."""
    return [seed * 1_000_000 + i for i in range(count)]


def _timed(work: Callable[[], list[Item]]) -> tuple[list[Item], float]:
    start = time.perf_counter()
    items = work()
    return items, time.perf_counter() - start


def _evaluations(items: Sequence[Item]) -> float:
    """Mean number of times that the level statistics were taken for an item."""
    return statistics.mean(item.info["evaluations"] for item in items)


def _judged(task: Any, items: Sequence[Item]) -> Figures:
    """Shares that pass, and that pass all three on the same item."""
    parts = [task.judge(items[i : i + BATCH]) for i in range(0, len(items), BATCH)]
    passed = {key: np.concatenate([p[key] for p in parts]) for key in ("quality", "control", "diversity")}
    joint = np.prod(list(passed.values()), axis=0)
    return {key: round(float(v.mean()), 4) for key, v in {**passed, "joint": joint}.items()}


def train_seconds(quick: bool) -> Figures:
    """Training time from nothing to quality .95 and control .85 with the recipe of the preset."""
    if quick:
        return {}
    task = get_task(TASK)
    recipe = task.recipes()["expert"]
    torch.set_num_threads(recipe.threads)
    learner = task.build(recipe, {})
    spent, look = 0.0, 60.0
    while spent < 1800:
        start = time.perf_counter()
        learner.share = min(1.0, spent / 600)
        learner.step()
        spent += time.perf_counter() - start
        if spent < look:
            continue
        look += 30.0
        requests = task.requests(200, VALIDATION, task.Request())
        seeds = _seeds(200, VALIDATION)
        judged = _judged(task, list(task.generate(learner.policy(), requests, seeds)))
        say(f"  after {spent:.0f} s of training: {judged}")
        if judged["quality"] >= 0.95 and judged["control"] >= 0.85:
            return {"train_s": round(spent, 1)}
    return {"train_s": None}


def demo_seconds(quick: bool) -> Figures:
    """`plaudit demo`, what `make demo` runs once everything is installed."""
    if quick:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "plaudit", "demo", "--out", str(Path(folder) / "run")]
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
    return {"demo_s": round(time.perf_counter() - start, 1)}


def run(quick: bool, only: list[str] | None) -> Figures:
    """Every figure of the mazes, or only the named parts."""
    parts: dict[str, Callable[[], Figures]] = {
        "quality": lambda: quality_figures(quick),
        "env": lambda: {"env_steps_per_s": round(env_steps_per_s(quick))},
        "train": lambda: train_seconds(quick),
        "demo": lambda: demo_seconds(quick),
    }
    figures: Figures = {"benchmark": "maze", "quick": quick}
    for name in only or parts:
        say(f"{name} ...")
        figures |= parts[name]()
        say(f"  {figures}")
    return figures
