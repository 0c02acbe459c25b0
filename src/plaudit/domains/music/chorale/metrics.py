"""What is reported of chorales: the judge's findings, what was asked, and how different a batch is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.chorale.judge import Findings, judged, sonorities
from plaudit.domains.music.chorale.request import TOLERANCE, ChoraleRequest, ends_of, stood
from plaudit.domains.music.score import Piece
from plaudit.errors import InputError
from plaudit.task import Item

STATISTICS = ("parallels", "movement")
CROSSED = 0.03
"""Share of the chords that may have crossed voices in a good chorale; Bach has 2.7 %."""
ALIKE = 0.5
"""Share of runs of four chords in common from which two chorales count as one."""
RUN = 4


def judge_chorales(items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """What `Task.judge` returns.

    quality: no parallel fifths or octaves, at most 3 % of the chords crossed, nothing out of range.
    control: what stands is there note for note, every target within its tolerance. Beside the
    statistics: shares of crossed chords, of notes out of range, of chords on the beats that are
    triads or sevenths, and of phrases that end on a triad over its root.
    """
    rows = [_judged(item) for item in items]
    figures = {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]} if rows else {}
    return {**figures, "diversity": diversity([item.content for item in items])}


def _judged(item: Item) -> dict[str, float]:
    piece, request = item.content, item.request
    assert isinstance(request, ChoraleRequest)
    if len(piece.voices) != 4:
        raise InputError(f"has {len(piece.voices)} voices; a chorale has four.")
    found = judged(piece, ends_of(request, piece))
    figures = {"parallels": float(found.parallels), "movement": movement(found, piece)}
    near = all(
        abs(figures[name] - wanted) <= request.tolerance.get(name, TOLERANCE[name])
        for name, wanted in request.target.items()
    )
    kept = request.soprano is None or stood(request, piece)
    return {
        "quality": float(good(found)),
        "control": float(near and kept),
        "kept": float(kept),
        **figures,
        "crossed": found.crossed / max(found.chords, 1),
        "out_of_range": found.outside / max(found.notes, 1),
        "chords_known": found.known / max(found.beats, 1),
        "cadences": found.cadences / max(found.ends, 1),
    }


def good(found: Findings) -> bool:
    return found.parallels == 0 and found.crossed <= CROSSED * found.chords and found.outside == 0


def movement(found: Findings, piece: Piece) -> float:
    """Notes of alto, tenor and bass in a quarter, each voice by itself."""
    return found.written / (3 * piece.steps / 4)


def diversity(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """1 for each that has less than half of its runs of four chords in common with every one before it."""
    seen: list[set[tuple[object, ...]]] = []
    fresh = []
    for piece in pieces:
        own = _runs(piece)
        fresh.append(all(len(own & other) < ALIKE * min(len(own), len(other)) for other in seen))
        seen.append(own)
    return np.array(fresh, np.float64)


def _runs(piece: Piece) -> set[tuple[object, ...]]:
    """Every four chords on end, counted from the tonic."""
    chords = [
        tuple(None if pitch is None else pitch - piece.tonic for pitch in chord)
        for _, chord in sonorities(piece)
    ]
    return {tuple(chords[at : at + RUN]) for at in range(max(len(chords) - RUN + 1, 1))}
