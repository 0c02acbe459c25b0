"""What is asked of one chorale: the soprano or more of it, what stands, how lively the rest is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale.asks import ChoraleAsks, lock
from plaudit.domains.music.chorale.fermatas import fermatas, guessed_ends
from plaudit.domains.music.chorale.grid import (
    LOWEST,
    PITCHES,
    RANGES,
    SILENT,
    STEP,
    VOICES,
    shift_of,
    voice_of,
)
from plaudit.domains.music.chorale.soprano import made_up
from plaudit.domains.music.files.json_file import from_table, table
from plaudit.domains.music.infill import bars_of, free_bars, lead
from plaudit.domains.music.lines import MODE_NAMES
from plaudit.domains.music.request import parse_key
from plaudit.domains.music.score import METRES, NAMES, Note, Piece, Voice
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError, did_you_mean
from plaudit.task import Request

TOLERANCE = {"parallels": 0.0, "movement": 0.2}
REACH = {"parallels": (0.0, 100.0), "movement": (0.1, 2.0)}
"""Lowest and highest value of each statistic that can be asked for."""
USUAL_MOVEMENT = (1.0, 1.4)
"""Notes in a quarter that are drawn where none are asked: the middle of Bach's chorales."""
MOST_BARS = 64
FEWEST, MOST = 2, 16
"""Phrases of a soprano that is made up."""


def parse_voices(value: Any) -> Any:
    """Bring "bass, soprano" into the order of the score; raises ValueError for an unknown voice."""
    if not isinstance(value, str):
        return value
    named = [word.strip().lower() for word in value.split(",") if word.strip()]
    wrong = [word for word in named if word not in VOICES]
    if wrong:
        raise ValueError(f'voices are {", ".join(VOICES)}; got "{wrong[0]}"')
    return ",".join(voice for voice in VOICES if voice in named)


class ChoraleRequest(Request):
    """One chorale. `target` may name `parallels` (how many) and `movement` (notes in a quarter)."""

    source: str = ""
    """A MIDI, MusicXML, ABC or JSON file: a soprano, or four voices. Without one, a soprano is made up."""
    soprano: dict[str, Any] | None = None
    """The piece itself, as JSON files hold it; `source` is read into it."""
    keep: Annotated[str, BeforeValidator(parse_voices)] = "soprano"
    """Voices that stand, with commas: "soprano,bass". The others are written; "" = all four are."""
    free: str = ""
    """Bars that are written anew, as in "5-8,11", a pickup being bar 1; in all others every voice stands."""
    ends: tuple[int, ...] | None = None
    """Sixteenths at which the last notes of phrases begin; fermatas of a MusicXML file, or guessed."""
    strict: bool = True
    """No parallel fifth or octave and no crossed voices, as far as what is written can avoid them."""
    key: Annotated[str, BeforeValidator(parse_key)] | None = None
    """Key of a soprano that is made up: `"G major"`, `"Dm"`."""
    phrases: int | None = Field(None, ge=FEWEST, le=MOST)
    """Phrases of a soprano that is made up, two bars each."""
    tempo: float | None = Field(None, ge=20, le=400)
    """Quarter notes a minute; none = the piece's own."""


def check_chorale(request: ChoraleRequest) -> None:
    """Raise `InputError` for what cannot be asked or read, `Infeasible` for a target out of reach."""
    for name, value in (*request.target.items(), *request.tolerance.items()):
        if name not in TOLERANCE:
            raise InputError(f'no statistic is called "{name}".', hint=did_you_mean(name, TOLERANCE))
        if not math.isfinite(value):
            raise InputError(f"{name}={value} is not a finite number.")
    for name, value in request.target.items():
        low, high = REACH[name]
        if not low <= value <= high:
            nearest = min(max(value, low), high)
            raise Infeasible(f"{name}={value:g} is out of reach; the nearest is {name}={nearest:g}.")
    if request.strict and request.target.get("parallels", 0.0) > 0:
        raise Infeasible("parallels cannot be had with strict; the nearest is parallels=0.")
    piece = piece_of(request)
    if piece is not None:
        _check_piece(request, piece)
    elif request.free:
        raise InputError("there is no piece whose bars could stand.", place="request.free")


