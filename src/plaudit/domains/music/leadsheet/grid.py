"""Chords as arrays: one token a beat, in the key's own terms, beside the melody they are for.

A beat is a quarter, in 6/8 a dotted quarter. A token is 0 (the chord goes on), 1 (no chord), or
2 + 12 * kind + root with the root counted from the tonic.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.data import KINDS
from plaudit.domains.music.lines import BARS, FIRST, Ints, sounding
from plaudit.domains.music.score import METRES, Chord

GOES_ON, NONE, FIRST_CHORD = 0, 1, 2
CHORD_TOKENS = FIRST_CHORD + 12 * len(KINDS)
BEATS = tuple(6 if metre == (6, 8) else 4 for metre in METRES)
"""Sixteenths of a beat in each metre."""
MOST_BEATS = 4
"""Beats of the longest bar."""


@dataclass
class Melodies:
    """What B melodies are, beat by beat, for up to T beats.

    Attributes:
        dwelt: `(B, T, 12)` share of each beat in which a pitch class (from the tonic) sounds.
        onset: `(B, T)` pitch class of the note that begins on the beat, -1 = none.
        length: `(B,)` beats; metre, mode: `(B,)` indices.
    """

    dwelt: NDArray[np.float64]
    onset: Ints
    length: Ints
    metre: Ints
    mode: Ints

    def __len__(self) -> int:
        return len(self.length)

    @property
    def beats(self) -> Ints:
        """Beats of a bar `(B,)`."""
        return (np.array(BARS) // np.array(BEATS))[self.metre]

    @property
    def valid(self) -> NDArray[np.bool_]:
        return np.arange(self.onset.shape[1]) < self.length[:, None]

    def rows(self, at: NDArray[np.int64]) -> Melodies:
        return Melodies(self.dwelt[at], self.onset[at], self.length[at], self.metre[at], self.mode[at])


def melodies_of(tokens: Ints, length: Ints, metre: Ints, mode: Ints) -> Melodies:
    """Beats of lines of tokens `(B, steps)` as `lines.py` has them."""
    beat = np.array(BEATS)[metre]
    count = length // beat
    rows, most = len(tokens), int(count.max())
    held = sounding(tokens)
    dwelt, onset = np.zeros((rows, most, 12)), np.full((rows, most), -1)
    for row in range(rows):
        size, beats = int(beat[row]), int(count[row])
        own = held[row, : size * beats].reshape(beats, size)
        for step in range(size):
            notes = np.flatnonzero(own[:, step] >= FIRST)
            dwelt[row, notes, (own[notes, step] - FIRST) % 12] += 1.0 / size
        begins = tokens[row, : size * beats : size]
        onset[row, :beats] = np.where(begins >= FIRST, (begins - FIRST) % 12, -1)
    return Melodies(dwelt, onset, count, metre, mode)


def tokens_at(root: Ints, kind: Ints) -> Ints:
    """Tokens `(T,)` of the chords that hold at each beat, `root` -1 = none."""
    plain = np.where(root < 0, NONE, FIRST_CHORD + 12 * kind + root)
    same = np.zeros(len(plain), bool)
    same[1:] = plain[1:] == plain[:-1]
    return np.where(same, GOES_ON, plain)


def spread(tokens: Ints) -> Ints:
    """What holds at each beat `(B, T)`: the token that was written last."""
    begins = np.where(tokens != GOES_ON, np.arange(tokens.shape[1]), 0)
    return np.take_along_axis(tokens, np.maximum.accumulate(begins, axis=1), axis=1)


def symbols(tokens: Ints, beat: int, shift: int) -> tuple[Chord, ...]:
    """Chord symbols of one line of tokens `(T,)`, `shift` semitones up."""
    begins = [*np.flatnonzero(tokens != GOES_ON).tolist(), len(tokens)]
    return tuple(
        Chord(a * beat, (b - a) * beat, int((tokens[a] - FIRST_CHORD) % 12 + shift) % 12, _kind(tokens[a]))
        for a, b in pairwise(begins)
        if tokens[a] >= FIRST_CHORD
    )


def _kind(token: int) -> str:
    return KINDS[int(token - FIRST_CHORD) // 12]
