"""Rewards that are models: learned from what someone calls good and bad, with a twin that only judges.

Two scorers learn from disjoint halves. One is the reward, in [0, 1] and calibrated, the other the judge,
which is reported and never optimised: what fools the first need not fool the second. A third part is held
out from both and says how well they tell good from bad, with intervals; where they cannot, there is no
reward. This file knows scores and labels; what a scorer looks at is the domain's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from plaudit.errors import InputError

PARTS = ("reward", "judge", "held_out")
_SHARES = (0.4, 0.8)
"""Where the judge's half and the held-out part begin."""
_SURE = 0.8
"""Accuracy on what was held out below which a reward comes with a warning."""
_Z = 1.959964
Ints = NDArray[np.int64]


class Scorer(Protocol):
    """A trained model of one question: is it good?"""

    def logits(self, items: Any) -> Tensor:
        """Logits `(B,)`, above 0 for good, differentiable in `items` where these are a tensor."""
        ...


@dataclass(frozen=True)
class Calibration:
    """Logits to probabilities, sigmoid(scale * logit + offset): Platt, 1999."""

    scale: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: Tensor) -> Tensor:
        """Probabilities `(B,)` in [0, 1]."""
        return torch.sigmoid(self.scale * logits + self.offset)


@dataclass(frozen=True)
class HeldOut:
    """How well good and bad are told apart on items that neither scorer learned from.

    Attributes:
        n: how many items.
        accuracy: share on the right side of 1/2, as `[share, low, high]` at 95 %.
        auc: chance that a good one scores above a bad one, as `[share, low, high]` at 95 %.
    """

    n: int
    accuracy: tuple[float, float, float]
    auc: tuple[float, float, float]

    @property
    def tells_apart(self) -> bool:
        """Whether that is more than chance."""
        return self.auc[1] > 0.5


@dataclass(frozen=True)
class Learned:
    """A reward, its judge, and what is known of both.

    Attributes:
        about: of the record: sources, counts, seeds.
        held_out: by "reward" and "judge".
    """

    reward: Scorer
    judge: Scorer
    calibration: Mapping[str, Calibration]
    held_out: Mapping[str, HeldOut]
    about: Mapping[str, Any]

    def score(self, items: Any) -> Tensor:
        """The reward `(B,)` in [0, 1], differentiable."""
        return self.calibration["reward"](self.reward.logits(items))

    def judged(self, items: Any) -> Tensor:
        """What the judge says, `(B,)` in [0, 1]; for reports alone."""
        with torch.no_grad():
            return self.calibration["judge"](self.judge.logits(items))

    def describe(self) -> dict[str, Any]:
        """All but the scorers, as JSON."""
        return {
            "calibration": {name: asdict(each) for name, each in self.calibration.items()},
            "held_out": {name: asdict(each) for name, each in self.held_out.items()},
            "about": dict(self.about),
        }


