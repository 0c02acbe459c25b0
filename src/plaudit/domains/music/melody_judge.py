"""The judge of melodies: plain Python over notes, shares no code with the rules that are rewarded.

Written from the text of Jaques et al., 2017, and the behaviour of its published checker; the figures for
uniformly random tokens agree with those measured by that checker (tests).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plaudit.domains.music.score import MODES, Piece

Event = int | str
"""A MIDI pitch that begins, "off" where silence begins, "on" where whatever it is goes on."""


@dataclass(frozen=True)
class Window:
    """What the ten rules say of one window of a melody."""

    steps: int
    repeated: int
    out_of_key: int
    motif: int
    repeated_motif: int
    resolved: int
    doubled: int
    unique_max: bool
    unique_min: bool
    rho: tuple[float, float, float] | None


def windows(piece: Piece) -> list[Window]:
    """Judge each window of two bars (four in 2/4) by itself."""
    events = events_of(piece)
    size = piece.bar * (4 if piece.bar < 12 else 2)
    scale = key_of(piece)
    return [judged(events[at : at + size], scale, piece.tonic) for at in range(0, len(events), size)]


def events_of(piece: Piece) -> list[Event]:
    """The first voice as one event a sixteenth."""
    events: list[Event] = ["on"] * piece.steps
    free = 0
    for note in piece.voices[0].notes if piece.voices else ():
        if note.start > free:
            events[free] = "off"
        events[note.start] = note.pitch
        free = note.start + note.length
    if free < piece.steps:
        events[free] = "off"
    return events


def key_of(piece: Piece) -> set[int]:
    """Pitch classes that belong to the key; a minor key has its leading tone too."""
    steps = set(MODES[piece.mode]) | ({11} if piece.mode == "minor" else set())
    return {(piece.tonic + step) % 12 for step in steps}


def judged(events: list[Event], scale: set[int], tonic: int) -> Window:
    pitches = [event for event in events if isinstance(event, int)]
    resolved, doubled = leaps(events)
    motifs = [t for t in range(7, len(events)) if _is_motif(events[t - 7 : t + 1])]
    again = [t for t in motifs if _came_before(events[t - 7 : t + 1], events[: t - 7])]
    return Window(
        steps=len(events),
        repeated=sum(_one_too_many(events, t) for t in range(len(events))),
        out_of_key=sum(pitch % 12 not in scale for pitch in pitches),
        motif=len(motifs),
        repeated_motif=len(again),
        resolved=resolved,
        doubled=doubled,
        unique_max=bool(pitches) and pitches.count(max(pitches)) == 1,
        unique_min=bool(pitches) and pitches.count(min(pitches)) == 1,
        rho=autocorrelation(events, tonic),
    )


def _one_too_many(events: list[Event], t: int) -> bool:
    """More than four alike in a row, or six with held notes or rests between; a third silence at once."""
    alike, between = 0, False
    for event in reversed(events[:t]):
        if event == events[t]:
            alike += 1
        elif isinstance(event, int):
            break
        else:
            between = True
    if events[t] == "off" and alike > 1:
        return True
    return alike > (6 if between else 4)


def _is_motif(bar: list[Event]) -> bool:
    return len({event for event in bar if isinstance(event, int)}) >= 3


def _came_before(motif: list[Event], earlier: list[Event]) -> bool:
    return any(earlier[at : at + 8] == motif for at in range(len(earlier) - 7))


def leaps(events: list[Event]) -> tuple[int, int]:
    """How many leaps were resolved, and how many followed by another in the same direction."""
    resolved = doubled = 0
    leap: tuple[int, int] | None = None  # direction and where it came from
    quiet = 0
    for pitch, previous in _with_previous(events):
        if isinstance(pitch, int) and previous is not None and abs(pitch - previous) >= 7:
            way = 1 if pitch > previous else -1
            if leap is None:
                leap = (way, previous)
            elif leap[0] == way:
                doubled += 1
            else:
                resolved += quiet > 6
                leap = None
            quiet = 0
            continue
        quiet += 1
        if isinstance(pitch, int) and leap and (pitch - leap[1]) * leap[0] <= 0:
            resolved += 1
            leap = None
    return resolved, doubled


def _with_previous(events: list[Event]) -> Iterator[tuple[Event, int | None]]:
    """Each event but the first, with the pitch that began last before it."""
    previous = None
    for t, event in enumerate(events):
        if t > 0:
            yield event, previous
        if isinstance(event, int):
            previous = event


def autocorrelation(events: list[Event], tonic: int) -> tuple[float, float, float] | None:
    """Lags 1 to 3; None for a line without change.

    The checker numbers events with silence 0, going on 1 and pitches from 2 at its lowest note, a C
    three octaves below the one of the treble clef's third space; so the key counts from that C.
    """
    lowest = 48 + min(tonic, tonic - 12, key=abs)
    numbers = [{"off": 0, "on": 1}.get(e, 0) if isinstance(e, str) else e - lowest + 2 for e in events]
    mean = sum(numbers) / len(numbers)
    off = [number - mean for number in numbers]
    spread = sum(x * x for x in off)
    if spread == 0:
        return None
    first, second, third = (
        sum(a * b for a, b in zip(off, off[lag:], strict=False)) / spread for lag in (1, 2, 3)
    )
    return first, second, third
