"""What is painted: pictures drawn by our own code, a file, a folder of idx files, or people's drawings.

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
from plaudit.domains.image.paint_human import Line, human_drawings
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
SCRIBBLES = 24_000
"""Different pictures among the scribbles."""
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


def scribble(number: int, size: int) -> Drawing:
    """Scribble `number`: one to three smooth lines through a few chance places, as a hand might draw them.

    What they have in common with any handwriting is all that a painter can learn from them.
    """
    rng = np.random.default_rng([number % 2**64, 0x53])
    width, ink = rng.uniform(1.4, 4.0) / 28 * size, rng.uniform(0.85, 1.0)
    lines = []
    for _ in range(int(rng.choice((1, 2, 3), p=(0.6, 0.3, 0.1)))):
        turns = int(rng.integers(2, 9))
        # A line keeps turning one way for a while, so that loops and hooks come about.
        turning = np.repeat(rng.normal(0.0, 1.0, turns + 1), 3)[: turns + 1] + rng.normal(
            0.0, 0.35, turns + 1
        )
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(turning)
        steps = rng.uniform(0.6, 1.4, turns + 1)[:, None] * np.stack([np.cos(heading), np.sin(heading)], 1)
        line = np.cumsum(steps, 0)
        lines.append(line - line.mean(0) + rng.normal(0.0, 0.5, 2))
    every = np.concatenate(lines)
    low, high = every.min(0), every.max(0)
    scale = rng.uniform(0.55, 0.76) * size / (high - low).max() * rng.uniform(0.7, 1.0, 2)
    shift = size / 2 + rng.normal(0.0, 0.015, 2) * size
    return Drawing(
        size,
        tuple(
            Stroke(points, width, ink, "quadratic")
            for line in lines
            for points in _bends((line - (low + high) / 2) * scale + shift)
        ),
    )


def _bends(corners: NDArray[np.float64]) -> list[tuple[tuple[float, float], ...]]:
    """A bend at each corner `(N, 2)`, from the middle of one side to the middle of the next."""
    middles = (corners[1:] + corners[:-1]) / 2
    middles[0], middles[-1] = corners[0], corners[-1]
    if len(middles) == 1:
        middles = corners
        corners = corners[[0, 0, 1]] * 0.5 + corners[[0, 1, 1]] * 0.5
    bends = zip(middles[:-1], corners[1:], middles[1:], strict=False)
    return [tuple((float(x), float(y)) for x, y in points) for points in bends]


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

    def lines(self, number: int) -> list[Line]:
        """The strokes of a drawing as lines `(N, 2)` in pixels, in the order of their making."""
        strokes = [stroke.corners().clip(0.5, self.size - 0.5) for stroke in glyph(number, self.size).strokes]
        lines = strokes[:1]
        for line in strokes[1:]:
            if (line[0] == lines[-1][-1]).all():
                lines[-1] = np.concatenate([lines[-1], line[1:]])
            else:
                lines.append(line)
        return lines


@lru_cache(maxsize=50_000)
def built_in(number: int, size: int) -> Pixels:
    """The raster of built-in drawing `number`."""
    return glyph(number, size).raster


class Scribbles:
    """Scribbles, a limited number of them, kept once made; every third is a built-in drawing."""

    def __init__(self, size: int) -> None:
        self.size = size

    def take(self, numbers: NDArray[np.int64]) -> Pixels:
        return np.stack([_scribbled(int(n), self.size) for n in numbers % SCRIBBLES])


@lru_cache(maxsize=50_000)
def _scribbled(number: int, size: int) -> Pixels:
    return (scribble if number % 3 else glyph)(number, size).raster


class Stored:
    """Pictures in memory; a number beyond the last begins again from the first."""

    def __init__(self, images: Pixels) -> None:
        self.images = images

    def take(self, numbers: NDArray[np.int64]) -> Pixels:
        return self.images[numbers % len(self.images)]


def pictures_of(place: str, split: str, size: int) -> Pictures:
    """The pictures at `place`; raises `InputError`.

    "" = built-in, "scribbles" = lines by chance; a PNG file, a folder of idx files, or stroke sets (`.npz`),
    joined by "+" where there are more.
    """
    if place == "scribbles":
        return Scribbles(size)
    if place.endswith(".npz"):
        return human_drawings(place, split, size)
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
