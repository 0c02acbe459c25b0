"""What is painted: pictures drawn by our own code, a file, or one of a folder of idx files.

The built-in ones are digits and signs of a few bent strokes, each from a number: never two alike, no data
needed, and their strokes are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plaudit.domains.image.data import PictureSet, idx_folder
from plaudit.domains.image.paint_strokes import Drawing, Pixels, Stroke, tidy
from plaudit.errors import InputError
from plaudit.media.png import read_png

Shape = tuple[tuple[tuple[float, float], ...], ...]
"""Strokes of three control points each, in a box from (0, 0) to (1, 1)."""
DIGIT_SHAPES: tuple[Shape, ...] = (
    (((0.5, 0.0), (0.0, 0.05), (0.05, 0.5)), ((0.05, 0.5), (0.0, 0.95), (0.45, 1.0)),
     ((0.45, 1.0), (1.0, 0.95), (0.95, 0.5)), ((0.95, 0.5), (1.0, 0.05), (0.5, 0.0))),
    (((0.5, 0.0), (0.5, 0.5), (0.5, 1.0)),),
    (((0.1, 0.25), (0.4, -0.2), (0.75, 0.15)), ((0.75, 0.15), (0.95, 0.5), (0.1, 1.0)),
     ((0.1, 1.0), (0.5, 0.85), (0.95, 0.95))),
    (((0.15, 0.1), (0.9, -0.15), (0.8, 0.25)), ((0.8, 0.25), (0.7, 0.45), (0.35, 0.48)),
     ((0.35, 0.48), (1.0, 0.5), (0.85, 0.8)), ((0.85, 0.8), (0.6, 1.1), (0.1, 0.9))),
    (((0.3, 0.0), (0.15, 0.3), (0.1, 0.55)), ((0.1, 0.55), (0.5, 0.6), (0.95, 0.5)),
     ((0.75, 0.1), (0.7, 0.5), (0.65, 1.0))),
    (((0.9, 0.02), (0.5, 0.05), (0.25, 0.05)), ((0.25, 0.05), (0.2, 0.2), (0.15, 0.45)),
     ((0.15, 0.45), (0.9, 0.3), (0.9, 0.65)), ((0.9, 0.65), (0.8, 1.05), (0.1, 0.95))),
    (((0.7, 0.0), (0.2, 0.2), (0.1, 0.65)), ((0.1, 0.65), (0.1, 1.0), (0.5, 1.0)),
     ((0.5, 1.0), (0.95, 0.95), (0.85, 0.65)), ((0.85, 0.65), (0.6, 0.4), (0.12, 0.7))),
    (((0.05, 0.08), (0.5, 0.05), (0.95, 0.05)), ((0.95, 0.05), (0.6, 0.5), (0.4, 1.0))),
    (((0.8, 0.15), (0.5, -0.15), (0.2, 0.15)), ((0.2, 0.15), (0.1, 0.4), (0.5, 0.5)),
     ((0.5, 0.5), (1.05, 0.75), (0.6, 0.98)), ((0.6, 0.98), (0.1, 1.05), (0.2, 0.75)),
     ((0.2, 0.75), (0.4, 0.5), (0.8, 0.15))),
    (((0.85, 0.25), (0.6, -0.15), (0.2, 0.15)), ((0.2, 0.15), (0.05, 0.5), (0.45, 0.5)),
     ((0.45, 0.5), (0.8, 0.45), (0.85, 0.2)), ((0.85, 0.2), (0.85, 0.6), (0.65, 1.0))),
)  # fmt: skip
SIGNS = 0.3
"""Share of the built-in pictures that are signs instead of digits."""
SHORTEST = 0.5
"""Least extent of a sign's stroke, in widths of the sign."""


