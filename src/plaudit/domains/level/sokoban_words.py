"""Find the rooms of `words/sokoban.txt`: `python -m plaudit.domains.level.sokoban_words MINUTES FILE [FROM]`.

Good small levels are drawn at random, slots get those of its rooms that read unlike each other
(`sokoban_slots.py`), and new rooms come in from random walks that begin at rooms which read like many others
and lead to where that is less so; then slots are filled anew. `FROM` is a file found before, to go on from.
The file is written whenever it has become better. The shipped one was gone on with for some twenty minutes of
a core, from earlier versions of this search, and from rooms that two trials had found which are not here:
climbing towards long solutions, and annealing a set of rooms by itself.

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
from plaudit.domains.level.sokoban_kernels import CRATE, OPEN, PLAYER, TARGET, WALL
from plaudit.domains.level.sokoban_reading import ALIKE, LONGEST, at_most, compare, likeness
from plaudit.domains.level.sokoban_rooms import SIDE, change, make_scratch, read_rooms, solve, write_room
from plaudit.domains.level.sokoban_slots import ASKED, SLOTS, begin_slots, clashes, fill_slots

KINDS = {1: 300, 2: 1500, 3: 1500, 4: 800, 5: 300, 6: 30}
"""Random good levels to begin with, by their crates: the more crates, the longer they take to find."""
POOL = 8000
"""Rooms at most; those that read like most of the slots' go."""
WALKS, CHANGES, FOUND, KEPT = 24, 150, 40, 8
"""Walks between two fillings, the changes of a level that each tries, what it may find and bring."""
LIKE = 2.0
"""A walk finds rooms that read like so many times as many uses of others as where it began, or fewer."""
CHEAP = {1: 1.0, 2: 1.0, 3: 0.5}
"""How often walks begin at rooms of so many crates, 0.2 for more: these are solved slowly."""
WARMTH = 0.05
"""Of the walks, in the mean of likeness above what is allowed: an excess that is less is often accepted."""
STEP = 0.03
"""Price of an excess beside itself."""
STEPS = 20_000
"""Of filling the slots anew."""


class Pool(NamedTuple):
    """Room for rooms `(POOL, 5, 5)`, their texts and letters, crates, and which read alike."""

    rooms: Maps
    texts: NDArray[np.int8]
    letters: NDArray[np.int64]
    crates: NDArray[np.int64]
    alike: NDArray[np.uint8]


@njit(cache=True, nogil=True)
def strew(crates: int, level: Any) -> None:
    """Make a random level of so many crates."""
    share, flat = 0.5 + 0.5 * np.random.random(), level.reshape(-1)
    for cell in range(flat.size):
        flat[cell] = OPEN if np.random.random() < share else WALL
    order = np.random.permutation(flat.size)
    flat[order[0]] = PLAYER
    flat[order[1 : 1 + crates]] = CRATE
    flat[order[1 + crates : 1 + 2 * crates]] = TARGET


@njit(cache=True, nogil=True)
def draw(seed: int, crates: int, levels: Any, texts: Any, letters: Any) -> None:
    """Random good levels `(P, 5, 5)` with their texts."""
    np.random.seed(seed)
    scratch = make_scratch()
    for row in range(len(levels)):
        letters[row] = 0
        while letters[row] == 0:
            strew(crates, levels[row])
            letters[row] = solve(levels[row], scratch, texts[row])[0]


@njit(cache=True, nogil=True)
def walk(seed: int, level: Any, used: Any, found: Any, rule: Any) -> int:
    """Walk from a good level at random, where it reads like fewer of the rooms in use more often.

    used: texts `(N, LONGEST)`, letters and how often each room is in use `(N,)`; found: levels, texts,
    letters and uses that read alike of what is worth keeping; rule: how many uses it may read like for
    that, and the fewest and most crates. Returns how many were found.
    """
    np.random.seed(seed)
    scratch, trial, other, count, cost = make_scratch(), np.zeros(LONGEST, np.int8), level.copy(), 0, np.inf
    levels, texts, letters, likes = found
    for _ in range(CHANGES):
        other[:] = level
        change(other)
        if np.random.random() < 0.05:
            _change_crates(other)
        if not _in_range(other, rule[1], rule[2]):
            continue
        size = solve(other, scratch, trial)[0]
        if size == 0:
            continue
        most = cost - WARMTH * used[2].mean() * math.log(1.0 - np.random.random())
        price, uses = _price(trial[:size], used, most)
        if price > most:
            continue
        level[:], cost = other, price
        if uses <= rule[0] and count < len(letters):
            levels[count], texts[count], letters[count], likes[count] = other, trial, size, uses
            count += 1
    return count


