"""From what is asked to what the model reads and may write: features and masks of every token.

A token is one voice at one step; tokens lie in the order of writing (`grid.ORDER`).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale.asks import ChoraleAsks
from plaudit.domains.music.chorale.grid import (
    FIRST,
    GOES_ON,
    LOWEST,
    PITCHES,
    REST,
    SILENT,
    STEP,
    TOKENS,
    VOICES,
    Flags,
    interleaved,
    sounds_of,
)
from plaudit.domains.music.lines import MODE_NAMES, Ints
from plaudit.domains.music.score import METRES
from plaudit.engine.sequence.model import Prompts, Shape

LOOKS = (2, 3, 4, 5, 6, 7, 8)
"""Tokens that the model looks back: other voices now and a step ago, its own one and two steps ago."""
BAR_LOOKS = 1
"""And one bar ago."""
_PLACES = 16 // STEP
_TO_END = 8
Floats = NDArray[np.float32]


def prompts_of(asks: ChoraleAsks) -> Prompts:
    """Features, masks and distances for the model."""
    bar = asks.bar[:, None] // STEP * len(VOICES)
    back = np.concatenate([np.broadcast_to(LOOKS, (len(asks), len(LOOKS))), bar], 1)
    return Prompts(
        torch.from_numpy(allowed(asks)),
        torch.from_numpy(np.asarray(asks.length) * len(VOICES)),
        torch.from_numpy(features(asks)),
        torch.from_numpy(np.ascontiguousarray(back)),
    )


def allowed(asks: ChoraleAsks) -> Flags:
    """Tokens that may be written `(B, 4T, TOKENS)`: ranges and locks hold by it."""
    rows, voices, steps = asks.locked.shape
    pitch = np.arange(PITCHES) + LOWEST
    inside = (pitch >= asks.low[..., None]) & (pitch <= asks.high[..., None])
    mask = np.empty((rows, voices, steps, TOKENS), bool)
    mask[..., REST] = asks.rests[:, None]
    mask[..., FIRST:GOES_ON] = inside[:, :, None]
    mask[..., GOES_ON:] = inside[:, :, None]
    mask[:, :, 0, GOES_ON:] = False
    _keep(asks, mask)
    # Padding: one token, so that its log-probability is 0.
    beyond = np.broadcast_to(~asks.valid[:, None], mask.shape[:3])
    mask[beyond] = np.arange(TOKENS) == REST
    return interleaved(mask)


def _keep(asks: ChoraleAsks, mask: Flags) -> None:
    """Locked tokens are the only choice; what is locked does not go on where it ends."""
    there = asks.locked != OPEN
    at = np.nonzero(there)
    mask[at] = False
    mask[(*at, asks.locked[at])] = True
    row, voice, step = np.nonzero(there[..., :-1] & ~there[..., 1:])
    token = asks.locked[row, voice, step]
    note = token != REST
    row, voice, step, token = row[note], voice[note], step[note], token[note]
    mask[row, voice, step + 1, (token - FIRST) % PITCHES + GOES_ON] = False


def features(asks: ChoraleAsks) -> Floats:
    """What the model reads of every token, `(B, 4T, FEATURES)`."""
    rows, voices, steps = asks.locked.shape
    common = np.concatenate([_whole(asks, steps), _time(asks, steps), _soprano(asks)], 2)
    spread = np.broadcast_to(common[:, None], (rows, voices, *common.shape[1:]))
    voice = np.broadcast_to(np.eye(voices, dtype=np.float32)[None, :, None], (rows, voices, steps, voices))
    span = (np.stack([asks.low, asks.high], 2) - LOWEST).astype(np.float32) / PITCHES
    span = np.broadcast_to(span[:, :, None], (rows, voices, steps, 2))
    return interleaved(np.concatenate([spread, voice, span, _locks(asks)], 3))


def _whole(asks: ChoraleAsks, steps: int) -> Floats:
    """What holds for the whole piece, `(B, T, 14)`."""
    known = asks.movement >= 0
    parts = (
        _one_hot(asks.metre, len(METRES)),
        _one_hot(asks.mode, len(MODE_NAMES)),
        np.stack([np.where(known, asks.movement, 0.0), known, asks.first, asks.last], 1),
    )
    whole = np.concatenate([np.asarray(part, np.float32) for part in parts], 1)
    return np.broadcast_to(whole[:, None], (len(asks), steps, whole.shape[1]))


def _time(asks: ChoraleAsks, steps: int) -> Floats:
    """Place in the bar, what is left, where the phrase ends, `(B, T, 21)`."""
    time = np.broadcast_to(np.arange(steps), (len(asks), steps))
    place = (time * STEP - asks.pickup[:, None]) % asks.bar[:, None] // STEP
    left = np.clip(asks.length[:, None] - 1 - time, 0, None) * STEP / asks.bar[:, None]
    at = np.where(asks.ends, time, 10**6)
    ahead = np.minimum.accumulate(at[:, ::-1], axis=1)[:, ::-1] - time
    far = np.minimum(ahead, 64) / 16.0
    flags = np.stack([left < 1, left < 2, np.minimum(left, 16) / 16.0, asks.ends, far], 2)
    parts = (_one_hot(place, _PLACES), flags, _one_hot(ahead, _TO_END))
    return np.concatenate([np.asarray(part, np.float32) for part in parts], 2)


def _soprano(asks: ChoraleAsks) -> Floats:
    """The soprano's note now and its next one, where they stand, `(B, T, 30)`."""
    line = asks.locked[:, 0]
    pitch, begins = sounds_of(np.where(line == OPEN, REST, line))
    rows, steps = line.shape
    at = np.where(begins, np.arange(steps), steps)
    later = np.concatenate([at[:, 1:], np.full((rows, 1), steps)], 1)
    following = np.minimum.accumulate(later[:, ::-1], axis=1)[:, ::-1]
    there = following < steps
    after = np.take_along_axis(pitch, np.minimum(following, steps - 1), axis=1)
    after = np.where(there, after, SILENT)
    wait = np.minimum(following - np.arange(steps), 16) / 8.0
    flags = np.stack([line != OPEN, begins, there, wait], 2)
    return np.concatenate([_tone(pitch), _tone(after), flags], 2).astype(np.float32)


def _locks(asks: ChoraleAsks) -> Floats:
    """Whether a token stands, of what kind, and its pitch, `(B, 4, T, 16)`."""
    line = asks.locked
    note = line >= FIRST
    pitch = np.where(note, (line - FIRST) % PITCHES + LOWEST, SILENT)
    flags = np.stack([line != OPEN, note & (line < GOES_ON), line == REST], 3)
    return np.concatenate([flags, _tone(pitch)], 3).astype(np.float32)


def _tone(pitch: Ints) -> Floats:
    """Pitch class and height `(..., 13)`; zeros in silence."""
    note = pitch != SILENT
    height = np.where(note, (pitch - LOWEST) / PITCHES, 0.0)[..., None]
    pitch_class = _one_hot(np.where(note, pitch % 12, OPEN), 12)
    return np.concatenate([pitch_class, height.astype(np.float32)], -1)


def _one_hot(index: NDArray[np.int64], count: int) -> Floats:
    """`(..., count)`; all zeros where the index is not in range."""
    return (index[..., None] == np.arange(count)).astype(np.float32)


FEATURES = (len(METRES) + len(MODE_NAMES) + 4) + (_PLACES + 5 + _TO_END) + 30 + len(VOICES) + 2 + 16
SHAPE = Shape(TOKENS, FEATURES, len(LOOKS) + BAR_LOOKS)