def _check_piece(request: ChoraleRequest, piece: Piece) -> None:
    place = request.source or "request.soprano"
    kept = request.keep.split(",") if request.keep else []
    if len(piece.voices) != len(VOICES) and (kept not in ([], ["soprano"]) or request.free):
        raise InputError(
            f"has {len(piece.voices)} voices; to keep more than a soprano takes all four.", place=place
        )
    if not 1 <= bars_of(piece) <= MOST_BARS:
        raise InputError(f"has {bars_of(piece)} bars; at most {MOST_BARS} are harmonised.", place=place)
    if request.free:
        free_bars(request.free, bars_of(piece))
    for v in standing_voices(request, piece):
        _check_reach(VOICES[v], [n.pitch for n in piece.voices[v].notes], shift_of(piece.tonic), place)


def _check_reach(name: str, pitches: Sequence[int], shift: int, place: str) -> None:
    """Refuse a voice that no token holds, or that another voice would sing."""
    if not pitches:
        return
    low, high, mean = min(pitches), max(pitches), sum(pitches) / len(pitches)
    least, most = RANGES[VOICES.index(name)]
    inside = LOWEST <= low - shift and high - shift < LOWEST + PITCHES
    if not inside or not least - 5 <= mean <= most + 3:
        raise InputError(
            f"its {name} lies from {low} to {high}; this voice sings from {least} to {most}.",
            place=place,
            hint="Move it by octaves.",
        )


def piece_of(request: ChoraleRequest) -> Piece | None:
    """The piece that is given; raises `InputError` for one that cannot be read."""
    if request.soprano is not None:
        return from_table(request.soprano, "request.soprano")
    if not request.source:
        return None
    from plaudit.domains.music.render import read_piece

    return read_piece(Path(request.source))


def draw_chorales(n: int, seed: int, given: ChoraleRequest) -> list[ChoraleRequest]:
    """n complete requests; a soprano is made up where none is given."""
    check_chorale(given)
    piece, ends = piece_of(given), given.ends
    if piece is not None and ends is None:
        ends = tuple(_ends_in(given) or guessed_ends(piece))
    numbers = RowRandom(np.arange(n) + seed * 1_000_003 + 4).bits(1)[:, 0]
    return [_completed(given, piece, ends, int(number % 2**31)) for number in numbers]


def _ends_in(request: ChoraleRequest) -> list[int]:
    """Fermatas of the file, where it can have some."""
    path = Path(request.source)
    if request.soprano is not None or path.suffix.lower() not in (".mxl", ".musicxml", ".xml"):
        return []
    return fermatas(path, VOICES[0].capitalize())


def _completed(
    given: ChoraleRequest, piece: Piece | None, ends: tuple[int, ...] | None, seed: int
) -> ChoraleRequest:
    random = np.random.default_rng(seed)
    if piece is None:
        key = given.key or f"{NAMES[random.integers(12)]} {('major', 'minor')[random.integers(2)]}"
        tonic, _, mode = key.partition(" ")
        phrases = given.phrases or int(random.choice((3, 4, 4, 5, 6)))
        piece = made_up(NAMES.index(tonic), mode, phrases, random, given.tempo or 84.0)
        ends = tuple(n.start for n in piece.voices[0].notes if n.length > 4)
    piece = replace(piece, tempo=given.tempo or piece.tempo)
    low, high = USUAL_MOVEMENT
    target = {"movement": round(low + random.random() * (high - low), 2), **given.target}
    return given.model_copy(update={"soprano": table(piece), "ends": ends, "target": target})


def ends_of(request: ChoraleRequest, piece: Piece) -> list[int]:
    """Sixteenths at which the last notes of the phrases begin, within the piece."""
    ends = request.ends if request.ends is not None else guessed_ends(piece)
    return [end for end in ends if 0 <= end < piece.steps]


