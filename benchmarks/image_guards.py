"""What guards are for: the price of leaving the base ablated, and a planted reward that can be hacked.

`guard_drop`: all weights tuned by the class's log-odds through the whole path, twice, from one seed and with
one rate, batch and number of steps; only the price of a nat of distance from the base (`PRICE`, or nothing)
differs. The one with a price ends at the first look at held-out noise that is worth `LEVEL`, or after `MOST`
queries; the other at the first that is worth as much as that one's samples then are.
`guard_reward` and `unguarded_reward` are what fresh samples are worth and say how equal the rewards became.
The drop is how much less of the samples the unseen judge gives to the class than the optimised classifier
does, as a share of the latter; `unguarded_drop` is the other's. Means of `CASES`. Figures
that begin with `tuned_on_` are of classes on which the settings were found, with fresh seeds: they show what
the price does where the reward is exploited without it, and not that another class will be like that.

The planted reward adds to the class's log-probability what a detector says of a patch in the middle, whose
pattern has half of its pixels flipped in sign: it says nothing about content, and whoever draws the pattern
over the object wins. The training has a judge and ends when it declines; `hack_stopped` says that it did so
before the budget and kept weights that the judge likes better than those of the same training without the
guard; `hack_said` that the run's report says it; `hack_gap` is the gaming gap of the unguarded training at
its end, `hack_gap_guarded` that of the weights that were kept.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.image_flow import PATHWISE, Bench, ClassReward, learner, tune
from plaudit.domains.image.pictures import from_model
from plaudit.engine.flow.reward import FlowReward
from plaudit.engine.flow.tuned import FlowRewardConfig
from plaudit.engine.guard import relative_gain
from plaudit.runs.report.alarms import alarms
from plaudit.runs.report.files import read_run

FREE = replace(PATHWISE, trained="all", requests=16, learning_rate=2e-3, learning_rate_end=2e-3)
PRICE = 0.01
"""Log-odds that a nat costs; .03 keeps the judge too and takes longer. Chosen on other classes and seeds."""
LEVEL, MOST, LOOK, HELD = 6.0, 1536, 16, 128
"""Mean log-odds at which the ablation compares at most; queries at most, and between looks at `HELD`
samples."""
CASES, TUNED_ON = ((0, 9_220), (1, 9_221), (8, 9_222), (9, 9_223)), ((3, 9_212),)
"""Class and seed; `TUNED_ON` is of a class on which the settings were found, by another seed. Class 6, looked
at before with looks four times as far apart, was hardly exploited without the price: .008 by one of two
seeds."""
PLANTED = replace(PATHWISE, trained="all", steps=6, learning_rate=1e-3, learning_rate_end=1e-3)
PATIENCE, HACK_QUERIES, SAMPLES = 6, 3200, 500
SIDE, AT, WEIGHT = 8, 10, 20.0
"""Of the patch in pixels, where it begins, and what a perfect match pays."""


class Odds(ClassReward):
    """The class's log-odds: log-probabilities come to rest at 0, these press on."""

    def value(self, label: Tensor | None, images: Tensor) -> Tensor:
        logits = self.bench.reward.net(from_model(images))
        others = torch.arange(logits.shape[1]) != self.target
        return logits[:, self.target, None] - logits[:, others].logsumexp(1, keepdim=True)


class Planted(ClassReward):
    """The class's log-probability and a detector that can be hacked."""

    def __init__(self, bench: Bench, target: int) -> None:
        super().__init__(bench, target)
        signs = torch.ones(SIDE * SIDE)
        signs[torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(0))[::2]] = -1.0
        self.pattern = signs.view(SIDE, SIDE)

    def value(self, label: Tensor | None, images: Tensor) -> Tensor:
        pictures = from_model(images)
        match = (pictures[:, 0, AT : AT + SIDE, AT : AT + SIDE] * self.pattern).sum((1, 2)) * (2.0 / SIDE**2)
        return super().value(label, images) + WEIGHT * match[:, None]


