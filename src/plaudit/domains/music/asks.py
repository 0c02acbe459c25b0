"""What is asked of B melodies, as arrays: made from requests, or read off tunes to learn from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.lines import BARS, FIRST, HOLD, MODE_NAMES, REST, Ints, sounding
from plaudit.domains.music.score import MODES

CONTOURS = ("flat", "up", "down", "arch", "valley")
CADENCES = ("full", "half")
DEGREES = 7
SCALES = np.array([[pc in MODES[name] for pc in range(12)] for name in MODE_NAMES])
"""`(modes, 12)` bool: pitch classes of each mode with the tonic at C."""
LEADING = 11
"""In minor keys the leading tone is in the key too: that is how melodies close."""
IN_KEY = SCALES.copy()
IN_KEY[MODE_NAMES.index("minor"), LEADING] = True
BEND = 2.0
"""Semitones by which the mean pitch of thirds must differ for a contour to be more than flat."""
OPEN = -1
"""Nothing is asked."""


@dataclass
class Asks:
    """What is asked of B melodies of up to T sixteenths; `OPEN` = nothing.

    Attributes:
        length, metre, mode: `(B,)` sixteenths, indices of metre and mode.
        low, high: `(B,)` tokens of the lowest and the highest note allowed.
        opening: `(B,)` scale degree of the first note, 0 to 6; cadence, contour: `(B,)` indices.
        density: `(B,)` notes a bar.
        root, kind: `(B, T)` chord at each step; locked: `(B, T)` tokens that stand.
        first, last: `(B,)` bool: begins at a tune's beginning, ends at its end.
        strict: `(B,)` bool: no note outside of the key.
    """

    length: Ints
    metre: Ints
    mode: Ints
    low: Ints
    high: Ints
    opening: Ints
    cadence: Ints
    contour: Ints
    density: NDArray[np.float64]
    root: Ints
    kind: Ints
    locked: Ints
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]
    strict: NDArray[np.bool_]

    @property
    def bar(self) -> Ints:
        return np.array(BARS)[self.metre]

    @property
    def steps(self) -> int:
        return int(self.locked.shape[1])

    def __len__(self) -> int:
        return len(self.length)

    def rows(self, at: Any) -> Asks:
        return Asks(**{field.name: getattr(self, field.name)[at] for field in fields(self)})


def opening_of(tokens: NDArray[Any], mode: Ints) -> Ints:
    """Scale degree `(B,)` of each first note, 0 to 6; `OPEN` where it begins silent or off the scale."""
    first = np.asarray(tokens[:, 0], np.int64)
    degree = np.cumsum(SCALES, 1)[mode, (first - FIRST) % 12] - 1
    inside = SCALES[mode, (first - FIRST) % 12] & (first >= FIRST)
    return np.where(inside, degree, OPEN)


def cadence_of(tokens: NDArray[Any], length: Ints) -> Ints:
    """Index `(B,)` of the cadence: full on the tonic, half on the second, fifth or seventh degree."""
    at = np.arange(len(tokens))
    last = sounding(tokens)[at, length - 1]
    pc = (last - FIRST) % 12
    # Degrees two, five and seven belong to the dominant in every mode but for the flat second.
    half = np.isin(pc, (2, 7, 10, 11))
    return np.where(last == REST, OPEN, np.where(pc == 0, 0, np.where(half, 1, OPEN)))


def contour_of(tokens: NDArray[Any], length: Ints) -> Ints:
    """Index `(B,)` of the contour, from the mean pitch of the thirds of each line."""
    held = sounding(tokens).astype(np.float64)
    held[held < FIRST] = np.nan
    part = np.arange(tokens.shape[1]) * 3 // np.maximum(length, 1)[:, None]
    thirds = np.stack([_mean(held, part == k) for k in range(3)], 1)
    a, b, c = thirds.T
    shape = np.zeros(len(tokens), np.int64)
    shape[(c - a) > BEND] = 1
    shape[(a - c) > BEND] = 2
    shape[np.minimum(b - a, b - c) > BEND] = 3
    shape[np.minimum(a - b, c - b) > BEND] = 4
    return shape


def _mean(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    known = where & ~np.isnan(values)
    count = known.sum(1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(1) / np.maximum(count, 1), 0.0)


def density_of(tokens: NDArray[Any], length: Ints, bar: Ints) -> NDArray[np.float64]:
    """Notes a bar `(B,)`."""
    valid = np.arange(tokens.shape[1]) < length[:, None]
    return ((tokens >= FIRST) & valid).sum(1) / np.maximum(length // bar, 1)


def read_off(tokens: Ints, length: Ints, metre: Ints, mode: Ints, chords: tuple[Ints, Ints]) -> Asks:
    """What could have been asked for lines that are there: everything known, nothing locked."""
    held = np.where(tokens >= FIRST, tokens, 10**6)
    rows = len(tokens)
    yes = np.ones(rows, bool)
    return Asks(
        length,
        metre,
        mode,
        low=np.where((tokens >= FIRST).any(1), held.min(1), FIRST),
        high=np.maximum(tokens.max(1), FIRST),
        opening=opening_of(tokens, mode),
        cadence=cadence_of(tokens, length),
        contour=contour_of(tokens, length),
        density=density_of(tokens, length, np.array(BARS)[metre]),
        root=chords[0],
        kind=chords[1],
        locked=np.full(tokens.shape, OPEN),
        first=yes.copy(),
        last=yes.copy(),
        strict=np.zeros(rows, bool),
    )


def lock(asks: Asks, tokens: Ints, where: NDArray[np.bool_]) -> None:
    """Lock the steps `where (B, T)` of lines, and the whole of every note that reaches into them."""
    begins = tokens != HOLD
    number = np.cumsum(begins, 1)
    for row in range(len(tokens)):
        touched = np.zeros(number[row, -1] + 1, bool)
        touched[number[row, where[row]]] = True
        asks.locked[row] = np.where(touched[number[row]], tokens[row], OPEN)
