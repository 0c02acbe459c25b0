"""One class as the reward of a model asked for none: share, queries, diversity, and what gradients save.

`target_share`: of samples that the unseen judge calls the class. `class_fd_ratio`: Frechet distance on the
judge's features to the class's test pictures, as a multiple of what the base has when it is asked for the
class, drawn as it is shipped. `pathwise_gain`: queries of the score-function method (GRPO in a window of
steps) over those of the pathwise one, each until fresh samples are worth `LEVEL`, with all weights free to
learn as the methods' papers have it; `pathwise_gain_class` with the one vector that `target_share` tunes.
Where GRPO had not come there after `MOST`, the figure is a lower bound and `..._is_bound` says so.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from benchmarks.image_flow import ODE, PATHWISE, Bench, ClassReward, learner, tune, with_settings
from plaudit.engine.flow.tuned import FlowRewardConfig

QUERIES, SAMPLES = 1536, 1000
TARGETS = (2, 4, 8)
LEVEL, FRESH = -0.3, 64
"""Mean log-probability of the class on fresh samples, and how many these are; they are not counted."""
MOST, GAIN_SEEDS = 6_400, (9_101, 9_102)
GRPO = FlowRewardConfig(
    method="grpo",
    requests=1,
    group=64,
    steps=10,
    window=4,
    noise=0.7,
    beta=0.0,
    trained="class",
    learning_rate=0.1,
    learning_rate_end=0.01,
    ema=0.8,
    precision="bf16",
    sampler=ODE,
)
EVERY = (
    with_settings(PATHWISE, requests=4, trained="all", learning_rate=1e-3, learning_rate_end=1e-3),
    with_settings(GRPO, group=16, trained="all", learning_rate=3e-4, learning_rate_end=3e-4),
)
CLASS = with_settings(PATHWISE, requests=2), with_settings(GRPO, group=8)
"""Each method with the batch and step size that took it there in the fewest queries, on another class."""


def measure(quick: bool, bench: Bench) -> dict[str, Any]:
    """The figures, means over target classes; `quick` takes one class and half of the samples."""
    torch.set_num_threads(1)
    targets, count = (TARGETS[:1], SAMPLES // 2) if quick else (TARGETS, SAMPLES)
    every = [_one(bench, target, 9_000 + target, count) for target in targets]
    figures = {name: round(float(np.mean([each[name] for each in every])), 4) for name in every[0]}
    return {**figures, "targets": list(targets), **gain(bench, targets[0], MOST // 4 if quick else MOST)}


def _one(bench: Bench, target: int, seed: int, count: int) -> dict[str, float]:
    made, start = learner(bench, ClassReward(bench, target), PATHWISE, seed), time.process_time()
    rows = tune(made, QUERIES)
    spent = time.process_time() - start
    found = bench.figures(bench.draw(made.policy(), count, seed * 1000), target)
    asked = bench.figures(bench.draw(bench.own, count, seed * 2000, target), target)
    return {
        "target_share": found["judge_share"],
        "queries": made.tuned.queries,
        "class_fd_ratio": found["fd"] / asked["fd"],
        "class_fd": found["fd"],
        "conditional_fd": asked["fd"],
        "conditional_share": asked["judge_share"],
        "reward_share": found["reward_share"],
        "gaming_gap": rows[-1]["gaming_gap"],
        "tune_cpu_s": spent,
    }


def gain(bench: Bench, target: int, most: int) -> dict[str, Any]:
    """Queries of either method to the same reward: all weights free, and the class's vector alone."""
    figures: dict[str, Any] = {}
    for suffix, pair in (("", EVERY), ("_class", CLASS)):
        used = {
            name: _reach(bench, target, config, most)
            for name, config in zip(("pathwise", "score"), pair, strict=True)
        }
        figures |= {
            f"pathwise_gain{suffix}": round(used["score"][0] / used["pathwise"][0], 1),
            f"pathwise_gain{suffix}_is_bound": bool(used["score"][1] < LEVEL),
            f"pathwise_queries{suffix}": used["pathwise"][0],
            f"score_queries{suffix}": used["score"][0],
        }
    return figures


def _reach(bench: Bench, target: int, config: FlowRewardConfig, most: int) -> tuple[float, float]:
    """Queries until fresh samples are worth `LEVEL`, and what they are worth; mean of seeds."""
    found = []
    for seed in GAIN_SEEDS:
        source = ClassReward(bench, target)
        made, worth = learner(bench, source, config, seed), -np.inf
        while made.tuned.queries < most and worth < LEVEL:
            made.step()
            worth = float(source.score(None, bench.draw(made.policy(), FRESH, seed * 1000)).mean())
        found.append((made.tuned.queries, worth))
    queries, worth = np.mean(found, 0)
    return float(queries), float(worth)
