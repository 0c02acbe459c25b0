"""Give a hundred slots their rooms, one for every number of crates asked for, so that slots read unlike.

A level is made from the room of one slot, for what its request asks. Two slots with their rooms for two
requests meet in one of so many pairs of levels; what is searched for, by min-conflicts with a tabu list
(Minton and others, 1992; Glover, 1989), are rooms of a pool with few such pairs that read alike; and from
there, by hill climbing, as many levels as may be that count when requests come by chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

SLOTS, ASKED = 100, 5
"""Slots, and crates that are asked for at most."""
_REST = 20
"""Steps during which a room does not come back, and as many more by chance."""
_HOPELESS = 4
"""Levels more that do not count after some batches: others hardly make up for it."""


@njit(cache=True, nogil=True)
def clashes(alike: Any, slots: Any, load: Any) -> int:
    """How many rooms of slots read like each room of the pool into `load (P,)`; returns the pairs of rooms
    of two slots that read alike, each counted for both."""
    load[:] = 0
    for slot in range(len(slots)):
        for asked in range(ASKED):
            load += alike[slots[slot, asked]]
    total = 0
    for slot in range(len(slots)):
        for asked in range(ASKED):
            total += load[slots[slot, asked]]
            for mine in range(ASKED):
                total -= alike[slots[slot, asked], slots[slot, mine]]
    return total


@njit(cache=True, nogil=True)
def fill_slots(seed: int, alike: Any, crates: Any, slots: Any, steps: int) -> int:
    """Improve `slots (S, ASKED)`, indices of rooms, in place; returns the pairs that read alike.

    alike: `(P, P) uint8` of rooms, 1 on the diagonal; crates `(P,)`, of which a room may have one more or
    less than asked for.
    """
    np.random.seed(seed)
    load, rest = np.zeros(len(crates), np.int32), np.zeros(len(crates), np.int64)
    cost = clashes(alike, slots, load)
    least, best = cost, slots.copy()
    for step in range(steps):
        slot, first = _in_trouble(alike, slots, load)
        last = min(first + np.random.randint(3), ASKED - 1)
        new = _replacement(alike, (crates, first + 1, last + 1), (slots[slot], load), (rest, step))
        if new < 0:
            continue
        for asked in range(first, last + 1):
            old = slots[slot, asked]
            cost -= 2 * _bad(alike, slots[slot], load, old)
            rest[old] = step + _REST + np.random.randint(_REST)
            load += alike[new]
            load -= alike[old]
            slots[slot, asked] = new
            cost += 2 * _bad(alike, slots[slot], load, new)
        if cost < least:
            least = cost
            best[:] = slots
    slots[:] = best
    return least


@njit(cache=True, nogil=True)
def _in_trouble(alike: Any, slots: Any, load: Any) -> Any:
    """A slot and what is asked of it: of a few by chance the one whose room reads like most others."""
    slot, asked, most = 0, 0, -1
    for _ in range(4):
        one, wish = np.random.randint(len(slots)), np.random.randint(ASKED)
        bad = _bad(alike, slots[one], load, slots[one, wish])
        if bad > most:
            slot, asked, most = one, wish, bad
    return slot, asked


@njit(cache=True, nogil=True)
def _bad(alike: Any, mine: Any, load: Any, room: int) -> int:
    """How many rooms of other slots a room reads like, `mine (ASKED,)` being those of its own."""
    bad = load[room]
    for each in mine:
        bad -= alike[room, each]
    return bad


@njit(cache=True, nogil=True)
def _replacement(alike: Any, wish: Any, slots: Any, tabu: Any) -> int:
    """The room that reads like fewest of other slots, by chance of equals; -1 where there is none.

    wish: crates of the pool, fewest and most crates asked for; slots: rooms of the slot and the load;
    tabu: until when rooms rest, and the step.
    """
    (crates, low, high), (mine, load), (rest, step) = wish, slots, tabu
    new, fewest, equal = -1, 1 << 30, 0
    for room in range(len(crates)):
        if crates[room] < high - 1 or crates[room] > low + 1 or rest[room] > step:
            continue
        if load[room] - ASKED > fewest:
            continue
        bad = _bad(alike, mine, load, room)
        if bad < fewest:
            new, fewest, equal = room, bad, 1
        elif bad == fewest:
            equal += 1
            if np.random.randint(equal) == 0:
                new = room
    return new


@njit(cache=True, nogil=True)
def count_repeated(rooms: Any, alike: Any) -> int:
    """Of rooms `(B,)` on show together, how many have to go, those that read like most others first, until no
    two read alike."""
    load, left = np.zeros(len(rooms), np.int64), np.ones(len(rooms), np.bool_)
    for one in range(len(rooms)):
        for other in range(one):
            if alike[rooms[one], rooms[other]]:
                load[one] += 1
                load[other] += 1
    gone = 0
    while True:
        worst, most = -1, 0
        for one in range(len(rooms)):
            if left[one] and load[one] > most:
                worst, most = one, load[one]
        if worst < 0:
            return gone
        left[worst] = False
        gone += 1
        for other in range(len(rooms)):
            load[other] -= alike[rooms[worst], rooms[other]]


@njit(cache=True, nogil=True)
def settle_slots(seed: int, alike: Any, crates: Any, slots: Any, asked: Any, steps: int) -> float:
    """Improve `slots` by what counts in the end: how many of a hundred levels read unlike; returns the mean.

    asked: what requests ask of each slot `(R, SLOTS)`, crates less one. A room by chance takes the place of
    one where not fewer levels count.
    """
    np.random.seed(seed)
    repeated = np.zeros(len(asked), np.int64)
    for row in range(len(asked)):
        repeated[row] = _count(row, asked, slots, alike)
    load, trial = np.zeros(len(crates), np.int32), repeated.copy()
    clashes(alike, slots, load)
    for _ in range(steps):
        slot, first = _in_trouble(alike, slots, load)
        last = min(first + np.random.randint(3), ASKED - 1)
        new, old = _one_of_few(crates, first + 1, last + 1, load), slots[slot].copy()
        if new < 0 or slots[slot, first] == new == slots[slot, last]:
            continue
        slots[slot, first : last + 1] = new
        if _compare_counts(slot, (first, last), (asked, slots, alike), repeated, trial) > 0:
            slots[slot] = old
            continue
        repeated[:] = trial
        for wish in range(first, last + 1):
            load += alike[new]
            load -= alike[old[wish]]
    return 1.0 - repeated.mean() / len(slots)


@njit(cache=True, nogil=True)
def _count(row: int, asked: Any, slots: Any, alike: Any) -> int:
    """How many levels of one batch of requests do not count."""
    rooms = np.empty(len(slots), np.int64)
    for slot in range(len(slots)):
        rooms[slot] = slots[slot, asked[row, slot]]
    return count_repeated(rooms, alike)


@njit(cache=True, nogil=True)
def _compare_counts(slot: int, wishes: Any, given: Any, repeated: Any, trial: Any) -> int:
    """How many levels more do not count than `repeated (R,)` says, those of each batch into `trial (R,)`;
    stops where that is hopeless."""
    (first, last), (asked, slots, alike), more = wishes, given, 0
    trial[:] = repeated
    for row in range(len(asked)):
        if first <= asked[row, slot] <= last:
            trial[row] = _count(row, asked, slots, alike)
            more += trial[row] - repeated[row]
            if more > _HOPELESS:
                break
    return more


@njit(cache=True, nogil=True)
def _one_of_few(crates: Any, low: int, high: int, load: Any) -> int:
    """A room for so many crates asked for, of some by chance one that reads like few; -1 where none fits."""
    new, fewest = -1, 1 << 30
    for _ in range(60):
        room = np.random.randint(len(crates))
        if crates[room] < high - 1 or crates[room] > low + 1:
            continue
        reads_like = load[room] + np.random.randint(6)
        if reads_like < fewest:
            new, fewest = room, reads_like
    return new


def begin_slots(crates: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Rooms for all slots by chance `(SLOTS, ASKED)`."""
    return np.stack(
        [rng.choice(np.flatnonzero(np.abs(crates - asked) <= 1), SLOTS) for asked in range(1, ASKED + 1)], 1
    )
