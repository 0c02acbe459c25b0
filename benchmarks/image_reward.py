"""One class as the reward of a model asked for none: share, queries, diversity, and what gradients save.

`target_share`: of samples that the unseen judge calls the class. `class_fd_ratio`: Frechet distance on the
judge's features to the class's test pictures, as a multiple of what the base has when it is asked for the
class, drawn as it is shipped. `pathwise_gain`: queries of the score-function method (GRPO in a window of
steps) over those of the pathwise one, each until the mean reward of three steps in a row reaches `LEVEL`;
where GRPO had not come there after `MOST`, the figure is a lower bound and `pathwise_gain_is_bound` says
so.
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
LEVEL = -1.5
"""Mean log-probability of the class: more than half of the way, which both methods can go."""
MOST = 12_800
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
    """Queries of either method to the same reward, with the same weights free to learn."""
    used = {}
    for name, config, limit in (("pathwise", PATHWISE, QUERIES), ("score", GRPO, most)):
        # Schedules are those of the whole budget: `tune` only ends earlier.
        made = learner(bench, ClassReward(bench, target), with_settings(config), 9_100 + target)
        rows = tune(made, limit, LEVEL)
        used[name] = (made.tuned.queries, float(np.mean([row["return"] for row in rows[-3:]])))
    return {
        "pathwise_gain": round(used["score"][0] / used["pathwise"][0], 1),
        "pathwise_gain_is_bound": bool(used["score"][1] < LEVEL),
        "pathwise_queries": used["pathwise"][0],
        "score_queries": used["score"][0],
        "score_reward": round(used["score"][1], 3),
    }
