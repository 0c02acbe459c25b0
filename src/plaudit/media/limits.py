"""Limits on foreign files, and the reading that keeps them: the size is known before a byte is read."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plaudit.errors import InputError


@dataclass(frozen=True)
class Limits:
    """The most that a reader takes from one file."""

    file_bytes: int = 32 * 2**20
    """Size of the file itself."""
    pixels: int = 16 * 2**20
    """Width times height of a picture, known from its header."""
    text_bytes: int = 2**20
    """Text embedded in a file, after decompression, over all its fields."""


DEFAULT = Limits()


def read_bytes(path: Path, limits: Limits = DEFAULT) -> bytes:
    """Read a regular file of at most `limits.file_bytes`; raises only `InputError`."""
    place = str(path)
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer that never comes.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read: {reason}.", place=place) from error
    try:
        return _read_open(descriptor, place, limits)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}.", place=place) from error
    finally:
        os.close(descriptor)


def _read_open(descriptor: int, place: str, limits: Limits) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise InputError("is not a regular file.", place=place)
    if status.st_size > limits.file_bytes:
        raise InputError(
            f"holds {status.st_size:,} bytes; at most {limits.file_bytes:,} are read.", place=place
        )
    # The file may grow under a running training: one byte more than allowed is enough to know.
    with open(descriptor, "rb", closefd=False) as file:
        content = file.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise InputError(f"holds more than {limits.file_bytes:,} bytes.", place=place)
    return content


def read_text(path: Path, limits: Limits = DEFAULT) -> str:
    """Read UTF-8 text; raises only `InputError`, with the offset of the first wrong byte."""
    try:
        return read_bytes(path, limits).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start}).", place=str(path)) from error


def parse_json(text: str, place: str) -> Any:
    """Parse one JSON value; raises only `InputError`, also for nesting that exhausts the stack."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}.", place=place) from error


def read_json(path: Path, limits: Limits = DEFAULT) -> Any:
    """Read one JSON file; raises only `InputError`."""
    return parse_json(read_text(path, limits), str(path))