def from_parts(scorers: Mapping[str, Scorer], description: Mapping[str, Any]) -> Learned:
    """Put together what `describe` said; raises `InputError` for anything else."""
    try:
        calibration = {
            name: Calibration(**{k: float(v) for k, v in description["calibration"][name].items()})
            for name in ("reward", "judge")
        }
        held_out = {
            name: HeldOut(int(each["n"]), _figure(each["accuracy"]), _figure(each["auc"]))
            for name, each in description["held_out"].items()
        }
        about = dict(description["about"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"the description of the learned reward is damaged: {error!r}.") from error
    if not all(math.isfinite(v) for each in calibration.values() for v in asdict(each).values()):
        raise InputError("the calibration of the learned reward is not finite.")
    return Learned(scorers["reward"], scorers["judge"], calibration, held_out, about)


def _figure(values: Sequence[float]) -> tuple[float, float, float]:
    share, low, high = (float(v) for v in values)
    return share, low, high


def split_parts(labels: Ints, hashes: Sequence[bytes]) -> NDArray[np.int8]:
    """To which of `PARTS` each item belongs, `(n,)`: 40, 40 and 20 % of either label, by its hash's rank.

    Items of one hash stay together. Order and names do not matter.
    """
    part = np.zeros(len(labels), np.int8)
    for label in np.unique(labels):
        own = [int(at) for at in np.flatnonzero(labels == label)]
        rank = {value: at for at, value in enumerate(sorted({hashes[i] for i in own}))}
        share = np.array([(rank[hashes[i]] + 0.5) / len(rank) for i in own])
        part[own] = np.searchsorted(_SHARES, share, side="right")
    return part


def calibrate(logits: ArrayLike, labels: Ints) -> Calibration:
    """Fit a calibration to logits `(n,)` and labels `(n,)`, 1 for good, by Newton's method.

    Platt's soft targets keep it finite where all are told apart. A logit that says nothing gets no scale.
    """
    x, good = np.asarray(logits, np.float64), labels == 1
    count = np.array([(~good).sum(), good.sum()], np.float64)
    target = np.where(good, (count[1] + 1.0) / (count[1] + 2.0), 1.0 / (count[0] + 2.0))
    spread = max(float(x.std()), 1e-9)
    rows = np.stack([(x - x.mean()) / spread, np.ones_like(x)], 1)
    fit = np.zeros(2)
    for _ in range(50):
        likely = 1.0 / (1.0 + np.exp(-np.clip(rows @ fit, -35, 35)))
        curve = rows.T @ (rows * (likely * (1.0 - likely))[:, None]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, rows.T @ (target - likely) - 1e-6 * fit)
        fit = fit + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    # A scale below zero would pay for what is bad.
    scale = max(float(fit[0]), 0.0) / spread
    return Calibration(scale, float(fit[1]) - scale * float(x.mean()))


def examine(scores: ArrayLike, labels: Ints) -> HeldOut:
    """Accuracy at 1/2 and AUC of probabilities `(n,)` against labels `(n,)` of both kinds."""
    x = np.asarray(scores, np.float64)
    good, bad = x[labels == 1], x[labels != 1]
    right = int((good > 0.5).sum() + (bad <= 0.5).sum())
    above = (good[:, None] > bad[None]).sum() + 0.5 * (good[:, None] == bad[None]).sum()
    auc = float(above) / (len(good) * len(bad))
    return HeldOut(len(x), wilson(right, len(x)), (auc, *auc_interval(auc, len(good), len(bad))))


def wilson(right: int, n: int) -> tuple[float, float, float]:
    """A share and its 95 % interval (Wilson, 1927), of use at 0 and 1 too.

    >>> [round(v, 3) for v in wilson(10, 10)]
    [1.0, 0.722, 1.0]
    """
    share, z2 = right / n, _Z**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def auc_interval(auc: float, goods: int, bads: int) -> tuple[float, float]:
    """The 95 % interval of an AUC: every value from which this one is less than 1.96 errors away.

    Newcombe (2006, method 5) with the error of Hanley and McNeil (1982) at that value; at 1 it has width too.
    """
    values = np.linspace(0.0, 1.0, 2001)
    size = (goods + bads) / 2.0 - 1.0
    pairs = 1.0 + size * (1.0 - values) / (2.0 - values) + size * values / (1.0 + values)
    error = np.sqrt(np.maximum(values * (1.0 - values) * pairs, 0.0) / (goods * bads))
    inside = values[np.abs(auc - values) <= _Z * error + 1e-9]
    return (float(inside.min()), float(inside.max())) if len(inside) else (auc, auc)


def check_told_apart(found: Mapping[str, HeldOut]) -> list[str]:
    """Raise `InputError` where reward or judge are no better than chance; return warnings otherwise."""
    warnings = []
    for name, each in found.items():
        share, low, high = each.auc
        if not each.tells_apart:
            raise InputError(
                f"the {name} cannot tell good from bad: AUC {share:.2f} [{low:.2f}, {high:.2f}] on {each.n} "
                "that were held out, where chance is .50.",
                hint="Give more examples, or two folders that differ in what you mean.",
            )
        if each.accuracy[0] < _SURE:
            warnings.append(
                f"the {name} is right on only {each.accuracy[0]:.0%} of {each.n} that were held out: what is "
                "optimised is partly its mistakes."
            )
    return warnings
