"""What the figures of tuning pictures by reward share: the base, its reward and judges, tuning, measuring.

The reward asks the classifier that learned from the train split, the judge is of another architecture and
learned from the validation split, and distances are taken on the judge's features to pictures of the test
split. No seed used here was used to find a setting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.image.classifier import Classifier
from plaudit.domains.image.data import load_pictures
from plaudit.domains.image.picture_reference import reference_of
from plaudit.domains.image.pictures import from_model
from plaudit.engine.flow.model import FlowShape
from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.reward import FlowReward
from plaudit.engine.flow.sampling import Sampler, noise_of
from plaudit.engine.flow.tuned import FlowRewardConfig
from plaudit.engine.learner import UnitWeights
from plaudit.engine.random import RowRandom
from plaudit.measure.frechet import Moments, frechet_distance, moments
from plaudit.runs import presets

ODE = Sampler(steps=20)
"""How the figures are drawn: without guidance, which an unconditional model has none of."""
PATHWISE = FlowRewardConfig(
    method="pathwise",
    trained="class",
    requests=64,
    group=1,
    steps=10,
    noise=0.0,
    beta=0.0,
    learning_rate=0.1,
    learning_rate_end=0.01,
    ema=0.8,
    precision="bf16",
    sampler=ODE,
)
"""The reward's gradient through the whole path into the vector that stands for no class: what it can learn to
draw is what the base can, and the frozen rest is the guard."""
_CHUNK = 500


@dataclass(frozen=True)
class Bench:
    """The base with what rewards and judges it.

    Attributes:
        base: draws by the plain ODE; `own` as it is shipped, with its guidance.
        test: moments of the judge's features of each class's test pictures.
    """

    base: FlowPolicy
    own: FlowPolicy
    reward: Classifier
    judge: Classifier
    test: tuple[Moments, ...]

    @classmethod
    def of(cls, mnist: str, base: FlowPolicy | None = None) -> Bench:
        """MNIST at the folder `mnist`; without a base the shipped preset."""
        found: Any = base or presets.load_policy("image/picture")[0]
        reference = reference_of("mnist", None)
        test = load_pictures(mnist).part("test")
        features = reference.judge.features(test.images)
        classes = tuple(moments(features[test.labels == label]) for label in range(10))
        return cls(FlowPolicy(found.model, ODE), found, reference.reward, reference.judge, classes)

    def draw(self, policy: FlowPolicy, n: int, seed: int, label: int = -1) -> Tensor:
        """n samples in [-1, 1]; without a class unless `label` is one."""
        noise = noise_of(policy.model.shape, RowRandom(range(seed, seed + n)))
        return policy.draw(noise, torch.full((n,), label))

    def figures(self, images: Tensor, target: int) -> dict[str, float]:
        """Shares of the target by reward and judge, and the distance to the class's test pictures."""
        seen = {"reward": self.reward, "judge": self.judge}
        share = {f"{k}_share": hits(net, images, target).mean().item() for k, net in seen.items()}
        return {**share, "fd": frechet_distance(_features(self.judge, images), self.test[target])}


def hits(net: Classifier, images: Tensor, target: int) -> Tensor:
    """Whether the likeliest class is the target, `(B,)` as 0 and 1."""
    with torch.no_grad():
        parts = [net.net(from_model(part)).argmax(1) == target for part in images.split(_CHUNK)]
    return torch.cat(parts).float()


def _features(net: Classifier, images: Tensor) -> Any:
    with torch.no_grad():
        return torch.cat([net.net.features(from_model(part)) for part in images.split(_CHUNK)]).numpy()


class ClassReward:
    """Pays the log-probability of one class; requests ask for no class."""

    def __init__(self, bench: Bench, target: int) -> None:
        self.bench, self.target = bench, target
        self.shape = FlowShape((1, 28, 28), 10)

    def draw(self, n: int, random: np.random.Generator) -> Tensor:
        return torch.full((n,), -1)

    def value(self, label: Tensor | None, images: Tensor) -> Tensor:
        return self.bench.reward.net(from_model(images)).log_softmax(1)[:, self.target, None]

    def score(self, label: Tensor | None, images: Tensor) -> Any:
        with torch.no_grad():
            return self.value(label, images).double().numpy()

    def judge(self, label: Tensor | None, images: Tensor) -> Tensor:
        """The unseen judge's log-probability of the class: in the reward's unit, so that gains compare."""
        return self.bench.judge.net(from_model(images)).log_softmax(1)[:, self.target]


def learner(bench: Bench, source: Any, config: FlowRewardConfig, seed: int) -> FlowReward:
    """A learner that tunes the base."""
    made = FlowReward(source, UnitWeights(("log_probability",)), config, bench.base.model.config, seed)
    made.load_weights({name: t.clone() for name, t in bench.base.tensors().items()})
    return made


def tune(made: FlowReward, queries: int) -> list[dict[str, Any]]:
    """Tune for so many queries; the rows."""
    rows: list[dict[str, Any]] = []
    while made.tuned.queries < queries and not made.finished:
        made.share = made.tuned.queries / queries
        rows.append(made.step())
    return rows


def with_settings(config: FlowRewardConfig, **changed: Any) -> FlowRewardConfig:
    return replace(config, **changed)
