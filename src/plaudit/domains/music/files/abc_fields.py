"""What the fields of an ABC tune say (ABC 2.1, section 3): metre, lengths, tempo, key and voice.

Each function takes the text after the colon and the place to name in an `InputError`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from plaudit.domains.music.files.notation import LETTERS, key_letters
from plaudit.errors import InputError

ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0, "": 0}
_MODES = {
    "": ("major", 0),
    "maj": ("major", 0),
    "ion": ("major", 0),
    "m": ("minor", 3),
    "min": ("minor", 3),
    "aeo": ("minor", 3),
    "dor": ("dorian", 2),
    "phr": ("phrygian", 4),
    "lyd": ("lydian", -1),
    "mix": ("mixolydian", 1),
    "loc": ("locrian", 5),
}
"""Name, and how many fifths the tonic lies above that of the major key of the signature."""


_SIGNS = {"#": "^", "b": "_", "": ""}


class Key(NamedTuple):
    """A key: alterations by letter; sharps of the signature and mode where a tonic is named."""

    letters: dict[str, int]
    fifths: int | None
    mode: str


def ratio_of(value: str, place: str) -> Fraction:
    """A length: "3/2", "/" = 1/2, "//" = 1/4, "" = 1."""
    found = re.fullmatch(r"(\d{0,4})(/{0,6})(\d{0,3})", value.replace(" ", ""))
    above = int(found[1] or 1) if found else 0
    below = int(found[3]) if found and found[3] else 2 ** len(found[2]) if found else 0
    if not above or not below:
        raise InputError(f"{value[:20]!r} is no length.", place=place)
    return Fraction(above, below)


def metre_of(value: str, place: str) -> tuple[int, int] | None:
    """M: "6/8", "C" = 4/4, "C|" = 2/2; None where there is none."""
    value = {"C": "4/4", "C|": "2/2"}.get(value, value)
    if value.lower() in ("none", ""):
        return None
    found = re.fullmatch(r"(\d{1,3})\s*/\s*(\d{1,3})", value)
    if found is None or int(found[2]) == 0:
        raise InputError(f"its metre is {value[:20]!r}.", place=place)
    return int(found[1]), int(found[2])


def tempo_of(value: str, unit: Fraction, place: str) -> float | None:
    """Q: quarter notes a minute of "1/4=120", of "1/4 1/8=40", and of "120" unit notes, as of old."""
    found = re.fullmatch(
        r"((?:\d{1,3}/\d{1,3}\s*)*)=?\s*(\d{1,4}(?:\.\d{1,4})?)", re.sub(r'"[^"]*"', "", value).strip()
    )
    if found is None:
        return None
    beat = sum((ratio_of(each, place) for each in found[1].split()), Fraction(0)) or unit
    return float(beat * 4 * Fraction(found[2]))


def key_of(value: str) -> Key:
    """K: "F#m", "D dor", "Em ^f" (an accidental of its own), "HP" for the bagpipe, "none"."""
    found = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)", value)
    if value[:2].lower() == "hp":
        fifths, mode = 2, "mixolydian"
    elif found is None:
        fifths, mode = None, ""
    else:
        word = found[3] if found[3] == "M" else found[3][:3].lower()
        mode, above = _MODES.get(word, ("major", 0))
        fifths = LETTERS.index(found[1]) - 1 + 7 * ACCIDENTALS[_SIGNS[found[2]]] - above
        fifths = fifths if abs(fifths) <= 7 else None
    own = re.findall(r"(?<!\S)(\^\^?|__?|=)([a-gA-G])(?!\S)", value)
    letters = key_letters(fifths or 0) | {letter.upper(): ACCIDENTALS[sign] for sign, letter in own}
    return Key(letters, fifths, mode)


def voice_of(value: str) -> tuple[str, str | None]:
    """V: the voice's short name, and its long one where there is one."""
    found = re.search(r'\b(?:name|nm)\s*=\s*"([^"]*)"', value)
    return (value.split() or [""])[0], text_of(found[1]) if found else None


def text_of(value: str) -> str:
    """A text string without its escapes (section 8.2)."""
    return re.sub(r"\\([\\%&])", r"\1", value.replace("&quot;", '"'))
