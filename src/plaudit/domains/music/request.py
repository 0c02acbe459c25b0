"""What is asked of one melody: key, metre, bars, range, chords, how it begins, ends and moves."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from plaudit.domains.music.asks import CADENCES, CONTOURS, OPEN, Asks
from plaudit.domains.music.files.notation import chord_of
from plaudit.domains.music.lines import (
    BARS,
    FIRST,
    LOWEST,
    MODE_NAMES,
    TOKENS,
    Lines,
    settled,
    shift_of,
)
from plaudit.domains.music.score import CHORDS, METRES, NAMES, Chord
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError, did_you_mean
from plaudit.task import Request

FEWEST_BARS, MOST_BARS = 2, 32
NARROWEST = 7
"""Semitones that a range has at least."""
MODE_SHARES = {
    "major": 0.5,
    "minor": 0.26,
    "dorian": 0.08,
    "mixolydian": 0.08,
    "lydian": 0.04,
    "phrygian": 0.04,
}
"""How often a mode is drawn where none is asked."""
USUAL_DENSITY = {(2, 4): (3.0, 6.0), (3, 4): (3.0, 6.5), (4, 4): (5.0, 8.5), (6, 8): (4.0, 6.5)}
"""Notes a bar that are drawn where none is asked: the middle four fifths of the folk tunes."""
TOLERANCE = {"density": 1.0}
_KINDS = tuple(CHORDS)
_NOTE = re.compile(r"([A-Ga-g])([#b]?)(-?\d)")
_KEY = re.compile(r"([A-Ga-g])([#b]?)\s*(m|[a-z]+)?", re.IGNORECASE)
_LETTER = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGN = {"": 0, "#": 1, "b": -1}


def parse_pitch(value: Any) -> Any:
    """Turn "C4" into 60; leave numbers to the type check."""
    if not isinstance(value, str) or value.lstrip("-").isdigit():
        return value
    found = _NOTE.fullmatch(value.strip())
    if not found:
        raise ValueError(f'a pitch is a MIDI number or a name as in "C4", "Bb3"; got "{value}"')
    return _LETTER[found[1].upper()] + _SIGN[found[2]] + 12 * (int(found[3]) + 1)


def parse_key(value: Any) -> Any:
    """Bring "a minor", "Am" or "Bb" into the form "Bb major"; raises ValueError."""
    if not isinstance(value, str):
        return value
    found = _KEY.fullmatch(value.strip())
    mode = "minor" if found and found[3] == "m" else ((found and found[3]) or "major").lower()
    if not found or mode not in MODE_NAMES:
        known = ", ".join(MODE_NAMES)
        raise ValueError(f'a key is a tonic and a mode ({known}), as in "Eb minor"; got "{value}"')
    tonic = (_LETTER[found[1].upper()] + _SIGN[found[2]]) % 12
    return f"{NAMES[tonic]} {mode}"


Pitch = Annotated[int, BeforeValidator(parse_pitch), Field(ge=21, le=108)]


class MelodyRequest(Request):
    """One melody; what is left open is drawn. `target` may name `density` (notes a bar)."""

    key: Annotated[str, BeforeValidator(parse_key)] | None = None
    """Tonic and mode: `"C major"`, `"F# dorian"`, `"Am"`. Modes: major, minor and four church modes."""
    metre: Literal["2/4", "3/4", "4/4", "6/8"] | None = None
    """Beats and beat unit of a bar."""
    bars: int | None = Field(None, ge=FEWEST_BARS, le=MOST_BARS)
    """How many bars, 2 to 32."""
    low: Pitch | None = None
    """Lowest note allowed, as a MIDI number or a name: 60 or "C4"."""
    high: Pitch | None = None
    """Highest note allowed."""
    chords: str | None = None
    """Chord symbols, one a bar, from the beginning again where they end: "C Am F G7"."""
    opening: int | None = Field(1, ge=1, le=7)
    """Scale degree of the first note; none = anything, silence too."""
    cadence: Literal["full", "half"] | None = "full"
    """How it ends: on the tonic, or on a note of the dominant (second, fifth, seventh degree)."""
    contour: Literal["flat", "up", "down", "arch", "valley"] | None = None
    """How the mean pitch of its thirds moves."""
    strict: bool = False
    """No note outside of the key (a minor key has its leading tone too), without exception."""
    tempo: float = Field(110.0, ge=20, le=400)
    """Quarter notes a minute."""


def check_melody(request: MelodyRequest) -> None:
    """Raise `InputError` for what cannot be asked, `Infeasible` for a density that no bar holds."""
    for name, value in (*request.target.items(), *request.tolerance.items()):
        if name not in TOLERANCE:
            raise InputError(f'no statistic is called "{name}".', hint=did_you_mean(name, TOLERANCE))
        if not math.isfinite(value):
            raise InputError(f"{name}={value} is not a finite number.")
    if request.low is not None and request.high is not None and request.high - request.low < NARROWEST:
        raise InputError(
            f"the range {request.low}..{request.high} is narrower than a fifth.",
            place="request.low",
            hint=f"Leave {NARROWEST} semitones or more between low and high.",
        )
    if request.low is not None and request.high is not None and request.high - request.low > 40:
        raise InputError(
            f"the range {request.low}..{request.high} is wider than 40 semitones.", place="request.high"
        )
    if request.chords is not None:
        chords_in(request.chords)
    _check_density(request)


def _check_density(request: MelodyRequest) -> None:
    wanted = request.target.get("density")
    if wanted is None:
        return
    most = max(BARS) if request.metre is None else BARS[metre_of(request)]
    slack = request.tolerance.get("density", TOLERANCE["density"])
    if not 0.5 - slack <= wanted <= most + slack:
        nearest = 0.5 if wanted < 1 else most
        raise Infeasible(f"density={wanted:g} is out of reach; the nearest is density={nearest:g}.")


def chords_in(text: str) -> list[tuple[int, str]]:
    """Root and kind of each chord symbol; raises `InputError` for an unknown one."""
    found = []
    for word in text.replace("|", " ").split():
        chord = chord_of(word)
        if chord is None:
            raise InputError(
                f'"{word}" is no chord.', place="request.chords", hint='Write "C Am F G7", one a bar.'
            )
        found.append(chord)
    if not found:
        raise InputError("there is no chord in it.", place="request.chords")
    return found


def metre_of(request: MelodyRequest) -> int:
    """Index of the metre."""
    beats, unit = (request.metre or "4/4").split("/")
    return METRES.index((int(beats), int(unit)))


def key_of(request: MelodyRequest) -> tuple[int, int]:
    """Tonic and index of the mode."""
    tonic, _, mode = (request.key or "C major").partition(" ")
    return NAMES.index(tonic), MODE_NAMES.index(mode)


def draw_requests(n: int, seed: int, given: MelodyRequest) -> list[MelodyRequest]:
    """n complete requests; what `given` leaves open is drawn."""
    check_melody(given)
    random = RowRandom(np.arange(n) + seed * 1_000_003)
    numbers = random.uniform(8)
    return [_completed(given, row) for row in numbers]


def _completed(given: MelodyRequest, drawn: np.ndarray) -> MelodyRequest:
    tonic = NAMES[int(drawn[0] * 12)]
    shares = np.cumsum(list(MODE_SHARES.values()))
    mode = list(MODE_SHARES)[int(np.searchsorted(shares, drawn[1] * shares[-1], side="right"))]
    beats, unit = METRES[(2, 2, 3, 3, 1, 0)[int(drawn[2] * 6)]]
    open_ones: dict[str, Any] = {
        "key": f"{tonic} {mode}",
        "metre": f"{beats}/{unit}",
        "bars": (4, 8, 8, 8, 16)[int(drawn[3] * 5)],
        "contour": (None, None, *CONTOURS)[int(drawn[4] * 7)],
    }
    fresh = {name: value for name, value in open_ones.items() if getattr(given, name) is None}
    if given.contour is None and given.model_fields_set & {"contour"}:
        fresh.pop("contour")
    request = given.model_copy(update=fresh)
    if "density" not in given.target:
        low, high = USUAL_DENSITY[METRES[metre_of(request)]]
        wanted = round(low + drawn[5] * (high - low), 1)
        request = request.model_copy(update={"target": {**given.target, "density": wanted}})
    return request.model_copy(update=_range(given, drawn[6:8]))


def _range(given: MelodyRequest, drawn: np.ndarray) -> dict[str, int]:
    """Lowest and highest note: an octave and a half around the staff, drawn where open."""
    low, high = given.low, given.high
    width = 15 + int(drawn[1] * 8)
    if low is None:
        low = 57 + int(drawn[0] * 8) if high is None else max(high - width, 21)
    return {"low": low, "high": high if high is not None else min(low + width, 108)}


def asks_of(requests: Sequence[MelodyRequest]) -> tuple[Asks, np.ndarray]:
    """Arrays of complete requests, and semitones `(B,)` from the key's own pitches to the real ones."""
    metre = np.array([metre_of(request) for request in requests], np.int64)
    keys = [key_of(request) for request in requests]
    spans = [(int(request.low or 60), int(request.high or 81)) for request in requests]
    shift = np.array([shift_of(key[0], *span) for key, span in zip(keys, spans, strict=True)], np.int64)
    length = np.array(BARS)[metre] * np.array([request.bars or 8 for request in requests])
    rows, steps = len(requests), int(length.max())
    token = np.array(spans) - shift[:, None] - LOWEST + FIRST
    asks = Asks(
        length=length,
        metre=metre,
        mode=np.array([key[1] for key in keys], np.int64),
        low=np.clip(token[:, 0], FIRST, TOKENS - 1),
        high=np.clip(token[:, 1], FIRST, TOKENS - 1),
        opening=np.array([OPEN if r.opening is None else r.opening - 1 for r in requests], np.int64),
        cadence=np.array([OPEN if r.cadence is None else CADENCES.index(r.cadence) for r in requests]),
        contour=np.array([OPEN if r.contour is None else CONTOURS.index(r.contour) for r in requests]),
        density=np.array([r.target.get("density", float(OPEN)) for r in requests]),
        root=np.full((rows, steps), OPEN),
        kind=np.full((rows, steps), OPEN),
        locked=np.full((rows, steps), OPEN),
        first=np.ones(rows, bool),
        last=np.ones(rows, bool),
        strict=np.array([request.strict for request in requests]),
    )
    _put_chords(requests, asks, shift)
    return asks, shift


