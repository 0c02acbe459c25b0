"""Letters and digits in the font that comes with Pillow, jittered: a set without any download."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from plaudit.domains.image.folder import finished
from plaudit.domains.image.sets import PictureSet
from plaudit.errors import MissingExtra

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COUNT = 9_000
_SEED = 20_262
_MASTER = 96
"""Side of the large drawings that every picture is taken from."""
_STROKES = (0, 1, 2, 3, 4)
"""Pixels by which the lines of the large drawings are thickened."""


def glyphs(side: int | None = None, count: int = COUNT, seed: int = _SEED) -> PictureSet:
    """`count` grey pictures `(side, side, 1)`, 28 by default, white ink on black; raises `MissingExtra`."""
    rng = np.random.default_rng(seed)
    side = side or 28
    masters = [[_master(letter, stroke) for stroke in _STROKES] for letter in LETTERS]
    labels = np.arange(count) % len(LETTERS)
    strokes = rng.integers(0, len(_STROKES), count)
    images = [_jittered(masters[a][b], side, rng) for a, b in zip(labels, strokes, strict=True)]
    return finished(np.stack(images)[..., None], labels.astype(np.int64), tuple(LETTERS), "glyphs")


def _master(letter: str, stroke: int) -> Image.Image:
    """One letter in the middle of a large grey picture."""
    try:
        font = ImageFont.load_default(size=72)
    except ImportError as error:
        raise MissingExtra(
            "this Pillow was built without FreeType, which draws glyphs.",
            hint="pip install --force-reinstall pillow",
        ) from error
    image = Image.new("L", (_MASTER, _MASTER), 0)
    middle = (_MASTER / 2, _MASTER / 2)
    # The anchor is the middle of the line; the ink of a letter lies a little above it.
    box = ImageDraw.Draw(image).textbbox(middle, letter, font=font, anchor="mm", stroke_width=stroke)
    place = (2 * middle[0] - (box[0] + box[2]) / 2, 2 * middle[1] - (box[1] + box[3]) / 2)
    ImageDraw.Draw(image).text(place, letter, fill=255, font=font, anchor="mm", stroke_width=stroke)
    return image


def _jittered(master: Image.Image, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A turned, slanted, stretched and shifted copy `(side, side)`, at half the brightness or more."""
    turn, slant = rng.normal(0, 0.12), rng.normal(0, 0.12)
    stretch = rng.uniform(0.9, 1.25, 2)
    shift = rng.uniform(-0.06, 0.06, 2) * _MASTER
    large = 2 * side
    cos, sin = np.cos(turn), np.sin(turn)
    to_master = np.array([[cos, sin + slant], [-sin, cos]]) * stretch * (_MASTER / large)
    origin = _MASTER / 2 + shift - to_master @ np.array([large / 2, large / 2])
    values = (*to_master[0], origin[0], *to_master[1], origin[1])
    moved = master.transform((large, large), Image.Transform.AFFINE, values, Image.Resampling.BILINEAR)
    ink = np.asarray(moved.reduce(2), np.float64) * rng.uniform(0.6, 1.0)
    return np.rint(ink).astype(np.uint8)
