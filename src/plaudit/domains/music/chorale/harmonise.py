"""A rule-based harmony: of all ways to sing each beat, the chain that breaks least (Viterbi, 1967).

Every beat gets a chord of the key that holds the soprano's note; costs of single voicings stand in
`voicings.py`, those of going from one to the next here. What is given beside the soprano is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale.asks import ChoraleAsks
from plaudit.domains.music.chorale.grid import SILENT, STEP, Flags, sounds_of
from plaudit.domains.music.chorale.voicings import LEADING, MOST, Voicings, voicings
from plaudit.domains.music.lines import MODE_NAMES, Ints
from plaudit.domains.music.score import METRES, MODES

NOISE = 0.5
"""Cost that chance adds to a voicing at most, so that seeds give different harmonies."""
FORBIDDEN = 60.0
Costs = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A stretch of steps with one chord.

    Attributes:
        start, end: steps; given: pitch of each voice that stands, else `SILENT`.
        leaves: the same at the last step; close: a phrase ends here; strong: begins a bar.
        final: nothing follows; opens: a phrase begins here.
    """

    start: int
    end: int
    given: tuple[int, int, int, int]
    leaves: tuple[int, int, int, int]
    close: bool
    strong: bool
    final: bool
    opens: bool


def harmonised(asks: ChoraleAsks, row: int, random: np.random.Generator) -> tuple[Ints, Flags]:
    """Pitches and beginnings `(4, T)` of one row, a chord a beat; what stands is as it stands."""
    length, shift = int(asks.length[row]), int(asks.shift[row])
    line = asks.locked[row][:, :length]
    pitch, begins = sounds_of(np.where(line == OPEN, 0, line))
    places = places_of(asks, row, pitch)
    minor = 3 in MODES[MODE_NAMES[asks.mode[row]]]
    chain = best_chain(places, shift, minor, random)
    free = line == OPEN
    for place, chord in zip(places, chain, strict=True):
        span = slice(place.start, place.end)
        pitch[:, span] = np.where(free[:, span], chord[:, None], pitch[:, span])
        begins[:, span] = np.where(free[:, span], np.arange(place.end - place.start) == 0, begins[:, span])
    # A free stretch that begins within a beat begins with a note.
    begins[:, 1:] |= free[:, 1:] & ~free[:, :-1]
    begins &= pitch != SILENT
    return pitch, begins


def places_of(asks: ChoraleAsks, row: int, pitch: Ints) -> list[Place]:
    """Beats of a row, those of a last note of a phrase taken together."""
    length, bar, pickup = int(asks.length[row]), int(asks.bar[row]), int(asks.pickup[row])
    beat = 6 if METRES[asks.metre[row]] == (6, 8) else 4
    time = np.arange(length) * STEP - pickup
    edge = (time % beat < STEP) | (time == -pickup)
    ends = np.flatnonzero(asks.ends[row, :length])
    _, begins = sounds_of(np.where(asks.locked[row] == OPEN, 0, asks.locked[row]))
    opens = {0}
    for end in ends:
        later = np.flatnonzero(begins[0, end + 1 : length])
        after = end + 1 + int(later[0]) if len(later) else length
        edge[end:after] = False
        edge[end] = True
        if after < length:
            edge[after] = True
            opens.add(after)
    starts = [*np.flatnonzero(edge).tolist(), length]
    return [
        Place(
            a,
            b,
            _given(pitch[:, a]),
            _given(pitch[:, b - 1]),
            a in ends,
            bool(time[a] % bar < STEP),
            b == length,
            a in opens,
        )
        for a, b in pairwise(starts)
    ]


def _given(column: Ints) -> tuple[int, int, int, int]:
    a, b, c, d = (int(pitch) for pitch in column)
    return a, b, c, d


def best_chain(places: Sequence[Place], shift: int, minor: bool, random: np.random.Generator) -> list[Ints]:
    """The cheapest chain of chords `(4,)`, one a place."""
    total: Costs = np.zeros(0)
    before: Voicings | None = None
    steps: list[tuple[Voicings, Ints]] = []
    for at, place in enumerate(places):
        here = voicings(place.given, shift, minor)
        own = here.cost + _alone(here, place, minor) + random.random(len(here)) * NOISE
        kept = np.argsort(own, kind="stable")[:MOST]
        here, own = here.take(kept), own[kept]
        if before is None:
            total, back = own + _opening(here), np.zeros(len(here), np.int64)
        else:
            joined = total + _joined(before, here, places[at - 1], place)
            back = joined.argmin(1)
            total = own + joined[np.arange(len(here)), back]
        steps.append((here, back))
        before = here
    chain, at = [], int(total.argmin())
    for here, back in reversed(steps):
        chain.append(here.pitch[at])
        at = int(back[at])
    return chain[::-1]


