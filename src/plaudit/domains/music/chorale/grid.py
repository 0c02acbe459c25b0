"""Four voices as arrays: what sounds at each step of a grid of eighths, in the key's own terms.

A token says what a voice does at one step: silence, a note begins, a note goes on. Unlike those of
melodies, a token that goes on names its pitch, so that a model that looks back sees what sounds and
not only that something does (as in TonicNet, Peracha, 2019). The sequence of tokens takes the voices
of a step in the order soprano, bass, alto, tenor: first the frame, then what fills it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.lines import BARS, MODE_NAMES, Ints
from plaudit.domains.music.score import METRES, Note, Piece, Voice

VOICES = ("soprano", "alto", "tenor", "bass")
ORDER = (0, 3, 1, 2)
"""In which the voices of a step are written."""
RANGES = ((60, 81), (53, 74), (48, 69), (40, 64))
"""Lowest and highest pitch of each voice: all of Bach's but one note in six hundred."""
STEP = 2
"""Sixteenths of a step: of Bach's 95,047 notes 1.3 % begin between the eighths."""
LOWEST, PITCHES = 30, 60
"""The lowest pitch of a token and how many there are: five octaves, the tonic moved to the nearest C."""
REST, FIRST = 0, 1
GOES_ON = FIRST + PITCHES
"""The first token of notes that go on."""
TOKENS = FIRST + 2 * PITCHES
SILENT = -1
"""The pitch of a voice that rests."""
Flags = NDArray[np.bool_]


@dataclass
class Chorales(Sequence[Piece]):
    """B pieces of four voices and up to T steps; as a sequence, it is B pieces.

    Attributes:
        pitch: `(B, 4, T)` MIDI numbers with the tonic at C, highest voice first; `SILENT` = rest.
        begins: `(B, 4, T)`: a note begins here; False beyond the length and in silence.
        ends: `(B, T)`: the last note of a phrase begins here (in Bach: under a fermata).
        length: `(B,)` steps; metre, mode: `(B,)` indices.
        shift: `(B,)` semitones from the key's own pitches up to the real ones.
        pickup: `(B,)` sixteenths before the first bar line.
        step: sixteenths of a step.
    """

    pitch: Ints
    begins: Flags
    ends: Flags
    length: Ints
    metre: Ints
    mode: Ints
    shift: Ints
    pickup: Ints
    step: int = STEP
    tempo: float = 84.0

    def __len__(self) -> int:
        return len(self.length)

    @overload
    def __getitem__(self, at: int) -> Piece: ...
    @overload
    def __getitem__(self, at: slice) -> list[Piece]: ...
    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._piece(row) for row in range(*at.indices(len(self)))]
        return self._piece(range(len(self))[at])

    def __iter__(self) -> Iterator[Piece]:
        return (self._piece(row) for row in range(len(self)))

    def _piece(self, row: int) -> Piece:
        steps, shift = int(self.length[row]), int(self.shift[row])
        voices = tuple(
            Voice(
                name.capitalize(),
                notes_of(self.pitch[row, v, :steps], self.begins[row, v, :steps], shift, self.step),
            )
            for v, name in enumerate(VOICES)
        )
        metre, mode = METRES[self.metre[row]], MODE_NAMES[self.mode[row]]
        pickup = int(self.pickup[row])
        return Piece(voices, steps * self.step, (), metre, shift % 12, mode, self.tempo, pickup)

    @property
    def bar(self) -> Ints:
        """Sixteenths of a bar `(B,)`."""
        return np.array(BARS)[self.metre]

    @property
    def valid(self) -> Flags:
        """`(B, T)`: steps that are not padding."""
        return np.arange(self.pitch.shape[2]) < self.length[:, None]


def shift_of(tonic: int) -> int:
    """Semitones from the nearest C up to a tonic, -5 to 6."""
    return tonic if tonic <= 6 else tonic - 12


def notes_of(pitch: NDArray[Any], begins: NDArray[Any], shift: int, step: int) -> tuple[Note, ...]:
    """The notes of one voice `(T,)`, `shift` semitones up; starts and lengths in sixteenths."""
    fresh = np.ones(len(pitch), bool)
    fresh[1:] = begins[1:] | (pitch[1:] != pitch[:-1])
    edges = [*np.flatnonzero(fresh).tolist(), len(pitch)]
    return tuple(
        Note(a * step, (b - a) * step, int(pitch[a]) + shift)
        for a, b in pairwise(edges)
        if pitch[a] != SILENT
    )


