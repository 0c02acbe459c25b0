"""Six rewards, one model each: does one sample of a tuned model pay what the best of sixteen does?

For each reward the shipped preset is tuned by that reward and a little by `KEPT`, so that digits stay
digits. Beside it stands the best of 16 candidates of the preset, chosen one by one by the reward alone:
`six_reward_ok` counts the rewards of which the tuned model's mean is at least that mean, `six_fd_ok` those
where its Frechet distance to test pictures, on features of the judge that no reward asks, is at most
`ALLOWED` times that of the best of 16.

What best-of-16 pays is first measured on seeds of its own (`Target`): its gain is the unit of the reward in
the tuning, so that one price of leaving the base means the same for all six, and the tuning ends when the
running mean of the weights, drawn on those seeds as it is shipped, has gained that and a margin more; or when
its seconds are spent. The figures are taken on other seeds. Neither are those that settings were found on.
Seconds are the process's own, so that a busy machine changes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.image_flow import Bench
from benchmarks.timing import say
from plaudit.domains.image.picture_reference import Reference, reference_of
from plaudit.domains.image.picture_request import PictureRequest
from plaudit.domains.image.picture_source import PictureReward
from plaudit.domains.image.pictures import from_model
from plaudit.domains.image.reward import picture_terms
from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.reward import FlowReward
from plaudit.engine.flow.tuned import FlowRewardConfig
from plaudit.engine.random import RowRandom
from plaudit.measure.frechet import Moments, frechet_distance
from plaudit.reward.compose import Composition
from plaudit.runs.recipe import RewardEntry

ALLOWED = 1.1
SEED = 7_300_000
"""Of the tuning; the noise of the figures begins at ten times that."""
_CHUNK = 500

GRADIENT = FlowRewardConfig(
    method="adjoint",
    requests=40,
    group=1,
    steps=10,
    beta=0.04,
    learning_rate=4e-4,
    learning_rate_end=4e-4,
    ema=0.8,
    precision="bf16",
)
"""For a reward with a gradient."""
BLACK_BOX = FlowRewardConfig(
    method="grpo",
    requests=10,
    group=8,
    steps=10,
    noise=0.7,
    window=4,
    beta=0.02,
    learning_rate=5e-4,
    learning_rate_end=5e-4,
    ema=0.8,
    precision="bf16",
)
"""For one without."""
REWARDS: Mapping[str, FlowRewardConfig] = {
    "class_probability": GRADIENT,
    "fidelity": GRADIENT,
    "compressibility": BLACK_BOX,
    "symmetry": GRADIENT,
    "sharpness": GRADIENT,
    "ink": GRADIENT,
}
KEPT = {"class_probability": 0.1, "fidelity": 0.3}


@dataclass(frozen=True)
class Plan:
    """How large the measurement is.

    Attributes:
        count: samples of a figure; `checked` those that a tuning is looked at by, every `every_s` seconds.
        of: candidates that the best is taken of.
        seconds: the most that a tuning takes.
        margin: share of best-of-n's gain that a tuning goes on beyond it.
        kept: terms that every tuning is paid for beside its reward, so that digits stay digits, and how much
            of it their own best-of-n's gain is worth.
    """

    count: int = 1000
    checked: int = 200
    of: int = 16
    seconds: float = 240.0
    every_s: float = 12.0
    margin: float = 0.06
    kept: Mapping[str, float] = field(default_factory=lambda: KEPT)
    seed: int = SEED
    rewards: Mapping[str, FlowRewardConfig] = field(default_factory=lambda: REWARDS)


QUICK = Plan(
    count=300, checked=100, seconds=60.0, rewards={name: REWARDS[name] for name in ("symmetry", "ink")}
)


@dataclass(frozen=True)
class Target:
    """What a tuning has to reach: mean reward of the base and of its best, on the seeds for that."""

    base: float
    best: float

    @property
    def gain(self) -> float:
        """What the best is above the base, at least a trifle."""
        return max(self.best - self.base, 1e-6)


@dataclass(frozen=True)
class Setting:
    """What all rewards share: the base with its judge, the reference that terms ask, the test pictures."""

    plan: Plan
    bench: Bench
    reference: Reference
    targets: dict[str, Target] = field(default_factory=dict)

    def aim(self, candidates: Tensor) -> None:
        """Set the targets of all rewards, and of what keeps pictures likely, by these candidates."""
        for name in {**self.plan.rewards, **self.plan.kept}:
            best = self.best(name, candidates)[1]
            self.targets[name] = Target(float(self.paid(name, candidates[0]).mean()), float(best.mean()))

    def weights(self, name: str) -> dict[str, float]:
        """Of the tuned reward and of what keeps pictures likely, each in units of its best-of-n gain."""
        kept = {term: share for term, share in self.plan.kept.items() if term != name}
        return {term: share / self.targets[term].gain for term, share in {name: 1.0, **kept}.items()}

    @property
    def test(self) -> Moments:
        first, *others = self.bench.test
        return sum(others, start=first)

    def source(self, weights: Mapping[str, float]) -> PictureReward:
        """The weighted terms as a reward."""
        entries = tuple(RewardEntry(term=name, weight=weight) for name, weight in weights.items())
        composition, about = Composition(entries, picture_terms()), self.reference
        return PictureReward(composition, entries, about.facts, PictureRequest(), reference=about)

    def labels(self, n: int) -> Tensor:
        """Classes `(n,)` in turn."""
        return torch.arange(n) % self.bench.base.model.shape.classes

    def draw(self, policy: FlowPolicy, n: int, seed: int) -> Tensor:
        """n samples in [-1, 1], of the classes in turn."""
        return policy.draw(policy.noise(RowRandom(range(seed, seed + n))), self.labels(n))

    def candidates(self, n: int, seed: int) -> Tensor:
        """`(of, n, C, H, W)` of the base; the first are what its seeds draw alone."""
        return torch.stack([self.draw(self.bench.own, n, seed + k * n) for k in range(self.plan.of)])

    def paid(self, name: str, images: Tensor) -> NDArray[np.float64]:
        """The reward `(n,)` of pictures as they are kept, in bytes."""
        source = self.source({name: 1.0})
        parts = zip(images.split(_CHUNK), self.labels(len(images)).split(_CHUNK), strict=True)
        return np.concatenate([source.score(label, part)[:, 0] for part, label in parts])

    def best(self, name: str, candidates: Tensor) -> tuple[Tensor, NDArray[np.float64]]:
        """The best of each column of candidates `(n, C, H, W)` and what they pay `(n,)`."""
        paid = np.stack([self.paid(name, images) for images in candidates])
        chosen = paid.argmax(0)
        rows = np.arange(len(chosen))
        return candidates[torch.from_numpy(chosen), torch.from_numpy(rows)], paid[chosen, rows]

    def judged(self, images: Tensor) -> dict[str, float]:
        """Distance to the test pictures and the share that the judge takes for their class."""
        net = self.bench.judge.net
        with torch.no_grad():
            parts = [from_model(part) for part in images.split(_CHUNK)]
            features = torch.cat([net.features(part) for part in parts]).numpy()
            right = torch.cat([net(part).argmax(1) for part in parts]) == self.labels(len(images))
        return {
            "fd": frechet_distance(features, self.test),
            "judge_accuracy": right.double().mean().item(),
        }


def measure(quick: bool, bench: Bench) -> dict[str, Any]:
    """The figures; `quick` takes two rewards, fewer samples and less time."""
    torch.set_num_threads(1)
    return measured(Setting(QUICK if quick else Plan(), bench, reference_of("mnist", None)))


def measured(setting: Setting) -> dict[str, Any]:
    """Tune for every reward, judge, count."""
    plan = setting.plan
    known = setting.candidates(plan.checked, 11 * plan.seed)
    fresh = setting.candidates(plan.count, 10 * plan.seed)
    setting.aim(known)
    base = setting.judged(fresh[0])
    rows = {}
    for at, name in enumerate(plan.rewards):
        rows[name] = _one(setting, name, plan.seed + at, fresh)
        say(f"  {name}: {json.dumps(rows[name])}")
    return {
        "six_reward_ok": sum(row["reward_tuned"] >= row["reward_best"] for row in rows.values()),
        "six_fd_ok": sum(row["fd_tuned"] <= ALLOWED * row["fd_best"] for row in rows.values()),
        "six_of": len(rows),
        "six_fd_base": round(base["fd"], 3),
        **{f"six_{name}": row for name, row in rows.items()},
    }


def _one(setting: Setting, name: str, seed: int, fresh: Tensor) -> dict[str, Any]:
    """Tune by one reward and put it beside the base and its best."""
    policy, spent = tune(setting, name, seed)
    best, paid = setting.best(name, fresh)
    tuned = setting.draw(policy, len(fresh[0]), 10 * setting.plan.seed)
    figures = {
        "base": (setting.paid(name, fresh[0]), setting.judged(fresh[0])),
        "tuned": (setting.paid(name, tuned), setting.judged(tuned)),
        "best": (paid, setting.judged(best)),
    }
    found = {f"reward_{who}": round(float(values.mean()), 5) for who, (values, _) in figures.items()}
    for key in ("fd", "judge_accuracy"):
        found |= {f"{key}_{who}": round(judged[key], 4) for who, (_, judged) in figures.items()}
    return {**found, **spent}


def tune(
    setting: Setting, name: str, seed: int, watch: Callable[[Any], None] = lambda row: None
) -> tuple[FlowPolicy, dict[str, Any]]:
    """A policy that gains what best-of-n does, or what it can in the time; and what it took."""
    plan, base, target = setting.plan, setting.bench.own, setting.targets[name]
    source = setting.source(setting.weights(name))
    config = replace(plan.rewards[name], sampler=base.sampler, guidance=base.sampler.guidance)
    made = FlowReward(source, source.weighing, config, base.model.config, seed)
    made.load_weights({key: tensor.clone() for key, tensor in base.tensors().items()})
    start, looked, gained, enough = time.process_time(), 0.0, 0.0, 1.0 + plan.margin
    while (used := time.process_time() - start) < plan.seconds and gained < enough:
        made.share = used / plan.seconds
        row = made.step()
        if used - looked >= plan.every_s:
            images = setting.draw(made.policy(), plan.checked, 11 * plan.seed)
            gained = (float(setting.paid(name, images).mean()) - target.base) / target.gain
            looked = used
            watch({**row, "used": used, "gained": gained, "images": images})
    spent = {
        "gained_when_looked_at": round(gained, 3),
        "queries": made.tuned.queries,
        "seconds": round(time.process_time() - start, 1),
        "stopped_by": "reward" if gained >= enough else "seconds",
    }
    return made.policy(), spent
