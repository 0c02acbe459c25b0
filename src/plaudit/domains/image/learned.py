"""A reward learned from two folders of pictures, good ones and bad ones.

Two classifiers of different architecture learn from disjoint halves (`reward/learned.py`); what is said of
them is measured on a fifth of the pictures that neither saw. Pictures of any size are brought to one side;
a picture that lies in both folders says nothing and is left out of both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.image.augment import SHIFTED, WARPED
from plaudit.domains.image.classifier import Classifier, TrainConfig, train_classifier
from plaudit.domains.image.classifier_file import read_described, write_described
from plaudit.domains.image.data import load_pictures
from plaudit.domains.image.folder import Say
from plaudit.domains.image.pictures import as_tensor
from plaudit.domains.image.sets import PictureSet
from plaudit.errors import InputError
from plaudit.media import cache
from plaudit.reward.learned import (
    PARTS,
    Calibration,
    HeldOut,
    Learned,
    calibrate,
    examine,
    from_parts,
    split_parts,
)

KIND = "picture-reward"
NAMES = ("bad", "good")
REWARD = TrainConfig("strided", features=64, steps=1200, augment=replace(SHIFTED, noise=0.15), seed=0)
JUDGE = TrainConfig("depthwise", features=64, steps=1200, learning_rate=5e-3, augment=WARPED, seed=1)
_ROUNDS, _FEWEST_STEPS = 40, 300
_FEW = 20
"""Different pictures that each folder needs: eight for either net, four to examine them on."""


@dataclass(frozen=True)
class PictureScorer:
    """A classifier of good and bad as a scorer of pictures."""

    classifier: Classifier

    def logits(self, items: Any) -> Tensor:
        """`(B,)` of uint8 `(B, H, W, C)`, or, with gradients, of floats `(B, C, H, W)` in [0, 1]."""
        pictures, config = as_tensor(items), self.classifier.net.config
        wanted = (config.channels, config.side, config.side)
        if tuple(pictures.shape[1:]) != wanted:
            raise InputError(
                f"pictures {tuple(pictures.shape[1:])} came to a learned reward of {wanted}.",
                place="inputs.reward",
                hint="Learn it from pictures of the size and colours that are generated.",
            )
        bad, good = self.classifier.net(pictures).unbind(1)
        return good - bad


@dataclass(frozen=True)
class Examples:
    """Good and bad pictures of one size.

    Attributes:
        pictures: labelled 1 for good.
        part: `(N,)`, an index into `PARTS`.
        both: how many different pictures lay in both folders and were left out.
    """

    pictures: PictureSet
    part: np.ndarray[Any, np.dtype[np.int8]]
    both: int

    def of(self, part: str) -> PictureSet:
        return self.pictures.take(self.part == PARTS.index(part))


def read_examples(good: Path, bad: Path, side: int | None = None, say: Say | None = None) -> Examples:
    """Read two folders (or other sets) of pictures; raises `InputError` where there is nothing to learn."""
    if good.resolve() == bad.resolve():
        raise InputError(f"good and bad are the same: {good}.", place="--bad")
    found = {name: load_pictures(place, side, say) for name, place in (("good", good), ("bad", bad))}
    # Mixed sizes: the smaller of the two sides, so that nothing is made up.
    common = side or min(each.images.shape[1] for each in found.values())
    for name, place in (("good", good), ("bad", bad)):
        if found[name].images.shape[1] != common:
            found[name] = load_pictures(place, common, say)
    channels = max(each.images.shape[3] for each in found.values())
    images = {name: _coloured(each.images, channels) for name, each in found.items()}
    skipped = (*found["good"].skipped, *found["bad"].skipped)
    source = f"{found['good'].source} | {found['bad'].source}"
    made = _examples(images, source, (good, bad))
    return replace(made, pictures=replace(made.pictures, skipped=skipped))


def _examples(images: Mapping[str, Any], source: str, places: tuple[Path, Path]) -> Examples:
    hashes = {name: [hashlib.sha256(one.tobytes()).digest() for one in each] for name, each in images.items()}
    both = set(hashes["good"]) & set(hashes["bad"])
    kept = {name: [i for i, one in enumerate(each) if one not in both] for name, each in hashes.items()}
    for name, place in zip(("good", "bad"), places, strict=True):
        different = len({hashes[name][i] for i in kept[name]})
        if different < _FEW:
            shared = f", {len(both)} more lie in both folders" if both else ""
            raise InputError(
                f"holds {different} different pictures to learn from{shared}.",
                place=str(place),
                hint=f"At least {_FEW} of either kind are needed.",
            )
    labels = np.repeat([1, 0], [len(kept["good"]), len(kept["bad"])]).astype(np.int64)
    every = np.concatenate([images[name][kept[name]] for name in ("good", "bad")])
    digests = [hashes[name][i] for name in ("good", "bad") for i in kept[name]]
    pictures = PictureSet(every, labels, NAMES, np.zeros(len(labels), np.int8), source)
    return Examples(pictures, split_parts(labels, digests), len(both))


def _coloured(images: Any, channels: int) -> Any:
    return images if images.shape[3] == channels else np.repeat(images, channels, axis=3)


def learn_reward(examples: Examples, say: Say | None = None, steps: int | None = None) -> Learned:
    """Train reward and judge and examine both; `steps` bounds the updates of each.

    Whether they tell good from bad at all stands in `held_out`: see `reward.learned.check_told_apart`.
    """
    say = say or cache.to_stderr
    nets, calibration, held_out = {}, {}, {}
    for role, config in (("reward", REWARD), ("judge", JUDGE)):
        own = examples.of(role)
        fitting = max(_FEWEST_STEPS, _ROUNDS * len(own) // config.batch)
        say(f"training the {role} on {len(own):,} pictures")
        limit = min(steps or config.steps, fitting)
        net = train_classifier(_balanced(own), replace(config, steps=limit), {"role": role})
        nets[role] = PictureScorer(net)
        calibration[role], held_out[role] = _examine(nets[role], own, examples.of("held_out"))
    about = {
        "source": examples.pictures.source,
        "digest": examples.pictures.digest,
        "counts": {part: len(examples.of(part)) for part in PARTS},
        "in_both": examples.both,
    }
    return Learned(nets["reward"], nets["judge"], calibration, held_out, about)


def _examine(scorer: PictureScorer, own: PictureSet, held: PictureSet) -> tuple[Calibration, HeldOut]:
    """Calibrate on one half of what was held out and examine on the other, and the other way round.

    What is kept is calibrated on all of it; what is said of it comes from halves that it was not calibrated
    on.
    """
    with torch.no_grad():
        logits = np.concatenate([scorer.logits(held.images[i : i + 500]) for i in range(0, len(held), 500)])
    scores, half = np.empty(len(held)), np.arange(len(held)) % 2
    for side in (0, 1):
        fit = calibrate(logits[half != side], held.labels[half != side])
        scores[half == side] = fit(torch.from_numpy(logits[half == side])).numpy()
    # The order is that of the logits: a calibration that differs between halves must not blur it.
    by_order = examine(1.0 / (1.0 + np.exp(-logits.astype(np.float64))), held.labels)
    return calibrate(logits, held.labels), replace(examine(scores, held.labels), auc=by_order.auc)


def _balanced(pictures: PictureSet) -> PictureSet:
    """The rarer kind repeated, so that both weigh the same."""
    rows = [np.flatnonzero(pictures.labels == label) for label in (0, 1)]
    most = max(len(each) for each in rows)
    return pictures.take(np.concatenate([np.resize(each, most) for each in rows]))


def write_learned(learned: Learned, path: Path) -> None:
    """Write it as one safetensors file with its description inside; raises `ResourceError`."""
    nets = {"reward": _net(learned.reward), "judge": _net(learned.judge)}
    tensors = {f"{role}.{key}": value for role, net in nets.items() for key, value in net.tensors().items()}
    scorers = {role: net.describe() for role, net in nets.items()}
    write_described(tensors, {"kind": KIND, "scorers": scorers, **learned.describe()}, path)


def read_learned(path: Path) -> Learned:
    """Read what `write_learned` wrote; raises only `InputError`."""
    tensors, about = read_described(path)
    if not isinstance(about, Mapping) or about.get("kind") != KIND:
        raise InputError("is no reward learned from pictures.", place=str(path), hint="See plaudit reward.")
    scorers = about.get("scorers")
    if not isinstance(scorers, Mapping) or set(scorers) != {"reward", "judge"}:
        raise InputError("the description of the learned reward is damaged.", place=str(path))
    nets = {}
    for role, description in scorers.items():
        own = {k.removeprefix(f"{role}."): v for k, v in tensors.items() if k.startswith(f"{role}.")}
        nets[role] = PictureScorer(Classifier.from_description(description, own))
    return from_parts(nets, about)


def _net(scorer: Any) -> Classifier:
    assert isinstance(scorer, PictureScorer)
    return scorer.classifier
