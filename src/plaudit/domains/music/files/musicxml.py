"""MusicXML, plain (`.musicxml`, `.xml`) and zipped (`.mxl`), read and written with music21.

A part a voice; chord symbols stand in the first part, where none sounds the "no chord" of MusicXML 4.0.
Several voices on a foreign staff become a voice each; repeats are not expanded.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from plaudit.domains.music.files.about import content_of, heard, library, save, told, with_skipped
from plaudit.domains.music.files.grid import Sketch, checked, known_metre, settled
from plaudit.domains.music.files.musicxml_guard import text_of
from plaudit.domains.music.files.musicxml_parser import Taken, taken
from plaudit.domains.music.files.musicxml_writer import document, zipped
from plaudit.domains.music.score import QUARTER, Piece
from plaudit.errors import InputError

_MODES = {"ionian": "major", "aeolian": "minor"}
_KINDS = (
    ("half-diminished", "hdim7"),
    ("diminished-", "dim7"),
    ("diminished", "dim"),
    ("augmented", "aug"),
    ("minor-sixth", "min6"),
    ("minor-major", "min"),
    ("minor-", "min7"),
    ("minor", "min"),
    ("major-sixth", "6"),
    ("major-minor", "min"),
    ("major-", "maj7"),
    ("major", "maj"),
    ("suspended", "sus4"),
    ("dominant", "7"),
    ("seventh", "7"),
    ("power", "maj"),
    ("pedal", "maj"),
)
"""What the kinds of MusicXML begin with, the first that fits counts."""


def write_musicxml(piece: Piece, path: Path, about: dict[str, Any]) -> None:
    """Write a piece, zipped where the name ends in .mxl.

    Raises `InputError` for an unsound piece, `MissingExtra` and `ResourceError`.
    """
    checked(piece, path)
    content = document(piece, told(about))
    save(zipped(content) if path.suffix.lower() == ".mxl" else content, path)


def read_musicxml(path: Path) -> tuple[Piece, dict[str, Any]]:
    """The piece and what the file says of itself; raises `InputError` and `MissingExtra`."""
    place = str(path)
    text = text_of(content_of(path), place)
    library("music21")
    try:
        found = taken(text)
    # music21 checks little: a damaged score ends in any exception at all, deep nesting in RecursionError.
    except Exception as error:
        reason = f"{type(error).__name__} {str(error)[:100]}".strip()
        raise InputError(f"cannot be parsed as MusicXML: {reason}.", place=place) from error
    sketch = Sketch(title=found.title, ours=found.about is not None)
    sketch.parts = [(name, sounds) for part in found.parts for name, sounds in part]
    sketch.symbols = [(time, _chord(*chord)) for time, chord in found.symbols]
    sketch.steps = found.steps
    _add_metre(sketch, found, place)
    _add_key(sketch, found)
    _add_tempo(sketch, found)
    dropped = sum(_chord(*chord) is None and chord[0] != "none" for _, chord in found.symbols)
    sketch.skip(dropped, "Chord symbols of an unknown kind, read as no chord")
    sketch.skip(found.graces, "Grace notes, skipped")
    sketch.skip(found.unpitched, "Notes of percussion, skipped")
    piece = settled(sketch, place)
    return piece, with_skipped(heard(found.about, place), sketch.skipped)


def _chord(kind: str, root: int, fifth: int) -> tuple[int, str] | None:
    """Root and nearest kind; `fifth` is by how much the fifth is altered."""
    if kind.startswith("minor-seventh") and fifth == -1:
        return root, "hdim7"
    known = next((ours for begin, ours in _KINDS if kind.startswith(begin)), None)
    return None if known is None else (root, known)


def _add_metre(sketch: Sketch, found: Taken, place: str) -> None:
    """The first metre, and as pickup a first bar that is shorter, unless it is the only one."""
    if not found.metres:
        sketch.skipped.append("The metre is not told; it was read as 4/4.")
    beats, unit, bar = found.metres[0] if found.metres else (4, 4, 1)
    sketch.metre = known_metre(beats, unit, f"{place}, measure {bar}", sketch.skipped)
    number, length, bars = found.first_bar
    if (bars > 1 or number == 0) and length < Fraction(4 * QUARTER * beats, unit):
        sketch.pickup = length
    changes = sum(metre[:2] != (beats, unit) for metre in found.metres)
    sketch.skip(changes, f"Changes of metre, dropped for {beats}/{unit}")


def _add_key(sketch: Sketch, found: Taken) -> None:
    """The first key signature, with its mode where it tells one of ours."""
    if found.keys:
        sketch.fifths, mode = found.keys[0]
        sketch.mode = _MODES.get(mode, mode)
        if abs(sketch.fifths) > 7:
            sketch.fifths = None
        sketch.skip(len({key[0] for key in found.keys}) - 1, "Other key signatures, dropped")


def _add_tempo(sketch: Sketch, found: Taken) -> None:
    if found.tempos:
        sketch.tempo = found.tempos[0]
        changes = sum(abs(tempo - found.tempos[0]) > 0.01 for tempo in found.tempos)
        sketch.skip(changes, "Changes of tempo, dropped")