def glyph(number: int, size: int) -> Drawing:
    """Built-in drawing `number`: a digit or a sign, slanted, stretched and shaken a little."""
    rng = np.random.default_rng([number % 2**64, 0x61])
    shape = _sign(rng) if rng.random() < SIGNS else np.array(DIGIT_SHAPES[rng.integers(10)])
    points = shape + rng.normal(0.0, 0.035, shape.shape)
    # The ends of strokes that met before stay together.
    for k in range(len(points) - 1):
        if np.allclose(shape[k, 2], shape[k + 1, 0]):
            points[k + 1, 0] = points[k, 2]
    points = points - 0.5
    points[..., 0] *= rng.uniform(0.5, 0.85)
    points[..., 0] -= rng.normal(0.05, 0.18) * points[..., 1]
    angle = rng.normal(0.0, 0.12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = points @ turn.T * rng.uniform(0.62, 0.76) + 0.5 + rng.normal(0.0, 0.015, 2)
    width, ink = rng.uniform(0.06, 0.14), rng.uniform(0.9, 1.0)
    strokes = (
        Stroke(tuple(map(tuple, (curve * size).tolist())), width * size, ink, "quadratic") for curve in points
    )
    return Drawing(size, tuple(map(tidy, strokes)))


def _sign(rng: np.random.Generator) -> NDArray[np.float64]:
    """One to three bent strokes `(K, 3, 2)`, as in an invented alphabet; half of them hang together."""
    strokes = []
    for _ in range(int(rng.integers(1, 4))):
        start = strokes[-1][2] if strokes and rng.random() < 0.5 else rng.uniform(0.0, 1.0, 2)
        end = rng.uniform(0.0, 1.0, 2)
        while np.abs(end - start).max() < SHORTEST:
            end = rng.uniform(0.0, 1.0, 2)
        strokes.append(np.array([start, (start + end) / 2 + rng.normal(0.0, 0.2, 2), end]))
    return np.array(strokes)


class Pictures(Protocol):
    """Targets to paint, by number."""

    def take(self, numbers: NDArray[np.int64]) -> Pixels:
        """Pictures `(N, size, size)` of these numbers, whatever whole numbers they are."""
        ...


class BuiltIn:
    """Drawings by our own code, kept once made."""

    def __init__(self, size: int) -> None:
        self.size = size

    def take(self, numbers: NDArray[np.int64]) -> Pixels:
        return np.stack([built_in(int(n), self.size) for n in numbers])


@lru_cache(maxsize=50_000)
def built_in(number: int, size: int) -> Pixels:
    """The raster of built-in drawing `number`."""
    return glyph(number, size).raster


class Stored:
    """Pictures in memory; a number beyond the last begins again from the first."""

    def __init__(self, images: Pixels) -> None:
        self.images = images

    def take(self, numbers: NDArray[np.int64]) -> Pixels:
        return self.images[numbers % len(self.images)]


def pictures_of(place: str, split: str, size: int) -> Pictures:
    """The pictures at `place`: "" = built-in, a PNG file, or a folder of idx files; raises `InputError`."""
    return BuiltIn(size) if not place else _stored(place, split, size)


@lru_cache(maxsize=8)
def _stored(place: str, split: str, size: int) -> Stored:
    path = Path(place)
    if not path.is_dir():
        return Stored(fitted([read_png(path)[0]], size))
    part = _folder(place).part(split)
    if not len(part):
        raise InputError(f"has no picture in the split {split}.", place=place)
    grey = part.images[..., 0] if part.images.shape[-1] == 1 else part.images.mean(3).astype(np.uint8)
    if grey.shape[1:] == (size, size):
        return Stored(np.ascontiguousarray(grey))
    return Stored(np.stack([_resized(Image.fromarray(one), size) for one in grey]))


@lru_cache(maxsize=2)
def _folder(place: str) -> PictureSet:
    return idx_folder(Path(place))


def fitted(images: Sequence[Image.Image], size: int) -> Pixels:
    """Pictures of files as targets `(N, size, size)`: grey, ink bright.

    Ink is what differs from the border: a picture with a light border is turned round.
    """
    out = []
    for image in images:
        flat = Image.new("RGBA", image.size, "white")
        rgba = image.convert("RGBA")
        flat.paste(rgba, (0, 0), rgba)
        grey = _resized(flat.convert("L"), size)
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        out.append(255 - grey if border.mean() > 127 else grey)
    return np.stack(out)


def _resized(image: Image.Image, size: int) -> Pixels:
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS), np.uint8)
