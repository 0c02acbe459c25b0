"""Foreign music put on the grid of sixteenths: one note at a time, a known metre, a key, chord kinds.

Readers collect what a file holds into a `Sketch`, whose times are sixteenths but not whole ones, and
`settled` makes the piece of it. Where the key is not told it is guessed from the lengths of the pitch
classes (Krumhansl and Kessler 1982; correlation as in Krumhansl 1990, chapter 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plaudit.domains.music.files.about import MOST_NOTES, MOST_PARTS, MOST_STEPS, one_line
from plaudit.domains.music.files.notation import FIFTHS, tonic_of
from plaudit.domains.music.score import (
    METRES,
    PITCHES,
    Chord,
    Note,
    Piece,
    Voice,
    bar_steps,
    problems,
)
from plaudit.errors import InputError

Time = Fraction | float
"""Sixteenths from the beginning."""
_SAME = {(2, 2): (4, 4), (12, 8): (6, 8)}
"""Metres read as another: half a bar of 12/8 is a bar of 6/8."""
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


class Sound(NamedTuple):
    """A note as a file has it: times in sixteenths, perhaps not whole."""

    start: Time
    length: Time
    pitch: int


@dataclass
class Sketch:
    """What a reader found in a file; `skipped` says in sentences what is lost or changed."""

    parts: list[tuple[str, list[Sound]]] = field(default_factory=list)
    symbols: list[tuple[Time, tuple[int, str] | None]] = field(default_factory=list)
    """Start, and root with kind; None ends the chord before."""
    metre: tuple[int, int] = (4, 4)
    fifths: int | None = None
    mode: str = ""
    tempo: float | None = None
    pickup: Time = 0
    steps: Time = 0
    """Length, or 0 for the end of the bar that holds the last note."""
    title: str = ""
    ours: bool = False
    skipped: list[str] = field(default_factory=list)

    def skip(self, count: int, what: str) -> None:
        """Report `count` things, where there are any."""
        if count:
            self.skipped.append(f"{what}: {count}.")


def settled(sketch: Sketch, place: str) -> Piece:
    """The piece on the grid; raises `InputError` for one without notes or beyond the limits."""
    if sum(len(sounds) for _, sounds in sketch.parts) > MOST_NOTES or len(sketch.parts) > MOST_PARTS:
        raise InputError(f"has over {MOST_NOTES:,} notes or {MOST_PARTS} parts.", place=place)
    lines = [(name, _line(sounds, sketch)) for name, sounds in sketch.parts]
    voices = [Voice(one_line(name), notes) for name, notes in lines if notes]
    if not voices:
        raise InputError("holds no notes with a pitch.", place=place)
    sketch.skip(len(lines) - len(voices), "Parts without notes, dropped")
    if not sketch.ours:
        voices.sort(key=lambda voice: -sum(n.pitch for n in voice.notes) / len(voice.notes))
    pickup, bar = nearest(sketch.pickup) % bar_steps(sketch.metre), bar_steps(sketch.metre)
    last = max(voice.notes[-1].end for voice in voices)
    steps = max(nearest(sketch.steps), last if sketch.steps else pickup - (pickup - last) // bar * bar)
    if steps > MOST_STEPS:
        raise InputError(f"lasts {steps:,} sixteenths; at most {MOST_STEPS:,} are read.", place=place)
    tonic, mode = _key(voices, sketch)
    piece = Piece(
        tuple(voices),
        steps,
        spans(sketch.symbols, steps),
        sketch.metre,
        tonic,
        mode,
        _tempo(sketch),
        pickup,
        one_line(sketch.title),
    )
    return checked(piece, place)


def checked(piece: Piece, place: str | Path) -> Piece:
    """The piece itself; raises `InputError` for what breaks the contract of `Piece`."""
    wrong = next(problems(piece), None)
    if wrong is None and not 0 <= piece.pickup < piece.bar:
        wrong = f"its pickup is {piece.pickup} sixteenths"
    if wrong is not None:
        raise InputError(f"holds no sound piece: {wrong[:200]}.", place=str(place))
    return piece


def nearest(time: Time) -> int:
    """The nearest step; halves go up."""
    return math.floor(time + Fraction(1, 2))


def _line(sounds: list[Sound], sketch: Sketch) -> tuple[Note, ...]:
    """One note at a time: the highest of a chord, cut where the next begins, at least one step long."""
    inside = [sound for sound in sounds if sound.pitch in PITCHES]
    sketch.skip(len(sounds) - len(inside), "Notes beyond the range of a piano, dropped")
    at: dict[int, list[Sound]] = {}
    for sound in sorted(inside):
        at.setdefault(nearest(sound.start), []).append(sound)
    chosen = [(start, _chosen(start, group)) for start, group in at.items()]
    sketch.skip(
        len(inside) - len(chosen), "Notes that sound with another or within the same sixteenth, dropped"
    )
    sketch.skip(sum(_off(sound) for _, sound in chosen), "Notes moved to the grid of sixteenths")
    ends = [*(start for start, _ in chosen[1:]), MOST_STEPS * 2][: len(chosen)]
    wished = [max(start + 1, nearest(sound.start + sound.length)) for start, sound in chosen]
    sketch.skip(sum(map(int.__gt__, wished, ends)), "Notes cut where the next begins")
    return tuple(
        Note(start, min(wish, end) - start, sound.pitch)
        for (start, sound), wish, end in zip(chosen, wished, ends, strict=True)
    )


def _chosen(step: int, group: list[Sound]) -> Sound:
    """Of the notes that round to one step the nearest, and of those that sound with it the highest."""
    first = min(group, key=lambda sound: abs(sound.start - step))
    end = first.start + first.length
    together = [s for s in group if s.start < end and s.start + s.length > first.start]
    return max(together, key=lambda sound: sound.pitch, default=first)


def _off(sound: Sound) -> bool:
    return any(abs(time - nearest(time)) > 1e-6 for time in (sound.start, sound.start + sound.length))


def spans(symbols: list[tuple[Time, tuple[int, str] | None]], steps: int) -> tuple[Chord, ...]:
    """Chords from chord symbols: each lasts to the next symbol; the last one of a step counts."""
    at = {nearest(start): chord for start, chord in sorted(symbols, key=lambda symbol: symbol[0])}
    starts = [start for start in at if 0 <= start < steps]
    ends = [*starts[1:], steps][: len(starts)]
    return tuple(
        Chord(start, end - start, *chord)
        for start, end in zip(starts, ends, strict=True)
        if (chord := at[start]) is not None
    )


def known_metre(beats: int, unit: int, place: str, skipped: list[str]) -> tuple[int, int]:
    """A metre of `METRES`; raises `InputError` for one that has no equal there."""
    metre = _SAME.get((beats, unit), (beats, unit))
    if metre not in METRES:
        known = ", ".join(f"{each[0]}/{each[1]}" for each in METRES)
        raise InputError(f"its metre is {beats}/{unit}.", place=place, hint=f"Known: {known}.")
    if metre != (beats, unit):
        skipped.append(f"The metre {beats}/{unit} was read as {metre[0]}/{metre[1]}.")
    return metre


def guess_key(weights: np.ndarray, fifths: int | None = None) -> tuple[int, str]:
    """Tonic and mode, major or minor, of lengths by pitch class `(12,)`; of a signature where known."""
    best, answer = -math.inf, (0, "major")
    for mode, profile in _PROFILES.items():
        for tonic in range(12):
            if fifths is not None and (tonic_of(fifths, mode) != tonic):
                continue
            fit = np.roll(profile, tonic) - np.mean(profile)
            score = float(fit @ weights) / float(np.linalg.norm(fit))
            if score > best:
                best, answer = score, (tonic, mode)
    return answer


def _key(voices: list[Voice], sketch: Sketch) -> tuple[int, str]:
    """The key that the file tells, or the guessed one."""
    if sketch.fifths is not None and sketch.mode in FIFTHS:
        return tonic_of(sketch.fifths, sketch.mode), sketch.mode
    weights = np.zeros(12)
    for voice in voices:
        for note in voice.notes:
            weights[note.pitch % 12] += note.length
    what = "key" if sketch.fifths is None else "mode"
    sketch.skipped.append(f"The {what} is not told; it was guessed from the notes.")
    return guess_key(weights, sketch.fifths)


def _tempo(sketch: Sketch) -> float:
    """Quarter notes a minute to the hundredth, which is what MIDI can hold."""
    wish = 120.0 if sketch.tempo is None else round(float(sketch.tempo), 2)
    tempo = min(max(wish, 20.0), 400.0) if math.isfinite(wish) else 120.0
    if tempo != wish:
        sketch.skipped.append(f"The tempo {wish:g} was read as {tempo:g}.")
    return tempo
