"""Strokes and drawings: lines, quadratic and cubic curves with width and ink, on a square canvas.

Coordinates are in pixels, x to the right and y down; the pixel in row i and column j has its centre at
(j + 0.5, i + 0.5). A curve is drawn as `CHORDS` straight pieces (capsules with round ends). Drawing lays
ink by maximum, erasing takes it by minimum, so that a stroke drawn twice is the stroke drawn once and a
line may be drawn piece by piece.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.paint_kernels import draw_capsules
from plaudit.errors import InputError

CHORDS = 8
"""Straight pieces of a curve: of a bend of 10 pixels they miss 0.04 at most."""
SMALLEST, LARGEST = 8, 128
"""Side of a canvas in pixels."""
MOST_STROKES, MOST_POINTS = 512, 1024
DIGITS = 2
"""Decimals of coordinates and widths in a drawing; ink has one more."""
Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
Kind = Literal["line", "quadratic", "cubic"]
Capsules = NDArray[np.float32]
"""`(N, 7)`: x0, y0, x1, y1, radius, ink, erase (0 or 1)."""


@dataclass(frozen=True)
class Stroke:
    """One stroke.

    Attributes:
        points: (x, y) pairs: a line's corners, or the 3 or 4 control points of a curve.
        width: in pixels, 0.1 or more.
        ink: in [0, 1].
        kind: how the points are joined.
        erase: takes ink away instead of laying it.
    """

    points: tuple[tuple[float, float], ...]
    width: float
    ink: float = 1.0
    kind: Kind = "line"
    erase: bool = False

    def moved(self, dx: float, dy: float) -> Stroke:
        """The stroke shifted by so many pixels."""
        return replace(self, points=tuple((x + dx, y + dy) for x, y in self.points))

    def corners(self) -> Points:
        """The corners `(N, 2)` of the straight pieces that it is drawn as."""
        points = np.array(self.points, np.float64).reshape(-1, 2)
        if self.kind == "line":
            return points if len(points) > 1 else points.repeat(2, 0)
        return bernstein(len(points)) @ points

    def capsules(self) -> Capsules:
        """Its straight pieces."""
        corners = self.corners()
        pieces = np.empty((len(corners) - 1, 7), np.float32)
        pieces[:, 0:2], pieces[:, 2:4] = corners[:-1], corners[1:]
        pieces[:, 4:] = self.width / 2, self.ink, self.erase
        return pieces


def bernstein(points: int, chords: int = CHORDS) -> Points:
    """Weights `(chords + 1, points)` of 3 or 4 control points at evenly spaced places of a curve."""
    t = np.linspace(0.0, 1.0, chords + 1)[:, None]
    if points == 3:
        return np.hstack([(1 - t) ** 2, 2 * t * (1 - t), t**2])
    return np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])


@dataclass(frozen=True)
class Drawing:
    """Strokes in the order of their making on a canvas of `size` x `size` pixels."""

    size: int
    strokes: tuple[Stroke, ...] = ()

    @cached_property
    def raster(self) -> Pixels:
        """The picture `(size, size)`, 0 = paper and 255 = ink."""
        return self.enlarged(1)

    def enlarged(self, scale: int, strokes: int | None = None) -> Pixels:
        """The first `strokes` strokes (all when None) drawn `scale` times as large, smoothly."""
        chosen = self.strokes[:strokes]
        canvas = np.zeros((self.size * scale, self.size * scale), np.uint8)
        if chosen:
            pieces = np.concatenate([stroke.capsules() for stroke in chosen])
            pieces[:, :5] *= scale
            draw_capsules(canvas, pieces)
        return canvas

    def with_stroke(self, stroke: Stroke) -> Drawing:
        """The drawing with one more stroke."""
        return Drawing(self.size, (*self.strokes, stroke))

    def without(self, number: int) -> Drawing:
        """The drawing without stroke `number`."""
        return Drawing(self.size, self.strokes[:number] + self.strokes[number + 1 :])

    def moved(self, number: int, dx: float, dy: float) -> Drawing:
        """The drawing with stroke `number` shifted by so many pixels."""
        changed = self.strokes[number].moved(dx, dy)
        return Drawing(self.size, (*self.strokes[:number], changed, *self.strokes[number + 1 :]))


def tidy(stroke: Stroke) -> Stroke:
    """The stroke with its numbers rounded to what files hold."""
    points = tuple((round(float(x), DIGITS), round(float(y), DIGITS)) for x, y in stroke.points)
    return replace(
        stroke, points=points, width=round(stroke.width, DIGITS), ink=round(stroke.ink, DIGITS + 1)
    )


def check_drawing(drawing: Drawing, place: str) -> None:
    """Raise `InputError` for a size or a stroke that no drawing can have."""
    if not SMALLEST <= drawing.size <= LARGEST:
        raise InputError(
            f"its canvas is {drawing.size} pixels wide; {SMALLEST} to {LARGEST} are possible.", place=place
        )
    if len(drawing.strokes) > MOST_STROKES:
        raise InputError(f"has {len(drawing.strokes)} strokes; at most {MOST_STROKES} are read.", place=place)
    for number, stroke in enumerate(drawing.strokes):
        fault = _fault(stroke)
        if fault:
            raise InputError(f"stroke {number}: {fault}.", place=place)


def _fault(stroke: Stroke) -> str:
    """What is wrong with a stroke; empty when nothing is."""
    wanted = {"line": range(1, MOST_POINTS + 1), "quadratic": range(3, 4), "cubic": range(4, 5)}
    if len(stroke.points) not in wanted[stroke.kind]:
        return f"a {stroke.kind} with {len(stroke.points)} points"
    flat = np.array(stroke.points)
    if not (np.isfinite(flat).all() and (np.abs(flat) <= 4 * LARGEST).all()):
        return f"a point farther than {4 * LARGEST} pixels away"
    if not 0.1 <= stroke.width <= 2 * LARGEST:
        return f"a width of {stroke.width}"
    return "" if 0.0 <= stroke.ink <= 1.0 else f"an ink of {stroke.ink}"
