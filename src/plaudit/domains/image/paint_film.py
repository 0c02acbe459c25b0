"""A painting in the making as a film."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from plaudit.domains.image.paint_strokes import Drawing, Stroke
from plaudit.domains.image.render import INK, PAPER, on_paper
from plaudit.media.film import Film
from plaudit.media.gif import write_gif

FRAMES = 48
"""Pictures of a film at most, the last one excepted."""
FRAME_MS, LAST_MS = 60, 1600
SCALE = 8


def film_painting(drawing: Drawing) -> Film:
    """The strokes of a drawing, piece by piece."""
    shades = np.linspace(PAPER, INK, 64).round().astype(np.uint8)
    palette = Image.new("P", (1, 1))
    palette.putpalette(shades.ravel().tolist() * 4)
    frames = [
        on_paper(stage.enlarged(SCALE)).quantize(palette=palette, dither=Image.Dither.NONE)
        for stage in _stages(drawing)
    ]
    return Film(frames, [FRAME_MS] * (len(frames) - 1) + [LAST_MS])


def write_film(drawing: Drawing, path: Path, about: Mapping[str, Any]) -> None:
    """Write the film as a GIF; the same drawing gives the same bytes."""
    film = film_painting(drawing)
    write_gif(film.frames, film.times_ms, path, about)


def _stages(drawing: Drawing) -> Iterator[Drawing]:
    """The drawing after each piece of its strokes, or after each few of them."""
    pieces = [(n, k) for n, stroke in enumerate(drawing.strokes) for k in range(1, len(stroke.corners()))]
    every = max(1, -(-len(pieces) // FRAMES))
    yield Drawing(drawing.size)
    for n, k in pieces[every - 1 :: every]:
        stroke = drawing.strokes[n]
        begun = Stroke(
            tuple(map(tuple, stroke.corners()[: k + 1].tolist())),
            stroke.width,
            stroke.ink,
            "line",
            stroke.erase,
        )
        yield Drawing(drawing.size, (*drawing.strokes[:n], begun))
    yield drawing
