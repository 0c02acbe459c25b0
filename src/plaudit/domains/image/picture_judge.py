"""The judge of pictures: a classifier that no reward asks, and plain NumPy; no code of any term.

Quality: the judge sees the class that was asked, and the picture is no farther from real ones, in the judge's
features, than 95 % of other real ones are. The real ones are of the test split.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plaudit.domains.image.picture_reference import Reference
from plaudit.domains.image.picture_request import (
    PictureRequest,
    fitted_file,
    kept_of,
    labels_of,
    tolerance_of,
)
from plaudit.errors import InputError
from plaudit.measure.neighbours import distance_blocks
from plaudit.task import Item

Figures = dict[str, NDArray[np.float64]]
Pixels = NDArray[np.uint8]


def judge_pictures(items: Sequence[Item], reference: Reference) -> Figures:
    """Figures `(n,)`, beside the contract's: `class_seen` (NaN where none was asked) and `away`, the distance
    to real pictures with 1 = what 95 % of real ones keep."""
    if not items:
        return {}
    images = np.stack([item.content for item in items])
    requests = [item.request for item in items]
    features = reference.judge.features(images)
    asked = labels_of(requests, reference.names)
    seen = reference.judge.logits(images).argmax(1) == asked
    away = reference.away(features) / reference.usual
    figures = statistics_of(images)
    good = (away <= 1.0) & (seen | (asked < 0))
    met = [
        (bool(right) or want < 0) and _targets_met(request, figures, row) and _kept(item)
        for row, (item, request, right, want) in enumerate(zip(items, requests, seen, asked, strict=True))
    ]
    return {
        "quality": good.astype(np.float64),
        "control": np.array(met, np.float64),
        "diversity": _fresh(features, reference.twin),
        "class_seen": np.where(asked < 0, np.nan, seen.astype(np.float64)),
        "away": away,
        **figures,
    }


def _targets_met(request: PictureRequest, figures: Figures, row: int) -> bool:
    return all(
        abs(figures[name][row] - wanted) <= tolerance_of(request, name) + 1e-9
        for name, wanted in request.target.items()
    )


def _kept(item: Item) -> bool:
    """Whether what was to stay is there; a start whose file has gone cannot be compared with."""
    request = item.request
    if not request.start or not request.locks:
        return True
    try:
        kept = kept_of(request, item.content.shape)
        start = fitted_file(request.start, item.content.shape)
    except InputError:
        return True
    return kept is None or bool((item.content[kept] == start[kept]).all())


def _fresh(features: NDArray[np.float32], twin: float) -> NDArray[np.float64]:
    """1 for a picture that no earlier one of the batch is as near to as twins are."""
    found = np.concatenate([part for _, part in distance_blocks(features, features)])
    earlier = np.tril(np.ones(found.shape, bool), -1)
    return 1.0 - ((found <= twin) & earlier).any(1).astype(np.float64)


def statistics_of(images: Pixels) -> Figures:
    """What targets may name, of pictures `(n, H, W, C)`."""
    x = images.astype(np.float64) / 255
    grey = np.pad(x.mean(3), ((0, 0), (1, 1), (1, 1)), "edge")
    middle = grey[:, 1:-1, 1:-1]
    edges = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * middle
    mirrored = np.abs(x - x[:, :, ::-1]).sum((1, 2, 3))
    return {
        "ink": x.mean((1, 2, 3)),
        "contrast": 2 * x.std((1, 2, 3)),
        "symmetry": 1 - mirrored / np.maximum(2 * x.sum((1, 2, 3)), 1e-9),
        "colourfulness": np.array([_colours(one) for one in x]),
        "sharpness": edges.reshape(len(x), -1).var(1),
        "jpeg_kb": np.array([_jpeg_kb(one) for one in images]),
    }


def _colours(one: NDArray[np.float64]) -> float:
    """Hasler and Suesstrunk (2003), of one picture `(H, W, C)`."""
    if one.shape[2] == 1:
        return 0.0
    rg = one[..., 0] - one[..., 1]
    yb = (one[..., 0] + one[..., 1]) / 2 - one[..., 2]
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def _jpeg_kb(one: Pixels) -> float:
    stream = io.BytesIO()
    Image.fromarray(one[..., 0] if one.shape[2] == 1 else one).save(stream, "JPEG", quality=95)
    return len(stream.getvalue()) / 1000
