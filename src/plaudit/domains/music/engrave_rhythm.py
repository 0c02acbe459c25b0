"""How lengths are written in a bar: note values that one can read at sight, tied where one is not enough.

A value may hide a beat only where every player expects it: from a beat onwards, or as a syncopation on
the half beat, never across the middle of an even bar (Gould, "Behind Bars", 2011, chapter 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plaudit.domains.music.score import QUARTER, Piece, Voice

VALUES = {1: (16, 0), 2: (8, 0), 3: (8, 1), 4: (4, 0), 6: (4, 1), 8: (2, 0), 12: (2, 1), 16: (1, 0)}
"""Note value and dots of the lengths, in sixteenths, that one head can have."""


@dataclass(frozen=True)
class Bar:
    """A stretch from bar line to bar line: `begin` and `end` in the piece, `offset` into a full bar."""

    begin: int
    end: int
    offset: int


@dataclass(frozen=True)
class Event:
    """One head or rest: start and length in the piece, pitch (None = rest), ties to both sides."""

    start: int
    length: int
    pitch: int | None = None
    tied_before: bool = False
    tied_after: bool = False


def bars_of(piece: Piece) -> list[Bar]:
    """The bars of a piece; the pickup is one of its own, the last may be short, at least one is there."""
    first = min(piece.pickup, piece.steps)
    bars = [Bar(0, first, piece.bar - first)] if first else []
    for begin in range(piece.pickup, piece.steps, piece.bar):
        bars.append(Bar(begin, min(begin + piece.bar, piece.steps), 0))
    return bars or [Bar(0, piece.bar, 0)]


def beat_of(metre: tuple[int, int]) -> int:
    """Sixteenths of the beat that one taps: a dotted quarter in 6/8."""
    return 3 * QUARTER // 2 if metre[1] == 8 else QUARTER


def events_of(voice: Voice, bar: Bar, metre: tuple[int, int]) -> list[Event]:
    """The heads and rests of one voice in one bar, in the order of time, filling it."""
    events: list[Event] = []
    at = bar.begin
    for note in voice.notes:
        start, end = max(note.start, bar.begin), min(note.end, bar.end)
        if start >= end:
            continue
        events += _rests(at, start, bar, metre)
        place = bar.begin - bar.offset
        for first, length in split(start - place, end - start, metre):
            begin = first + place
            events.append(Event(begin, length, note.pitch, begin > note.start, begin + length < note.end))
        at = end
    return events + list(_rests(at, bar.end, bar, metre))


def split(place: int, length: int, metre: tuple[int, int]) -> list[tuple[int, int]]:
    """Cut a note at `place` in a bar into readable values `(place, length)`, as few as can be.

    >>> split(0, 10, (4, 4)), split(2, 4, (4, 4)), split(6, 4, (4, 4))
    ([(0, 8), (8, 2)], [(2, 4)], [(6, 2), (8, 2)])
    """
    if _readable(place, length, metre):
        return [(place, length)]
    cuts = [
        split(place, at - place, metre) + split(at, place + length - at, metre)
        for at in _strongest(place, length, metre)
    ]
    return min(cuts, key=lambda cut: (len(cut), -max(size for _, size in cut)))


def _readable(place: int, length: int, metre: tuple[int, int]) -> bool:
    end, beat = place + length, beat_of(metre)
    if length not in VALUES:
        return False
    if place // beat == (end - 1) // beat:
        # Inside one beat; of the eighths in 6/8 only whole ones make a quarter.
        return beat == QUARTER or length <= 2 or place % 2 == 0
    middle = _middle(metre)
    if beat != QUARTER:
        return (place, length) == (0, 12)
    if middle and place < middle < end:
        return place % QUARTER == 0 and length >= 8
    return place % QUARTER == 0 or (place % 2 == 0 and length in (4, 6))


def _middle(metre: tuple[int, int]) -> int:
    """Where an even bar of more than two quarters has its second half; 0 for other bars."""
    return {(4, 4): 8, (6, 8): 6}.get(tuple(metre), 0)


def _strongest(place: int, length: int, metre: tuple[int, int]) -> list[int]:
    """The strongest places of the metre strictly inside a note."""
    for unit in (_middle(metre), beat_of(metre), 2, 1):
        inside = [at for at in range(place + 1, place + length) if unit and at % unit == 0]
        if inside:
            return inside
    return []


def _rests(begin: int, end: int, bar: Bar, metre: tuple[int, int]) -> Iterator[Event]:
    """Fill a gap with rests, each at a multiple of its own length: beats stay visible."""
    zero = bar.begin - bar.offset
    lengths = (12, 6, 4, 2, 1) if metre[1] == 8 else (16, 8, 4, 2, 1)
    while begin < end:
        place = begin - zero
        length = next(v for v in lengths if place % v == 0 and v <= end - begin)
        if metre[1] == 8 and length == 4 and place % 6:
            length = 2
        yield Event(begin, length)
        begin += length


def beams(events: list[Event], bar: Bar, metre: tuple[int, int]) -> list[list[Event]]:
    """Gather events: those of one beam together, every other one alone.

    One beam spans a beat; plain eighths in 4/4 and 2/4 also half a bar of four.
    """
    groups: list[list[Event]] = []
    zero = bar.begin - bar.offset
    for event in events:
        beat = (event.start - zero) // beat_of(metre)
        last = groups[-1][-1] if groups else None
        joins = (
            last is not None
            and _flagged(last)
            and _flagged(event)
            and (last.start - zero) // beat_of(metre) == beat
        )
        if joins:
            groups[-1].append(event)
        else:
            groups.append([event])
    return _halves(groups, zero) if metre in ((4, 4), (2, 4)) else groups


def _flagged(event: Event) -> bool:
    return event.pitch is not None and event.length < QUARTER


def _halves(groups: list[list[Event]], zero: int) -> list[list[Event]]:
    """Join two beats of two eighths each that make one half of a bar."""
    joined: list[list[Event]] = []
    for group in groups:
        before = joined[-1] if joined else []
        pair = [*before, *group]
        eighths = len(before) == len(group) == 2 and all(_flagged(e) and e.length == 2 for e in pair)
        if eighths and (before[0].start - zero) % (2 * QUARTER) == 0:
            joined[-1] = pair
        else:
            joined.append(group)
    return joined
