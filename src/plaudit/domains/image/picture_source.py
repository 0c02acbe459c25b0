"""Where pictures to learn from come from, and what drawn ones are worth.

Generators see `(n, C, H, W)` in [-1, 1]; terms see uint8 `(B, H, W, C)`, those with a gradient in pathwise
tuning float `(B, C, H, W)` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.image.learned_terms import KEY
from plaudit.domains.image.picture_reference import Facts, facts_about
from plaudit.domains.image.pictures import as_pixels, from_model
from plaudit.domains.image.sets import PictureSet
from plaudit.engine.flow.model import FlowShape
from plaudit.errors import Diverged, InputError
from plaudit.reward.compose import Composition
from plaudit.reward.learned import Learned
from plaudit.reward.term import Context
from plaudit.runs.recipe import RewardEntry
from plaudit.task import Request

PATIENCE = 4
"""Batches at the beginning after which a reward that says the same of all of them is an error."""


def shape_of(facts: Facts, classes: bool = True) -> FlowShape:
    """What a generator of a set makes."""
    height, width, channels = facts.shape
    return FlowShape((channels, height, width), facts.classes if classes else 0)


class PictureSource:
    """The train split of a set to learn from, its validation split to look at.

    Attributes:
        shape: of the pictures, and the number of classes.
        mirror: whether half of the pictures are drawn mirrored.
    """

    def __init__(self, pictures: PictureSet, classes: bool = True, mirror: bool = False) -> None:
        self.shape = shape_of(facts_about(pictures), classes)
        self.mirror = mirror
        self._train, self._held = pictures.part("train"), pictures.part("validation")

    def batch(self, n: int, random: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """n pictures `(n, C, H, W)` in [-1, 1] with replacement, and classes `(n,)` where there are some."""
        images, labels = self._shown(self._train, self._chosen(n, random))
        if self.mirror:
            turned = torch.from_numpy(random.random(n) < 0.5).view(-1, 1, 1, 1)
            images = torch.where(turned, images.flip(3), images)
        return images, labels

    def _chosen(self, n: int, random: np.random.Generator) -> NDArray[np.int64]:
        """Places `(n,)` in the train split."""
        return random.integers(0, len(self._train), n)

    def validation(self, n: int) -> tuple[Tensor, Tensor | None]:
        """The first n pictures of the validation split."""
        return self._shown(self._held, np.arange(min(n, len(self._held))))

    def _shown(self, part: PictureSet, at: NDArray[np.integer]) -> tuple[Tensor, Tensor | None]:
        pixels = torch.from_numpy(np.ascontiguousarray(part.images[at].transpose(0, 3, 1, 2)))
        labels = torch.from_numpy(part.labels[at]) if self.shape.classes else None
        return pixels.float() / 127.5 - 1.0, labels


class PictureReward:
    """What drawn pictures are worth by a composition, and which classes are asked for.

    Attributes:
        weighing: the composition.
        shape: of the pictures, and the number of classes.
    """

    asks: ClassVar[str] = "label"
    """Field of a request that names a class."""

    def __init__(
        self,
        composition: Composition,
        entries: Sequence[RewardEntry],
        facts: Facts,
        given: Request,
        classes: bool = True,
        **cache: Any,
    ) -> None:
        """`cache` is what every context holds: `reference`, or `pictures` = place and side."""
        self.weighing, self.entries, self.facts, self.given = composition, tuple(entries), facts, given
        self.shape, self._cache = shape_of(facts, classes), cache
        self._drawn, self._same, self._calls = 1, 0, 0
        self._first: NDArray[np.float64] | None = None
        for at, entry in enumerate(self.entries):
            if entry.normalise:
                raise InputError(
                    "columns of pictures are not normalised.",
                    place=f"reward[{at}]",
                    hint="Set learner.normalise_then_sum, which compares within groups.",
                )

    def draw(self, n: int, random: np.random.Generator) -> Tensor | None:
        """Classes `(n,)` of n requests: the one that is asked, or any; None where there are none."""
        self._drawn = n
        if not self.shape.classes:
            return None
        named = getattr(self.given, self.asks)
        if named:
            asked = self.facts.names.index(named) if named in self.facts.names else -1
            return torch.full((n,), asked)
        # Every class as often as the others, as far as n allows.
        order = random.permutation(self.shape.classes)
        return torch.from_numpy(np.resize(order, n).astype(np.int64))

    def score(self, label: Tensor | None, images: Tensor) -> NDArray[np.float64]:
        """Columns `(B, K)` for `images (B, C, H, W)` in [-1, 1]; NaN = could not be scored.

        Raises `InputError` for a reward that scores nothing, or says the same of everything.
        """
        context = self._context(label, len(images))
        columns = self.weighing.score(as_pixels(from_model(images)), context)
        self._check(columns)
        return columns

    def value(self, label: Tensor | None, images: Tensor) -> Tensor:
        """The same columns `(B, K)`, differentiable; raises `InputError` for a term without gradient."""
        context = self._context(label, len(images))
        items = from_model(images)
        terms = {term.name: term for term in self.weighing.terms}
        found = []
        for at, entry in enumerate(self.entries):
            term = terms[entry.term]
            if term.grad != "pathwise" or entry.threshold is not None or entry.product:
                raise InputError(
                    f'"{entry.term}" has no gradient as it is used here.',
                    place=f"reward[{at}]",
                    hint="Plain weights and targets of differentiable terms have one; learner.method = "
                    '"grpo" takes any reward.',
                )
            raw = term.score(items, context)
            if raw.shape != (len(images),):
                raise InputError(
                    f'the term "{term.name}" returned {tuple(raw.shape)} for {len(images)} pictures.',
                    place=f"reward[{at}]",
                )
            found.append(_shaped(raw, entry, term.direction == "minimize"))
        columns = torch.stack(found, 1)
        if bool(columns.isinf().any()):
            raise Diverged("the composed reward of a picture is infinite.")
        self._check(columns.detach().double().numpy())
        return columns

    def _context(self, label: Tensor | None, rows: int) -> Context:
        asked = np.full(rows, -1) if label is None else label.cpu().numpy()
        own = {
            int(k): self.given.model_copy(update={self.asks: self.facts.names[int(k)]})
            for k in np.unique(asked)
            if k >= 0
        }
        requests = [own.get(int(k), self.given) for k in asked]
        groups = np.repeat(np.arange(self._drawn), max(1, rows // self._drawn))
        return Context(
            requests=requests, groups=groups if len(groups) == rows else None, cache=dict(self._cache)
        )

    def _check(self, columns: NDArray[np.float64]) -> None:
        """Refuse a reward from which nothing can be learned; a single picture without a score is masked."""
        known = columns[~np.isnan(columns).any(1)]
        if not len(known):
            raise InputError(
                f"the reward {list(self.weighing.names)} could score none of {len(columns)} pictures.",
                place="reward",
                hint="A term that gives NaN leaves a picture out; this one leaves out all.",
            )
        self._first = known[0] if self._first is None else self._first
        self._calls += 1
        self._same += bool(np.abs(known - self._first).max() < 1e-12)
        if self._calls == self._same == PATIENCE:
            raise InputError(
                f"the reward {list(self.weighing.names)} is the same, {known[0].tolist()}, for all pictures "
                f"of the first {PATIENCE} batches: nothing can be learned from it.",
                place="reward",
            )


class JudgedPictureReward(PictureReward):
    """A reward with a judge that is never optimised: the twin of one learned from two folders."""

    def judge(self, label: Tensor | None, images: Tensor) -> Tensor:
        """What the judge says `(B,)` of `images (B, C, H, W)` in [-1, 1]."""
        learned: Learned = self._cache[KEY]
        return learned.judged(from_model(images))


def _shaped(raw: Tensor, entry: RewardEntry, minimize: bool) -> Tensor:
    """What `plaudit.reward.shape` does to a column, differentiable."""
    if entry.target is not None:
        return -((raw - entry.target).abs() - entry.tolerance).clamp(min=0.0)
    return -raw if minimize else raw
