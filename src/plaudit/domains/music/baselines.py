"""What stands beside a policy: any allowed token, and a melody built by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.generation import written
from plaudit.domains.music.request import MelodyRequest, key_of
from plaudit.domains.music.score import MODES, Note, Piece, Voice, bar_steps
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.model import Prompts
from plaudit.task import Item

Generator = Callable[[Sequence[MelodyRequest], Sequence[int]], Iterator[Item]]
_RHYTHMS = {
    16: ((4, 4, 4, 4), (4, 2, 2, 4, 4), (2, 2, 2, 2, 4, 4), (6, 2, 4, 4), (2, 2, 4, 2, 2, 4), (2,) * 8),
    12: ((4, 4, 4), (4, 2, 2, 4), (6, 2, 4), (2, 2, 2, 2, 4), (2,) * 6),
    8: ((4, 4), (2, 2, 4), (4, 2, 2), (2, 2, 2, 2), (3, 1, 4)),
}
_JIGS = ((2, 2, 2, 2, 2, 2), (4, 2, 4, 2), (4, 2, 2, 2, 2), (2, 2, 2, 4, 2), (6, 4, 2))
_CLOSES = {16: (4, 4, 8), 12: (4, 2, 6), 8: (2, 2, 4)}


def melody_baselines() -> Mapping[str, Generator]:
    return {"random": random_melodies, "heuristic": built_melodies}


def random_melodies(requests: Sequence[MelodyRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Any allowed token at every step."""

    def write(prompts: Prompts, random: RowRandom) -> Tensor:
        rows, steps, count = prompts.mask.shape
        noise = torch.from_numpy(random.uniform(steps * count).reshape(rows, steps, count))
        return noise.masked_fill(~prompts.mask, -1.0).argmax(2)

    return written(write, requests, seeds)


def built_melodies(requests: Sequence[MelodyRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Stock rhythms whose bars come back in the form AABA, and a walk along the scale between the ends."""

    def blank(prompts: Prompts, random: RowRandom) -> Tensor:
        return prompts.mask.int().argmax(2)

    for item in written(blank, requests, seeds):
        request = item.request
        assert isinstance(request, MelodyRequest)
        notes = _walk(request, item.content, np.random.default_rng(item.seed))
        item.content = replace(item.content, voices=(Voice("melody", notes),))
        yield item


def _walk(request: MelodyRequest, piece: Piece, random: np.random.Generator) -> tuple[Note, ...]:
    tonic, _ = key_of(request)
    low, high = int(request.low or 60), int(request.high or 81)
    ladder = [p for p in range(low, high + 1) if (p - tonic) % 12 in MODES[piece.mode]]
    place = _nearest(ladder, tonic + MODES[piece.mode][(request.opening or 1) - 1], (low + high) // 2)
    notes, start = [], 0
    for lengths in _rhythm(request, piece, random):
        for length in lengths:
            notes.append(Note(start, length, ladder[place]))
            start += length
            place = int(np.clip(place + random.choice((-2, -1, -1, 1, 1, 2)), 0, len(ladder) - 1))
    last = notes[-1]
    degree = 4 if request.cadence == "half" else 0
    end = ladder[_nearest(ladder, tonic + MODES[piece.mode][degree], last.pitch)]
    return (*notes[:-1], Note(last.start, last.length, end))


def _rhythm(request: MelodyRequest, piece: Piece, random: np.random.Generator) -> list[tuple[int, ...]]:
    """Lengths of each bar: two bars in turn, a third in the third quarter, a close at the end."""
    bar = bar_steps(piece.metre)
    stock = _JIGS if piece.metre == (6, 8) else _RHYTHMS[bar]
    wanted = request.target.get("density", 5.0)
    near = sorted(stock, key=lambda lengths: abs(len(lengths) - wanted))[:3]
    chosen = [near[int(random.integers(len(near)))] for _ in range(3)]
    bars = [chosen[2] if 4 * i // piece.bars == 2 else chosen[i % 2] for i in range(piece.bars)]
    return [*bars[:-1], _CLOSES[bar]]


def _nearest(ladder: Sequence[int], pitch: int, to: int) -> int:
    """Place in the ladder of the note of this pitch class that is nearest to a pitch."""
    fits = [i for i, rung in enumerate(ladder) if (rung - pitch) % 12 == 0] or range(len(ladder))
    return min(fits, key=lambda i: abs(ladder[i] - to))
