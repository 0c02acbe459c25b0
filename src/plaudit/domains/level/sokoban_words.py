"""Find the rooms of `words/sokoban.txt`:
`python -m plaudit.domains.level.sokoban_words SEED SETS MINUTES FILE [FROM ...]`.

So many sets of rooms are annealed on their own (`sokoban_anneal.py`) and make up a pool, with the rooms of
files that were found before. A hundred slots get rooms from it that read unlike each other
(`sokoban_slots.py`), or begin with those of the first file. What one set lacks another one has: together they
serve far better than the best of them. Then, for so many minutes of a processor, new rooms come in from
random walks that begin at rooms of the slots which read like many others, and keep to where that is not much
more so; and slots are filled anew. In the end they are filled by how many levels count.

The shipped file was found in some two hours of a core: sets of several sizes, walks from all of their rooms,
two sets and walks by themselves twice over, and walks from the rooms of all three.

Rooms are solved by all four searches of the benchmark: what breadth first does not solve in its 5,000
iterations, and best first then does, reads longer and less like other solutions.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.likeness import (
    LETTERS,
    LONGEST,
    compare,
    count_letters,
    excess,
    make_matching,
)
from plaudit.domains.level.sokoban_anneal import anneal_rooms
from plaudit.domains.level.sokoban_kernels import CRATE
from plaudit.domains.level.sokoban_rooms import ALIKE, SIDE, make_scratch, read_rooms, solve, vary, write_room
from plaudit.domains.level.sokoban_slots import ASKED, SLOTS, begin_slots, fill_slots, settle_slots

MINUTES = 3.0
"""For how long a set is annealed."""
FEW, MANY = 60, 60
"""Its rooms of one or two crates, and of four or five."""
POOL = 6000
"""Rooms at most; when there are more, the half that reads like most of the slots' goes."""
WALKS, CHANGES, FOUND, KEPT = 24, 200, 400, 20
"""Walks between two fillings, the changes that each tries, what it may find and bring."""
MOST_CRATES = ASKED + 1
MEETINGS = 2 * ASKED**2
"""How often two slots meet: in every pair of requests, and each pair is counted for both."""
ROOM, LIKE = 15, 1.3
"""A walk finds what reads like so many rooms in use, or so many times as many as where it began."""
WARMTH = 2.0
"""Rooms more, in the mean, that a step of a walk may lead to read like."""
CHEAP = {1: 1.0, 2: 1.0, 3: 0.5}
"""How often walks begin at rooms of so many crates, 0.3 for more: these are solved slowly."""
FIRST_STEPS, STEPS = 60_000, 3_000
"""Of filling the slots first, and anew."""
SETTLED, SETTLING, REQUESTS = 40, 2_000, 1_000
"""How often slots are filled by what counts in the end, the steps of each time, and its batches."""


class Used(NamedTuple):
    """Rooms of the slots: texts `(N, LONGEST)`, letters `(N,)` and `(N, LETTERS)`, in how many places each is
    `(N,)`, and an order in which to compare with them."""

    texts: NDArray[np.int8]
    letters: NDArray[np.int64]
    counts: NDArray[np.int64]
    uses: NDArray[np.int64]
    order: NDArray[np.int64]


class Found(NamedTuple):
    """What a walk finds: levels, texts, letters, and how many uses of rooms each reads like."""

    levels: Maps
    texts: NDArray[np.int8]
    letters: NDArray[np.int64]
    likes: NDArray[np.int64]