def _opening(here: Voicings) -> Costs:
    """The piece begins on the tonic or its dominant, over the root."""
    return np.where(np.isin(here.root, (0, 7)), 0.0, 3.0) + 1.5 * (here.bass != 0)


def _alone(here: Voicings, place: Place, minor: bool) -> Costs:
    """Where a phrase ends: a triad over its root, the tonic or the dominant by choice."""
    if not (place.close or place.final):
        # A major tonic is for endings; elsewhere a bar should not begin on a weak chord.
        return 0.3 * place.strong * (here.bass != 0)
    price = np.full(12, 4.0)
    price[[0, 7, 9, 5, 3 if minor else 4]] = (0.0, 0.4, 2.0, 3.0, 1.0 if minor else 3.5)
    cost = price[here.root] + 6.0 * (here.bass != 0) + 6.0 * (here.seventh >= 0)
    if place.final:
        cost = cost + 20.0 * (here.root != 0)
    return cost


def _joined(one: Voicings, two: Voicings, left: Place, right: Place) -> Costs:
    """What going from each of `one` to each of `two` costs, `(m, n)`."""
    old, new = one.pitch.copy(), two.pitch
    moved = np.array(left.leaves) != SILENT
    old[:, moved] = np.array(left.leaves)[moved]
    a, b = old[None], new[:, None]
    step = b - a
    cost = _motion(step) + _parallel(a, b, step) + _resolution(one, two, a, step)
    progress = _progress(one, two, right)
    return cost + (0.4 * progress if right.opens else progress)


def _motion(step: Ints) -> Costs:
    """Steps rather than leaps, `(m, n)` of `(m, n, 4)`."""
    size = np.abs(step)
    inner = size[..., 1:3]
    cost = 0.14 * inner + 2.0 * (inner > 5) + 4.0 * (inner > 7) + 3.0 * (inner == 6)
    bass = size[..., 3]
    low = 0.05 * bass + 2.5 * (bass == 6) + 6.0 * ((bass > 9) & (bass != 12)) + 0.4 * (bass == 0)
    return cost.sum(-1) + low


def _parallel(a: Ints, b: Ints, step: Ints) -> Costs:
    """Parallel and direct fifths and octaves, overlap."""
    cost = np.zeros(step.shape[:2])
    for i, j in combinations(range(4), 2):
        same = step[..., i] * step[..., j] > 0
        first, second = np.abs(a[..., i] - a[..., j]) % 12, np.abs(b[..., i] - b[..., j]) % 12
        perfect = (second == 0) | (second == 7)
        cost += FORBIDDEN * (same & perfect & (first == second))
        if (i, j) == (0, 3):
            cost += 3.0 * (same & perfect & (np.abs(step[..., 0]) > 2))
    for i in range(3):
        cost += 2.5 * ((b[..., i + 1] > a[..., i]) | (b[..., i] < a[..., i + 1]))
    # All four in one direction sounds like one voice.
    cost += 2.0 * ((step > 0).all(-1) | (step < 0).all(-1))
    return cost


def _resolution(one: Voicings, two: Voicings, a: Ints, step: Ints) -> Costs:
    """Leading tones up to the tonic, sevenths down by step."""
    leading = one.dominant[None, :, None] & (a % 12 == LEADING) & (two.root == 0)[:, None, None]
    fallen = np.array([6.0, 0.7, 0.7, 6.0])
    fine = (step == 1) | (step == 0)
    cost = (leading & ~fine & (step != -4)) * 6.0 + (leading & (step == -4)) * fallen
    high = (one.seventh >= 0)[None, :, None] & (a % 12 == one.seventh[None, :, None])
    cost = cost + (high & ~np.isin(step, (0, -1, -2))) * 8.0
    return np.asarray(cost.sum(-1))


def _progress(one: Voicings, two: Voicings, place: Place) -> Costs:
    """How well one root follows another."""
    by_interval = np.array([0.9, 0.7, 0.4, 0.9, 0.9, 0.0, 4.0, 0.4, 0.4, 0.3, 1.2, 1.0])
    move = (two.root[:, None] - one.root[None]) % 12
    cost = by_interval[move]
    goal = one.goal[None]
    # The dominant leads home, or deceives; a dominant of another degree has to go there.
    leads = (goal >= 0) & (goal != two.root[:, None]) & (move != 0)
    deceives = (goal == 0) & np.isin(two.root, (8, 9))[:, None]
    cost = cost + leads * np.where(deceives, 0.5, 2.5)
    same = (move == 0) & (one.bass[None] == two.bass[:, None])
    cost = cost + same * (1.2 if place.strong else 0.3)
    if place.close:
        dominant = (one.goal == 0)[None]
        home = (two.root == 0)[:, None]
        cost = cost + 2.0 * (home & ~dominant) + 1.0 * (home & dominant & (one.bass != 0)[None])
    return cost
