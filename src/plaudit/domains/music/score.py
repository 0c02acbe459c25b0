"""A piece of music as plain data: what terms see, what files hold, what a user's function gets.

Time is counted in sixteenths from the beginning (four a quarter), pitches are MIDI numbers (60 = middle
C), pitch classes 0 to 11 from C upwards. A voice sounds one note at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

QUARTER = 4
"""Steps of the grid in a quarter note."""
METRES = ((2, 4), (3, 4), (4, 4), (6, 8))
"""Beats and beat unit of a bar."""
MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
"""Pitch classes of each mode above its tonic; "minor" is the natural one."""
CHORDS = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "sus4": (0, 5, 7),
    "6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
}
"""Pitch classes of each kind of chord above its root."""
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""How keys are called on the command line: "Eb major", "F# dorian"."""
PITCHES = range(21, 109)
"""Pitches of a piano: what a voice may hold."""


@dataclass(frozen=True, order=True)
class Note:
    """One note: start and length in sixteenths, pitch as a MIDI number."""

    start: int
    length: int
    pitch: int

    @property
    def end(self) -> int:
        return self.start + self.length


@dataclass(frozen=True, order=True)
class Chord:
    """One chord symbol: start and length in sixteenths, root as a pitch class, kind of `CHORDS`."""

    start: int
    length: int
    root: int
    kind: str

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def pitch_classes(self) -> frozenset[int]:
        return frozenset((self.root + step) % 12 for step in CHORDS[self.kind])


@dataclass(frozen=True)
class Voice:
    """A named line of notes in the order of time, none overlapping the next."""

    name: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Piece:
    """Voices, chord symbols, metre and key.

    Attributes:
        voices: from the highest to the lowest; a melody has one.
        steps: length in sixteenths.
        chords: in the order of time, not overlapping; may be empty.
        metre: beats and beat unit of a bar, of `METRES`.
        tonic: pitch class of the key's tonic; mode: of `MODES`.
        tempo: quarter notes a minute.
        pickup: sixteenths before the first bar line; 0 = the piece begins with a whole bar.
        title: for the head of the score.
    """

    voices: tuple[Voice, ...]
    steps: int
    chords: tuple[Chord, ...] = ()
    metre: tuple[int, int] = (4, 4)
    tonic: int = 0
    mode: str = "major"
    tempo: float = 120.0
    pickup: int = 0
    title: str = ""

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes in the order of time."""
        return tuple(sorted(note for voice in self.voices for note in voice.notes))

    @property
    def bar(self) -> int:
        """Sixteenths of a bar."""
        return bar_steps(self.metre)

    @property
    def bars(self) -> int:
        """Whole bars after the pickup, the last one counted even if it is short."""
        return -(-(self.steps - self.pickup) // self.bar)

    @property
    def seconds(self) -> float:
        return self.steps / QUARTER * 60.0 / self.tempo

    @property
    def scale(self) -> frozenset[int]:
        """Pitch classes of the key."""
        return frozenset((self.tonic + step) % 12 for step in MODES[self.mode])

    def transposed(self, semitones: int) -> Piece:
        """The piece moved up; down where negative."""
        voices = tuple(
            Voice(voice.name, tuple(replace(note, pitch=note.pitch + semitones) for note in voice.notes))
            for voice in self.voices
        )
        chords = tuple(replace(chord, root=(chord.root + semitones) % 12) for chord in self.chords)
        return replace(self, voices=voices, chords=chords, tonic=(self.tonic + semitones) % 12)


def bar_steps(metre: tuple[int, int]) -> int:
    """Sixteenths of a bar: 16 in 4/4, 12 in 3/4 and 6/8, 8 in 2/4."""
    return metre[0] * 4 * QUARTER // metre[1]


def problems(piece: Piece) -> Iterator[str]:
    """Say what of the contract above a piece does not keep; nothing for a sound one."""
    if tuple(piece.metre) not in METRES:
        yield f"its metre is {piece.metre[0]}/{piece.metre[1]}"
    if piece.mode not in MODES or piece.tonic not in range(12):
        yield f"its key is {piece.tonic} {piece.mode}"
    if not 20.0 <= piece.tempo <= 400.0:
        yield f"its tempo is {piece.tempo:g}"
    for voice in piece.voices:
        end = 0
        for note in voice.notes:
            if note.start < end or note.length < 1 or note.end > piece.steps or note.pitch not in PITCHES:
                yield f"{voice.name} has no room for {note}"
            end = note.end
    end = 0
    for chord in piece.chords:
        if chord.start < end or chord.length < 1 or chord.end > piece.steps or chord.kind not in CHORDS:
            yield f"there is no room for {chord}"
        end = chord.end
