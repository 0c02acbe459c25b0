"""Outlines: the path language of SVG as polygons, and polygons as filled masks.

Paths are those of SVG 1.1, section 8.3, without arcs.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Points = NDArray[np.float64]
"""Corners `(N, 2)`, x and y."""

CURVE = 8
"""Straight pieces of a curve."""
_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}


def contours_of(path: str) -> list[Points]:
    """Flatten the `d` of a path to contours; raises `ValueError` for a command that it does not know.

    >>> [contour.tolist() for contour in contours_of("M0 0h2v3z")]
    [[[0.0, 0.0], [2.0, 0.0], [2.0, 3.0]]]
    """
    contours: list[list[complex]] = []
    at = handle = 0j
    for command, numbers in _commands(path):
        name = command.upper()
        if name == "Z":
            at = contours[-1][0] if contours else at
            continue
        points = _absolute(name, numbers, at if command.islower() else 0j, at)
        if name == "M":
            contours.append([])
        elif name in ("S", "T"):
            points = [2 * at - handle, *points]
        curve = _curve([at, *points]) if name in "CSQT" else points
        contours[-1] += curve
        # A smooth curve goes on from the mirrored handle; after anything else there is none to mirror.
        handle, at = (points[-2] if name in "CSQT" else points[-1]), points[-1]
    return [np.array([(z.real, z.imag) for z in contour]) for contour in contours if len(contour) > 1]


def _commands(path: str) -> list[tuple[str, list[float]]]:
    """Commands with the numbers of one step each; numbers that follow repeat the command."""
    found: list[tuple[str, list[float]]] = []
    tokens = _TOKEN.findall(path)
    index, command = 0, ""
    while index < len(tokens):
        if tokens[index].isalpha():
            command = tokens[index]
            index += 1
        count = _COUNTS.get(command.upper())
        if count is None or (count == 0 and index < len(tokens) and not tokens[index].isalpha()):
            raise ValueError(f"the path command {command!r} is not known")
        found.append((command, [float(v) for v in tokens[index : index + count]]))
        index += count
        command = {"M": "L", "m": "l"}.get(command, command)
    return found


def _absolute(name: str, numbers: list[float], origin: complex, at: complex) -> list[complex]:
    """The points of a step as complex numbers, x + iy."""
    if name == "H":
        return [complex(origin.real + numbers[0], at.imag)]
    if name == "V":
        return [complex(at.real, origin.imag + numbers[0])]
    return [origin + complex(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _curve(corners: list[complex]) -> list[complex]:
    """Points on a Bezier curve of any degree after its first corner (de Casteljau)."""
    t = np.arange(1, CURVE + 1) / CURVE
    row = [np.full(CURVE, corner) for corner in corners]
    while len(row) > 1:
        row = [a + (b - a) * t for a, b in pairwise(row)]
    return row[0].tolist()


def fill(contours: list[Points]) -> tuple[Image.Image, int, int]:
    """Fill closed contours by the non-zero rule: a mask (255 = inside), and its left and top."""
    every = np.concatenate(contours)
    left, top = np.floor(every.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(every.max(axis=0)).astype(int).tolist()
    size = (right - left + 1, bottom - top + 1)
    winding = np.zeros(size[::-1], np.int16)
    for points in contours:
        mask = Image.new("1", size)
        ImageDraw.Draw(mask).polygon([tuple(p) for p in points - (left, top)], fill=1)
        winding += np.asarray(mask) * np.int16(1 if _area(points) > 0 else -1)
    return Image.fromarray(np.where(winding != 0, 255, 0).astype(np.uint8)), left, top


def _area(points: Points) -> float:
    """Twice the area of a polygon, negative where it turns the other way."""
    following = np.roll(points, -1, axis=0)
    return float((points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]).sum())