@njit(cache=True, nogil=True)
def walk(seed: int, level: Any, used: Used, most: int, found: Found) -> int:
    """Walk from a good level at random, in place, among what reads like at most so many uses of rooms;
    returns how many levels were found."""
    np.random.seed(seed)
    scratch, matching, counts = make_scratch(), make_matching(), np.zeros(LETTERS, np.int64)
    text, trial, other = np.zeros(LONGEST, np.int8), np.zeros(LONGEST, np.int8), level.copy()
    size, like, count = solve(level, scratch, text)[0], float(most), 0
    for _ in range(CHANGES):
        if not vary(level, 1, MOST_CRATES, other):
            continue
        letters = solve(other, scratch, trial)[0]
        if letters == 0:
            continue
        if letters == size and (trial[:size] == text[:size]).all():
            level[:] = other
            continue
        count_letters(trial[:letters], counts)
        likes = _count_likes(trial[:letters], counts, used, most, matching)
        if likes <= most and count < len(found.letters):
            found.levels[count], found.texts[count] = other, trial
            found.letters[count], found.likes[count] = letters, likes
            count += 1
        if likes <= min(most, like - WARMTH * math.log(1.0 - np.random.random())):
            level[:], text[:], size, like = other, trial, letters, likes
    return count


@njit(cache=True, nogil=True)
def _count_likes(text: Any, counts: Any, used: Used, most: int, matching: Any) -> int:
    """In how many places there are rooms that a text reads like; stops above `most`."""
    likes = 0
    for row in used.order:
        known = used.texts[row, : used.letters[row]]
        if excess(text, known, (counts, used.counts[row]), ALIKE, matching) > 0:
            likes += used.uses[row]
            if likes > most:
                break
    return likes


