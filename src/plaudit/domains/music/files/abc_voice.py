"""One voice of an ABC tune: the events of its text, laid out in time when the tune is at its end.

Broken rhythm changes the length of the note before, so times are known only then. Lengths are sixteenths.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from plaudit.domains.music.files.abc_fields import ACCIDENTALS
from plaudit.domains.music.files.grid import Sound, Time
from plaudit.domains.music.files.notation import NO_CHORD, chord_of

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_BAR, _LAYER = "|", "&"
_Place = tuple[str, int]
"""Letter and octave (middle C = 4)."""


@dataclass
class Event:
    """A note, chord or rest; or the `sign` of a bar line or second layer, which lasts no time."""

    pitches: tuple[int, ...] = ()
    length: Fraction = Fraction(0)
    symbol: str = ""
    tied: tuple[int, ...] = ()
    sign: str = ""


@dataclass
class AbcVoice:
    """A voice while it is read."""

    name: str
    letters: dict[str, int]
    """Alterations by letter, of the key in force."""
    unit: Fraction | None = None
    events: list[Event] = field(default_factory=list)
    bar: dict[_Place, int] = field(default_factory=dict)
    """Alterations in force to the bar line."""
    now: dict[_Place, int] = field(default_factory=dict)
    """Alterations of the chord that is being read, and of the one before; a tie keeps the latter."""
    before: dict[_Place, int] = field(default_factory=dict)
    held: dict[_Place, int] = field(default_factory=dict)
    symbol: str = ""
    broken: Fraction = Fraction(1)
    tuplet: Fraction = Fraction(1)
    left: int = 0
    """Notes left of the tuplet."""

    def pitch(self, accidental: str, letter: str, marks: str) -> int:
        """The pitch of a note sign, by its accidental, the bar's, that of the tie, or the key's."""
        place = letter.upper(), 4 + letter.islower() + marks.count("'") - marks.count(",")
        if accidental:
            self.bar[place] = ACCIDENTALS[accidental]
        alter = self.bar.get(place, self.held.get(place, self.letters[place[0]]))
        self.now[place] = alter
        return _SEMITONES[place[0]] + alter + 12 * (place[1] + 1)

    def add(self, pitches: tuple[int, ...], length: Fraction, tied: tuple[int, ...] = ()) -> None:
        """A note, chord or rest (no pitches) after those before."""
        if self.left:
            length, self.left = length * self.tuplet, self.left - 1
        self.events.append(Event(pitches, length * self.broken, self.symbol, tied))
        self.symbol, self.broken = "", Fraction(1)
        self.before, self.now, self.held = self.now, {}, {}
        if tied:
            self.held = self.before

    def tie(self) -> None:
        """The event before sounds on in the next."""
        if self.events:
            self.events[-1].tied = self.events[-1].pitches
            self.held = self.before

    def break_rhythm(self, sign: str) -> None:
        """ ">" lengthens the note before by half and shortens the next, "<" the other way round."""
        part = Fraction(1, 2 ** min(len(sign), 3))
        first, second = (2 - part, part) if sign[0] == ">" else (part, 2 - part)
        if self.events:
            self.events[-1].length *= first
            self.broken = second

    def end_bar(self) -> None:
        """Accidentals end here, but not those of tied notes."""
        self.bar = {}
        self.events.append(Event(sign=_BAR, tied=self.events[-1].tied if self.events else ()))

    def begin_layer(self) -> None:
        """What follows up to the bar line sounds together with what stands before it."""
        self.events.append(Event(sign=_LAYER))


@dataclass
class Laid:
    """A voice laid out in time."""

    sounds: list[Sound] = field(default_factory=list)
    symbols: list[tuple[Time, tuple[int, str] | None]] = field(default_factory=list)
    bars: list[Fraction] = field(default_factory=list)
    end: Fraction = Fraction(0)
    odd_symbols: int = 0
    layers: int = 0

    def sound(self, event: Event, going: dict[int, int]) -> dict[int, int]:
        """Add an event; `going` holds, by pitch, the sound tied to it. Returns those tied on."""
        on = {}
        for pitch in dict.fromkeys(event.pitches):
            if pitch in going:
                index = going[pitch]
                whole = self.end + event.length - self.sounds[index].start
                self.sounds[index] = self.sounds[index]._replace(length=whole)
            else:
                index = len(self.sounds)
                self.sounds.append(Sound(self.end, event.length, pitch))
            if pitch in event.tied:
                on[pitch] = index
        self.end += event.length
        return on

    def symbol(self, text: str) -> None:
        """Add a chord symbol; a text placed above or below (^_<>@) is none."""
        chord = chord_of(text)
        if chord is not None or text.replace(".", "") == NO_CHORD.replace(".", ""):
            self.symbols.append((self.end, chord))
        elif text[:1] not in tuple("^_<>@"):
            self.odd_symbols += 1


def laid(voice: AbcVoice) -> Laid:
    """Sounds, chord symbols and bar lines of a voice with their times."""
    found, going, in_layer = Laid(), dict[int, int](), False
    for event in voice.events:
        if event.sign == _BAR:
            found.bars.append(found.end)
            in_layer = False
        elif event.sign == _LAYER:
            found.layers += 1
            in_layer = True
        elif not in_layer:
            if event.symbol:
                found.symbol(event.symbol)
            going = found.sound(event, going)
    return found