def _put_chords(requests: Sequence[MelodyRequest], asks: Asks, shift: np.ndarray) -> None:
    for row, request in enumerate(requests):
        if request.chords is None:
            continue
        named, bar = chords_in(request.chords), int(asks.bar[row])
        for number in range(int(asks.length[row]) // bar):
            root, kind = named[number % len(named)]
            span = slice(number * bar, (number + 1) * bar)
            asks.root[row, span] = (root - shift[row]) % 12
            asks.kind[row, span] = _KINDS.index(kind)


def lines_from(asks: Asks, tokens: np.ndarray, shift: np.ndarray, tempo: float = 110.0) -> Lines:
    """Written tokens as lines, with the chords that were asked."""
    chords = [_symbols(asks, row) for row in range(len(asks))] if (asks.root != OPEN).any() else ()
    return Lines(settled(np.asarray(tokens)), asks.length, asks.metre, asks.mode, shift, chords, tempo)


def _symbols(asks: Asks, row: int) -> tuple[Chord, ...]:
    """The chord symbols of one row: a new one at every bar line and every change."""
    length, bar = int(asks.length[row]), int(asks.bar[row])
    root, kind = asks.root[row, :length], asks.kind[row, :length]
    change = np.ones(length, bool)
    change[1:] = (root[1:] != root[:-1]) | (kind[1:] != kind[:-1])
    change |= np.arange(length) % bar == 0
    begins = [*np.flatnonzero(change).tolist(), length]
    return tuple(
        Chord(a, b - a, int(root[a]), _KINDS[kind[a]]) for a, b in pairwise(begins) if root[a] != OPEN
    )
