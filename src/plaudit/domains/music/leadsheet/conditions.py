"""From a melody to what the model reads and may write at every beat."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.music.leadsheet.grid import CHORD_TOKENS, GOES_ON, MOST_BEATS, Melodies
from plaudit.domains.music.lines import MODE_NAMES
from plaudit.domains.music.score import METRES
from plaudit.engine.sequence.model import Prompts, Shape

LOOKS = (1, 2, 4, 8)
"""Bars at which the model looks back."""
FEATURES = 12 + 12 + MOST_BEATS + 4 + 3 + len(METRES) + len(MODE_NAMES)
SHAPE = Shape(CHORD_TOKENS, FEATURES, len(LOOKS))


def prompts_of(melodies: Melodies) -> Prompts:
    """Features, masks and distances for the model."""
    rows, beats = melodies.onset.shape
    mask = np.ones((rows, beats, CHORD_TOKENS), bool)
    mask[:, 0, GOES_ON] = False
    mask[~melodies.valid] = np.arange(CHORD_TOKENS) == GOES_ON
    back = melodies.beats[:, None] * np.array(LOOKS)
    return Prompts(
        torch.from_numpy(mask),
        torch.from_numpy(np.asarray(melodies.length)),
        torch.from_numpy(features(melodies)),
        torch.from_numpy(np.ascontiguousarray(back)),
    )


def features(melodies: Melodies) -> NDArray[np.float32]:
    """What the model reads of every beat, `(B, T, FEATURES)`."""
    rows, beats = melodies.onset.shape
    time = np.broadcast_to(np.arange(beats), (rows, beats))
    bar, number = time % melodies.beats[:, None], time // melodies.beats[:, None]
    left = melodies.length[:, None] // melodies.beats[:, None] - 1 - number
    whole = np.concatenate(
        [_one_hot(melodies.metre, len(METRES)), _one_hot(melodies.mode, len(MODE_NAMES))], 1
    )
    parts = (
        melodies.dwelt,
        _one_hot(melodies.onset, 12),
        _one_hot(bar, MOST_BEATS),
        _one_hot(number % 4, 4),
        np.stack([left == 0, left == 1, number % 8 >= 4], 2),
        np.broadcast_to(whole[:, None], (rows, beats, whole.shape[1])),
    )
    return np.concatenate([np.asarray(part, np.float32) for part in parts], 2)


def _one_hot(index: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    return (index[..., None] == np.arange(count)).astype(np.float32)
