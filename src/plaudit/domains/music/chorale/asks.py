"""What is asked of B chorales, as arrays: made from requests, or read off chorales to learn from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale.grid import RANGES, SILENT, STEP, Chorales, Flags, sounds_of, tokens_of
from plaudit.domains.music.lines import BARS, Ints
from plaudit.domains.music.score import QUARTER


@dataclass
class ChoraleAsks:
    """What is asked of B chorales of up to T steps; `OPEN` = nothing.

    Attributes:
        length: `(B,)` steps; metre, mode: `(B,)` indices; shift, pickup: `(B,)` as in `Chorales`.
        low, high: `(B, 4)` lowest and highest pitch of each voice, the tonic at C.
        ends: `(B, T)`: the last note of a phrase begins.
        rests: `(B, T)`: voices that do not stand may be silent.
        movement: `(B,)` notes of alto, tenor and bass in a quarter, each voice by itself; `OPEN` = any.
        locked: `(B, 4, T)` tokens that stand.
        first, last: `(B,)`: begins at a piece's beginning, ends at its end.
    """

    length: Ints
    metre: Ints
    mode: Ints
    shift: Ints
    pickup: Ints
    low: Ints
    high: Ints
    ends: Flags
    rests: Flags
    movement: NDArray[np.float64]
    locked: Ints
    first: Flags
    last: Flags

    def __len__(self) -> int:
        return len(self.length)

    @property
    def bar(self) -> Ints:
        """Sixteenths of a bar `(B,)`."""
        return np.array(BARS)[self.metre]

    @property
    def valid(self) -> Flags:
        """`(B, T)`: steps that are not padding."""
        return np.arange(self.ends.shape[1]) < self.length[:, None]

    def rows(self, at: Any) -> ChoraleAsks:
        return ChoraleAsks(**{field.name: getattr(self, field.name)[at] for field in fields(self)})


def read_off(chorales: Chorales) -> ChoraleAsks:
    """What could have been asked for chorales that are there: everything known, nothing locked."""
    rows, yes = len(chorales), np.ones(len(chorales), bool)
    low, high = np.array(RANGES).T
    there = chorales.pitch != SILENT
    lowest = np.where(there, chorales.pitch, 10**6).min(2)
    return ChoraleAsks(
        chorales.length,
        chorales.metre,
        chorales.mode,
        chorales.shift,
        chorales.pickup,
        low=np.minimum(low - chorales.shift[:, None], lowest),
        high=np.maximum(high - chorales.shift[:, None], chorales.pitch.max(2)),
        ends=chorales.ends,
        rests=np.ones((rows, chorales.pitch.shape[2]), bool),
        movement=movement_of(chorales),
        locked=np.full(chorales.pitch.shape, OPEN),
        first=yes.copy(),
        last=yes.copy(),
    )


def movement_of(chorales: Chorales) -> NDArray[np.float64]:
    """Notes of alto, tenor and bass in a quarter, each voice by itself `(B,)`."""
    notes = (chorales.begins[:, 1:] & chorales.valid[:, None]).sum((1, 2))
    return notes / (3.0 * np.maximum(chorales.length * chorales.step / QUARTER, 1.0))


def lock(asks: ChoraleAsks, pitch: Ints, begins: Flags, where: Flags) -> None:
    """Lock the steps `where (B, 4, T)` of what sounds, and the whole of every note that reaches into them."""
    fresh = np.ones(pitch.shape, bool)
    fresh[..., 1:] = begins[..., 1:] | (pitch[..., 1:] != pitch[..., :-1])
    number = np.cumsum(fresh, 2)
    tokens = tokens_of(pitch, begins)
    for row, voice in zip(*np.nonzero(where.any(2)), strict=True):
        touched = np.zeros(number[row, voice, -1] + 1, bool)
        touched[number[row, voice, where[row, voice]]] = True
        stands = touched[number[row, voice]] & asks.valid[row]
        asks.locked[row, voice] = np.where(stands, tokens[row, voice], OPEN)


def chorales_from(asks: ChoraleAsks, tokens: NDArray[Any]) -> Chorales:
    """What was written, `(B, 4, T)` tokens, as chorales."""
    pitch, begins = sounds_of(np.where(asks.valid[:, None], tokens, 0))
    parts = (asks.ends, asks.length, asks.metre, asks.mode, asks.shift, asks.pickup)
    return Chorales(pitch, begins, *parts, STEP)
