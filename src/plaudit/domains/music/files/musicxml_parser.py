"""What music21 finds in a MusicXML document, as plain data with times in sixteenths.

All that touches the objects of music21 stands here, for what they raise is not foreseeable.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from plaudit.domains.music.files.about import KEY, library
from plaudit.domains.music.files.grid import Sound, Time
from plaudit.domains.music.score import QUARTER

Parts = list[tuple[str, list[Sound]]]


@dataclass
class Taken:
    """The content of a score.

    Attributes:
        parts: of each part its voices, by name.
        symbols: start, and kind as MusicXML calls it, root, alteration of the fifth.
        metres: beats, beat unit and number of the bar; keys: sharps and mode; tempos: quarters a minute.
        first_bar: number and length of the first bar, and how many bars there are.
        about: our own line, where there is one.
    """

    title: str = ""
    about: str | None = None
    parts: list[Parts] = field(default_factory=list)
    symbols: list[tuple[Time, tuple[str, int, int]]] = field(default_factory=list)
    metres: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, str]] = field(default_factory=list)
    tempos: list[float] = field(default_factory=list)
    first_bar: tuple[int, Time, int] = (1, 0, 0)
    steps: Time = 0
    graces: int = 0
    unpitched: int = 0


def taken(text: str) -> Taken:
    """Parse a document; raises whatever music21 raises."""
    library("music21.environment").Environment()["warnings"] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = library("music21.converter").parseData(text, format="musicxml")
        if any(instrument.transposition for instrument in score.recurse().getElementsByClass("Instrument")):
            score = score.toSoundingPitch()
        found = Taken()
        if score.metadata:
            found.title = score.metadata.movementName or score.metadata.title or ""
            custom = score.metadata.getCustom(KEY)
            found.about = str(custom[0]) if custom else None
        for part in score.parts:
            _take_part(part, found)
    return found


def _take_part(part: Any, found: Taken) -> None:
    """The bars of a part, one after the other."""
    voices: dict[int, _Line] = {}
    bars = list(part.getElementsByClass("Measure"))
    for bar in bars:
        for number, place, element in _elements(bar):
            start = (bar.offset + place + element.offset) * QUARTER
            if "GeneralNote" in element.classes:
                _take_note(element, start, voices.setdefault(number, _Line()), found)
            else:
                _take_sign(element, bar, found)
    if bars:
        last = (bars[-1].offset + bars[-1].highestTime) * QUARTER
        if not found.first_bar[2]:
            first = bars[1].offset * QUARTER if len(bars) > 1 else last
            found.first_bar = (bars[0].number, first, len(bars))
        found.steps = max(found.steps, last)
    name = part.partName or ""
    found.parts.append([(f"{name} {n + 1}".strip() if n else name, voices[n].sounds) for n in sorted(voices)])


def _elements(bar: Any) -> Iterator[tuple[int, Time, Any]]:
    """Each element of a bar with the number of its voice and where the voice begins."""
    for element in bar:
        if "Voice" not in element.classes:
            yield 0, 0, element
    for number, voice in enumerate(bar.voices):
        for element in voice:
            yield number, voice.offset, element


@dataclass
class _Line:
    """A voice while it is read; `going` holds the sounds that are tied on, by pitch."""

    sounds: list[Sound] = field(default_factory=list)
    going: dict[int, int] = field(default_factory=dict)

    def add(self, sound: Sound, tie: str) -> None:
        index = self.going.pop(sound.pitch, None) if tie in ("stop", "continue") else None
        if index is not None and abs(sum(self.sounds[index][:2]) - sound.start) < 1e-6:
            whole = sound.start + sound.length - self.sounds[index].start
            self.sounds[index] = self.sounds[index]._replace(length=whole)
        else:
            index = len(self.sounds)
            self.sounds.append(sound)
        if tie in ("start", "continue"):
            self.going[sound.pitch] = index


def _take_note(element: Any, start: Time, line: _Line, found: Taken) -> None:
    """A note, each note of a chord, or a chord symbol, which music21 counts among the chords."""
    classes = element.classes
    if "ChordSymbol" in classes:
        found.symbols.append((start, _symbol(element)))
    elif "Unpitched" in classes or "PercussionChord" in classes:
        found.unpitched += 1
    elif element.duration.isGrace:
        found.graces += 1
    elif "NotRest" in classes:
        for note in element.notes if "ChordBase" in classes else [element]:
            length = element.duration.quarterLength * QUARTER
            line.add(Sound(start, length, note.pitch.midi), note.tie.type if note.tie else "")


def _symbol(element: Any) -> tuple[str, int, int]:
    """Kind, root and alteration of the fifth of a chord symbol."""
    if "NoChord" in element.classes:
        return "none", 0, 0
    fifths = [m.interval.semitones for m in element.chordStepModifications if m.degree == 5 and m.interval]
    return element.chordKind or "", element.root().pitchClass, round(sum(fifths))


def _take_sign(element: Any, bar: Any, found: Taken) -> None:
    """A metre, key or tempo."""
    classes = element.classes
    if "TimeSignature" in classes:
        found.metres.append((element.numerator, element.denominator, bar.number))
    elif "KeySignature" in classes and element.sharps is not None:
        found.keys.append((element.sharps, getattr(element, "mode", "") or ""))
    elif "MetronomeMark" in classes:
        tempo = element.getQuarterBPM()
        if tempo:
            found.tempos.append(float(tempo))
