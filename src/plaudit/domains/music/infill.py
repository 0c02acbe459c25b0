"""What is asked of an infilling: a piece, which of its bars are to be written anew, how many more to go on.

Whole notes stand or fall: a note that reaches into a bar that stands, stands. Other voices, chord symbols,
tempo and title of the piece are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from plaudit.domains.music.asks import OPEN, Asks, lock
from plaudit.domains.music.build import built
from plaudit.domains.music.data import KINDS
from plaudit.domains.music.files.json_file import from_table, table
from plaudit.domains.music.lines import FIRST, REST, tokens_of
from plaudit.domains.music.request import (
    MOST_BARS,
    MelodyRequest,
    asks_of,
    check_melody,
    draw_requests,
)
from plaudit.domains.music.score import NAMES, Note, Piece, Voice
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError

_WIDER = 4
"""Semitones beyond the piece's own range that new notes may use."""


class InfillRequest(MelodyRequest):
    """A piece to be filled in; key, metre and range are the piece's own unless they are asked for."""

    source: str = ""
    """A MIDI, MusicXML, ABC or JSON file; its first voice is filled in. Without one, a tune is made up."""
    free: str = ""
    """Bars to be written anew, counted from 1, a pickup being bar 1: "5-8,11". Drawn where left open."""
    more: int = Field(0, ge=0, le=MOST_BARS)
    """Bars to go on after the piece's end."""
    piece: dict[str, Any] | None = None
    """The piece itself, as JSON files hold it; `source` is read into it."""
    opening: int | None = Field(None, ge=1, le=7)
    """Scale degree of the first note, where the first bar is free; none = anything."""


def piece_of(request: InfillRequest) -> Piece | None:
    """The piece that is given; raises `InputError` for one that cannot be read or filled in."""
    if request.piece is not None:
        return from_table(request.piece, "request.piece")
    if not request.source:
        return None
    from plaudit.domains.music.render import read_piece

    return read_piece(Path(request.source))


def check_infill(request: InfillRequest) -> None:
    """Raise `InputError` for a piece, bars or a range that cannot be, `Infeasible` as for melodies."""
    check_melody(request)
    piece = piece_of(request)
    if piece is None:
        return
    bars = bars_of(piece) + request.more
    if not 2 <= bars <= MOST_BARS:
        raise InputError(
            f"{bars} bars were asked for; between 2 and {MOST_BARS} can be written.", place="source"
        )
    if request.free:
        free_bars(request.free, bars_of(piece))
    if not piece.voices:
        raise InputError("has no voice to fill in.", place=request.source or "request.piece")
    _tokens(piece, _completed(request, piece, 0))


