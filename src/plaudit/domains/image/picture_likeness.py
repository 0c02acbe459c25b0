"""What a picture is worth beside a set of pictures: terms over the features of the reward's classifier.

Differentiable terms are torch over float `(B, C, H, W)` in [0, 1] and take uint8 pictures too. Distances are
in units of what is usual between training pictures, so that 1 means the same for every set. The other
classifier of the set, the judge, is asked by the twin `judged` alone, which is reported and never optimised.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.image.classifier import Classifier
from plaudit.domains.image.picture_reference import NEIGHBOURS, Reference, reference_of
from plaudit.domains.image.picture_request import fitted_file, labels_of
from plaudit.domains.image.pictures import as_tensor
from plaudit.reward.term import Context, Term

_TINY = 1e-8
_ENDLESS = (-math.inf, 0.0)


def likeness_terms() -> tuple[Term, ...]:
    """Terms over features."""
    pathwise: dict[str, Any] = {"grad": "pathwise"}
    group: dict[str, Any] = {"grad": "pathwise", "scope": "group"}
    return (
        Term(
            "class_probability",
            class_probability,
            "Log-probability of the label asked.",
            _ENDLESS,
            **pathwise,
        ),
        Term(
            "fidelity",
            fidelity,
            "Minus the distance to training pictures; -1 is usual.",
            _ENDLESS,
            **pathwise,
        ),
        Term("novelty", novelty, "Distance to the nearest training picture.", (0.0, math.inf), **pathwise),
        Term("similarity", similarity, "Minus the distance to the example asked.", _ENDLESS, **pathwise),
        Term("diversity", diversity, "Vendi score of its group of pictures.", (1.0, math.inf), **group),
        Term(
            "distinctness", distinctness, "Mean distance to the rest of its group.", (0.0, math.inf), **group
        ),
        Term("judged", judged, "Log-probability of the label by the judge.", _ENDLESS, eval_only=True),
    )


def reference_in(context: Context) -> Reference:
    """The reference of the set that the items are of; the context holds it, or the set's place and side."""
    held = context.cache.get("reference")
    return held if held is not None else reference_of(*context.cache["pictures"])


def class_probability(items: Any, context: Context) -> Tensor:
    """`(B,)`: that of the likeliest class where none is asked; 0 for a set without classes."""
    return _log_probability(items, context, reference_in(context).reward)


def judged(items: Any, context: Context) -> Tensor:
    """`(B,)`: as `class_probability`, by the judge."""
    return _log_probability(items, context, reference_in(context).judge)


def fidelity(items: Any, context: Context) -> Tensor:
    """`(B,)`: minus the mean distance to the nearest training pictures."""
    return -_to_training(items, context, NEIGHBOURS)


def novelty(items: Any, context: Context) -> Tensor:
    """`(B,)`: distance to the nearest of a thousand training pictures."""
    return _to_training(items, context, 1)


def similarity(items: Any, context: Context) -> Tensor:
    """`(B,)`: 0 where no example is asked."""
    found, reference = _features(items, context), reference_in(context)
    scores = []
    for feature, request in zip(found, context.requests, strict=True):
        place = getattr(request, "example", "")
        if not place:
            scores.append(feature.sum() * 0.0)
            continue
        example = as_tensor(fitted_file(place, reference.facts.shape)[None].copy())
        wanted = reference.reward.net.features(example)[0]
        scores.append(-_length(feature - wanted) / reference.unit)
    return torch.stack(scores)


def diversity(items: Any, context: Context) -> Tensor:
    """`(B,)`: the same for all of a group: the effective number of different pictures in it."""
    found, width = _features(items, context), reference_in(context).width
    scores = torch.zeros(len(found))
    for rows in _groups(context, len(found)):
        alike = torch.exp(-0.5 * _squares(found[rows], found[rows]) / width**2)
        # A little on the diagonal keeps the gradient of equal eigenvalues finite.
        shares = torch.linalg.eigvalsh(alike.double() / len(rows) + _TINY * torch.eye(len(rows)))
        shares = shares.clamp(min=_TINY)
        vendi = torch.exp(-(shares * shares.log()).sum()).float().clamp(min=1.0)
        scores = scores.index_put((rows,), vendi.expand(len(rows)))
    return scores


def distinctness(items: Any, context: Context) -> Tensor:
    """`(B,)`: 0 for a picture that is alone in its group."""
    found, unit = _features(items, context), reference_in(context).unit
    scores = torch.zeros(len(found))
    for rows in _groups(context, len(found)):
        if len(rows) > 1:
            far = (_squares(found[rows], found[rows]) + _TINY).sqrt() * (1 - torch.eye(len(rows)))
            scores = scores.index_put((rows,), far.sum(1) / (len(rows) - 1) / unit)
    return scores


def _log_probability(items: Any, context: Context, classifier: Classifier) -> Tensor:
    pictures, reference = as_tensor(items), reference_in(context)
    if not reference.names:
        return pictures.sum((1, 2, 3)) * 0.0
    logits = torch.log_softmax(classifier.net(pictures), 1)
    asked = torch.from_numpy(labels_of(context.requests, reference.names))
    wanted = logits.gather(1, asked.clamp(min=0)[:, None])[:, 0]
    return torch.where(asked < 0, logits.max(1).values, wanted)


def _features(items: Any, context: Context) -> Tensor:
    """Features `(B, d)` of the reward's classifier, taken once a call."""
    key = f"reward features {id(items)}"
    if key not in context.cache:
        context.cache[key] = reference_in(context).reward.net.features(as_tensor(items))
    found: Tensor = context.cache[key]
    return found


def _to_training(items: Any, context: Context, k: int) -> Tensor:
    """The mean distance `(B,)` to the nearest k training pictures."""
    found, reference = _features(items, context), reference_in(context)
    squares = _squares(found, reference.train_tensor)
    nearest = squares.topk(min(k, squares.shape[1]), 1, largest=False).values
    return (nearest + _TINY).sqrt().mean(1) / reference.unit


def _squares(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances `(n, m)`, never below 0."""
    product = a @ b.T
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2.0 * product).clamp(min=0.0)


def _length(x: Tensor) -> Tensor:
    return (x.square().sum(-1) + _TINY).sqrt()


def _groups(context: Context, count: int) -> list[Tensor]:
    """Rows of each group; without groups every picture is alone."""
    ids = np.arange(count) if context.groups is None else context.groups
    return [torch.from_numpy(np.flatnonzero(ids == one)) for one in np.unique(ids)]