@njit(cache=True, nogil=True)
def _change_crates(level: Any) -> None:
    """Take a crate and a target away, or put one of each on open cells."""
    flat, more = level.reshape(-1), np.random.random() < 0.5
    for tile in (CRATE, TARGET):
        cells = np.flatnonzero(flat == (OPEN if more else tile))
        if len(cells):
            flat[cells[np.random.randint(len(cells))]] = tile if more else OPEN


@njit(cache=True, nogil=True)
def _in_range(level: Any, low: int, high: int) -> bool:
    """Whether a level has so many crates, and as many targets."""
    crates, targets = 0, 0
    for tile in level.reshape(-1):
        crates += tile == CRATE
        targets += tile == TARGET
    return crates == targets and low <= crates <= high


@njit(cache=True, nogil=True)
def _price(text: Any, used: Any, most: float) -> Any:
    """How much more alike than allowed a text is to the rooms in use, and to how many; stops above `most`."""
    texts, letters, uses = used
    cost, count = 0.0, 0
    for row in range(len(letters)):
        known = texts[row, : letters[row]]
        if 3 * min(len(text), len(known)) <= max(len(text), len(known)) or at_most(text, known) <= ALIKE:
            continue
        excess = likeness(text, known) - ALIKE
        if excess > 1e-9:
            count += uses[row]
            cost += uses[row] * (excess + STEP)
            if cost > most:
                break
    return cost, count


