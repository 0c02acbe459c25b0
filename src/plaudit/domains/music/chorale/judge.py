"""The judge of four-part writing: plain Python over notes, shares no code with the rules that are rewarded.

Written from the rules as harmony books state them, after Bach was counted by them: what he does all the
time is no fault here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from plaudit.domains.music.score import Piece, Voice

COMPASS = {"soprano": ("C4", "A5"), "alto": ("F3", "D5"), "tenor": ("C3", "A4"), "bass": ("E2", "E4")}
"""Lowest and highest note of each voice."""
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHAPES = {
    "major": {0, 4, 7},
    "minor": {0, 3, 7},
    "diminished": {0, 3, 6},
    "augmented": {0, 4, 8},
    "dominant seventh": {0, 4, 7, 10},
    "major seventh": {0, 4, 7, 11},
    "minor seventh": {0, 3, 7, 10},
    "half-diminished": {0, 3, 6, 10},
    "diminished seventh": {0, 3, 6, 9},
}
_FIFTH_NEEDED = ("diminished", "augmented", "half-diminished", "diminished seventh")
_DOMINANTS = {7, 11, 2, 5, 8}
_TONICS = {0, 3, 4, 7}
Sonority = tuple[int | None, int | None, int | None, int | None]
"""Pitch of soprano, alto, tenor and bass; None = rest."""


@dataclass(frozen=True)
class Findings:
    """How often each thing happens in one piece; `clean` and the shares are what is reported."""

    chords: int
    crossed: int
    wide: int
    doubled: int
    beats: int
    known: int
    changes: int
    fifths: int
    octaves: int
    direct: int
    overlap: int
    leading: int
    unresolved: int
    sevenths: int
    hanging: int
    notes: int
    outside: int
    moves: int
    leaps: int
    ends: int
    cadences: int
    home: int
    written: int

    @property
    def parallels(self) -> int:
        return self.fifths + self.octaves


def judged(piece: Piece, ends: Sequence[int]) -> Findings:
    """Judge a piece of four voices; `ends` are the sixteenths at which last notes of phrases begin."""
    chain = list(sonorities(piece))
    chords = [chord for _, chord in chain]
    pairs = [(a, b) for a, b in pairwise(chords)]
    beat = 6 if tuple(piece.metre) == (6, 8) else 4
    on_beat = [chord for time, chord in chain if (time - piece.pickup) % beat == 0]
    closes = [_sounding(chain, _last_moment(piece, end)) for end in ends]
    fates = [fate for a, b in pairs for fate in _fates(a, b, piece.tonic)]
    lines = list(zip(COMPASS.values(), piece.voices, strict=True))
    inner = [step for voice in piece.voices[1:3] for step in _steps(voice)]
    final = _sounding(chain, piece.steps - 1)
    return Findings(
        chords=len(chords),
        crossed=sum(_is_crossed(chord) for chord in chords),
        wide=sum(_is_wide(chord) for chord in chords),
        doubled=sum([_class(p, piece.tonic) for p in chord].count(11) > 1 for chord in chords),
        beats=len(on_beat),
        known=sum(bool(names(chord)) for chord in on_beat),
        changes=len(pairs),
        fifths=sum(len(parallels(a, b, 7)) for a, b in pairs),
        octaves=sum(len(parallels(a, b, 0)) for a, b in pairs),
        direct=sum(_is_direct(a, b) for a, b in pairs),
        overlap=sum(_overlaps(a, b) for a, b in pairs),
        leading=sum(kind == "leading tone" for kind, _ in fates),
        unresolved=sum(kind == "leading tone" and not well for kind, well in fates),
        sevenths=sum(kind == "seventh" for kind, _ in fates),
        hanging=sum(kind == "seventh" and not well for kind, well in fates),
        notes=sum(len(voice.notes) for voice in piece.voices),
        outside=sum(
            not _pitch(low) <= n.pitch <= _pitch(high) for (low, high), voice in lines for n in voice.notes
        ),
        moves=len(inner),
        leaps=sum(abs(step) > 7 or abs(step) == 6 for step in inner),
        ends=len(ends),
        cadences=sum(_rests_on_root(chord) for chord in closes),
        home=int(_rests_on_root(final) and _class(final[3], piece.tonic) == 0),
        written=sum(len(voice.notes) for voice in piece.voices[1:]),
    )


def sonorities(piece: Piece) -> Iterator[tuple[int, Sonority]]:
    """Each thing that sounds between two changes, with the sixteenth at which it begins."""
    edges = {0} | {time for note in piece.notes for time in (note.start, note.end)}
    tracks = [{n.start + k: n.pitch for n in v.notes for k in range(n.length)} for v in piece.voices]
    for time in sorted(edges):
        if time < piece.steps:
            soprano, alto, tenor, bass = (track.get(time) for track in tracks)
            yield time, (soprano, alto, tenor, bass)


def parallels(before: Sonority, after: Sonority, interval: int) -> list[tuple[int, int]]:
    """Pairs of voices that go in one direction from a fifth (7) to a fifth, or an octave (0) to an octave."""
    found = []
    for one, two in combinations(range(4), 2):
        a, b, c, d = before[one], before[two], after[one], after[two]
        if a is None or b is None or c is None or d is None:
            continue
        same_way = (c > a and d > b) or (c < a and d < b)
        if same_way and abs(a - b) % 12 == interval == abs(c - d) % 12:
            found.append((one, two))
    return found


def names(chord: Sonority) -> list[tuple[int, str]]:
    """Roots and kinds of the chords that the pitch classes form; a fifth may be missing from most."""
    heard = {pitch % 12 for pitch in chord if pitch is not None}
    found = []
    for root in heard:
        above = {(pc - root) % 12 for pc in heard}
        for kind, shape in _SHAPES.items():
            if above == shape or (kind not in _FIFTH_NEEDED and above == shape - {7}):
                found.append((root, kind))
    return found


def _is_crossed(chord: Sonority) -> bool:
    return any(a is not None and b is not None and a < b for a, b in pairwise(chord))


def _is_wide(chord: Sonority) -> bool:
    return any(a is not None and b is not None and a - b > 12 for a, b in pairwise(chord[:3]))


def _is_direct(before: Sonority, after: Sonority) -> bool:
    """Outer voices that go in one direction to a fifth or an octave, the soprano by more than a step."""
    a, b, c, d = before[0], before[3], after[0], after[3]
    if a is None or b is None or c is None or d is None or abs(c - a) <= 2:
        return False
    same_way = (c > a and d > b) or (c < a and d < b)
    return same_way and abs(c - d) % 12 in (0, 7) and abs(a - b) % 12 != abs(c - d) % 12


def _overlaps(before: Sonority, after: Sonority) -> bool:
    """Whether a voice goes beyond where its neighbour just was."""
    for upper, lower in ((0, 1), (1, 2), (2, 3)):
        a, b, c, d = before[upper], before[lower], after[upper], after[lower]
        if (a is not None and d is not None and d > a) or (b is not None and c is not None and c < b):
            return True
    return False


def _fates(before: Sonority, after: Sonority, tonic: int) -> Iterator[tuple[str, bool]]:
    """Of each leading tone that meets the tonic's chord and each seventh that is left: went it well?"""
    heard = {_class(p, tonic) for p in before if p is not None}
    then = {_class(p, tonic) for p in after if p is not None}
    dominant = 11 in heard and heard <= _DOMINANTS and bool(names(before))
    home = 0 in then and then <= _TONICS and bool(names(after))
    sevenths = {
        (root + (11 if kind == "major seventh" else 10)) % 12
        for root, kind in names(before)
        if kind in ("dominant seventh", "major seventh", "minor seventh", "half-diminished")
    }
    for voice, (old, new) in enumerate(zip(before, after, strict=True)):
        if old is None or new is None or old == new:
            continue
        if dominant and home and _class(old, tonic) == 11:
            yield "leading tone", new - old == 1 or (voice in (1, 2) and new - old == -4)
        if old % 12 in sevenths:
            yield "seventh", new - old in (-1, -2)


def _rests_on_root(chord: Sonority) -> bool:
    """A major or minor triad over its root."""
    bass = chord[3]
    return bass is not None and any(
        root == bass % 12 and kind in ("major", "minor") for root, kind in names(chord)
    )


def _steps(voice: Voice) -> Iterator[int]:
    """Semitones from note to note where no rest is between."""
    for one, two in pairwise(voice.notes):
        if one.end == two.start:
            yield two.pitch - one.pitch


def _last_moment(piece: Piece, start: int) -> int:
    """The last sixteenth of the soprano's note that sounds at `start`."""
    return next((n.end - 1 for n in piece.voices[0].notes if n.start <= start < n.end), start)


def _sounding(chain: Sequence[tuple[int, Sonority]], time: int) -> Sonority:
    return [chord for begin, chord in chain if begin <= time][-1]


def _class(pitch: int | None, tonic: int) -> int:
    return -1 if pitch is None else (pitch - tonic) % 12


def _pitch(name: str) -> int:
    return _LETTERS[name[0]] + 12 * (int(name[1]) + 1)
