"""ABC 2.1, the text notation of folk tunes: our writer, and reading with the reader beside it.

A chord symbol stands in quotes before the note on which it begins; a note that sounds through it is
written as two, tied. Our own line begins with "%plaudit ", a comment for every other program.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from plaudit.domains.music.files.abc_reader import sketch_of
from plaudit.domains.music.files.about import KEY, content_of, heard, one_line, save, told, with_skipped
from plaudit.domains.music.files.grid import checked, settled
from plaudit.domains.music.files.notation import (
    key_letters,
    key_name,
    marks,
    signature,
    spelled,
    written,
)
from plaudit.domains.music.score import Piece, Voice
from plaudit.errors import InputError

_BARS_A_LINE = 4
_MODES = {
    "major": "",
    "minor": "min",
    "dorian": "dor",
    "phrygian": "phr",
    "lydian": "lyd",
    "mixolydian": "mix",
}


def write_abc(piece: Piece, path: Path, about: dict[str, Any]) -> None:
    """Write a piece as one tune; raises `InputError` for an unsound one and `ResourceError`."""
    checked(piece, path)
    head = [
        "X:1",
        f"T:{_escaped(piece.title)}",
        f"%{KEY} {told(about)}",
        f"M:{piece.metre[0]}/{piece.metre[1]}",
        "L:1/16",
        f"Q:1/4={piece.tempo:.2f}".rstrip("0").rstrip("."),
        f"K:{key_name(piece.tonic, piece.mode)}{_MODES[piece.mode]}",
    ]
    chords = marks(piece)
    for number, voice in enumerate(piece.voices, 1):
        name = _escaped(voice.name).replace('"', "&quot;")
        head.append(f'V:{number} name="{name}"')
        head += _lines(voice, piece, chords if number == 1 else {})
    save(("\n".join(head) + "\n").encode(), path)


def _escaped(text: str) -> str:
    """A text string of ABC 2.1 (section 8.2)."""
    return re.sub(r"([\\%&])", r"\\\1", one_line(text))


def _lines(voice: Voice, piece: Piece, chords: dict[int, str]) -> list[str]:
    """The music of a voice, some bars a line."""
    key = key_letters(signature(piece.tonic, piece.mode))
    bars: list[str] = []
    changed: set[str] = set()
    text = ""
    for start, length, pitch, tied in written(voice, piece, chords):
        if start and (start - piece.pickup) % piece.bar == 0:
            bars.append(text)
            text, changed = "", set()
        symbol = f'"{chords[start]}"' if start in chords else ""
        sign = "z" if pitch is None else _sign(pitch, piece, key, changed)
        text += f"{symbol}{sign}{length if length > 1 else ''}{'-' if tied else ''}"
        # A blank after each quarter ends the beam.
        text += " " if (start + length - piece.pickup) % (piece.bar if piece.bar == 8 else 4) == 0 else ""
    bars.append(text)
    rows = [bars[at : at + _BARS_A_LINE] for at in range(0, len(bars), _BARS_A_LINE)]
    lines = [" | ".join(bar.strip() for bar in row) + " |" for row in rows]
    return [*lines[:-1], lines[-1] + "]"]


def _sign(pitch: int, piece: Piece, key: dict[str, int], changed: set[str]) -> str:
    """A note without its length.

    Programs differ on whether an accidental holds in other octaves, so every letter that had one in the
    bar (`changed`) is written with one again.
    """
    letter, alter, octave = spelled(pitch, signature(piece.tonic, piece.mode))
    accidental = ""
    if alter != key[letter] or letter in changed:
        accidental = ("_", "=", "^")[alter + 1]
        changed.add(letter)
    if octave > 4:
        return accidental + letter.lower() + "'" * (octave - 5)
    return accidental + letter + "," * (4 - octave)


def read_abc(path: Path) -> tuple[Piece, dict[str, Any]]:
    """The first tune and what the file says of itself; raises only `InputError`."""
    place = str(path)
    return _tune(_tunes(_text(path))[0], place)


def read_abc_tunes(path: Path) -> tuple[list[tuple[Piece, dict[str, Any]]], list[str]]:
    """Every tune that can be read, and why each of the others cannot.

    Raises `InputError` for a file that cannot be read at all, not for its tunes.
    """
    tunes, reasons = [], []
    for number, text in enumerate(_tunes(_text(path)), 1):
        try:
            tunes.append(_tune(text, f"{path}, tune {number}"))
        except InputError as error:
            reasons.append(str(error))
    return tunes, reasons


def _text(path: Path) -> str:
    """The file as text; collections of the nineties are Latin-1."""
    content = content_of(path)
    if b"\0" in content:
        raise InputError("is no text.", place=str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _tunes(text: str) -> list[str]:
    """The tunes, each from its X: on; a text without any is one tune."""
    return re.split(r"^(?=X:)", text, flags=re.MULTILINE)[1:] or [text]


def _tune(text: str, place: str) -> tuple[Piece, dict[str, Any]]:
    ours = re.search(rf"^%{KEY} (.*)$", text, re.MULTILINE)
    sketch = sketch_of(text, place)
    sketch.ours = ours is not None
    piece = settled(sketch, place)
    return piece, with_skipped(heard(ours and ours[1], place), sketch.skipped)
