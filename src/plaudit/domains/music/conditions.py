"""From what is asked to what the model reads and may write: features and masks of every step."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.music.asks import CADENCES, CONTOURS, DEGREES, IN_KEY, OPEN, SCALES, Asks
from plaudit.domains.music.lines import FIRST, HOLD, MODE_NAMES, PITCHES, REST, TOKENS
from plaudit.domains.music.score import CHORDS, METRES
from plaudit.engine.sequence.model import Prompts, Shape

LOOKS = (1.0, 2.0, 4.0, 8.0, 0.5)
"""Bars at which the model looks back; the judge knows the first four alone."""
_LONGEST_BAR = 16
KINDS = tuple(CHORDS)
_CHORD_TONES = np.array([[(pc in CHORDS[kind]) for pc in range(12)] for kind in KINDS])
PITCH_CLASS = (np.arange(PITCHES)) % 12
"""Of each note token; `LOWEST` is a C."""


def prompts_of(asks: Asks) -> Prompts:
    """Features, masks and distances for the model."""
    back = (asks.bar[:, None] * np.array(LOOKS)).astype(np.int64)
    return Prompts(
        torch.from_numpy(allowed(asks)),
        torch.from_numpy(np.asarray(asks.length)),
        torch.from_numpy(features(asks)),
        torch.from_numpy(np.ascontiguousarray(back)),
    )


def allowed(asks: Asks) -> NDArray[np.bool_]:
    """Tokens that may be written `(B, T, TOKENS)`: range, key, opening and locks hold by it."""
    rows, steps = asks.locked.shape
    token = np.arange(FIRST, TOKENS)
    notes = (token >= asks.low[:, None]) & (token <= asks.high[:, None])
    notes &= ~asks.strict[:, None] | IN_KEY[asks.mode][:, PITCH_CLASS]
    mask = np.ones((rows, steps, TOKENS), bool)
    mask[:, :, FIRST:] = notes[:, None]
    mask[:, 0, HOLD] = False
    _open(asks, mask)
    _keep(asks, mask)
    # Padding: one token, so that its log-probability is 0.
    padding = np.arange(steps) >= asks.length[:, None]
    mask[padding] = np.arange(TOKENS) == HOLD
    return mask


def _open(asks: Asks, mask: NDArray[np.bool_]) -> None:
    """The first note of a line that is asked to begin on a degree."""
    asked = np.flatnonzero(asks.opening != OPEN)
    order = np.cumsum(SCALES, 1) - 1
    wanted = SCALES[asks.mode] & (order[asks.mode] == asks.opening[:, None])
    mask[asked, 0, REST] = False
    mask[asked, 0, FIRST:] &= wanted[asked][:, PITCH_CLASS]


def _keep(asks: Asks, mask: NDArray[np.bool_]) -> None:
    """Locked tokens are the only choice; what is locked does not go on where it ends."""
    locked = asks.locked != OPEN
    row, step = np.nonzero(locked)
    mask[row, step] = False
    mask[row, step, asks.locked[row, step]] = True
    after = np.zeros_like(locked)
    after[:, 1:] = locked[:, :-1] & ~locked[:, 1:]
    mask[after, HOLD] = False


def features(asks: Asks) -> NDArray[np.float32]:
    """What the model reads of every step, `(B, T, FEATURES)`."""
    rows, steps = asks.locked.shape
    time = np.broadcast_to(np.arange(steps), (rows, steps))
    bar = asks.bar[:, None]
    number, bars = time // bar, (asks.length[:, None] // bar)
    left = np.clip(bars - 1 - number, 0, None)
    whole = (
        _one_hot(asks.metre, len(METRES)),
        _one_hot(asks.mode, len(MODE_NAMES)),
        SCALES[asks.mode],
        np.stack([asks.low - FIRST, asks.high - FIRST], 1) / PITCHES,
        _one_hot(asks.opening, DEGREES),
        _one_hot(asks.cadence, len(CADENCES)),
        _one_hot(asks.contour, len(CONTOURS)),
        np.stack([np.where(asks.density >= 0, asks.density, 0.0) / 8.0, asks.density >= 0], 1),
        np.stack([asks.first, asks.last], 1),
        bars / 16.0,
    )
    repeated = np.concatenate([np.asarray(part, np.float32) for part in whole], 1)
    parts = (
        np.broadcast_to(repeated[:, None], (rows, steps, repeated.shape[1])),
        _one_hot(time % bar, _LONGEST_BAR),
        _one_hot(number % 4, 4),
        np.stack([number % 8 >= 4, left == 0, left == 1, left == 2, left / 16.0], 2),
        _chords(asks),
        _locks(asks),
    )
    return np.concatenate([np.asarray(part, np.float32) for part in parts], 2)


def _chords(asks: Asks) -> NDArray[np.float32]:
    """Root, chord tones, whether there is a chord and whether it is new, `(B, T, 26)`."""
    there = asks.root >= 0
    step = np.arange(12)
    tones = _CHORD_TONES[np.where(there, asks.kind, 0)]
    # The chord's own tones, moved to its root.
    moved = np.take_along_axis(tones, (step - np.where(there, asks.root, 0)[..., None]) % 12, axis=2)
    new = there.copy()
    same = (asks.root[:, 1:] == asks.root[:, :-1]) & (asks.kind[:, 1:] == asks.kind[:, :-1])
    new[:, 1:] &= ~same
    flags = np.stack([there, new], 2)
    return np.concatenate([_one_hot(asks.root, 12), moved & there[..., None], flags], 2).astype(np.float32)


def _locks(asks: Asks) -> NDArray[np.float32]:
    """Whether a step is locked, to what kind of token, and its pitch, `(B, T, 16)`."""
    locked = asks.locked
    note = locked >= FIRST
    flags = np.stack([locked != OPEN, locked == HOLD, locked == REST], 2)
    pc = _one_hot(np.where(note, (locked - FIRST) % 12, OPEN), 12)
    height = np.where(note, (locked - FIRST) / PITCHES, 0.0)[..., None]
    return np.concatenate([flags, pc, height], 2).astype(np.float32)


def _one_hot(index: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """`(..., count)`; all zeros where the index is `OPEN`."""
    return (index[..., None] == np.arange(count)).astype(np.float32)


FEATURES = 2 + 16 + 4 + 5 + 26 + 16 + 1 + len(METRES) + len(MODE_NAMES) + 12 + 2 + DEGREES + 2 + 5 + 2
SHAPE = Shape(TOKENS, FEATURES, len(LOOKS))