class Search:
    """A pool, the slots, and where the pool ends."""

    def __init__(self, seed: int, lines: list[str], slots: NDArray[np.int64] | None) -> None:
        self.rng, self.seed, self.size = np.random.default_rng(seed), seed, 0
        self.pool = Pool(
            np.zeros((POOL, SIDE, SIDE), np.uint8),
            np.zeros((POOL, LONGEST), np.int8),
            np.zeros(POOL, np.int64),
            np.zeros(POOL, np.int64),
            np.zeros((POOL, POOL), np.uint8),
        )
        self.known: set[bytes] = set()
        given = read_rooms(lines)
        self.add(given.rooms, given.texts, given.letters, all_of_them=True)
        for kind, count in KINDS.items():
            rooms, texts = np.zeros((count, SIDE, SIDE), np.uint8), np.zeros((count, LONGEST), np.int8)
            letters = np.zeros(count, np.int64)
            draw(seed + kind, kind, rooms, texts, letters)
            self.add(rooms, texts, letters)
        self.slots = begin_slots(self.crates, self.rng) if slots is None else slots
        self.clashes = clashes(self.alike, self.slots, np.zeros(self.size, np.int32))

    @property
    def crates(self) -> NDArray[np.int64]:
        return self.pool.crates[: self.size]

    @property
    def alike(self) -> NDArray[np.uint8]:
        return self.pool.alike[: self.size, : self.size]

    def add(
        self, rooms: Maps, texts: NDArray[np.int8], letters: NDArray[np.int64], all_of_them: bool = False
    ) -> None:
        """Take rooms in that read like no other to the letter, as long as there is space."""
        first = self.size
        for room, text, size in zip(rooms, texts, letters, strict=True):
            key = bytes([np.count_nonzero(room == CRATE)]) + text[:size].tobytes()
            if (key in self.known and not all_of_them) or self.size == POOL:
                continue
            self.known.add(key)
            self.pool.rooms[self.size], self.pool.texts[self.size] = room, text
            self.pool.letters[self.size] = size
            self.pool.crates[self.size] = np.count_nonzero(room == CRATE)
            self.size += 1
        compare(self.pool.texts, self.pool.letters, first, self.size, self.pool.alike)

    def fill(self, steps: int) -> bool:
        """Fill the slots anew, and say whether it became better."""
        before = self.clashes
        self.seed += 1
        self.clashes = fill_slots(self.seed, self.alike, self.crates, self.slots, steps)
        return self.clashes < before

    def wander(self) -> None:
        """Bring rooms in from walks that begin at rooms of the slots which read like many others."""
        rows, uses = np.unique(self.slots, return_counts=True)
        load = self.alike[np.ix_(rows, rows)] @ uses - uses
        trouble = load * uses * [CHEAP.get(kind, 0.2) for kind in self.crates[rows].tolist()]
        for _ in range(WALKS if trouble.any() else 0):
            at = int(self.rng.choice(len(rows), p=trouble / trouble.sum()))
            others = np.ones(len(rows), bool)
            # Half of the walks look for a room instead of this one, the others for one beside it.
            others[at] = beside = bool(self.rng.integers(2))
            kind = int(self.crates[rows[at]])
            rule = (LIKE * max(load[at], 1) + beside * uses[at], max(kind - 1, 1), kind + 1)
            used = (self.pool.texts[rows[others]], self.pool.letters[rows[others]], uses[others])
            self._bring(rows[at], used, rule)

    def _bring(self, row: int, used: Any, rule: tuple[float, int, int]) -> None:
        """Walk from a room of the pool, and take in what was found that reads like fewest."""
        rooms, texts = np.zeros((FOUND, SIDE, SIDE), np.uint8), np.zeros((FOUND, LONGEST), np.int8)
        letters, likes = np.zeros(FOUND, np.int64), np.zeros(FOUND, np.int64)
        self.seed += 1
        count = walk(self.seed, self.pool.rooms[row].copy(), used, (rooms, texts, letters, likes), rule)
        best = np.argsort(likes[:count])[:KEPT]
        self.add(rooms[best], texts[best], letters[best])

    def thin(self) -> None:
        """Make space: of the rooms of so many crates that are in no slot those go that read like most of the
        slots'."""
        rows, uses = np.unique(self.slots, return_counts=True)
        load, place = self.alike[:, rows] @ uses, np.zeros(self.size)
        for kind in np.unique(self.crates):
            mine = np.flatnonzero(self.crates == kind)
            place[mine] = load[mine].argsort().argsort() / len(mine)
        place[rows] = -1
        kept = np.sort(np.argsort(place)[: POOL * 3 // 5])
        self.size = len(kept)
        for array in self.pool[:4]:
            array[: self.size] = array[kept]
        self.pool.alike[: self.size, : self.size] = self.pool.alike[np.ix_(kept, kept)]
        self.slots = np.searchsorted(kept, self.slots)

    def written(self) -> str:
        """The file: the rooms in use, and then the rooms of each slot."""
        rows, places = np.unique(self.slots, return_inverse=True)
        lines = [write_room(self.pool.rooms[row]) for row in rows]
        slots = [" ".join(map(str, slot)) for slot in places.reshape(SLOTS, ASKED).tolist()]
        head = "Rooms, row behind row, and for every slot those for 1 to 5 crates. Made by sokoban_words.py."
        return "\n".join([head, *lines, *slots]) + "\n"


def main() -> None:
    minutes, file = float(sys.argv[1]), Path(sys.argv[2])
    lines, slots = [], None
    if len(sys.argv) > 3:
        given = Path(sys.argv[3]).read_text(encoding="ascii").splitlines()[1:]
        lines = [line for line in given if "|" in line]
        slots = np.array([line.split() for line in given if "|" not in line], np.int64)
    search = Search(len(lines), lines, slots)
    search.fill(5 * STEPS)
    while time.process_time() < 60 * minutes:
        if search.fill(STEPS):
            file.write_text(search.written(), encoding="ascii")
        if search.size > POOL - WALKS * KEPT:
            search.thin()
        search.wander()
        print(f"{time.process_time():.0f} s, {search.size} rooms: {search.clashes / 50:.1f}", flush=True)


if __name__ == "__main__":
    main()
