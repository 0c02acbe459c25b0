"""Two classifiers for a set of pictures: one may be a reward, the other only judges.

They differ in architecture, in augmentation and in the pictures that they saw: the reward's learned from the
train split, the judge from the validation split. A set without classes gets the four quarter turns as classes
(Gidaris et al., 2018, arXiv 1803.07728): the features are then of use, the classes are not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.augment import SHIFTED, WARPED
from plaudit.domains.image.classifier import Classifier, TrainConfig, train_classifier
from plaudit.domains.image.classifier_file import read_classifier, write_classifier
from plaudit.domains.image.sets import PictureSet
from plaudit.errors import InputError, ResourceError
from plaudit.media import cache

VERSION = "judges 1"
"""Of the cache: raised whenever nets or their training change."""
TURNS = ("0", "90", "180", "270")
REWARD = TrainConfig("strided", features=64, steps=2000, augment=SHIFTED, seed=0)
JUDGE = TrainConfig("depthwise", features=96, steps=2000, learning_rate=5e-3, augment=WARPED, seed=1)
_ROUNDS, _FEWEST_STEPS = 40, 800
"""How often every picture is seen at most, unless that makes fewer updates than the second."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Judges:
    """The two classifiers of one set.

    Attributes:
        reward: learned from the train split; a reward may ask it.
        judge: learned from the validation split; no reward ever asks it.
        classes: whether their classes are the set's own, and not quarter turns.
    """

    reward: Classifier
    judge: Classifier
    classes: bool
    _seen: dict[tuple[str, str], NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def features(self, pictures: PictureSet, split: str) -> NDArray[np.float32]:
        """The judge's features `(n, d)` of a split, taken once."""
        key = (pictures.digest, split)
        if key not in self._seen:
            self._seen[key] = self.judge.features(pictures.part(split).images)
        return self._seen[key]


def judges_of(pictures: PictureSet, say: Say | None = None, steps: int | None = None) -> Judges:
    """The judges of a set, from the cache where they lie there; trained within minutes otherwise.

    `steps` bounds the updates of each. Raises `InputError` where a split has too few pictures.
    """
    say = say or cache.to_stderr
    known = pictures if pictures.labelled else turned(pictures)
    found = []
    for role, split, config in (("reward", "train", REWARD), ("judge", "validation", JUDGE)):
        most = steps or config.steps
        part = known.part(split)
        fitting = max(_FEWEST_STEPS, _ROUNDS * len(part) // config.batch)
        own = replace(config, steps=min(most, fitting))
        found.append(_kept_or_trained(known, part, own, {"role": role, "split": split}, say))
    return Judges(found[0], found[1], pictures.labelled)


def turned(pictures: PictureSet) -> PictureSet:
    """Every picture in its four quarter turns, which are its classes."""
    images = np.concatenate([np.rot90(pictures.images, turn, axes=(1, 2)) for turn in range(4)])
    labels = np.repeat(np.arange(4), len(pictures))
    split = np.tile(pictures.split, 4)
    return PictureSet(np.ascontiguousarray(images), labels, TURNS, split, pictures.source)


def _kept_or_trained(
    known: PictureSet, part: PictureSet, config: TrainConfig, about: dict[str, str], say: Say
) -> Classifier:
    path = _place(known, config, about["role"])
    try:
        return read_classifier(path)
    except InputError:
        # Not there, or damaged: made anew.
        pass
    say(f"training the {about['role']} classifier of {known.source} on {len(part):,} pictures")
    made = train_classifier(part, config, {**about, "source": known.source, "digest": known.digest})
    try:
        write_classifier(made, path)
    except ResourceError as error:
        say(f"not kept: {error}")
    return made


def _place(known: PictureSet, config: TrainConfig, role: str) -> Path:
    key = hashlib.sha256(f"{VERSION} {role} {known.digest} {asdict(config)}".encode()).hexdigest()
    return cache.folder("image") / "judges" / f"{key[:24]}.safetensors"
