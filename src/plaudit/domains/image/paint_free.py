"""Drawing without a picture to copy: a class and noise to strokes, as a world that has gradients.

What is drawn shall be like what people draw, and be taken for its class. `unlike` is the Chamfer distance of
a batch's drawings of a class and as many real pictures of it: how far each drawing is from the nearest real
one, and each real one from the nearest drawing. The second half is implicit maximum likelihood (Li and
Malik, 2018), under which no kind of picture is forgotten; and as drawings are strokes, none can be a blur of
several. `legible` is the logarithm of the probability that the reward's classifier gives the class; the
judge's is never asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional

from plaudit.domains.image.classifier import Classifier
from plaudit.domains.image.paint_bezier import action_space, strokes_of
from plaudit.domains.image.paint_gradient import lay
from plaudit.domains.image.sets import PictureSet

NOISE = 16
"""Numbers of chance that a drawing begins with."""
GROUPS = 4
"""Classes of one batch: as many drawings of each are compared with as many real pictures."""
LOWEST = -10.0
"""Of the class's logarithm of probability: beyond it nothing more is lost."""


@dataclass(frozen=True)
class Blank:
    """Drawings under way: labels `(B,)`, what is seen `(B, O)`, real pictures and canvas `(B, H, W)`."""

    label: Tensor
    seen: Tensor
    real: Tensor
    canvas: Tensor
    softness: float


def seen_space(classes: int) -> spaces.Box:
    """What a policy sees: the class as one-hot, and noise."""
    return spaces.Box(-8.0, 8.0, (classes + NOISE,), np.float32)


def seen(label: Tensor, noise: Tensor, classes: int) -> Tensor:
    """Observations `(B, classes + NOISE)` of labels `(B,)` and noise `(B, NOISE)`."""
    return torch.cat([functional.one_hot(label, classes).float(), noise], 1)


class FreeWorld:
    """Free drawing as a `plaudit.engine.pathwise.World`: one action of all the strokes."""

    steps = 1

    def __init__(
        self, pictures: PictureSet, classifier: Classifier, strokes: int, weighing: Any, softness: float
    ) -> None:
        self.classifier, self.weighing, self.softness = classifier, weighing, softness
        self.term_names = tuple(weighing.names)
        self.size, self.classes = pictures.images.shape[1], len(pictures.names)
        self.images = pictures.images[..., 0]
        self.members = [np.flatnonzero(pictures.labels == label) for label in range(self.classes)]
        self.observation_space = seen_space(self.classes)
        self.action_space = action_space(strokes)

    def begin(self, rows: int, random: np.random.Generator, share: float) -> Blank:
        """Draw classes, noise, and as many real pictures."""
        groups = min(GROUPS, self.classes)
        chosen = random.permutation(self.classes)[:groups]
        label = np.repeat(chosen, rows // groups)
        at = np.concatenate([random.choice(self.members[c], rows // groups) for c in chosen])
        real = torch.from_numpy(self.images[at]).float() / 255.0
        noise = torch.from_numpy(random.standard_normal((len(label), NOISE)).astype(np.float32))
        labels = torch.from_numpy(label)
        softness = 1.0 + (self.softness - 1.0) * max(0.0, 1.0 - 2.0 * share)
        view = seen(labels, noise.clamp(-8.0, 8.0), self.classes)
        return Blank(labels, view, real, torch.zeros_like(real), softness)

    def observe(self, state: Blank) -> Tensor:
        return state.seen

    def act(self, state: Blank, action: Tensor) -> Blank:
        canvas = lay(state.canvas, strokes_of(action, self.size), state.softness)
        return Blank(state.label, state.seen, state.real, canvas, state.softness)

    def score(self, state: Blank) -> Tensor:
        """Terms `(B, K)` in the order of `term_names`, more is better."""
        groups = min(GROUPS, self.classes)
        drawn, real = (looks(x).unflatten(0, (groups, -1)) for x in (state.canvas, state.real))
        unlike = chamfer(drawn, real).flatten()
        logits = self.classifier.net(state.canvas[:, None])
        known = logits.log_softmax(1).gather(1, state.label[:, None]).squeeze(1).clamp(min=LOWEST)
        values = {"unlike": -unlike, "legible": known}
        return torch.stack([values[name] for name in self.term_names], 1)


def looks(canvas: Tensor) -> Tensor:
    """Canvases `(B, H, W)` as vectors `(B, D)`, whose squared distance is a mean squared difference.

    Half of it is that of the pixels, half that of blocks of 4 x 4, which lines a little beside each other
    have in common.
    """
    coarse = functional.avg_pool2d(canvas[:, None], 4, ceil_mode=True)
    parts = [x.flatten(1) / (2.0 * x[0].numel()) ** 0.5 for x in (canvas, 2.0 * coarse)]
    return torch.cat(parts, 1)


def chamfer(drawn: Tensor, real: Tensor) -> Tensor:
    """Shares `(G, n)` of the drawings in the Chamfer distances of `drawn (G, n, D)` and `real (G, m, D)`.

    Their mean over n is the mean of both directions. Which is nearest to which is held fixed.
    """
    apart = drawn.square().sum(2)[:, :, None] + real.square().sum(2)[:, None] - 2.0 * drawn @ real.mT
    apart = apart.clamp(min=0.0)
    nearest = apart.amin(2)
    # Each real picture pulls at the drawing that comes nearest to it.
    pulled = functional.one_hot(apart.argmin(1), drawn.shape[1]).mT
    share = (apart * pulled).sum(2) * (drawn.shape[1] / real.shape[1])
    return 0.5 * (nearest + share)
