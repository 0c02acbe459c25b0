"""Coloured shapes: a set without any download, drawn from formulas, the same for everybody.

Each shape is a function of the plane that is negative inside and grows about as fast as the distance, so that
its edge is smooth at any side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.folder import finished
from plaudit.domains.image.sets import PictureSet

Floats = NDArray[np.float64]
COUNT = 8_000
_SEED = 20_261
_CHUNK = 500


def _circle(x: Floats, y: Floats) -> Floats:
    return np.hypot(x, y) - 0.9


def _ring(x: Floats, y: Floats) -> Floats:
    return np.abs(np.hypot(x, y) - 0.72) - 0.22


def _square(x: Floats, y: Floats) -> Floats:
    return np.maximum(np.abs(x), np.abs(y)) - 0.78


def _cross(x: Floats, y: Floats) -> Floats:
    a, b = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    return np.maximum(a - 0.95, b - 0.3)


def _polygon(x: Floats, y: Floats, sides: int, inner: float) -> Floats:
    sector = 2 * np.pi / sides
    angle = np.mod(np.arctan2(x, y) + sector / 2, sector) - sector / 2
    return np.hypot(x, y) * np.cos(angle) - inner


def _triangle(x: Floats, y: Floats) -> Floats:
    return _polygon(x, -y, 3, 0.52)


def _star(x: Floats, y: Floats) -> Floats:
    # Each of ten edges runs from a tip at radius 1 to a notch at radius 0.42.
    sector = 2 * np.pi / 5
    angle = np.abs(np.mod(np.arctan2(x, y) + sector / 2, sector) - sector / 2)
    across, along = np.hypot(x, y) * np.sin(angle), np.hypot(x, y) * np.cos(angle)
    notch_x, notch_y = 0.42 * np.sin(sector / 2), 0.42 * np.cos(sector / 2)
    run = np.hypot(notch_x, 1 - notch_y)
    return (across * (1 - notch_y) - (1 - along) * notch_x) / run


def _heart(x: Floats, y: Floats) -> Floats:
    lifted = -y + 0.15 - 0.62 * np.abs(x)
    return np.hypot(0.95 * x, lifted) - 0.72


def _moon(x: Floats, y: Floats) -> Floats:
    return np.maximum(np.hypot(x, y) - 0.92, 0.75 - np.hypot(x - 0.5, y))


SHAPES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "circle": _circle,
    "cross": _cross,
    "heart": _heart,
    "moon": _moon,
    "ring": _ring,
    "square": _square,
    "star": _star,
    "triangle": _triangle,
}


def shapes(side: int | None = None, count: int = COUNT, seed: int = _SEED) -> PictureSet:
    """`count` pictures `(side, side, 3)`, 32 by default: one shape each, of any colour, place and size."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(SHAPES)
    parts = [drawn(labels[at : at + _CHUNK], side or 32, rng) for at in range(0, count, _CHUNK)]
    return finished(np.concatenate(parts), labels.astype(np.int64), tuple(SHAPES), "shapes")


def drawn(labels: NDArray[np.integer], side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures `(n, side, side, 3)` of the shapes `labels (n,)`."""
    n = len(labels)
    radius = rng.uniform(0.22, 0.4, n)[:, None, None]
    centre = 0.5 + rng.uniform(-1, 1, (2, n))[..., None, None] * (0.48 - radius)
    turn = rng.uniform(-0.3, 0.3, n)[:, None, None]
    pixel = (np.arange(side) + 0.5) / side
    dx, dy = (pixel[None, None, :] - centre[0]) / radius, (pixel[None, :, None] - centre[1]) / radius
    x, y = np.cos(turn) * dx + np.sin(turn) * dy, np.cos(turn) * dy - np.sin(turn) * dx
    inside = np.empty((n, side, side))
    for at, shape in enumerate(SHAPES.values()):
        rows = labels == at
        inside[rows] = shape(x[rows], y[rows])
    # One pixel wide: half covered where the edge runs through its middle.
    cover = np.clip(0.5 - inside * radius * side, 0, 1)[..., None]
    ink, ground = _colours(rng, n)
    return np.rint(255 * (cover * ink + (1 - cover) * ground)).astype(np.uint8)


def _colours(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """A bright ink and a pale or dark ground `(n, 1, 1, 3)` in [0, 1]."""
    hue = rng.uniform(0, 1, n)[:, None]
    wheel = np.clip(np.abs((hue + np.array([0, 2 / 3, 1 / 3])) % 1 * 6 - 3) - 1, 0, 1)
    ink = 0.95 * (1 - 0.85 * (1 - wheel))
    shade = np.where(rng.random(n) < 0.5, rng.uniform(0.9, 1, n), rng.uniform(0, 0.12, n))[:, None]
    return ink[:, None, None, :], np.repeat(shade, 3, axis=1)[:, None, None, :]
