"""A painting in the making as an animated GIF, and what the file embeds as a comment (GIF89a, section 24)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from plaudit.domains.image.paint_strokes import Drawing, Stroke
from plaudit.domains.image.render import INK, PAPER, on_paper
from plaudit.errors import InputError
from plaudit.media.limits import Limits, parse_json, read_bytes

LIMITS = Limits(file_bytes=8 * 2**20)
FRAMES = 48
"""Pictures of a film at most, the last one excepted."""
FRAME_MS, LAST_MS = 60, 1600
SCALE = 8
_MARK = b"plaudit:"


def write_film(drawing: Drawing, path: Path, about: Mapping[str, Any]) -> None:
    """Write the film; the same drawing gives the same bytes."""
    shades = np.linspace(PAPER, INK, 64).round().astype(np.uint8)
    palette = Image.new("P", (1, 1))
    palette.putpalette(shades.ravel().tolist() * 4)
    frames = [
        on_paper(stage.enlarged(SCALE)).quantize(palette=palette, dither=Image.Dither.NONE)
        for stage in _stages(drawing)
    ]
    comment = _MARK + json.dumps(about, sort_keys=True).encode()
    stream = io.BytesIO()
    durations = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    frames[0].save(
        stream, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, comment=comment
    )
    path.write_bytes(stream.getvalue())


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


def read_film_about(path: Path) -> dict[str, Any]:
    """What a film embeds; raises only `InputError`."""
    content, place = read_bytes(path, LIMITS), str(path)
    if content[:6] not in (b"GIF87a", b"GIF89a"):
        raise InputError("is not a GIF file.", place=place)
    try:
        for comment in _comments(content):
            if comment.startswith(_MARK):
                about = parse_json(comment[len(_MARK) :].decode("utf-8", "replace"), f"{place} (comment)")
                return about if isinstance(about, dict) else {}
    except IndexError as error:
        raise InputError("ends in the middle of a block.", place=place) from error
    raise InputError("holds no drawing.", place=place)


def _comments(content: bytes) -> Iterator[bytes]:
    """The comments of a GIF; raises `IndexError` where it is cut off."""
    at = 13 + (3 << (content[10] & 7) + 1 if content[10] & 0x80 else 0)
    while content[at] != 0x3B:
        if content[at] == 0x21:
            label, (block, at) = content[at + 1], _blocks(content, at + 2)
            if label == 0xFE:
                yield block
        elif content[at] == 0x2C:
            flags = content[at + 9]
            at = _blocks(content, at + 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))[1]
        else:
            raise IndexError(at)


def _blocks(content: bytes, at: int) -> tuple[bytes, int]:
    """The sub-blocks that begin at `at`, joined, and where they end."""
    parts = []
    while content[at]:
        parts.append(content[at + 1 : at + 1 + content[at]])
        at += 1 + content[at]
    return b"".join(parts), at + 1
