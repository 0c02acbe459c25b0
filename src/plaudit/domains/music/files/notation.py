"""How keys, pitches, chords and lengths are written: names for numbers, and back.

Names stand on the line of fifths (F C G D A E B, then the same with sharps, before it with flats).
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator

from plaudit.domains.music.score import CHORDS, Note, Piece, Voice

FIFTHS = {"major": 0, "minor": 3, "dorian": 2, "phrygian": 4, "lydian": -1, "mixolydian": 1}
"""How many fifths the tonic of a mode lies above the tonic of the major key of the same signature."""
SUFFIXES = dict(
    zip(CHORDS, ("", "m", "dim", "aug", "7", "maj7", "m7", "dim7", "m7b5", "sus4", "6", "m6"), strict=True)
)
"""How a chord of each kind is written after its root."""
NO_CHORD = "N.C."
LETTERS = "FCGDAEB"
_LENGTHS = (16, 12, 8, 6, 4, 3, 2, 1)
"""Sixteenths that one note sign can last, with a dot at most."""
_PLAIN = str.maketrans(
    {"\u266d": "b", "\u266f": "#", "\u00f8": "hdim", "\u00d8": "hdim", "\u00b0": "dim", "\u0394": "maj7"}
    | {"\u2206": "maj7", "+": "aug", "-": "m"}
)
"""Flat, sharp, slashed o, degree and triangle, as chord symbols have them."""
_KINDS = (
    (r"h(alf)?dim|(min|mi|m)7?[bm]5", "hdim7"),
    (r"dim7|o7", "dim7"),
    (r"dim|o$", "dim"),
    (r"aug|#5|7aug(?!\d)|7#5", "aug"),
    (r"(min|mi|m)(maj|Maj|M)", "min"),
    (r"(min|mi|m)6", "min6"),
    (r"(min|mi|m)(7|9|11|13)", "min7"),
    (r"(maj|Maj|ma|Ma|M|j)(7|9|11|13)", "maj7"),
    (r"(7|9|11|13)?sus", "sus4"),
    (r"6", "6"),
    (r"7|9|11|13|dom|alt", "7"),
    (r"(major|maj|Maj|ma|Ma|M)?(add|[b#]?\d|\W|$)", "maj"),
    (r"(minor|min|mi|m)(add|sus|[b#]?\d|\W|$)", "min"),
)
"""What the text after the root begins with, tried in this order."""


def signature(tonic: int, mode: str) -> int:
    """Sharps of the key signature, flats negative; -5 to 6."""
    return ((tonic * 7 - FIFTHS[mode]) % 12 + 5) % 12 - 5


def tonic_of(fifths: int, mode: str) -> int:
    """Pitch class of the tonic of a key signature."""
    return (fifths + FIFTHS[mode]) * 7 % 12


def spelled(pitch: int, fifths: int) -> tuple[str, int, int]:
    """Letter, alteration (-1 to 1) and octave (middle C = 4) of a pitch in a key signature."""
    lowest = max(-8, min(fifths - 3, 1))
    place = lowest + (pitch * 7 - lowest) % 12
    alter = (place + 1) // 7
    return LETTERS[(place + 1) % 7], alter, (pitch - alter) // 12 - 1


def key_letters(fifths: int) -> dict[str, int]:
    """The alteration of each letter under a key signature."""
    return {letter: int(index < fifths) - int(index >= 7 + fifths) for index, letter in enumerate(LETTERS)}


def key_name(tonic: int, mode: str) -> str:
    """The tonic as the signature spells it: "Bb", "D#"."""
    place = signature(tonic, mode) + FIFTHS[mode] + 1
    return LETTERS[place % 7] + ("b", "", "#")[place // 7 + 1]


def chord_name(root: int, kind: str, fifths: int) -> str:
    """A chord symbol: "Bbm7"."""
    letter, alter, _ = spelled(root + 60, fifths)
    return letter + ("b", "", "#")[alter + 1] + SUFFIXES[kind]


def chord_of(name: str) -> tuple[int, str] | None:
    """Root and nearest kind of a chord symbol, or None where it is none; extensions and bass are dropped.

    >>> chord_of("Bbm11/Eb"), chord_of("la la")
    ((10, 'min7'), None)
    """
    found = re.match(r"\(?([A-G])([#b]?)([^/]*)", name.translate(_PLAIN).strip())
    if found is None:
        return None
    root = (LETTERS.index(found[1]) * 7 + 5 + {"#": 1, "b": -1, "": 0}[found[2]]) % 12
    suffix = re.sub(r"[\s(),^]", "", found[3])
    kind = next((kind for pattern, kind in _KINDS if re.match(pattern, suffix)), None)
    return None if kind is None else (root, kind)


def marks(piece: Piece) -> dict[int, str]:
    """Chord symbols to write, by their start; where no chord follows at once, one says so."""
    found = {}
    for chord in piece.chords:
        found[chord.start] = chord_name(chord.root, chord.kind, signature(piece.tonic, piece.mode))
        if chord.end < piece.steps:
            found[chord.end] = NO_CHORD
    # A chord that begins where another ends comes later in the loop, and takes the place of "no chord".
    return found


def written(
    voice: Voice, piece: Piece, cuts: Iterable[int] = ()
) -> Iterator[tuple[int, int, int | None, bool]]:
    """Start, length, pitch (None = rest) and whether it is tied on, of every sign of a voice.

    No sign goes over a bar line or one of `cuts`.
    """
    lines = sorted({*range(piece.pickup, piece.steps, piece.bar), *cuts, piece.steps})
    end = 0
    for note in (*voice.notes, Note(piece.steps, 0, 0)):
        for start, stop, pitch in ((end, note.start, None), (note.start, note.end, note.pitch)):
            while start < stop:
                room = min(stop, lines[bisect(lines, start)]) - start
                length = next(each for each in _LENGTHS if each <= room)
                yield start, length, pitch, pitch is not None and start + length < stop
                start += length  # noqa: PLW2901
        end = note.end
