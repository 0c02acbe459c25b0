"""Melodies as arrays: one token a sixteenth, in the key's own terms, so that all keys look the same.

A token is 0 (what sounds goes on), 1 (silence begins) or 2 + p (a note begins), where p counts semitones
from `LOWEST`; the tonic of the key is then always a C. A line is a `Piece` of one voice and back, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.score import METRES, MODES, Chord, Note, Piece, Voice, bar_steps

HOLD, REST, FIRST = 0, 1, 2
LOWEST, PITCHES = 48, 48
"""The lowest pitch of a token and how many there are: four octaves from C3, tonic moved to C."""
TOKENS = FIRST + PITCHES
MODE_NAMES = tuple(MODES)
BARS = tuple(bar_steps(metre) for metre in METRES)
CENTRE = 71
"""Where the middle of a range comes to lie when its key is moved to C: that of the folk tunes."""
Ints = NDArray[np.int64]


@dataclass
class Lines(Sequence[Piece]):
    """B melodies of up to T sixteenths; as a sequence, it is B pieces.

    Attributes:
        tokens: `(B, T)` int64, 0 beyond the length.
        length: `(B,)` sixteenths.
        metre, mode: `(B,)` indices into `METRES` and `MODE_NAMES`.
        shift: `(B,)` semitones from the key's own pitches up to the real ones.
        chords: for each line its chord symbols, roots in the key's own terms; may be empty.
        tempo: of all.
    """

    tokens: Ints
    length: Ints
    metre: Ints
    mode: Ints
    shift: Ints
    chords: Sequence[tuple[Chord, ...]] = ()
    tempo: float = 120.0

    def __len__(self) -> int:
        return len(self.tokens)

    @overload
    def __getitem__(self, at: int) -> Piece: ...
    @overload
    def __getitem__(self, at: slice) -> list[Piece]: ...
    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return self._piece(range(len(self))[at])

    def __iter__(self) -> Iterator[Piece]:
        return (self._piece(row) for row in range(len(self)))

    def _piece(self, row: int) -> Piece:
        shift, steps = int(self.shift[row]), int(self.length[row])
        notes = notes_of(self.tokens[row, :steps], shift)
        own = self.chords[row] if self.chords else ()
        chords = tuple(replace(chord, root=(chord.root + shift) % 12) for chord in own)
        return Piece(
            (Voice("melody", notes),),
            steps,
            chords,
            METRES[self.metre[row]],
            shift % 12,
            MODE_NAMES[self.mode[row]],
            self.tempo,
        )

    @property
    def bar(self) -> Ints:
        """Sixteenths of a bar `(B,)`."""
        return np.array(BARS)[self.metre]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """`(B, T)`: steps that are not padding."""
        return np.arange(self.tokens.shape[1]) < self.length[:, None]


def notes_of(tokens: NDArray[Any], shift: int) -> tuple[Note, ...]:
    """The notes of one line of tokens, `shift` semitones up."""
    begins = [*np.flatnonzero(tokens != HOLD).tolist(), len(tokens)]
    return tuple(
        Note(start, end - start, int(tokens[start]) - FIRST + LOWEST + shift)
        for start, end in pairwise(begins)
        if tokens[start] >= FIRST
    )


def tokens_of(notes: Sequence[Note], steps: int, shift: int) -> Ints | None:
    """The tokens `(steps,)` of a voice; None where a note lies outside of the four octaves."""
    tokens = np.zeros(steps, np.int64)
    end = 0
    for note in notes:
        token = note.pitch - shift - LOWEST + FIRST
        if not FIRST <= token < TOKENS:
            return None
        if note.start > end:
            tokens[end] = REST
        tokens[note.start] = token
        end = note.end
    if end < steps:
        tokens[end] = REST
    return tokens


def shift_of(tonic: int, low: int, high: int) -> int:
    """Semitones that bring a key from C to `tonic` so that low..high stems from around `CENTRE`."""
    wanted = (low + high) / 2 - CENTRE
    return int(tonic + 12 * round((wanted - tonic) / 12))


def lines_of(pieces: Sequence[Piece], shifts: Sequence[int] | None = None) -> Lines:
    """The first voices of pieces as arrays; raises `ValueError` for one outside of the four octaves."""
    steps = max((piece.steps for piece in pieces), default=0)
    tokens = np.zeros((len(pieces), steps), np.int64)
    moved = []
    for row, piece in enumerate(pieces):
        notes = piece.voices[0].notes if piece.voices else ()
        pitches = [note.pitch for note in notes] or [CENTRE]
        shift = shifts[row] if shifts is not None else shift_of(piece.tonic, min(pitches), max(pitches))
        line = tokens_of(notes, piece.steps, shift)
        if line is None:
            raise ValueError(f"a melody from {min(pitches)} to {max(pitches)} does not fit")
        tokens[row, : piece.steps] = line
        moved.append(shift)
    return Lines(
        tokens,
        np.array([piece.steps for piece in pieces], np.int64),
        np.array([METRES.index(tuple(piece.metre)) for piece in pieces], np.int64),
        np.array([MODE_NAMES.index(piece.mode) for piece in pieces], np.int64),
        np.array(moved, np.int64),
        [
            tuple(replace(chord, root=(chord.root - shift) % 12) for chord in piece.chords)
            for piece, shift in zip(pieces, moved, strict=True)
        ],
        pieces[0].tempo if pieces else 120.0,
    )


def settled(tokens: Ints) -> Ints:
    """The same lines `(B, T)` in one way of writing: silence that begins within silence only goes on."""
    number = np.arange(tokens.shape[1])
    begins = np.maximum.accumulate(np.where(tokens != HOLD, number, -1), axis=1)
    before = np.concatenate([np.full((len(tokens), 1), -1), begins[:, :-1]], axis=1)
    silent = np.take_along_axis(tokens, np.maximum(before, 0), axis=1) == REST
    return np.where((tokens == REST) & silent & (before >= 0), HOLD, tokens)


def sounding(tokens: NDArray[Any]) -> Ints:
    """For every step `(B, T)` the token of the note that sounds, `REST` in silence."""
    begins = tokens != HOLD
    at = np.maximum.accumulate(np.where(begins, np.arange(tokens.shape[1]), 0), axis=1)
    held = np.take_along_axis(np.asarray(tokens, np.int64), at, axis=1)
    return np.where(held == HOLD, REST, held)
