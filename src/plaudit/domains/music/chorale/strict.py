"""Writing under rules that depend on what is written: no parallel fifth or octave, no crossed voices.

The masks of the prompts are the same whatever was written; here each token is narrowed to those that
break no rule with the voices known so far, those that are locked ahead included. To stay where one is
is never a parallel, so a free voice always has a choice; crossing gives way where both cannot be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.music.chorale.grid import FIRST, LOWEST, ORDER, PITCHES, REST, SILENT, VOICES
from plaudit.engine.sequence.model import Prompts

_ORDER = np.array(ORDER)
_UNKNOWN = -2
"""The pitch of a voice that is written later and not locked."""


def strictly(prompts: Prompts) -> Callable[[Tensor, int], Tensor]:
    """Make the rule that leaves no parallel or crossing that the voices known at a step could avoid."""
    mask = prompts.mask.numpy().copy()
    # What has one choice is known ahead.
    known = np.where(mask.sum(2) == 1, mask.argmax(2), _UNKNOWN)
    return lambda ids, t: torch.from_numpy(narrowed(ids.numpy(), known, mask[:, t], t))


def narrowed(ids: NDArray[Any], known: NDArray[Any], mask: NDArray[Any], t: int) -> NDArray[np.bool_]:
    """Tokens `(B, V)` of `mask` that break no rule at step t, given `ids (B, 4T)` before it.

    Where none is left, those without a parallel; where there is none either, all of `mask`.
    """
    out = mask.copy()
    now = np.full(len(VOICES), _UNKNOWN)
    before = np.full(len(VOICES), SILENT)
    _narrow(ids, known, mask, t, (now, before), out)
    return out


@njit(cache=True, nogil=True)
def _narrow(ids: Any, known: Any, mask: Any, t: int, buffers: Any, out: Any) -> None:
    now, before = buffers
    place, voice = t % 4, _ORDER[t % 4]
    for row in range(len(ids)):
        for other in range(4):
            at = t - place + other
            token = ids[row, at] if other < place else known[row, at]
            now[_ORDER[other]] = token if token == _UNKNOWN else _pitch(token)
            before[_ORDER[other]] = _pitch(ids[row, at - 4]) if at >= 4 else SILENT
        if known[row, t] != _UNKNOWN:
            continue
        clean = best = 0
        for token in np.flatnonzero(mask[row]):
            pitch = _pitch(token)
            parallel, crossed = _is_parallel(voice, pitch, now, before), _is_crossed(voice, pitch, now)
            clean += not parallel
            best += not parallel and not crossed
        for token in np.flatnonzero(mask[row]):
            pitch = _pitch(token)
            if clean > 0 and _is_parallel(voice, pitch, now, before):
                out[row, token] = False
            if best > 0 and _is_crossed(voice, pitch, now):
                out[row, token] = False


@njit(cache=True, nogil=True)
def _pitch(token: int) -> int:
    return SILENT if token == REST else (token - FIRST) % PITCHES + LOWEST


@njit(cache=True, nogil=True)
def _is_parallel(voice: int, pitch: int, now: Any, before: Any) -> bool:
    """Whether a voice that goes to `pitch` makes a parallel with a voice that is known."""
    own = before[voice]
    if own < 0 or pitch < 0:
        return False
    for other in range(4):
        if other == voice or now[other] < 0 or before[other] < 0:
            continue
        same_way = (pitch - own) * (now[other] - before[other]) > 0
        interval = abs(own - before[other]) % 12
        if same_way and interval in (0, 7) and abs(pitch - now[other]) % 12 == interval:
            return True
    return False


@njit(cache=True, nogil=True)
def _is_crossed(voice: int, pitch: int, now: Any) -> bool:
    """Whether `pitch` lies beyond any voice that is known."""
    if pitch < 0:
        return False
    for other in range(4):
        if now[other] >= 0 and (
            (other < voice and pitch > now[other]) or (other > voice and pitch < now[other])
        ):
            return True
    return False
