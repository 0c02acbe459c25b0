"""Sets of Sokoban rooms that read unlike each other, by simulated annealing (Kirkpatrick and others, 1983).

Some have one or two crates and others four or five. One of them is changed at random and takes the place of
the one before where it reads less like the others, or more by an amount that becomes ever smaller. Most
changes leave a solution as it was: these are always taken, and lead to where another change tells.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.likeness import LETTERS, LONGEST, count_letters, excess, make_matching
from plaudit.domains.level.sokoban_rooms import ALIKE, SIDE, draw, make_scratch, solve, vary

CRATES = np.array([[1, 2], [4, 5]])
"""Of either kind of rooms, the fewest and the most crates."""
WEIGHTS = np.array([[1.0, 2 / 3], [2 / 3, 4 / 9]])
"""How often rooms of two kinds are on show together: three of five requests go to one, two to the other."""
STEP = 0.06
"""Price of a pair that reads alike, beside how much more alike it is than is allowed."""
WARMEST, COLDEST = 0.035, 0.002
"""A cost that a change may bring, in the mean, at the beginning and the end."""
TURN = 10_000
"""Changes between two looks at the clock."""
RARELY = 0.3
"""How often a room of many crates that was drawn is changed: these are solved slowly."""


class Rooms(NamedTuple):
    """Levels `(K, 5, 5)`, their texts `(K, LONGEST)`, letters in all `(K,)` and of each sort `(K, LETTERS)`;
    what each pair costs `(K, K)`; how often each room was read like of late `(K,)`."""

    levels: Maps
    texts: NDArray[np.int8]
    letters: NDArray[np.int64]
    counts: NDArray[np.int64]
    costs: NDArray[np.float64]
    hits: NDArray[np.float64]


def anneal_rooms(seed: int, few: int, many: int, minutes: float) -> Rooms:
    """Rooms of both kinds from nothing, in so many minutes of a processor."""
    rooms, turn, begun = _begin(seed, few, many), 0, time.process_time()
    while (gone := time.process_time() - begun) < 60 * minutes:
        turn += 1
        warmth = COLDEST + (WARMEST - COLDEST) * (1 - gone / (60 * minutes)) ** 1.5
        anneal(100_000 * seed + turn, rooms, few, warmth, TURN)
    return rooms


def _begin(seed: int, few: int, many: int) -> Rooms:
    """Random rooms of both kinds, and what their pairs cost."""
    count = few + many
    rooms = Rooms(
        np.zeros((count, SIDE, SIDE), np.uint8),
        np.zeros((count, LONGEST), np.int8),
        np.zeros(count, np.int64),
        np.zeros((count, LETTERS), np.int64),
        np.zeros((count, count)),
        np.zeros(count),
    )
    for kind, mine in enumerate((slice(few), slice(few, count))):
        draw(seed, CRATES[kind].max(), *(array[mine] for array in rooms[:3]))
    _price_all(rooms)
    return rooms


@njit(cache=True, nogil=True)
def _price_all(rooms: Rooms) -> None:
    matching = make_matching()
    for row in range(len(rooms.letters)):
        text = rooms.texts[row, : rooms.letters[row]]
        count_letters(text, rooms.counts[row])
        for other in range(row):
            cost = _price(text, rooms.counts[row], other, rooms, matching)
            rooms.costs[row, other] = cost
            rooms.costs[other, row] = cost


@njit(cache=True, nogil=True, inline="always")
def _price(text: Any, counts: Any, other: int, rooms: Rooms, matching: Any) -> float:
    """What a text beside another room costs: 0 where they do not read alike."""
    known = rooms.texts[other, : rooms.letters[other]]
    over = excess(text, known, (counts, rooms.counts[other]), ALIKE, matching)
    return over + STEP if over > 0 else 0.0


@njit(cache=True, nogil=True)
def anneal(seed: int, rooms: Rooms, few: int, warmth: float, changes: int) -> None:
    """Try so many changes of rooms, the first `few` of which have few crates, in place."""
    np.random.seed(seed)
    scratch, matching = make_scratch(), make_matching()
    other, text, counts = rooms.levels[0].copy(), np.zeros(LONGEST, np.int8), np.zeros(LETTERS, np.int64)
    sums, costs = _add_up(rooms, few), np.zeros(len(rooms.letters))
    for attempt in range(changes):
        if attempt % 500 == 0:  # what was read like most comes first, as that ends most comparisons
            order = np.argsort(-rooms.hits)
            rooms.hits[:] *= 0.9
        row = _draw_row(sums, few)
        if row < 0 or not _propose(row, rooms.levels, few, other):
            continue
        size = solve(other, scratch, text)[0]
        if size == 0:
            continue
        count_letters(text[:size], counts)
        most = sums[row] - warmth * math.log(1.0 - np.random.random())
        total = _price_row(row, (text[:size], counts), (rooms, few, order, matching), most, costs)
        if total <= most:
            _exchange(row, rooms, few, sums, costs)
            rooms.levels[row], rooms.texts[row], rooms.letters[row] = other, text, size
            rooms.counts[row], sums[row] = counts, total


@njit(cache=True, nogil=True)
def _add_up(rooms: Rooms, few: int) -> Any:
    """What the pairs of each room cost, by how often they are on show together `(K,)`."""
    sums = np.zeros(len(rooms.letters))
    for row in range(len(sums)):
        for other in range(len(sums)):
            sums[row] += rooms.costs[row, other] * WEIGHTS[int(row >= few), int(other >= few)]
    return sums


@njit(cache=True, nogil=True)
def _draw_row(sums: Any, few: int) -> int:
    """A room to change, of three the one that costs most; -1 = none this time."""
    row = np.random.randint(len(sums))
    for _ in range(2):
        other = np.random.randint(len(sums))
        if sums[other] > sums[row]:
            row = other
    if row >= few and np.random.random() > RARELY:
        return -1
    return -1 if sums[row] == 0 and np.random.random() < 0.9 else row


@njit(cache=True, nogil=True)
def _propose(row: int, levels: Any, few: int, other: Any) -> bool:
    """Write a changed copy of a room, or now and then of another one of its kind; whether it may be good."""
    kind = int(row >= few)
    if np.random.random() < 0.1:
        row = np.random.randint(few, len(levels)) if kind else np.random.randint(few)
    return vary(levels[row], CRATES[kind, 0], CRATES[kind, 1], other)


@njit(cache=True, nogil=True)
def _price_row(row: int, trial: Any, known: Any, most: float, costs: Any) -> float:
    """What a text in a room's place costs, with each pair into `costs (K,)`; stops above `most`."""
    (text, counts), (rooms, few, order, matching), total = trial, known, 0.0
    costs[:] = 0
    for other in order:
        if other == row:
            continue
        costs[other] = _price(text, counts, other, rooms, matching)
        if costs[other] > 0:
            rooms.hits[other] += 1
            total += costs[other] * WEIGHTS[int(row >= few), int(other >= few)]
            if total > most:
                break
    return total


@njit(cache=True, nogil=True)
def _exchange(row: int, rooms: Rooms, few: int, sums: Any, costs: Any) -> None:
    """Give the pairs of a room what they cost now."""
    for other in range(len(costs)):
        sums[other] += (costs[other] - rooms.costs[row, other]) * WEIGHTS[int(row >= few), int(other >= few)]
        rooms.costs[row, other] = costs[other]
        rooms.costs[other, row] = costs[other]
