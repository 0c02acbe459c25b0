"""Free drawings: from a policy to items, the terms that score them, and who judges them.

The class comes from the request's `label`, chance from the item's seed. Terms ask the reward's classifier of
the set at `picture` (scikit-learn's digits where it is empty), the judge asks the other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.image.data import load_pictures
from plaudit.domains.image.judges import Judges, judges_of
from plaudit.domains.image.paint_bezier import NUMBERS, stroke_objects, strokes_of
from plaudit.domains.image.paint_free import LOWEST, NOISE, looks, seen
from plaudit.domains.image.paint_request import PaintRequest
from plaudit.domains.image.paint_strokes import Drawing, Pixels, tidy
from plaudit.domains.image.sets import PictureSet
from plaudit.engine.learner import Policy
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError
from plaudit.reward.term import Context, Scores, Term
from plaudit.task import Item

DEFAULT = "digits"
"""The set where the request names none."""
REAL = 1000
"""Real pictures of a class that a drawing is compared with at most."""
_ROWS = 64


@lru_cache(maxsize=2)
def known_set(place: str, size: int) -> tuple[PictureSet, Judges]:
    """A labelled set of grey pictures of one size with its classifiers; raises `InputError`."""
    pictures = load_pictures(place or DEFAULT, size)
    if not pictures.labelled or pictures.images.shape[-1] != 1:
        raise InputError("free drawing takes grey pictures with classes.", place=place or DEFAULT)
    return pictures, judges_of(pictures)


def is_free(policy: Policy) -> bool:
    """Whether a policy draws from a class and noise, and not from a picture."""
    return len(policy.describe()["observation_space"]["shape"]) == 1 and _bundle(policy) > 0


def _bundle(policy: Policy) -> int:
    """Strokes of an action; 0 where actions are moves."""
    about = policy.describe()["action_space"]
    return int(about["shape"][0]) // NUMBERS if about.get("shape") else 0


def draw_freely(policy: Policy, pairs: Sequence[tuple[PaintRequest, int]]) -> Iterator[Item]:
    """Yield a drawing for each request and seed; raises `Infeasible` for a class the policy does not know."""
    classes = int(policy.describe()["observation_space"]["shape"][0]) - NOISE
    for start in range(0, len(pairs), _ROWS):
        some = pairs[start : start + _ROWS]
        # Rows without an item repeat the last one: with a fixed number an item does not depend on others.
        at = np.minimum(np.arange(_ROWS), len(some) - 1)
        labels, noise = zip(*(_start(*some[i], classes) for i in at), strict=True)
        obs = seen(torch.tensor(labels), torch.from_numpy(np.stack(noise)), classes)
        action = policy.act(obs)[0].numpy()
        for row, (request, seed) in enumerate(some):
            if request.refine:
                raise InputError("a free drawing has no picture to be refined towards.", place="refine")
            strokes = stroke_objects(strokes_of(action[row : row + 1], request.size)[0])
            chosen = tuple(map(tidy, strokes[: request.strokes or len(strokes)]))
            full = request.model_copy(update={"label": labels[row], "index": None, "target": {}})
            yield Item(Drawing(request.size, chosen), full, int(seed), {"evaluations": 1})


def _start(request: PaintRequest, seed: int, classes: int) -> tuple[int, NDArray[np.float32]]:
    """The class and the noise of one drawing."""
    random = RowRandom([seed])
    noise = random.normal(NOISE)[0].astype(np.float32)
    drawn = int(random.integers(0, classes)[0])
    label = drawn if request.label is None else request.label
    if not label < classes:
        raise Infeasible(f"this policy knows {classes} classes; label={label}: the nearest is {classes - 1}.")
    return label, noise


def free_terms() -> tuple[Term, ...]:
    """The terms of free drawings; NaN for paintings that copy a picture."""
    return (
        Term("unlike", unlike, "Squared distance from the nearest real picture of the class.", (0, 4),
             "minimize", grad="pathwise"),
        Term("legible", legible, "Logarithm of the class's probability.", (LOWEST, 0), grad="pathwise"),
    )  # fmt: skip


def unlike(rasters: Pixels, context: Context) -> Scores:
    found = np.full(len(rasters), np.nan)
    for row, request in _free_rows(context):
        pictures = known_set(request.picture, request.size)[0].part("train")
        real = pictures.images[pictures.labels == request.label][:REAL, ..., 0]
        apart = looks(_canvas(rasters[row : row + 1])) - looks(_canvas(real))
        found[row] = float(apart.square().sum(1).min())
    return found


def legible(rasters: Pixels, context: Context) -> Scores:
    found = np.full(len(rasters), np.nan)
    for row, request in _free_rows(context):
        logits = known_set(request.picture, request.size)[1].reward.logits(rasters[row : row + 1, ..., None])
        known = torch.from_numpy(logits).log_softmax(1)[0, request.label]
        found[row] = max(LOWEST, float(known))
    return found


def _canvas(rasters: Pixels) -> torch.Tensor:
    return torch.from_numpy(rasters).float() / 255.0


def _free_rows(context: Context) -> Iterator[tuple[int, Any]]:
    for row in range(len(context.requests)):
        request = context.requests[row]
        if request.label is not None:
            yield row, request


def recognised(item: Item, raster: NDArray[np.float64]) -> float:
    """1 where the judge's classifier takes a free drawing `(H, W)` in [0, 1] for its class."""
    request = item.request
    judge = known_set(request.picture, request.size)[1].judge
    bytes_ = np.rint(raster * 255.0).astype(np.uint8)
    return float(judge.logits(bytes_[None, ..., None])[0].argmax() == request.label)