def chorale_asks(requests: Sequence[ChoraleRequest]) -> ChoraleAsks:
    """Arrays of complete requests."""
    pieces = [from_table(request.soprano, "request.soprano") for request in requests]
    rows = len(pieces)
    length = np.array([-(-piece.steps // STEP) for piece in pieces], np.int64)
    shift = np.array([shift_of(piece.tonic) for piece in pieces], np.int64)
    low, high = (np.array(side) - shift[:, None] for side in zip(*RANGES, strict=True))
    shape = (rows, len(VOICES), int(length.max(initial=0)))
    pitch, begins, stands = np.full(shape, SILENT), np.zeros(shape, bool), np.zeros(shape, bool)
    ends = np.zeros((rows, shape[2]), bool)
    for row, (request, piece) in enumerate(zip(requests, pieces, strict=True)):
        span = slice(0, int(length[row]))
        ends[row, [end // STEP for end in ends_of(request, piece)]] = True
        for v in standing_voices(request, piece):
            pitch[row, v, span], begins[row, v, span] = voice_of(
                piece.voices[v].notes, int(length[row]), int(shift[row])
            )
            stands[row, v, span] = standing_steps(request, piece, v, int(length[row]), STEP)
    silent = (pitch[:, 0] == SILENT) & stands[:, 0]
    movement = np.array([request.target.get("movement", float(OPEN)) for request in requests])
    asks = ChoraleAsks(
        length,
        np.array([METRES.index(tuple(piece.metre)) for piece in pieces], np.int64),
        np.array([MODE_NAMES.index(piece.mode) for piece in pieces], np.int64),
        shift,
        np.array([piece.pickup for piece in pieces], np.int64),
        np.clip(low, LOWEST, None),
        np.clip(high, None, LOWEST + PITCHES - 1),
        ends,
        silent,
        movement,
        np.full(shape, OPEN),
        np.ones(rows, bool),
        np.ones(rows, bool),
    )
    lock(asks, pitch, begins, stands)
    return asks


def standing_voices(request: ChoraleRequest, piece: Piece) -> list[int]:
    """Voices of which anything stands."""
    kept = request.keep.split(",")
    return [v for v, name in enumerate(VOICES[: len(piece.voices)]) if name in kept or request.free]


def standing_steps(request: ChoraleRequest, piece: Piece, voice: int, steps: int, step: int) -> np.ndarray:
    """Steps of a voice that stand `(steps,)`: all, or those of the bars that are not free."""
    if VOICES[voice] in request.keep.split(",") or not request.free:
        return np.ones(steps, bool)
    bar = (np.arange(steps) * step + lead(piece)) // piece.bar
    return ~np.isin(bar, free_bars(request.free, bars_of(piece)))


def finished(request: ChoraleRequest, written: Piece) -> Piece:
    """What was written, with every note that stands exactly as it was given."""
    piece = from_table(request.soprano, "request.soprano")
    voices = list(written.voices)
    for v in standing_voices(request, piece):
        notes = _joined(
            piece.voices[v].notes, voices[v].notes, standing_steps(request, piece, v, piece.steps, 1)
        )
        voices[v] = Voice(VOICES[v].capitalize(), notes)
    short = [Voice(v.name, _within(v.notes, piece.steps)) for v in voices]
    return replace(piece, voices=tuple(short))


def _joined(given: Sequence[Note], written: Sequence[Note], stands: np.ndarray) -> tuple[Note, ...]:
    """Given notes that stand, and written ones where none of them is."""
    kept = [note for note in given if stands[note.start : note.end].any()]
    taken = stands.copy()
    for note in kept:
        taken[note.start : note.end] = True
    free = []
    for note in written:
        blocked = taken[note.start : note.end]
        # A written note on the grid may reach into one that stands between two steps.
        length = int(np.argmax(blocked)) if blocked.any() else note.length
        if length:
            free.append(replace(note, length=length))
    return tuple(sorted([*kept, *free]))


def _within(notes: Sequence[Note], steps: int) -> tuple[Note, ...]:
    """Notes cut at the end of the piece."""
    return tuple(replace(n, length=min(n.length, steps - n.start)) for n in notes if n.start < steps)


def stood(request: ChoraleRequest, piece: Piece) -> bool:
    """Whether all that was to stand is there, and nothing else where it stands."""
    before = from_table(request.soprano, "request.soprano")
    for v in standing_voices(request, before):
        stands = standing_steps(request, before, v, before.steps, 1)
        kept = [note for note in before.voices[v].notes if stands[note.start : note.end].any()]
        there = [note for note in piece.voices[v].notes if stands[note.start : note.end].any()]
        if kept != there:
            return False
    return True
