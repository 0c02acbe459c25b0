"""A melody built by rule: stock rhythms whose bars come back, a walk along the scale between the ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plaudit.domains.music.request import MelodyRequest, key_of, metre_of
from plaudit.domains.music.score import METRES, MODES, Note, Piece, Voice, bar_steps

_RHYTHMS = {
    16: ((4, 4, 4, 4), (4, 2, 2, 4, 4), (2, 2, 2, 2, 4, 4), (6, 2, 4, 4), (2, 2, 4, 2, 2, 4), (2,) * 8),
    12: ((4, 4, 4), (4, 2, 2, 4), (6, 2, 4), (2, 2, 2, 2, 4), (2,) * 6),
    8: ((4, 4), (2, 2, 4), (4, 2, 2), (2, 2, 2, 2), (3, 1, 4)),
}
_JIGS = ((2, 2, 2, 2, 2, 2), (4, 2, 4, 2), (4, 2, 2, 2, 2), (2, 2, 2, 4, 2), (6, 4, 2))
_CLOSES = {16: (4, 4, 8), 12: (4, 2, 6), 8: (2, 2, 4)}


def built(request: MelodyRequest, seed: int) -> Piece:
    """The melody of a complete request and a seed."""
    metre, (tonic, _) = METRES[metre_of(request)], key_of(request)
    mode = (request.key or "C major").partition(" ")[2]
    steps = bar_steps(metre) * (request.bars or 8)
    blank = Piece((), steps, (), metre, tonic, mode, request.tempo)
    notes = _walk(request, blank, np.random.default_rng(seed))
    return Piece((Voice("melody", notes),), steps, (), metre, tonic, mode, request.tempo)


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