class Search:
    """A pool of rooms that read like no other to the letter, and the slots."""

    def __init__(self, seed: int) -> None:
        self.rng, self.seed, self.size = np.random.default_rng(seed), 1_000_000 * seed, 0
        self.levels = np.zeros((POOL, SIDE, SIDE), np.uint8)
        self.texts = np.zeros((POOL, LONGEST), np.int8)
        self.letters, self.crates = np.zeros(POOL, np.int64), np.zeros(POOL, np.int64)
        self.alike = np.zeros((POOL, POOL), np.uint8)
        self.known: set[bytes] = set()
        self.slots, self.pairs = np.zeros((SLOTS, ASKED), np.int64), 0

    def add(self, levels: Maps, texts: NDArray[np.int8], letters: NDArray[np.int64]) -> None:
        """Take rooms in, as long as there is space."""
        first = self.size
        for level, text, size in zip(levels, texts, letters, strict=True):
            crates = np.count_nonzero(level == CRATE)
            key = bytes([crates]) + text[:size].tobytes()
            if key in self.known or self.size == POOL:
                continue
            self.known.add(key)
            self.levels[self.size], self.texts[self.size] = level, text
            self.letters[self.size], self.crates[self.size] = size, crates
            self.size += 1
        compare(self.texts, self.letters, first, self.size, ALIKE, self.alike)

    def begin(self, slots: NDArray[np.int64]) -> None:
        """Give the slots rooms, or those that they had."""
        if len(slots):
            self.slots = slots
            return
        self.slots = begin_slots(self.crates[: self.size], self.rng)
        self.fill(FIRST_STEPS)

    def fill(self, steps: int) -> None:
        """Fill the slots anew."""
        self.seed += 1
        table = self.alike[: self.size, : self.size]
        self.pairs = fill_slots(self.seed, table, self.crates[: self.size], self.slots, steps)

    def settle(self) -> float:
        """Fill the slots by the share of levels that count, over requests by chance; returns it."""
        self.seed += 1
        table, asked = self.alike[: self.size, : self.size], self.rng.integers(0, ASKED, (REQUESTS, SLOTS))
        return settle_slots(self.seed, table, self.crates[: self.size], self.slots, asked, SETTLING)

    def wander(self) -> None:
        """Bring rooms in from walks that begin where trouble is."""
        if self.size > POOL - WALKS * KEPT:
            self.thin()
        rows, uses = np.unique(self.slots, return_counts=True)
        likes = self.alike[np.ix_(rows, rows)] @ uses - uses
        counts = np.zeros((len(rows), LETTERS), np.int64)
        for row, one in zip(rows, counts, strict=True):
            count_letters(self.texts[row, : self.letters[row]], one)
        order = np.argsort(-likes, kind="stable")
        chance = (likes * uses + 1.0) * [CHEAP.get(kind, 0.3) for kind in self.crates[rows].tolist()]
        for _ in range(WALKS):
            # Half of the walks look for a room instead of this one, the others for one beside it.
            at = int(self.rng.choice(len(rows), p=chance / chance.sum()))
            counted = uses.copy()
            counted[at] *= self.rng.integers(2)
            used = Used(self.texts[rows], self.letters[rows], counts, counted, order)
            self._bring(rows[at], used, int(self.alike[rows[at], rows] @ counted))

    def _bring(self, start: int, used: Used, likes: int) -> None:
        """Walk from a room of the slots, and take in what was found that reads like fewest."""
        self.seed += 1
        found = Found(
            np.zeros((FOUND, SIDE, SIDE), np.uint8),
            np.zeros((FOUND, LONGEST), np.int8),
            np.zeros(FOUND, np.int64),
            np.zeros(FOUND, np.int64),
        )
        count = walk(self.seed, self.levels[start].copy(), used, max(ROOM, int(LIKE * likes)), found)
        best = np.argsort(found.likes[:count], kind="stable")[:KEPT]
        self.add(found.levels[best], found.texts[best], found.letters[best])

    def thin(self) -> None:
        """Make space: of the rooms of so many crates that are in no slot those go that read like most of the
        slots'."""
        rows, uses = np.unique(self.slots, return_counts=True)
        likes, place = self.alike[: self.size, rows] @ uses, np.zeros(self.size)
        for kind in np.unique(self.crates[: self.size]):
            mine = np.flatnonzero(self.crates[: self.size] == kind)
            place[mine] = likes[mine].argsort().argsort() / len(mine)
        place[rows] = -1
        kept = np.sort(np.argsort(place)[: POOL // 2])
        self.size = len(kept)
        for array in (self.levels, self.texts, self.letters, self.crates):
            array[: self.size] = array[kept]
        self.alike[: self.size, : self.size] = self.alike[np.ix_(kept, kept)]
        self.slots = np.searchsorted(kept, self.slots)

    def write(self, file: Path) -> None:
        """The rooms in use, and then those of each slot."""
        rows, places = np.unique(self.slots, return_inverse=True)
        lines = [write_room(self.levels[row]) for row in rows]
        slots = [" ".join(map(str, slot)) for slot in places.reshape(SLOTS, ASKED).tolist()]
        head = "Rooms, row behind row, and for every slot those for 1 to 5 crates. Made by sokoban_words.py."
        file.write_text("\n".join([head, *lines, *slots]) + "\n", encoding="ascii")


def main() -> None:
    seed, sets, minutes, file = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
    search, slots = Search(seed), np.zeros((0, ASKED), np.int64)
    for number, known in enumerate(sys.argv[5:]):
        lines = Path(known).read_text(encoding="ascii").splitlines()[1:]
        words = read_rooms([line for line in lines if "|" in line])
        search.add(words.rooms, words.texts, words.letters)
        if number == 0:
            slots = np.array([line.split() for line in lines if "|" not in line], np.int64)
    for number in range(sets):
        rooms = anneal_rooms(100 * seed + number, FEW, MANY, MINUTES)
        search.add(rooms.levels, rooms.texts, rooms.letters)
    search.begin(slots)
    begun, written = time.process_time(), -60.0
    while (gone := time.process_time() - begun) < 60 * minutes:
        if gone > written + 60:
            written = gone
            search.write(file)
            print(
                f"{gone:.0f} s, {search.size} rooms: {search.pairs / MEETINGS:.1f} pairs read alike",
                flush=True,
            )
        search.wander()
        search.fill(STEPS)
    for _ in range(SETTLED):
        search.wander()
        counted = search.settle()
        search.write(file)
        print(f"{counted:.4f} of the levels count", flush=True)


if __name__ == "__main__":
    main()
