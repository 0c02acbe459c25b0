"""Sound files: 16-bit PCM WAV that may carry a text, say the recipe that made it.

The text travels as UTF-8 in the comment field of a LIST/INFO chunk (RIFF, Microsoft and IBM, 1991,
"ICMT"). Reading walks the chunks under limits; lengths are checked before anything is taken.
"""

from __future__ import annotations

import io
import os
import struct
import wave
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError, ResourceError
from plaudit.media.limits import Limits, read_bytes

LIMITS = Limits(file_bytes=64 * 2**20)
FULL = 32767
"""The 16-bit number that stands for 1."""


def write_wav(samples: NDArray[np.float32], rate: int, path: Path, about: str = "") -> None:
    """Write samples `(N,)` or `(N, C)` in [-1, 1] at `rate` Hz, whole or not at all.

    What lies outside [-1, 1] is clipped; `about` is the text to embed. The same arguments give the same
    bytes. Raises `InputError` for another shape or values that are not finite, and `ResourceError` when
    the disk refuses.
    """
    sound = np.asarray(samples)
    if sound.ndim not in (1, 2) or (sound.ndim == 2 and sound.shape[1] == 0):
        raise InputError(f"samples are (N,) or (N, C); these are {sound.shape}.", place=str(path))
    if not np.isfinite(sound).all():
        raise InputError("some samples are not finite.", place=str(path))
    numbers = np.rint(np.clip(sound, -1.0, 1.0) * FULL).astype("<i2")
    content = _pcm(numbers, rate)
    if about:
        content = _with_text(content, about)
    _replace(Path(path), content)


def read_wav(path: Path, limits: Limits = LIMITS) -> tuple[NDArray[np.float32], int]:
    """Read samples `(N,)` for one channel, else `(N, C)`, in [-1, 1], and the rate in Hz.

    Only 16-bit PCM is read; raises only `InputError`.
    """
    place = str(path)
    chunks: dict[bytes, bytes] = {}
    for kind, data in _walk(read_bytes(path, limits), place):
        if kind in (b"fmt ", b"data"):
            chunks.setdefault(kind, data)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise InputError("holds no sound.", place=place)
    form, channels, rate, _, block, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    if form != 1 or bits != 16 or channels == 0 or block != 2 * channels or rate == 0:
        raise InputError(
            f"holds {channels} channels of {bits} bits in the format {form}; 16-bit PCM is read.", place=place
        )
    data = chunks[b"data"]
    whole = len(data) // block * channels
    numbers = np.frombuffer(data, "<i2", whole)
    # Other programs use -32768, one step below the range that is written here.
    sound = np.maximum(numbers.astype(np.float32) / np.float32(FULL), np.float32(-1.0))
    return (sound if channels == 1 else sound.reshape(-1, channels)), rate


def read_wav_about(path: Path, limits: Limits = LIMITS) -> str:
    """Read the text that a file embeds, "" if there is none; raises only `InputError`."""
    place = str(path)
    for kind, data in _walk(read_bytes(path, limits), place):
        if kind != b"LIST" or not data.startswith(b"INFO"):
            continue
        for field, text in _fields(data[4:], place):
            if field == b"ICMT":
                return _decoded(text, place, limits)
    return ""


def _decoded(text: bytes, place: str, limits: Limits) -> str:
    if len(text) > limits.text_bytes:
        raise InputError(f"embeds more than {limits.text_bytes:,} bytes of text.", place=place)
    try:
        return text.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"embeds text that is not UTF-8 (byte {error.start}).", place=place) from error


def _pcm(numbers: NDArray[np.int16], rate: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1 if numbers.ndim == 1 else numbers.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(numbers.tobytes())
    return stream.getvalue()


def _with_text(content: bytes, about: str) -> bytes:
    """Append a LIST chunk and correct the size in the head of the file."""
    body = content + _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", about.encode("utf-8") + b"\0"))
    return body[:4] + struct.pack("<I", len(body) - 8) + body[8:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _walk(content: bytes, place: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield `(kind, data)` of the chunks of a WAV file."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise InputError("is not a WAV file.", place=place)
    yield from _fields(content[12:], place)


def _fields(content: bytes, place: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield `(kind, data)` of chunks that follow each other, each padded to an even length."""
    at = 0
    while at + 8 <= len(content):
        kind, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if at + 8 + size > len(content):
            raise InputError(f"ends in the middle of the chunk {kind!r}.", place=place)
        yield kind, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error
