"""What every music file shares: what it says of itself, its limits, and the libraries that read it.

Our own files carry a small JSON object (request, seed), wherever the format has room for a comment. On
reading it comes back, with a list of plain sentences under `SKIPPED` where something was changed.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from plaudit.errors import InputError, MissingExtra, ResourceError
from plaudit.media.limits import Limits, parse_json, read_bytes

KEY = "plaudit"
"""Name or prefix of the field that holds it."""
SKIPPED = "skipped"
"""Key of the sentences about what was changed on reading; no file holds it."""
LIMITS = Limits(file_bytes=8 * 2**20, text_bytes=2**18)
MOST_PARTS = 64
MOST_NOTES = 50_000
MOST_STEPS = 20_000
"""Sixteenths of the longest piece: 1,250 bars of 4/4."""
_LONGEST = 200
"""Letters of a title or of a voice's name."""


def told(about: dict[str, Any]) -> str:
    """The line to embed: ASCII, without line breaks; raises `InputError` for what JSON cannot hold."""
    kept = {key: value for key, value in about.items() if key != SKIPPED}
    try:
        return json.dumps(kept, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"what a file says of itself is no JSON object: {error}.") from error


def heard(text: str | None, place: str) -> dict[str, Any]:
    """The embedded object, or {} where there is none; raises `InputError` for one that is damaged."""
    if text is None:
        return {}
    hint = "Remove it to read the piece."
    if len(text) > LIMITS.text_bytes:
        raise InputError(f"its {KEY} field holds {len(text):,} letters.", place=place, hint=hint)
    found = parse_json(text, f"{place} ({KEY} field)")
    if not isinstance(found, dict):
        raise InputError(f"its {KEY} field is damaged.", place=place, hint=hint)
    return {key: value for key, value in found.items() if key != SKIPPED}


def with_skipped(about: dict[str, Any], skipped: list[str]) -> dict[str, Any]:
    """What `read_X` returns beside the piece: `SKIPPED` is there only where something was changed."""
    return {**about, SKIPPED: skipped} if skipped else about


def one_line(text: Any) -> str:
    """A title or a name as every format can hold it: one line, printable, single spaces, no end blanks."""
    words = "".join(letter if letter.isprintable() else " " for letter in str(text)).split()
    return " ".join(words)[:_LONGEST].rstrip()


def content_of(path: Path) -> bytes:
    """Read a file under the limits; raises `InputError`, for an empty one too."""
    content = read_bytes(path, LIMITS)
    if not content:
        raise InputError("is empty.", place=str(path))
    return content


def save(content: bytes, path: Path) -> None:
    """Write a file; raises `ResourceError` when the disk refuses."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def library(name: str) -> ModuleType:
    """Import an optional library when it is first needed; raises `MissingExtra`."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.split(".", maxsplit=1)[0]
        raise MissingExtra(f'{package} is not installed: pip install "plaudit[music]".') from error