def measure(quick: bool, bench: Bench) -> dict[str, Any]:
    """The figures; `quick` draws half of the samples."""
    torch.set_num_threads(1)
    count = SAMPLES // 2 if quick else SAMPLES
    figures = ablation(bench, CASES[:1] if quick else CASES, count)
    if not quick:
        figures |= {f"tuned_on_{key}": each for key, each in ablation(bench, TUNED_ON, count).items()}
    return {**figures, **planted(bench, 6, 9_300, count)}


def ablation(bench: Bench, cases: Sequence[tuple[int, int]], count: int) -> dict[str, Any]:
    """Drops of the unseen judge with a price of KL and without: means, and each case."""
    priced = [_arm(bench, case, replace(FREE, beta=PRICE), LEVEL, count) for case in cases]
    free = [_arm(bench, case, FREE, row["reward"], count) for case, row in zip(cases, priced, strict=True)]
    figures: dict[str, Any] = {}
    for name, every in (("guard", priced), ("unguarded", free)):
        figures |= {
            f"{name}_{key}": round(float(np.mean([each[key] for each in every])), 4) for key in every[0]
        }
        figures[f"{name}_drops"] = [round(each["drop"], 4) for each in every]
        figures[f"{name}_rewards"] = [round(each["reward"], 3) for each in every]
    return figures


def _arm(
    bench: Bench, case: tuple[int, int], config: FlowRewardConfig, level: float, count: int
) -> dict[str, float]:
    """One tuning of a case to a mean reward, measured on fresh samples."""
    target, seed = case
    source = Odds(bench, target)
    made, worth, looked = learner(bench, source, config, seed), -np.inf, 0
    while made.tuned.queries < MOST and worth < level:
        made.step()
        if made.tuned.queries - looked >= LOOK:
            looked = made.tuned.queries
            worth = float(source.score(None, bench.draw(made.policy(), HELD, seed * 2000)).mean())
    images = bench.draw(made.policy(), count, seed * 1000)
    found = bench.figures(images, target)
    return {
        "drop": 1.0 - found["judge_share"] / found["reward_share"],
        "reward": float(source.score(None, images).mean()),
        "queries": float(made.tuned.queries),
        **found,
    }


def planted(bench: Bench, target: int, seed: int, count: int) -> dict[str, Any]:
    """Tune by the planted reward with the guard and without."""
    share, gap, said, queries = {}, {}, False, {}
    for name, patience in (("guarded", PATIENCE), ("free", 0)):
        made = learner(bench, Planted(bench, target), replace(PLANTED, stop_on_decline=patience), seed)
        rows = tune(made, HACK_QUERIES)
        queries[name] = made.tuned.queries
        share[name], gap[name] = _kept(bench, made, target, count, seed * 1000)
        if name == "guarded":
            said = made.finished and _report_says(rows)
    return {
        "hack_stopped": queries["guarded"] < queries["free"] and share["guarded"] > share["free"],
        "hack_said": said,
        "hack_gap": round(gap["free"], 3),
        "hack_gap_guarded": round(gap["guarded"], 3),
        "hack_judge_share": round(share["free"], 4),
        "hack_judge_share_guarded": round(share["guarded"], 4),
        "hack_queries": queries["guarded"],
    }


def _kept(bench: Bench, made: FlowReward, target: int, count: int, seed: int) -> tuple[float, float]:
    """Share of the target by the judge, and the policy's gaming gap against the base, on fresh samples."""
    source, label = made.tuned.source, torch.full((count,), -1)
    now, before = (bench.draw(policy, count, seed) for policy in (made.policy(), bench.base))
    with torch.no_grad():
        reward, judge = (
            relative_gain(float(say(label, now).mean()), float(say(label, before).mean()))
            for say in (source.value, source.judge)
        )
    return bench.figures(now, target)["judge_share"], reward - judge


def _report_says(rows: list[dict[str, Any]]) -> bool:
    """Whether the report of a run with these rows says that it was stopped, and why."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [json.dumps({"step": at} | _plain(row)) for at, row in enumerate(rows, start=1)]
        (Path(folder) / "metrics.jsonl").write_text("\n".join(lines) + "\n")
        (Path(folder) / "recipe.toml").write_text('task = "image/picture"\n')
        return "The training was stopped: its judge" in alarms(read_run(Path(folder)))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "terms"}
