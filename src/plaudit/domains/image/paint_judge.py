"""The judge of paintings: plain NumPy from the strokes alone, sharing no code with terms or kernels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.paint_request import target_of, tolerance_of
from plaudit.domains.image.paint_strokes import Drawing, Stroke
from plaudit.task import Item

EXPLAINED = 0.75
"""A painting is good when it takes away this share of the blank canvas' error."""
_PIECES = 8


def judge_paintings(items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """Figures `(n,)`; quality: enough of the picture is there; diversity: unlike every drawing before."""
    rows: list[dict[str, float]] = []
    seen: set[Drawing] = set()
    for item in items:
        if item.request.label is not None:
            rows.append(_judge_free(item, item.content not in seen))
            seen.add(item.content)
            continue
        target = target_of(item.request) / 255.0
        canvas = plain_raster(item.content)
        off, blank = float(((canvas - target) ** 2).mean()), float((target**2).mean())
        figures = {"error": off, "ink": float(canvas.mean()), "strokes": float(len(item.content.strokes))}
        asked = item.request.target.items()
        met = all(abs(figures[name] - value) <= tolerance_of(item, name) for name, value in asked)
        rows.append(
            {
                "quality": float(off <= (1.0 - EXPLAINED) * blank),
                "control": float(met),
                "diversity": float(item.content not in seen),
                "explained": 1.0 - off / max(blank, 1e-9),
                **figures,
            }
        )
        seen.add(item.content)
    # Copies and free drawings side by side have not all figures in common.
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def _judge_free(item: Item, fresh: bool) -> dict[str, float]:
    """Figures of a drawing without a picture: good when the judge's classifier reads its class."""
    from plaudit.domains.image.paint_freehand import recognised

    canvas = plain_raster(item.content)
    read = recognised(item, canvas)
    return {
        "quality": read,
        "control": read,
        "diversity": float(fresh),
        "ink": float(canvas.mean()),
        "strokes": float(len(item.content.strokes)),
    }


def plain_raster(drawing: Drawing) -> NDArray[np.float64]:
    """The picture `(H, W)` in [0, 1], by the definition and in whole arrays."""
    y, x = np.mgrid[: drawing.size, : drawing.size] + 0.5
    canvas = np.zeros((drawing.size, drawing.size))
    for stroke in drawing.strokes:
        corners = _corners(stroke)
        distance = np.full(canvas.shape, np.inf)
        for (ax, ay), (bx, by) in pairwise(corners):
            length = (bx - ax) ** 2 + (by - ay) ** 2
            along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / (length if length > 0 else 1.0)
            along = np.clip(along, 0.0, 1.0)
            there = np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay))
            distance = np.minimum(distance, there)
        ink = stroke.ink * np.clip(0.5 + stroke.width / 2 - distance, 0.0, 1.0)
        canvas = np.minimum(canvas, 1.0 - ink) if stroke.erase else np.maximum(canvas, ink)
    return np.rint(canvas * 255.0) / 255.0


def _corners(stroke: Stroke) -> list[tuple[float, float]]:
    """Corners of the pieces of a stroke, a curve by de Casteljau."""
    points = list(stroke.points)
    if stroke.kind == "line":
        return points if len(points) > 1 else points * 2
    out = []
    for k in range(_PIECES + 1):
        t, level = k / _PIECES, points
        while len(level) > 1:
            level = [((1 - t) * a[0] + t * b[0], (1 - t) * a[1] + t * b[1]) for a, b in pairwise(level)]
        out.append(level[0])
    return out
