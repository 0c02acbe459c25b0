"""A classifier of small pictures: trained within minutes on one core, stored as tensors and JSON.

Convolutions run in bfloat16 while it learns, about twice as fast as float32 on processors that have it, and
in float32 when it judges. Training stops early by the loss on a tenth of its own split.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from plaudit.domains.image.augment import Augment, augmented
from plaudit.domains.image.features import FeatureNet, Kind, NetConfig, as_input, build_net, restore_net
from plaudit.domains.image.sets import PictureSet
from plaudit.engine.adam import Adam, flatten
from plaudit.engine.precision import half
from plaudit.errors import Diverged, InputError

_CHUNK = 1000
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TrainConfig:
    """How a classifier learns."""

    kind: Kind = "strided"
    features: int = 64
    width: int = 32
    steps: int = 3000
    """Updates at most; the learning rate falls to zero over them as a cosine."""
    batch: int = 128
    learning_rate: float = 2e-3
    smoothing: float = 0.05
    """Share of each label that is spread over all classes."""
    checks: int = 12
    """How often the loss on what is held out is looked at."""
    patience: int = 4
    """Looks without a better loss after which it stops, in the second half of the updates."""
    augment: Augment = field(default_factory=Augment)
    seed: int = 0


class Classifier:
    """A trained net with the names of its classes."""

    def __init__(self, net: FeatureNet, names: tuple[str, ...], about: Mapping[str, Any]) -> None:
        self.net, self.names, self.about = net.eval().requires_grad_(False), names, dict(about)

    def features(self, images: Pixels) -> Floats:
        """`(N, features)` of pictures `(N, H, W, C)`."""
        return self._over(images, self.net.features)

    def logits(self, images: Pixels) -> Floats:
        """`(N, classes)` of pictures `(N, H, W, C)`."""
        return self._over(images, self.net)

    def accuracy(self, images: Pixels, labels: NDArray[np.integer]) -> float:
        """Share of pictures `(N, H, W, C)` whose likeliest class is their label `(N,)`."""
        return float((self.logits(images).argmax(1) == labels).mean())

    def _over(self, images: Pixels, function: Any) -> Floats:
        self.check(images)
        with torch.inference_mode():
            parts = [function(as_input(images[at : at + _CHUNK])) for at in range(0, len(images), _CHUNK)]
        return torch.cat(parts).numpy()

    def check(self, images: Pixels) -> None:
        """Raise `InputError` for pictures of another size than it learned from."""
        config = self.net.config
        wanted = (config.side, config.side, config.channels)
        if images.ndim != 4 or images.shape[1:] != wanted or len(images) == 0:
            raise InputError(f"pictures {images.shape} came to a classifier of (N, {wanted}).")

    def tensors(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.net.state_dict().items()}

    def describe(self) -> dict[str, Any]:
        """All that rebuilds it around its tensors, as JSON."""
        return {
            "kind": "picture-classifier",
            "net": asdict(self.net.config),
            "names": list(self.names),
            "about": self.about,
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Classifier:
        """Rebuild one without running code of the file; raises `InputError` for anything else."""
        if not isinstance(description, Mapping) or description.get("kind") != "picture-classifier":
            raise InputError("the description is not that of a classifier of pictures.")
        net, names, about = (description.get(key) for key in ("net", "names", "about"))
        known = isinstance(net, Mapping) and isinstance(names, list) and isinstance(about, Mapping)
        if not known or not all(isinstance(name, str) for name in names):
            raise InputError("the description of a classifier of pictures is damaged.")
        return cls(restore_net(net, tensors), tuple(names), about)


def train_classifier(
    pictures: PictureSet, config: TrainConfig, about: Mapping[str, Any] | None = None
) -> Classifier:
    """Learn the classes of labelled pictures; raises `InputError` where there are none, `Diverged`.

    The same pictures, config and thread count give the same weights on one processor.
    """
    if not pictures.labelled or len(pictures) < 2:
        raise InputError("a classifier needs pictures of two classes or more.", place=pictures.source)
    order = np.random.default_rng(config.seed).permutation(len(pictures))
    held = order[: max(1, len(order) // 10)]
    learned = order[len(held) :]
    net = build_net(_net_config(pictures, config), config.seed)
    _measure(net, pictures.images[learned])
    # Dropout draws from the global generator, which is lent and given back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        steps = _learn(net, pictures.take(learned), pictures.take(held), config)
    return Classifier(net, pictures.names, {**(about or {}), "updates": steps, "pictures": len(pictures)})


def _net_config(pictures: PictureSet, config: TrainConfig) -> NetConfig:
    side, _, channels = pictures.images.shape[1:]
    return NetConfig(config.kind, side, channels, len(pictures.names), config.features, config.width)


def _measure(net: FeatureNet, images: Pixels) -> None:
    """Set what the net takes off its pictures and divides them by."""
    sample = as_input(images[:5000])
    net.mean.copy_(sample.mean((0, 2, 3), keepdim=True))
    net.scale.copy_(sample.std((0, 2, 3), keepdim=True).clamp_min(0.05))


def _learn(net: FeatureNet, learned: PictureSet, held: PictureSet, config: TrainConfig) -> int:
    """Train in place, leave the best weights, return the number of updates."""
    params, grads = flatten(net)
    adam = Adam(params)
    batches = _batches(learned, config)
    every = max(1, config.steps // config.checks)
    best, best_state, since = math.inf, copy.deepcopy(net.state_dict()), 0
    for step in range(1, config.steps + 1):
        grads.zero_()
        _loss(net.train(), *next(batches), config.smoothing).backward()
        adam.step(grads, config.learning_rate * _schedule(step / config.steps))
        if step % every and step < config.steps:
            continue
        loss = _held_loss(net, held)
        if not math.isfinite(loss):
            raise Diverged(f"the classifier's loss is {loss} after {step} updates.")
        since += 1
        if loss < best:
            best, best_state, since = loss, copy.deepcopy(net.state_dict()), 0
        # While the learning rate is high the loss goes up and down by itself.
        if since >= config.patience and step >= config.steps // 2:
            break
    net.load_state_dict(best_state)
    return step


def _schedule(share: float) -> float:
    """A short rise, then half a cosine."""
    return min(1.0, share / 0.05) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def _loss(net: FeatureNet, pictures: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    with half("cpu", True):
        logits = net(pictures)
    return F.cross_entropy(logits, labels, label_smoothing=smoothing)


def _held_loss(net: FeatureNet, held: PictureSet) -> float:
    net.eval()
    total = 0.0
    with torch.no_grad():
        for at in range(0, len(held), _CHUNK):
            labels = torch.from_numpy(held.labels[at : at + _CHUNK])
            logits = net(as_input(held.images[at : at + _CHUNK]))
            total += float(F.cross_entropy(logits, labels, reduction="sum"))
    return total / len(held)


def _batches(pictures: PictureSet, config: TrainConfig) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented batches without end; every picture once before any comes again."""
    rng = np.random.default_rng(config.seed)
    changes = torch.Generator().manual_seed(config.seed)
    queue = np.empty(0, np.int64)
    while True:
        while len(queue) < config.batch:
            queue = np.concatenate([queue, rng.permutation(len(pictures))])
        at, queue = queue[: config.batch], queue[config.batch :]
        labels = torch.from_numpy(pictures.labels[at])
        yield augmented(as_input(pictures.images[at]), config.augment, changes), labels
