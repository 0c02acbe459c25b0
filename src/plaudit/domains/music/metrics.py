"""What is reported of melodies: the judge's windows, what was asked, and how different a batch is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.infill import InfillRequest, stood
from plaudit.domains.music.melody_judge import Window, events_of, windows
from plaudit.domains.music.request import TOLERANCE, MelodyRequest
from plaudit.domains.music.score import MODES, NAMES, Piece
from plaudit.task import Item

STATISTICS = ("density",)
ALIKE = 0.5
"""Share of runs of eight sixteenths in common from which two melodies count as one."""
SLACK = 0.02
"""Share of steps that may be repeated too often in a good melody."""


def judge_melodies(items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """What `Task.judge` returns.

    quality: every note is in the key, hardly a step is repeated too often, no leap follows another in
    its direction, and a third of the steps lie in a motif. control: density within its tolerance, and
    bars, metre, key, range, opening, cadence and contour as asked.
    """
    rows = [_judged(item) for item in items]
    figures = {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]} if rows else {}
    return {**figures, "diversity": diversity([item.content for item in items])}


def judge_infills(items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """As for melodies, over the whole line; control is that every note of the bars that stand is there."""
    rows = []
    for item in items:
        request = item.request
        assert isinstance(request, InfillRequest)
        kept = stood(request, item.content)
        density = len(item.content.voices[0].notes) / max(item.content.bars, 1)
        rows.append((good(windows(item.content)), kept and _in_density(request, density), kept, density))
    names = ("quality", "control", "asked_met", "density")
    figures = dict(zip(names, np.array(rows, np.float64).reshape(-1, 4).T, strict=True))
    return {**figures, "diversity": diversity([item.content for item in items])}


def _in_density(request: MelodyRequest, density: float) -> bool:
    slack = request.tolerance.get("density", TOLERANCE["density"])
    return abs(density - request.target.get("density", density)) <= slack


def _judged(item: Item) -> dict[str, float]:
    piece, request = item.content, item.request
    assert isinstance(request, MelodyRequest)
    found = windows(piece)
    density = len(piece.voices[0].notes) / max(piece.bars, 1)
    return {
        "quality": float(good(found)),
        "control": float(_in_density(request, density) and met(piece, request)),
        "asked_met": float(met(piece, request, exact=True)),
        "density": density,
    }


def good(found: Sequence[Window]) -> bool:
    steps = sum(window.steps for window in found)
    repeated, motif = (sum(getattr(window, name) for window in found) for name in ("repeated", "motif"))
    wrong = sum(window.out_of_key + window.doubled for window in found)
    return steps > 0 and wrong == 0 and repeated <= SLACK * steps and motif * 3 >= steps


def met(piece: Piece, request: MelodyRequest, exact: bool = False) -> bool:
    """Whether a piece is what was asked; `exact` leaves out what is not guaranteed (its end and its way)."""
    notes = piece.voices[0].notes if piece.voices else ()
    if not notes:
        return False
    wanted = {
        "key": request.key in (None, f"{NAMES[piece.tonic]} {piece.mode}"),
        "metre": request.metre in (None, f"{piece.metre[0]}/{piece.metre[1]}"),
        "bars": piece.steps == piece.bar * (request.bars or piece.bars),
        "low": request.low is None or min(note.pitch for note in notes) >= request.low,
        "high": request.high is None or max(note.pitch for note in notes) <= request.high,
        "opening": request.opening is None or _degree(piece, notes[0].pitch) == request.opening,
        "starts": request.opening is None or notes[0].start == 0,
    }
    if exact:
        return all(wanted.values())
    ends = {None: range(1, 8), "full": (1,), "half": (2, 5, 7)}[request.cadence]
    wanted["cadence"] = _degree(piece, notes[-1].pitch) in ends or request.cadence is None
    wanted["contour"] = request.contour in (None, shape_of(piece))
    return all(wanted.values())


def _degree(piece: Piece, pitch: int) -> int:
    """Scale degree 1 to 7; 0 off the scale, but for a minor key's leading tone, which is its seventh."""
    step = (pitch - piece.tonic) % 12
    if piece.mode == "minor" and step == 11:
        return 7
    scale = MODES[piece.mode]
    return scale.index(step) + 1 if step in scale else 0


def shape_of(piece: Piece) -> str:
    """How the mean pitch of the thirds moves, by more than two semitones."""
    sums, counts = [0.0] * 3, [0] * 3
    for note in piece.voices[0].notes:
        for step in range(note.start, note.start + note.length):
            third = step * 3 // piece.steps
            sums[third] += note.pitch
            counts[third] += 1
    first, middle, last = (s / c if c else 0.0 for s, c in zip(sums, counts, strict=True))
    if middle - max(first, last) > 2.0:
        return "arch"
    if min(first, last) - middle > 2.0:
        return "valley"
    if last - first > 2.0:
        return "up"
    return "down" if first - last > 2.0 else "flat"


def diversity(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """1 for each melody that has less than half of its runs in common with every one before it."""
    seen: list[set[tuple[int | str, ...]]] = []
    fresh = []
    for piece in pieces:
        events = [e - piece.tonic if isinstance(e, int) else e for e in events_of(piece)]
        own = {tuple(events[at : at + 8]) for at in range(max(len(events) - 7, 1))}
        fresh.append(all(len(own & other) < ALIKE * min(len(own), len(other)) for other in seen))
        seen.append(own)
    return np.array(fresh, np.float64)
