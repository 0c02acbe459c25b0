"""Pieces as JSON: every field of `Piece` by its name, notes and chords as short lists.

{"format": "plaudit music 1", "voices": [{"name": "Melody", "notes": [[0, 4, 60], ...]}],
"chords": [[0, 16, 0, "maj"], ...], "steps": 128, "metre": [4, 4], "tonic": 0, "mode": "major",
"tempo": 120.0, "pickup": 0, "title": "", "plaudit": {...}}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plaudit.domains.music.files.about import (
    KEY,
    MOST_NOTES,
    MOST_PARTS,
    MOST_STEPS,
    SKIPPED,
    content_of,
    save,
    told,
)
from plaudit.domains.music.files.grid import checked
from plaudit.domains.music.score import Chord, Note, Piece, Voice
from plaudit.errors import InputError
from plaudit.media.limits import parse_json

FORMAT = "plaudit music 1"


def write_json(piece: Piece, path: Path, about: dict[str, Any]) -> None:
    """Write a piece; raises `InputError` for an unsound one and `ResourceError`."""
    whole = {**table(checked(piece, path)), KEY: json.loads(told(about))}
    save((json.dumps(whole) + "\n").encode(), path)


def table(piece: Piece) -> dict[str, Any]:
    """A piece as a JSON object, which `from_table` reads."""
    voices = [
        {"name": voice.name, "notes": [[n.start, n.length, n.pitch] for n in voice.notes]}
        for voice in piece.voices
    ]
    return {
        "format": FORMAT,
        "title": piece.title,
        "metre": list(piece.metre),
        "tonic": piece.tonic,
        "mode": piece.mode,
        "tempo": piece.tempo,
        "pickup": piece.pickup,
        "steps": piece.steps,
        "voices": voices,
        "chords": [[c.start, c.length, c.root, c.kind] for c in piece.chords],
    }


def read_json(path: Path) -> tuple[Piece, dict[str, Any]]:
    """The piece and what the file says of itself; raises only `InputError`, naming the wrong field."""
    content, place = content_of(path), str(path)
    try:
        whole = parse_json(content.decode("utf-8"), place)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start}).", place=place) from error
    return from_table(whole, place), _about(whole, place)


def from_table(whole: Any, place: str) -> Piece:
    """The piece of a JSON object; raises only `InputError`."""
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise InputError(f'is no piece of ours: "format" is not "{FORMAT}".', place=place)
    return checked(_piece(whole, place), place)


def _piece(whole: dict[str, Any], place: str) -> Piece:
    """A piece of fields of the right types, yet unchecked against the contract."""
    voices = _field(whole, "voices", list, place)
    if not 1 <= len(voices) <= MOST_PARTS:
        raise InputError(f"has {len(voices)} voices; 1 to {MOST_PARTS} are read.", place=place)
    piece = Piece(
        voices=tuple(_voice(voice, number, place) for number, voice in enumerate(voices, 1)),
        steps=_field(whole, "steps", int, place),
        chords=tuple(Chord(*row) for row in _rows(whole, "chords", (int, int, int, str), place)),
        metre=_metre(_field(whole, "metre", list, place), place),
        tonic=_field(whole, "tonic", int, place),
        mode=_field(whole, "mode", str, place),
        tempo=_tempo(whole.get("tempo"), place),
        pickup=_field(whole, "pickup", int, place),
        title=_field(whole, "title", str, place),
    )
    if not 0 < len(piece.notes) <= MOST_NOTES:
        raise InputError(f"has {len(piece.notes):,} notes; 1 to {MOST_NOTES:,} are read.", place=place)
    if piece.steps > MOST_STEPS:
        raise InputError(f"lasts over {MOST_STEPS:,} sixteenths.", place=f"{place}, field steps")
    if not all(0 <= chord.root < 12 for chord in piece.chords):
        raise InputError("a root is no pitch class of 0 to 11.", place=f"{place}, field chords")
    return piece


def _voice(voice: Any, number: int, place: str) -> Voice:
    inside = f"{place}, voice {number}"
    if not isinstance(voice, dict):
        raise InputError("is no object.", place=inside)
    rows = _rows(voice, "notes", (int, int, int), inside)
    return Voice(_field(voice, "name", str, inside), tuple(Note(*row) for row in rows))


def _field(whole: dict[str, Any], name: str, kind: type, place: str) -> Any:
    """A field of exactly that type: true is no whole number."""
    value = whole.get(name)
    if type(value) is not kind:
        raise InputError(f"is {str(value)[:40]!r}, no {kind.__name__}.", place=f"{place}, field {name}")
    return value


def _rows(whole: dict[str, Any], name: str, kinds: tuple[type, ...], place: str) -> list[list[Any]]:
    """A list of lists, each of values of just those types."""
    rows = _field(whole, name, list, place)
    for index, row in enumerate(rows):
        if not isinstance(row, list) or tuple(map(type, row)) != kinds:
            wanted = ", ".join(kind.__name__ for kind in kinds)
            raise InputError(f"is no list of {wanted}.", place=f"{place}, {name}[{index}]")
    return rows


def _metre(pair: list[Any], place: str) -> tuple[int, int]:
    if tuple(map(type, pair)) != (int, int):
        raise InputError("is no list of two whole numbers.", place=f"{place}, field metre")
    return pair[0], pair[1]


def _tempo(value: Any, place: str) -> float:
    # A whole number beyond 10^308 is no float; the contract ends far below.
    if type(value) not in (int, float) or not 0 < value < 10_000:
        raise InputError(f"is {str(value)[:40]!r}, no tempo.", place=f"{place}, field tempo")
    return float(value)


def _about(whole: dict[str, Any], place: str) -> dict[str, Any]:
    found = whole.get(KEY, {})
    if not isinstance(found, dict):
        raise InputError("is no object.", place=f"{place}, field {KEY}")
    return {key: value for key, value in found.items() if key != SKIPPED}
