"""Animated pictures: GIF files that carry what made them in a comment (GIF89a, section 24)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from plaudit.errors import InputError, ResourceError
from plaudit.media.limits import Limits, parse_json, read_bytes

LIMITS = Limits(file_bytes=8 * 2**20)
_MARK = b"plaudit:"


def gif_bytes(
    frames: Sequence[Image.Image], times_ms: Sequence[int], about: Mapping[str, Any] | None = None
) -> bytes:
    """An endless animation, each frame shown for its time; equal frames give equal bytes.

    `about` is embedded where it is given.
    """
    told = {} if about is None else {"comment": _MARK + json.dumps(about, sort_keys=True).encode()}
    stream = io.BytesIO()
    frames[0].save(
        stream,
        "GIF",
        save_all=True,
        append_images=list(frames[1:]),
        duration=list(times_ms),
        loop=0,
        **told,
    )
    return stream.getvalue()


def write_gif(
    frames: Sequence[Image.Image], times_ms: Sequence[int], path: Path, about: Mapping[str, Any]
) -> None:
    """Write an animation; raises `ResourceError` when the disk refuses."""
    try:
        path.write_bytes(gif_bytes(frames, times_ms, about))
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def read_gif_about(path: Path) -> dict[str, Any]:
    """What an animation embeds; raises only `InputError`."""
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
    raise InputError("embeds nothing of what made it.", place=place)


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
