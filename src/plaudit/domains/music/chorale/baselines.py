"""What stands beside a policy: any allowed token, and a harmony by rule with passing notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale.asks import ChoraleAsks, movement_of
from plaudit.domains.music.chorale.generation import complete, item_of, written
from plaudit.domains.music.chorale.grid import SILENT, STEP, VOICES, Chorales, Flags
from plaudit.domains.music.chorale.harmonise import harmonised
from plaudit.domains.music.chorale.request import ChoraleRequest, chorale_asks
from plaudit.domains.music.chorale.rules import COLUMN, measure
from plaudit.domains.music.lines import MODE_NAMES, Ints
from plaudit.domains.music.score import MODES
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.model import Prompts
from plaudit.task import Item

Generator = Callable[[Sequence[ChoraleRequest], Sequence[int]], Iterator[Item]]
_FAULTS = [
    COLUMN[name]
    for name in ("fifths", "octaves", "crossed", "overlap", "direct", "doubled", "hanging", "outside")
]


def chorale_baselines() -> Mapping[str, Generator]:
    return {"random": random_chorales, "heuristic": built_chorales}


def random_chorales(requests: Sequence[ChoraleRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Any allowed token at every step."""

    def write(prompts: Prompts, random: RowRandom, strict: bool) -> Tensor:
        drawn = torch.from_numpy(random.uniform(prompts.mask.shape[1]))
        reached = prompts.mask.cumsum(2)
        wanted = 1 + (drawn * reached[..., -1]).long()
        return (reached < wanted[..., None]).sum(2)

    return written(write, requests, seeds)


def built_chorales(requests: Sequence[ChoraleRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """The cheapest chain of chords, a chord a beat, with passing notes until it moves as asked."""
    for request, seed in zip(complete(requests, seeds), seeds, strict=True):
        random = np.random.default_rng(abs(int(seed)))
        asks = chorale_asks([request])
        pitch, begins = harmonised(asks, 0, random)
        parts = (asks.ends, asks.length, asks.metre, asks.mode, asks.shift, asks.pickup)
        chorale = Chorales(pitch[None], begins[None], *parts, STEP)
        yield item_of(request, adorned(chorale, asks, random)[0], seed)


def adorned(chorale: Chorales, asks: ChoraleAsks, random: np.random.Generator) -> Chorales:
    """Notes put between, or repeated ones joined, where nothing gets worse, until it moves as asked."""
    wanted = float(asks.movement[0])
    if wanted < 0:
        return chorale
    free = (asks.locked[0] == OPEN) & ~asks.ends
    wishes = [(v, t) for v in range(1, len(VOICES)) for t in np.flatnonzero(chorale.begins[0, v])[:-1]]
    scale = MODES[MODE_NAMES[asks.mode[0]]]
    faults = measure(chorale)[0, _FAULTS]
    changes = (_passing, _turning) if movement_of(chorale)[0] < wanted else (_tied,)
    near = 0.5 / (3 * max(int(asks.length[0]), 1))
    for change in changes:
        for at in random.permutation(len(wishes)):
            if abs(float(movement_of(chorale)[0]) - wanted) < near:
                return chorale
            found = change(chorale, *wishes[at], free, scale)
            if found is not None and (measure(found)[0, _FAULTS] <= faults).all():
                chorale, faults = found, measure(found)[0, _FAULTS]
    return chorale


def _passing(chorale: Chorales, voice: int, start: int, free: Flags, scale: Sequence[int]) -> Chorales | None:
    """The second half of the note at `start` given to the note between it and the next, a third away."""
    here, there, span = _half(chorale, voice, start, free)
    if span is None or abs(there - here) not in (3, 4):
        return None
    between = [p for p in range(min(here, there) + 1, max(here, there)) if p % 12 in scale]
    return _with(chorale, voice, span, between[0], True) if len(between) == 1 else None


def _turning(chorale: Chorales, voice: int, start: int, free: Flags, scale: Sequence[int]) -> Chorales | None:
    """The second half given to another tone of the chord, a third or less away and a step from the next."""
    here, there, span = _half(chorale, voice, start, free)
    if span is None or abs(there - here) > 5:
        return None
    chord = {int(p) % 12 for p in chorale.pitch[0, :, start] if p != SILENT}
    near = [p for p in (there - 2, there - 1, there + 1, there + 2) if p % 12 in chord]
    fits = [p for p in near if p != here and abs(p - here) <= 4 and p % 12 in scale]
    return _with(chorale, voice, span, fits[0], True) if fits else None


def _half(chorale: Chorales, voice: int, start: int, free: Flags) -> tuple[int, int, slice | None]:
    """The note at `start`, the next, and the first one's second half; None where it may not be split."""
    line, begins = chorale.pitch[0, voice], chorale.begins[0, voice]
    after = start + 1 + int(np.argmax(begins[start + 1 :]))
    here, there = int(line[start]), int(line[after])
    fine = after - start in (2, 4) and free[voice, start:after].all() and SILENT not in (here, there)
    return here, there, slice(start + (after - start) // 2, after) if fine else None


def _tied(chorale: Chorales, voice: int, start: int, free: Flags, scale: Sequence[int]) -> Chorales | None:
    """The next note of a voice joined to the one at `start`, where it repeats it."""
    line, begins = chorale.pitch[0, voice], chorale.begins[0, voice]
    after = start + 1 + int(np.argmax(begins[start + 1 :]))
    if line[start] != line[after] or not free[voice, start : after + 1].all():
        return None
    return _with(chorale, voice, slice(after, after + 1), int(line[after]), False)


def _with(chorale: Chorales, voice: int, span: slice, pitch: int, begins: bool) -> Chorales:
    """A copy with other sound in a span."""
    sound: Ints = chorale.pitch.copy()
    fresh: Flags = chorale.begins.copy()
    sound[0, voice, span] = pitch
    fresh[0, voice, span] = False
    fresh[0, voice, span.start] = begins
    return replace(chorale, pitch=sound, begins=fresh)
