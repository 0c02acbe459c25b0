"""The chords of a key and the ways four voices can sing them, with what each costs a rule-based harmony.

Pitches are counted with the tonic at C, as in `grid.py`. Costs are choices of taste, made by hand after
harmony books (Piston, 1941) and looking at Bach; nothing here is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.chorale.grid import RANGES, SILENT
from plaudit.domains.music.lines import Ints
from plaudit.domains.music.score import CHORDS

LEADING = 11
MOST = 160
"""Voicings of a place that are looked at."""
OFF = 6.0
"""What a given note outside of the chord costs."""


@dataclass(frozen=True)
class Harmony:
    """A chord of the key.

    Attributes:
        root: pitch class above the tonic; kind: of `CHORDS`; cost: of using it at all.
        basses: positions of the chord's tones that may lie in the bass, and what each costs.
        goal: the root that it leads to, where it is a dominant; -1 = none.
    """

    root: int
    kind: str
    cost: float
    basses: tuple[tuple[int, float], ...] = ((0, 0.0), (1, 0.5))
    goal: int = -1

    @property
    def tones(self) -> tuple[int, ...]:
        return tuple((self.root + step) % 12 for step in CHORDS[self.kind])


_SIXTH = ((1, 0.0),)
_SEVENTH = ((0, 0.0), (1, 0.3), (2, 0.6), (3, 0.5))
MAJOR = (
    Harmony(0, "maj", 0.0),
    Harmony(7, "maj", 0.1, goal=0),
    Harmony(7, "7", 0.4, _SEVENTH, 0),
    Harmony(5, "maj", 0.3),
    Harmony(2, "min", 0.4),
    Harmony(2, "min7", 0.7, _SEVENTH),
    Harmony(9, "min", 0.5),
    Harmony(4, "min", 1.4),
    Harmony(11, "dim", 0.8, _SIXTH, 0),
    Harmony(2, "7", 1.5, _SEVENTH, 7),
    Harmony(2, "maj", 1.6, goal=7),
    Harmony(4, "maj", 1.7, goal=9),
    Harmony(0, "7", 1.8, _SEVENTH, 5),
)
MINOR = (
    Harmony(0, "min", 0.0),
    Harmony(7, "maj", 0.1, goal=0),
    Harmony(7, "7", 0.4, _SEVENTH, 0),
    Harmony(5, "min", 0.3),
    Harmony(8, "maj", 0.6),
    Harmony(3, "maj", 0.6),
    Harmony(10, "maj", 0.8, goal=3),
    Harmony(2, "dim", 0.6, _SIXTH),
    Harmony(2, "hdim7", 0.8, ((0, 0.5), (1, 0.0))),
    Harmony(11, "dim", 0.8, _SIXTH, 0),
    Harmony(7, "min", 1.8),
    Harmony(5, "maj", 1.8),
    Harmony(0, "maj", 2.2, goal=5),
    Harmony(10, "7", 1.2, _SEVENTH, 3),
)


@dataclass(frozen=True)
class Voicings:
    """n ways to sing at one place.

    Attributes:
        pitch: `(n, 4)`; cost: `(n,)`; root, goal: `(n,)` of the chord; seventh: `(n,)` pitch class or -1.
        bass: `(n,)` position of the bass in the chord; minor: whether the third is minor.
    """

    pitch: Ints
    cost: NDArray[np.float64]
    root: Ints
    goal: Ints
    seventh: Ints
    bass: Ints
    dominant: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.cost)

    def take(self, at: Ints) -> Voicings:
        return Voicings(**{name: value[at] for name, value in vars(self).items()})


@lru_cache(maxsize=4096)
def voicings(given: tuple[int, int, int, int], shift: int, minor: bool) -> Voicings:
    """All voicings of the key's chords that have the `given` pitches; `SILENT` = this voice is free."""
    found = [_of(harmony, given, shift) for harmony in (MINOR if minor else MAJOR)]
    names = Voicings.__dataclass_fields__
    whole = Voicings(**{name: np.concatenate([getattr(f, name) for f in found]) for name in names})
    return whole.take(np.argsort(whole.cost, kind="stable")[: 4 * MOST])


def _of(harmony: Harmony, given: tuple[int, int, int, int], shift: int) -> Voicings:
    """The voicings of one chord."""
    tones = np.array(harmony.tones)
    choices = []
    for voice, (low, high) in enumerate(RANGES):
        pitches = np.arange(low - shift, high - shift + 1)
        fits = pitches[np.isin(pitches % 12, tones)] if given[voice] == SILENT else np.array([given[voice]])
        choices.append(fits)
    grid = np.stack(np.meshgrid(*choices, indexing="ij"), -1).reshape(-1, 4)
    grid = grid[_is_open(grid, given)]
    member = grid[..., None] % 12 == tones
    cost = harmony.cost + _doubling(member, tones, harmony) + OFF * (~member.any(2)).sum(1)
    basses = np.full(len(tones) + 1, 8.0)
    for place, price in harmony.basses:
        basses[place] = price
    bass = np.where(member[:, 3].any(1), member[:, 3].argmax(1), len(tones))
    count = len(grid)
    return Voicings(
        grid,
        cost + basses[bass] + _spacing(grid),
        np.full(count, harmony.root),
        np.full(count, harmony.goal),
        np.full(count, tones[3] if len(tones) == 4 else -1),
        bass,
        np.full(count, harmony.goal == 0),
    )


def _is_open(grid: Ints, given: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Voices in their order and at most an octave apart, where they are not given so."""
    free = np.array(given) == SILENT
    apart = grid[:, :3] - grid[:, 1:]
    limit = np.array([12, 12, 19])
    fine = (apart >= 0) & (apart <= limit) | ~(free[:3] | free[1:])
    return np.asarray(fine.all(1))


def _doubling(member: NDArray[np.bool_], tones: Ints, harmony: Harmony) -> NDArray[np.float64]:
    """What doubled and missing tones cost, `(n,)`; `member (n, 4, tones)`."""
    count = member.sum(1)
    missing = np.array([9.0, 9.0, 1.6, 9.0])[: len(tones)]
    double = np.array([0.0, 1.2 if harmony.kind == "maj" else 0.5, 0.5, 9.0])[: len(tones)]
    if harmony.kind == "dim":
        missing, double = np.full(3, 9.0), np.array([2.0, 0.0, 0.6])
    double = np.where(tones == LEADING, 9.0, double)
    extra = np.maximum(count - 1, 0)
    return (missing * (count == 0) + double * extra + 1.5 * np.maximum(extra - 1, 0)).sum(1)


def _spacing(grid: Ints) -> NDArray[np.float64]:
    """A little for voices in unison, and for a tenor far from its middle."""
    unison = (grid[:, :3] == grid[:, 1:]).sum(1)
    return 0.8 * unison + 0.04 * np.abs(grid[:, 1] - grid[:, 2] - 5)