def voice_of(notes: Sequence[Note], steps: int, shift: int, step: int = STEP) -> tuple[Ints, Flags]:
    """What sounds `(steps,)` at the beginning of each step, and where a note begins.

    A note that begins within a step begins with the next if it still sounds then, and is lost if not.
    """
    pitch, begins = np.full(steps, SILENT), np.zeros(steps, bool)
    for note in notes:
        first, end = -(-note.start // step), min(-(-note.end // step), steps)
        if first < end:
            pitch[first:end] = note.pitch - shift
            begins[first] = True
    return pitch, begins


def chorales_of(pieces: Sequence[Piece], ends: Sequence[Sequence[int]], step: int = STEP) -> Chorales:
    """Pieces of four voices as arrays; `ends` are sixteenths. Raises `ValueError` for another number."""
    length = np.array([-(-piece.steps // step) for piece in pieces], np.int64)
    shape = (len(pieces), len(VOICES), int(length.max(initial=0)))
    pitch, begins = np.full(shape, SILENT), np.zeros(shape, bool)
    close = np.zeros((shape[0], shape[2]), bool)
    shift = np.array([shift_of(piece.tonic) for piece in pieces], np.int64)
    for row, piece in enumerate(pieces):
        if len(piece.voices) != len(VOICES):
            raise ValueError(f"a chorale has four voices, not {len(piece.voices)}")
        for v, voice in enumerate(piece.voices):
            span = slice(0, length[row])
            pitch[row, v, span], begins[row, v, span] = voice_of(
                voice.notes, int(length[row]), int(shift[row]), step
            )
        close[row, [end // step for end in ends[row] if end // step < length[row]]] = True
    return Chorales(
        pitch,
        begins,
        close,
        length,
        np.array([METRES.index(tuple(piece.metre)) for piece in pieces], np.int64),
        np.array([MODE_NAMES.index(piece.mode) for piece in pieces], np.int64),
        shift,
        np.array([piece.pickup for piece in pieces], np.int64),
        step,
        pieces[0].tempo if pieces else 84.0,
    )


def tokens_of(pitch: NDArray[Any], begins: NDArray[Any]) -> Ints:
    """Tokens of what sounds, of any shape; raises `ValueError` beyond the five octaves."""
    there = pitch != SILENT
    if there.any() and not LOWEST <= pitch[there].min() <= pitch[there].max() < LOWEST + PITCHES:
        raise ValueError(f"pitches from {pitch[there].min()} to {pitch[there].max()} do not fit")
    return np.where(there, pitch - LOWEST + np.where(begins, FIRST, GOES_ON), REST)


def sounds_of(tokens: NDArray[Any]) -> tuple[Ints, Flags]:
    """Pitches and beginnings of tokens `(..., T)`; a note that goes on from another pitch begins anew."""
    pitch = np.where(tokens == REST, SILENT, (tokens - FIRST) % PITCHES + LOWEST)
    begins = (tokens >= FIRST) & (tokens < GOES_ON)
    begins[..., 0] |= pitch[..., 0] != SILENT
    begins[..., 1:] |= (pitch[..., 1:] != pitch[..., :-1]) & (pitch[..., 1:] != SILENT)
    return pitch, begins


def interleaved(voices: NDArray[Any]) -> NDArray[Any]:
    """`(B, 4, T, ...)` by voice to `(B, 4T, ...)` in the order of writing."""
    turned = np.moveaxis(voices[:, list(ORDER)], 1, 2)
    return np.ascontiguousarray(turned.reshape(len(voices), -1, *voices.shape[3:]))


def by_voice(line: NDArray[Any]) -> NDArray[Any]:
    """`(B, 4T)` in the order of writing to `(B, 4, T)` by voice."""
    turned = np.moveaxis(line.reshape(len(line), -1, len(VOICES)), 2, 1)
    return np.ascontiguousarray(turned[:, list(np.argsort(ORDER))])
