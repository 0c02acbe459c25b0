"""Pictures: PNG files that carry the recipe that made them, thumbnails, and walls of many samples.

The recipe, the request and the item's own figures travel as JSON in three iTXt fields (PNG
specification, third edition, 11.3.3). Reading walks the chunks under limits before Pillow sees the
file, and hands it only the chunks that make the picture.
"""

from __future__ import annotations

import io
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from plaudit.errors import InputError, ResourceError, did_you_mean
from plaudit.media.limits import DEFAULT, Limits, parse_json, read_bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PREFIX = "plaudit:"
FIELDS = ("recipe", "request", "item")
_PICTURE_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def write_png(image: Image.Image, path: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a picture; `about` maps "recipe", "request" and "item" to JSON values to embed.

    The same picture and `about` give the same bytes. Raises `InputError` for another key and
    `ResourceError` when the disk refuses.
    """
    info = PngInfo()
    for key in sorted(about or {}):
        if key not in FIELDS:
            raise InputError(f'a picture embeds no "{key}".', hint=did_you_mean(key, FIELDS))
        text = json.dumps((about or {})[key], sort_keys=True, ensure_ascii=False)
        info.add_itxt(PREFIX + key, text, zip=len(text) > 1024)
    stream = io.BytesIO()
    image.save(stream, format="PNG", pnginfo=info)
    try:
        path.write_bytes(stream.getvalue())
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def read_png(path: Path, limits: Limits = DEFAULT) -> tuple[Image.Image, dict[str, Any]]:
    """Read a picture and what it embeds (as given to `write_png`); raises only `InputError`."""
    content, place = read_bytes(path, limits), str(path)
    chunks = list(_walk(content, place))
    _check_header(chunks, place, limits)
    about = _about(chunks, place, limits)
    picture = b"".join(raw for kind, _, raw in chunks if kind in _PICTURE_CHUNKS)
    try:
        with Image.open(io.BytesIO(SIGNATURE + picture), formats=["PNG"]) as image:
            image.load()
            return image.copy(), about
    # Pillow's decoder raises OSError, ValueError, SyntaxError, struct.error, zlib.error and more.
    except Exception as error:
        raise InputError(f"holds a damaged picture: {error}.", place=place) from error


def read_about(path: Path, limits: Limits = DEFAULT) -> dict[str, Any]:
    """Read what a picture embeds without decoding it: `{"recipe": ..., "request": ..., "item": ...}`."""
    chunks = list(_walk(read_bytes(path, limits), str(path)))
    return _about(chunks, str(path), limits)


def _walk(content: bytes, place: str) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield `(kind, data, whole chunk)` up to IEND; every length and checksum is verified."""
    if not content.startswith(SIGNATURE):
        raise InputError("is not a PNG file.", place=place)
    at = len(SIGNATURE)
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        end = at + 12 + size
        if end > len(content):
            break
        kind, data = content[at + 4 : at + 8], content[at + 8 : end - 4]
        if zlib.crc32(kind + data) != int.from_bytes(content[end - 4 : end], "big"):
            raise InputError(f"is damaged: wrong checksum in the chunk at byte {at}.", place=place)
        yield kind, data, content[at:end]
        if kind == b"IEND":
            return
        at = end
    raise InputError(f"ends in the middle of a picture (byte {at}).", place=place)


def _check_header(chunks: Sequence[tuple[bytes, bytes, bytes]], place: str, limits: Limits) -> None:
    kind, data, _ = chunks[0]
    if kind != b"IHDR" or len(data) != 13:
        raise InputError("has no PNG header.", place=place)
    width, height = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    if not 0 < width * height <= limits.pixels:
        raise InputError(f"is {width} x {height}; at most {limits.pixels:,} pixels are read.", place=place)


def _about(chunks: Sequence[tuple[bytes, bytes, bytes]], place: str, limits: Limits) -> dict[str, Any]:
    about: dict[str, Any] = {}
    left = limits.text_bytes
    for kind, data, _ in chunks:
        if kind not in (b"iTXt", b"tEXt") or not data.startswith(PREFIX.encode()):
            continue
        key, text = _text_field(kind, data, place, left)
        left -= len(text)
        if key in FIELDS:
            about[key] = parse_json(text.decode("utf-8", "replace"), f"{place} (field {PREFIX}{key})")
    return about


def _text_field(kind: bytes, data: bytes, place: str, most: int) -> tuple[str, bytes]:
    """Return the name without prefix and the UTF-8 text, decompressed to at most `most` bytes."""
    name, _, rest = data.partition(b"\0")
    packed = kind == b"iTXt" and rest[:1] == b"\1"
    if kind == b"iTXt":
        # compression flag, compression method, language \0 translated name \0 text
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    if packed:
        rest = _inflate(rest, place, most)
    if len(rest) > most:
        raise InputError(f"embeds more than {most:,} bytes of text.", place=place)
    return name.decode("latin-1").removeprefix(PREFIX), rest


def _inflate(packed: bytes, place: str, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, most + 1)
    except zlib.error as error:
        raise InputError(f"embeds damaged text: {error}.", place=place) from error


def thumbnail(image: Image.Image, side: int) -> Image.Image:
    """Shrink to at most `side` pixels; pictures made of square blocks shrink to one pixel a block.

    The latter lose nothing: shown with `image-rendering: pixelated` they are the picture again.
    """
    pixels = np.asarray(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGBA"))
    block = _block_size(pixels)
    small = Image.fromarray(np.ascontiguousarray(pixels[::block, ::block]))
    if max(small.size) > side:
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def _block_size(pixels: NDArray[np.uint8]) -> int:
    """Return the side of the largest square blocks of one colour that tile `(H, W)` or `(H, W, C)`."""
    size = math.gcd(*pixels.shape[:2])
    for axis in (0, 1):
        changes = np.diff(pixels.astype(np.int16), axis=axis) != 0
        others = tuple(i for i in range(changes.ndim) if i != axis)
        size = math.gcd(size, *(int(i) + 1 for i in np.flatnonzero(changes.any(axis=others))))
    return size


def wall(
    images: Sequence[Image.Image],
    columns: int | None = None,
    gap: int = 4,
    background: str | tuple[int, int, int] = "#f4f2ee",
) -> Image.Image:
    """Lay pictures out in a grid, each centred in a cell as large as the largest of them.

    `columns` defaults to the count that makes the wall nearest to a square.
    """
    if not images:
        raise InputError("a wall needs at least one picture; none came.")
    wide, high = max(i.width for i in images), max(i.height for i in images)
    columns = columns or max(1, round(math.sqrt(len(images) * high / wide)))
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * (wide + gap) + gap, rows * (high + gap) + gap), background)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        x = gap + column * (wide + gap) + (wide - image.width) // 2
        y = gap + row * (high + gap) + (high - image.height) // 2
        rgba = image.convert("RGBA")
        sheet.paste(rgba, (x, y), rgba)
    return sheet
