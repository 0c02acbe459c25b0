"""What is asked of a lead sheet: the melody that chords are written for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from plaudit.domains.music.build import built
from plaudit.domains.music.files.json_file import from_table, table
from plaudit.domains.music.harmony import KINDS, implied
from plaudit.domains.music.infill import bars_of
from plaudit.domains.music.lines import lines_of
from plaudit.domains.music.request import MOST_BARS, MelodyRequest, draw_requests
from plaudit.domains.music.score import Chord, Note, Piece, Voice
from plaudit.errors import Infeasible, InputError, did_you_mean
from plaudit.task import Request

STATISTICS = ("chords_per_bar",)
TOLERANCE = {"chords_per_bar": 0.5}
MOST_CHORDS = 4
LONGEST_BARS = 4 * MOST_BARS
"""Bars of the longest melody that chords are written for."""


class LeadRequest(Request):
    """Chords for one melody, or a melody for chords. `target` may name `chords_per_bar`: it is judged, not
    steered."""

    source: str = ""
    """A MIDI, MusicXML, ABC or JSON file, harmonised by its first voice. Without one, a tune is made up."""
    write: Literal["chords", "melody"] = "chords"
    """What is written; the other stands. The melody takes the place of the first voice."""
    piece: dict[str, Any] | None = None
    """The piece itself, as JSON files hold it; `source` is read into it."""
    bars: int = Field(8, ge=2, le=MOST_BARS)
    """Bars of a made-up tune."""


def piece_of(request: LeadRequest) -> Piece | None:
    """The piece that is given; raises `InputError` for one that cannot be read."""
    if request.piece is not None:
        return from_table(request.piece, "request.piece")
    if not request.source:
        return None
    from plaudit.domains.music.render import read_piece

    return read_piece(Path(request.source))


def check_lead(request: LeadRequest) -> None:
    """Raise `InputError` for a piece without a melody that fits, `Infeasible` for too many chords."""
    for name in (*request.target, *request.tolerance):
        if name not in STATISTICS:
            raise InputError(f'no statistic is called "{name}".', hint=did_you_mean(name, STATISTICS))
    wanted = request.target.get("chords_per_bar", 1.0)
    if not 0.0 <= wanted <= MOST_CHORDS:
        nearest = min(max(wanted, 0.0), MOST_CHORDS)
        raise Infeasible(f"chords_per_bar={wanted:g} is out of reach; the nearest is {nearest:g}.")
    piece = piece_of(request)
    if piece is None:
        return
    place = request.source or "request.piece"
    if request.write == "melody":
        _check_chords(piece, place)
        return
    if not piece.voices or not piece.voices[0].notes:
        raise InputError("has no melody.", place=place)
    if bars_of(piece) > LONGEST_BARS:
        raise InputError(
            f"has {bars_of(piece)} bars; chords are written for up to {LONGEST_BARS}.", place=place
        )
    try:
        lines_of([whole(piece)])
    except ValueError as error:
        raise InputError("its melody spans more than four octaves.", place=place) from error


def _check_chords(piece: Piece, place: str) -> None:
    """Refuse a piece that has no chords to write a melody for, or is too long."""
    if not piece.chords:
        raise InputError("has no chord symbols to write a melody for.", place=place)
    if not 2 <= bars_of(piece) <= MOST_BARS:
        raise InputError(f"has {bars_of(piece)} bars; a melody is written for 2 to {MOST_BARS}.", place=place)


def draw_leads(n: int, seed: int, given: LeadRequest) -> list[LeadRequest]:
    """n complete requests; a melody is made up by rule where none is given."""
    check_lead(given)
    piece = piece_of(given)
    if piece is not None:
        return [given.model_copy(update={"piece": table(piece)})] * n
    asked = draw_requests(n, seed, MelodyRequest(bars=given.bars))
    made = [built(request, seed * 1_000_003 + i) for i, request in enumerate(asked)]
    if given.write == "melody":
        made = [with_implied(own) for own in made]
    return [given.model_copy(update={"piece": table(own)}) for own in made]


def with_implied(piece: Piece) -> Piece:
    """The piece with the triads that its melody implies, one a bar."""
    lines = lines_of([piece])
    root, kind = implied(lines.tokens, lines.bar, lines.mode)
    shift, bar = int(lines.shift[0]), piece.bar
    chords = tuple(
        Chord(at, bar, int(root[0, at] + shift) % 12, KINDS[kind[0, at]])
        for at in range(0, piece.steps, bar)
        if root[0, at] >= 0
    )
    return replace(piece, chords=chords)


def whole(piece: Piece) -> Piece:
    """The first voice alone, in whole bars: a pickup is filled up with silence before it."""
    early = piece.bar - piece.pickup if piece.pickup else 0
    notes = tuple(Note(n.start + early, n.length, n.pitch) for n in piece.voices[0].notes)
    steps = bars_of(piece) * piece.bar
    return replace(piece, voices=(Voice("melody", notes),), chords=(), steps=steps, pickup=0)


def pieces_of(requests: Sequence[LeadRequest]) -> list[Piece]:
    """The pieces of complete requests, as they are."""
    return [from_table(request.piece, "request.piece") for request in requests]


def statistics_of(piece: Piece) -> Mapping[str, float]:
    return {"chords_per_bar": len(piece.chords) / max(bars_of(piece), 1)}


def salted(seed: int) -> int:
    return int(np.uint64(seed) ^ np.uint64(0x1EAD)) % 2**31
