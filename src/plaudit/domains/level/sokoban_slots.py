"""Give a hundred slots their rooms, one for every number of crates asked for, so that slots read unlike.

A level is made from the room of one slot, for what its request asks. Two slots with their rooms for two
requests meet in one of so many pairs of levels; what is searched for, by min-conflicts with a tabu list
(Minton and others, 1992; Glover, 1989), are rooms of a pool with few such pairs that read alike.
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


def begin_slots(crates: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Rooms for all slots by chance `(SLOTS, ASKED)`."""
    return np.stack(
        [rng.choice(np.flatnonzero(np.abs(crates - asked) <= 1), SLOTS) for asked in range(1, ASKED + 1)], 1
    )
