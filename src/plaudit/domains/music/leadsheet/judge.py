"""The judge of chords: plain Python over notes and chord symbols, apart from the terms that are rewarded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.leadsheet.request import TOLERANCE, LeadRequest, statistics_of
from plaudit.domains.music.score import Piece
from plaudit.task import Item

GOOD_SHARE, GOOD_COVER = 0.6, 0.8
"""Least share of the melody's time on chord tones, and of the piece under chords, of a good sheet."""
SAME = 0.7
"""Share of changes in common from which two sheets of one batch count as one."""


def judge_leads(items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """quality: chords fit and cover the melody; control: what stands is untouched, chords a bar as asked."""
    rows = []
    for item in items:
        piece, request = item.content, item.request
        assert isinstance(request, LeadRequest)
        inside, under, sounding = time_in_chords(piece)
        share = inside / max(sounding, 1)
        cover = sum(chord.length for chord in piece.chords) / max(piece.steps, 1)
        found = statistics_of(piece)["chords_per_bar"]
        slack = request.tolerance.get("chords_per_bar", TOLERANCE["chords_per_bar"])
        met = abs(found - request.target.get("chords_per_bar", found)) <= slack
        good = share >= GOOD_SHARE and cover >= GOOD_COVER
        rows.append((good, met and untouched(piece, request), found, share, inside / max(under, 1), cover))
    names = ("quality", "control", "chords_per_bar", "note_in_chord", "note_in_chord_under", "covered")
    figures = dict(zip(names, np.array(rows, np.float64).reshape(-1, 6).T, strict=True))
    return {**figures, "diversity": diversity([item.content for item in items])}


def time_in_chords(piece: Piece) -> tuple[int, int, int]:
    """Sixteenths of melody on a chord tone, under any chord, and at all."""
    inside = under = sounding = 0
    chords = list(piece.chords)
    for note in piece.voices[0].notes if piece.voices else ():
        for step in range(note.start, note.end):
            sounding += 1
            for chord in chords:
                if chord.start <= step < chord.end:
                    under += 1
                    inside += note.pitch % 12 in chord.pitch_classes
    return inside, under, sounding


def untouched(piece: Piece, request: LeadRequest) -> bool:
    from plaudit.domains.music.files.json_file import from_table

    if request.piece is None:
        return True
    before = from_table(request.piece, "request.piece")
    if request.write == "melody":
        return before.chords == piece.chords and before.voices[1:] == piece.voices[1:]
    return before.voices == piece.voices


def diversity(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """1 for each sheet most of whose chord changes are not those of one before it."""
    seen: list[set[tuple[int, str, int, str]]] = []
    fresh = []
    for piece in pieces:
        own = changes(piece)
        fresh.append(all(not own or len(own & other) < SAME * len(own) for other in seen if other))
        seen.append(own)
    return np.array(fresh, np.float64)


def changes(piece: Piece) -> set[tuple[int, str, int, str]]:
    """Pairs of chords in a row, roots counted from the tonic."""
    names = [((chord.root - piece.tonic) % 12, chord.kind) for chord in piece.chords]
    return {(*a, *b) for a, b in pairwise(names)}