def free_bars(text: str, bars: int) -> list[int]:
    """Bars of "5-8,11", counted from 0; raises `InputError` for what is no list of bars of the piece."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= bars:
            raise InputError(
                f'"{part}" names no bars of a piece of {bars}.',
                place="request.free",
                hint='Count from 1, as in "5-8,11".',
            )
        found |= set(range(first - 1, last))
    return sorted(found)


def bars_of(piece: Piece) -> int:
    """Bars, a pickup counted as one."""
    return piece.bars + (piece.pickup > 0)


def draw_infills(n: int, seed: int, given: InfillRequest) -> list[InfillRequest]:
    """n complete requests; a tune and the bars to be filled are made up where none are given."""
    check_infill(given)
    numbers = RowRandom(np.arange(n) + seed * 1_000_003 + 77).bits(1)[:, 0]
    piece = piece_of(given)
    pieces = [piece] * n if piece is not None else _made_up(n, seed, given)
    return [_completed(given, own, int(number % 2**31)) for own, number in zip(pieces, numbers, strict=True)]


def _made_up(n: int, seed: int, given: InfillRequest) -> list[Piece]:
    """Melodies built by rule, of whatever is asked."""
    fields = {name: value for name, value in given if name in MelodyRequest.model_fields}
    asked = draw_requests(n, seed, MelodyRequest(**fields))
    return [built(request, seed * 1_000_003 + i) for i, request in enumerate(asked)]


def _completed(given: InfillRequest, piece: Piece, seed: int) -> InfillRequest:
    random = np.random.default_rng(seed)
    bars = bars_of(piece)
    free = given.free
    if not free and not given.more:
        first = int(random.integers(0, bars))
        free = f"{first + 1}-{min(bars, first + max(1, bars // 3))}"
    pitches = [note.pitch for voice in piece.voices[:1] for note in voice.notes] or [60, 72]
    fields: dict[str, Any] = {
        "piece": table(piece),
        "free": free,
        "key": given.key or f"{NAMES[piece.tonic]} {piece.mode}",
        "metre": f"{piece.metre[0]}/{piece.metre[1]}",
        "bars": bars + given.more,
        "low": given.low if given.low is not None else max(min(pitches) - _WIDER, 21),
        "high": given.high if given.high is not None else min(max(pitches) + _WIDER, 108),
        "tempo": piece.tempo,
    }
    if fields["high"] - fields["low"] < 7:
        fields["high"] = fields["low"] + 7
    return given.model_copy(update=fields)


def lead(piece: Piece) -> int:
    """Silent steps before a pickup, which make it a whole bar."""
    return piece.bar - piece.pickup if piece.pickup else 0


def _tokens(piece: Piece, request: InfillRequest) -> NDArray[np.int64]:
    """The first voice with its pickup filled up; raises `InputError` where it does not fit."""
    _, shift = asks_of([request])
    notes = [Note(n.start + lead(piece), n.length, n.pitch) for n in piece.voices[0].notes]
    tokens = tokens_of(notes, bars_of(piece) * piece.bar, int(shift[0]))
    if tokens is None:
        raise InputError("the voice spans more than four octaves.", place=request.source or "request.piece")
    return tokens


def infill_asks(requests: Sequence[InfillRequest]) -> tuple[Asks, NDArray[np.int64]]:
    """As `asks_of`, with the steps that stand locked and the piece's own chords where none are asked."""
    asks, shift = asks_of(requests)
    tokens = np.full(asks.locked.shape, REST)
    stands = np.zeros(asks.locked.shape, bool)
    for row, request in enumerate(requests):
        piece = from_table(request.piece, "request.piece")
        own = _tokens(piece, request)
        tokens[row, : len(own)] = own
        stands[row, : len(own)] = True
        for bar in free_bars(request.free, bars_of(piece)) if request.free else ():
            stands[row, bar * piece.bar : (bar + 1) * piece.bar] = False
        stands[row, : lead(piece)] = True
        _own_chords(asks, row, piece, int(shift[row]), request)
    lock(asks, tokens, stands)
    first = asks.locked[:, 0]
    asks.opening = np.where(first != OPEN, OPEN, asks.opening)
    asks.low = np.where((asks.locked >= FIRST).any(1), np.minimum(asks.low, _least(asks.locked)), asks.low)
    asks.high = np.maximum(asks.high, asks.locked.max(1))
    return asks, shift


def _least(locked: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(locked >= FIRST, locked, 10**6).min(1)


def _own_chords(asks: Asks, row: int, piece: Piece, shift: int, request: InfillRequest) -> None:
    if request.chords is not None:
        return
    for chord in piece.chords:
        span = slice(chord.start + lead(piece), chord.end + lead(piece))
        asks.root[row, span] = (chord.root - shift) % 12
        asks.kind[row, span] = KINDS.index(chord.kind)


def finished(request: InfillRequest, line: Piece) -> Piece:
    """The given piece with its first voice as written; `line` is whole bars from a bar line."""
    piece = from_table(request.piece, "request.piece")
    early = lead(piece)
    notes = tuple(replace(note, start=note.start - early) for note in line.voices[0].notes)
    voices = (Voice(piece.voices[0].name, notes), *piece.voices[1:])
    chords = piece.chords if request.chords is None else line.chords
    steps = max(line.steps - early, piece.steps)
    return replace(piece, voices=voices, chords=chords, steps=steps)


def stood(request: InfillRequest, piece: Piece) -> bool:
    """Whether every note of the bars that stand is there, and no other begins in them."""
    before = from_table(request.piece, "request.piece")
    free = free_bars(request.free, bars_of(before)) if request.free else []
    early = lead(before)

    def touches(note: Note) -> bool:
        bars = range((note.start + early) // before.bar, (note.end - 1 + early) // before.bar + 1)
        return any(bar not in free and bar < bars_of(before) for bar in bars)

    kept = [note for note in before.voices[0].notes if touches(note)]
    there = piece.voices[0].notes
    return set(kept) <= set(there) and all(note in kept for note in there if touches(note))
