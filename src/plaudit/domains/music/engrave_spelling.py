"""How pitches are written in a key: signature, letter and accidental, names of chords.

Spelling picks from the line of fifths (... Bb F C G D A E B F# ...), where the seven notes of a
signature stand side by side and the chromatic ones next to them (Temperley, "The line of fifths", 2000).
"""

from __future__ import annotations

from plaudit.domains.music.score import NAMES, Chord, Piece

LETTERS = "FCGDAEB"
"""Letters in the order of fifths; F natural stands at -1, C at 0."""
SIGNS = {-1: "♭", 0: "", 1: "♯", 2: "♯♯"}
_FIFTHS = {"major": 0, "minor": -3, "dorian": -2, "phrygian": -4, "lydian": 1, "mixolydian": -1}
_DARK = ("minor", "dorian", "phrygian")
_SUFFIXES = {
    "maj": "",
    "min": "m",
    "dim": "dim",
    "aug": "aug",
    "7": "7",
    "maj7": "maj7",
    "min7": "m7",
    "dim7": "dim7",
    "hdim7": "m7♭5",
    "sus4": "sus4",
    "6": "6",
    "min6": "m6",
}


def signature(piece: Piece) -> int:
    """Sharps of the key's signature, flats negative, -6 to 6: the fewer of the two ways to write it."""
    fifths = (piece.tonic * 7 + _FIFTHS[piece.mode]) % 12
    if fifths == 6:
        return -6 if NAMES[piece.tonic].endswith("b") else 6
    return fifths - 12 if fifths > 6 else fifths


def place(pitch: int, piece: Piece) -> int:
    """The place of a pitch on the line of fifths, C = 0, as the key writes it.

    Chromatic notes: up to five fifths beyond the seven of the signature. Keys with a minor third take
    them mostly from the sharp side (a raised leading tone is a sharp), major ones with flats from the
    flat side.
    """
    fifths = signature(piece)
    lowest = fifths - (5 if fifths < 0 and piece.mode not in _DARK else 3)
    found = lowest + (pitch * 7 - lowest) % 12
    if found > 13:  # C double sharp and beyond
        return found - 12
    return found + 12 if found < -7 else found  # F flat and beyond


def spell(pitch: int, piece: Piece) -> tuple[str, int, int]:
    """Letter, sharps (flats negative) and octave (middle C begins the fourth) of a MIDI number."""
    at = place(pitch, piece)
    sharps = (at + 1) // 7
    return LETTERS[(at + 1) % 7], sharps, (pitch - sharps) // 12 - 1


def signed(letter: str, fifths: int) -> int:
    """Sharps that a signature puts before a letter: -1, 0 or 1."""
    order = LETTERS.index(letter)
    if fifths > order:
        return 1
    return -1 if fifths < order - 6 else 0


def pitch_name(pitch: int, piece: Piece) -> str:
    """Letter and sign, as in "E♭"."""
    letter, sharps, _ = spell(pitch, piece)
    return letter + SIGNS[sharps]


def chord_name(chord: Chord, piece: Piece) -> str:
    """The symbol above the staff, as in "F♯m7"."""
    return pitch_name(chord.root + 60, piece) + _SUFFIXES[chord.kind]
