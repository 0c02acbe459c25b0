"""What a tune in ABC 2.1 sounds like (abcnotation.com/wiki/abc:standard:v2.1), without its engraving.

Read are the fields T M L Q K V, also inside the music, notes with accidentals that last to the bar line in
their octave, lengths, ties, broken rhythm, tuplets, chords and chord symbols. Grace notes, decorations,
lyrics, slurs and second layers (&) are passed over; repeats are not expanded.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from plaudit.domains.music.files.abc_fields import (
    Key,
    key_of,
    metre_of,
    ratio_of,
    tempo_of,
    text_of,
    voice_of,
)
from plaudit.domains.music.files.abc_voice import AbcVoice, laid
from plaudit.domains.music.files.about import MOST_NOTES, MOST_PARTS
from plaudit.domains.music.files.grid import Sketch, known_metre
from plaudit.domains.music.score import QUARTER
from plaudit.errors import InputError

_NOTE = r"(\^\^?|__?|=|)([A-Ga-g])([,']*)(\d*/*\d*)"
_TOKEN = re.compile(
    rf"""
      \[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]
    | "(?P<quoted>[^"]*)"
    | ![^!]*! | \+[a-z]+\+ | \{{[^}}]*\}}
    | \((?P<tuplet>\d(?::\d*){{0,2}})
    | (?P<bar>\[?\|+[\]:|]*|::+|:+\|+[\]:|]*)
    | \[\d[\d,.\-]* | (?<=\|)\d[\d,.\-]* | (?<=:)\d[\d,.\-]*
    | (?P<chord>\[(?:[^\]\[|:"]*)\])(?P<chord_length>\d*/*\d*)
    | (?P<note>{_NOTE})
    | (?P<rest>[zxZX])(?P<rest_length>\d*/*\d*)
    | (?P<tie>-) | (?P<broken>>+|<+) | (?P<layer>&)
    """,
    re.VERBOSE,
)
_INSIDE = re.compile(_NOTE + "(-?)")
_FIELD = re.compile(r"([A-Za-z]):(?![|:])(.*)")
_IN_TIME_OF = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}


@dataclass
class _Tune:
    """A tune while it is read; lengths in sixteenths."""

    place: str
    sketch: Sketch = field(default_factory=Sketch)
    metre: tuple[int, int] | None = None
    unit: Fraction | None = None
    key: Key | None = None
    """Of the head; from there on follows the music."""
    voices: dict[str, AbcVoice] = field(default_factory=dict)
    voice: AbcVoice | None = None
    changes: Counter[str] = field(default_factory=Counter)
    signs: int = 0


def sketch_of(text: str, place: str) -> Sketch:
    """Read one tune; raises only `InputError`, naming the line."""
    tune = _Tune(place)
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.split(r"(?<!\\)%", raw, maxsplit=1)[0].rstrip()
        tune.place = f"{place}, line {number}"
        found = _FIELD.match(line)
        if found:
            _take_field(tune, found[1], found[2].strip())
        elif tune.key is not None:
            _take_music(tune, line)
    if tune.key is None:
        raise InputError("is no ABC tune: it has no K: field.", place=place)
    return _finished(tune)


def _take_field(tune: _Tune, name: str, value: str) -> None:
    """A field in a line of its own or in brackets; all but T M L Q K V are passed over."""
    if name == "T" and not tune.sketch.title:
        tune.sketch.title = text_of(value)
    elif name == "M":
        _take_metre(tune, metre_of(value, tune.place))
    elif name == "L":
        _take_unit(tune, 16 * ratio_of(value, tune.place))
    elif name == "Q":
        _take_tempo(tune, tempo_of(value, _unit(tune) / 16, tune.place))
    elif name == "K":
        _take_key(tune, key_of(value))
    elif name == "V":
        _take_voice(tune, *voice_of(value))


def _unit(tune: _Tune) -> Fraction:
    """L: or, without it, a sixteenth for short metres and an eighth for others."""
    if tune.unit is not None:
        return tune.unit
    short = tune.metre is not None and Fraction(*tune.metre) < Fraction(3, 4)
    return Fraction(1 if short else 2)


def _take_metre(tune: _Tune, metre: tuple[int, int] | None) -> None:
    if metre is None:
        return
    if tune.metre is None:
        tune.sketch.metre = known_metre(*metre, tune.place, tune.sketch.skipped)
        tune.metre = metre
    elif metre != tune.metre:
        tune.changes["metre"] += 1


def _take_unit(tune: _Tune, unit: Fraction) -> None:
    if tune.key is None or tune.voice is None:
        tune.unit = unit
    else:
        tune.voice.unit = unit


def _take_tempo(tune: _Tune, tempo: float | None) -> None:
    if tune.sketch.tempo is None:
        tune.sketch.tempo = tempo
    elif tempo is not None and tempo != tune.sketch.tempo:
        tune.changes["tempo"] += 1


def _take_key(tune: _Tune, key: Key) -> None:
    """K: ends the head; later ones change the accidentals, while the key of the piece is the first."""
    if tune.key is None:
        tune.key = key
        tune.sketch.fifths, tune.sketch.mode = key.fifths, key.mode
        for voice in tune.voices.values():
            voice.letters = key.letters
    else:
        voice = _voice(tune)
        tune.changes["key"] += voice.letters != key.letters
        voice.letters = key.letters


def _take_voice(tune: _Tune, short: str, name: str | None) -> None:
    if short not in tune.voices:
        if len(tune.voices) >= MOST_PARTS:
            raise InputError(f"has over {MOST_PARTS} voices.", place=tune.place)
        letters = tune.key.letters if tune.key else {}
        tune.voices[short] = AbcVoice(short, letters)
    tune.voice = tune.voices[short]
    if name is not None:
        tune.voice.name = name


def _voice(tune: _Tune) -> AbcVoice:
    """The voice that sounds; a tune without V: has one of no name."""
    if tune.voice is None:
        _take_voice(tune, "", None)
    assert tune.voice is not None
    return tune.voice


def _take_music(tune: _Tune, line: str) -> None:
    """A line of music. What is no token (blanks, slurs, decorations of one letter) is passed over."""
    for found in _TOKEN.finditer(line):
        tune.signs += 1
        if tune.signs > 8 * MOST_NOTES:
            raise InputError(f"has over {MOST_NOTES:,} notes.", place=tune.place)
        if found["field"]:
            _take_field(tune, found["field"], found["value"].strip())
        else:
            _take_token(tune, _voice(tune), found)


def _take_token(tune: _Tune, voice: AbcVoice, found: re.Match[str]) -> None:
    """One sign; for a group within a group `lastgroup` names the outer one."""
    kind = found.lastgroup
    if kind == "note":
        accidental, letter, marks, length = _INSIDE.match(found["note"]).groups()[:4]
        voice.add((voice.pitch(accidental, letter, marks),), _length(tune, voice, length))
    elif kind == "bar":
        voice.end_bar()
    elif kind == "quoted":
        voice.symbol = found["quoted"].strip()
    elif kind == "chord_length":
        _take_chord(tune, voice, found["chord"], found["chord_length"])
    elif kind == "rest_length":
        _take_rest(tune, voice, found["rest"], found["rest_length"])
    elif kind == "tie":
        voice.tie()
    elif kind == "broken":
        voice.break_rhythm(found["broken"])
    elif kind == "tuplet":
        _take_tuplet(tune, voice, found["tuplet"])
    elif kind == "layer":
        voice.begin_layer()


def _length(tune: _Tune, voice: AbcVoice, text: str) -> Fraction:
    return ratio_of(text, tune.place) * (voice.unit or _unit(tune))


def _take_chord(tune: _Tune, voice: AbcVoice, text: str, length: str) -> None:
    """Notes in brackets; the length of the first counts, times that after the bracket."""
    notes = _INSIDE.findall(text)
    if notes:
        pitches = [voice.pitch(*note[:3]) for note in notes]
        tied = [pitch for pitch, note in zip(pitches, notes, strict=True) if note[4]]
        whole = _length(tune, voice, notes[0][3]) * ratio_of(length, tune.place)
        voice.add(tuple(pitches), whole, tuple(tied))


def _take_rest(tune: _Tune, voice: AbcVoice, letter: str, length: str) -> None:
    """z and x last unit notes, Z and X bars."""
    if letter in "zx":
        voice.add((), _length(tune, voice, length))
    else:
        voice.add((), ratio_of(length, tune.place) * _bar(tune))


def _take_tuplet(tune: _Tune, voice: AbcVoice, text: str) -> None:
    """(p:q:r: the next r notes last q/p of what they say."""
    p, q, r = (int(each or 0) for each in (text + "::").split(":")[:3])
    compound = tune.metre is not None and tune.metre[1] == 8 and tune.metre[0] % 3 == 0
    if p:
        q = q or _IN_TIME_OF.get(p, 3 if compound else 2)
        voice.tuplet, voice.left = Fraction(q, p), r or p


def _bar(tune: _Tune) -> Fraction:
    """Sixteenths of a bar as the tune has it."""
    return Fraction(*(tune.metre or (4, 4))) * 4 * QUARTER


def _finished(tune: _Tune) -> Sketch:
    """The sketch of what was read, with the sentences about what is lost."""
    sketch = tune.sketch
    voices = [(voice.name, laid(voice)) for voice in tune.voices.values()]
    sketch.parts = [(name, voice.sounds) for name, voice in voices]
    sketch.symbols = [symbol for _, voice in voices for symbol in voice.symbols]
    sketch.steps = max((voice.end for _, voice in voices), default=Fraction(0))
    first = next((voice for _, voice in voices if voice.sounds), None)
    bar = next((time for time in first.bars if time), first.end) if first else Fraction(0)
    if first and bar < min(first.end, _bar(tune)):
        sketch.pickup = bar
    if tune.metre is None:
        sketch.skipped.append("The metre is not told; it was read as 4/4.")
    for what, count in tune.changes.items():
        sketch.skip(count, f"Changes of {what}, dropped for the first")
    sketch.skip(sum(v.odd_symbols for _, v in voices), "Chord symbols that name no chord, dropped")
    sketch.skip(sum(v.layers for _, v in voices), "Second layers of a voice (&), dropped")
    return sketch
