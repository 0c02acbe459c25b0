"""Find the words of `words/sokoban.txt`: `python -m plaudit.domains.level.sokoban_words > words/sokoban.txt`.

Small levels are changed at random, and one is kept when its solution reads unlike that of every one kept before:
Ratcliff and Obershelp's similarity is at most 1/2, as the PCG Benchmark wants it. What the solution does not touch
is walled up, so that a word says all there is. Takes some minutes.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.sokoban_kernels import CRATE, ITERATIONS, OPEN, PLAYER, TARGET, WALL, Rooms
from plaudit.domains.level.sokoban_kernels import _board as lay_board
from plaudit.domains.level.sokoban_kernels import _rooms as make_rooms
from plaudit.domains.level.sokoban_reading import LONGEST, likeness, read
from plaudit.domains.level.sokoban_search import Board, search
from plaudit.domains.level.walks import first_of, pad

SIDE = 5
KINDS = (2, 4)
"""Crates of the words."""
WORDS = 100
"""Of each kind."""
LIMIT = 0.5
STALE = 500
"""Changes in a row that bring nothing, after which a level is given up."""
POOL = 1500
"""Levels to begin with, of each kind."""
ROUNDS = 400
"""Levels that are worked on for each kind at most."""
Words = tuple[NDArray[np.int8], NDArray[np.int64]]
"""Texts `(N, LONGEST)` and how many letters each has."""


@njit(cache=True, nogil=True)
def _try(level: Any, rooms: Rooms, flat: Any, text: Any) -> int:
    """Solve `level (5, 5)`, wall up what its solution leaves alone; letters of its text, 0 = no good level."""
    width = level.shape[1] + 2
    pad(level, flat)
    lay_board(flat, (level.shape[0] + 2, width), rooms)
    crates, targets = np.flatnonzero(flat == CRATE), np.flatnonzero(rooms.target)
    board = Board(rooms.solid, rooms.target, rooms.dead, targets, width)
    nodes = rooms.nodes
    node = search(board, (first_of(flat, PLAYER), crates), -1, ITERATIONS, nodes)[0]
    if node < 0 or nodes.depth[node] < level.shape[0] + level.shape[1]:
        return 0
    letters = read(nodes, node, len(crates), width, text)
    rooms.steps[:] = 0
    while node >= 0:
        rooms.steps[nodes.player[node]] = 1
        for crate in range(len(crates)):
            rooms.steps[nodes.crates[node, crate]] = 1
        node = nodes.parent[node]
    for y in range(level.shape[0]):
        for x in range(level.shape[1]):
            if level[y, x] == OPEN and not rooms.steps[(y + 1) * width + x + 1]:
                level[y, x] = WALL
    return letters


@njit(cache=True, nogil=True)
def _excess(text: Any, words: Any, sizes: Any, count: int) -> float:
    """How much more alike than allowed a text is to the words, over all of them."""
    total = 0.0
    for word in range(count):
        most = 2.0 * min(len(text), sizes[word]) / (len(text) + sizes[word])
        if most > LIMIT:
            total += max(likeness(text, words[word, : sizes[word]]) - LIMIT, 0.0)
    return total


@njit(cache=True, nogil=True)
def _strewn(crates: int, level: Any) -> None:
    """A random level of so many crates."""
    share, flat = 0.5 + 0.5 * np.random.random(), level.reshape(-1)
    for cell in range(flat.size):
        flat[cell] = OPEN if np.random.random() < share else WALL
    order = np.random.permutation(flat.size)
    flat[order[0]] = PLAYER
    flat[order[1 : 1 + crates]] = CRATE
    flat[order[1 + crates : 1 + 2 * crates]] = TARGET


@njit(cache=True, nogil=True)
def _change(level: Any) -> None:
    """One or two cells: open or close one, or exchange two."""
    flat = level.reshape(-1)
    for _ in range(1 + np.random.randint(3)):
        one, other = np.random.randint(flat.size), np.random.randint(flat.size)
        if np.random.random() < 0.5 and flat[one] <= OPEN:
            flat[one] = 1 - flat[one]
        else:
            flat[one], flat[other] = flat[other], flat[one]


@njit(cache=True, nogil=True)
def fill_pool(seed: int, crates: int, levels: Any, words: Any, sizes: Any) -> None:
    """Random good levels `(P, 5, 5)` with their texts."""
    np.random.seed(seed)
    flat = np.zeros((SIDE + 2) ** 2, np.uint8)
    rooms = make_rooms(flat.size)
    for row in range(len(levels)):
        sizes[row] = 0
        while sizes[row] == 0:
            _strewn(crates, levels[row])
            sizes[row] = _try(levels[row], rooms, flat, words[row])


@njit(cache=True, nogil=True)
def set_apart(seed: int, level: Any, words: Any, sizes: Any, count: int) -> bool:
    """Change a good level until its text, written behind the `count` words, is unlike them all."""
    np.random.seed(seed)
    flat, other = np.zeros((SIDE + 2) ** 2, np.uint8), level.copy()
    rooms, text = make_rooms(flat.size), np.zeros(LONGEST, np.int8)
    sizes[count] = _try(level, rooms, flat, words[count])
    least, stale = _excess(words[count, : sizes[count]], words, sizes, count), 0
    while least > 0 and stale < STALE:
        other[:] = level
        _change(other)
        size = _try(other, rooms, flat, text)
        stale += 1
        if size == 0:
            continue
        found = _excess(text[:size], words, sizes, count)
        if found <= least:
            stale = 0 if found < least else stale
            least, sizes[count] = found, size
            level[:] = other
            words[count, :size] = text[:size]
    return least == 0


def find_words(seed: int) -> list[NDArray[np.uint8]]:
    """Levels of every kind whose solutions read unlike each other; the kinds take turns."""
    words, sizes = np.zeros((len(KINDS) * WORDS + 1, LONGEST), np.int8), np.zeros(len(KINDS) * WORDS + 1, np.int64)
    pools = [_Pool(seed, crates) for crates in KINDS]
    levels: list[NDArray[np.uint8]] = []
    for turn in range(ROUNDS * len(KINDS)):
        pool = pools[turn % len(KINDS)]
        if pool.found == WORDS:
            continue
        level = pool.take()
        if set_apart(seed + turn, level, words, sizes, len(levels)):
            for each in pools:
                each.heed(words[len(levels), : sizes[len(levels)]])
            levels.append(level)
            pool.found += 1
            print(f"{len(levels)} words in {turn + 1} rounds", file=sys.stderr, flush=True)
    return levels


class _Pool:
    """Levels of one number of crates to begin with, and how much each is like the words so far."""

    def __init__(self, seed: int, crates: int) -> None:
        self.found = 0
        self.levels = np.zeros((POOL, SIDE, SIDE), np.uint8)
        self.words, self.sizes = np.zeros((POOL, LONGEST), np.int8), np.zeros(POOL, np.int64)
        fill_pool(seed, crates, self.levels, self.words, self.sizes)
        self.excess = np.zeros(POOL)

    def take(self) -> NDArray[np.uint8]:
        """The level that is least like the words; it is not given again."""
        best = int(self.excess.argmin())
        self.excess[best] = np.inf
        return self.levels[best].copy()

    def heed(self, word: NDArray[np.int8]) -> None:
        """Take account of another word."""
        one, size = word[None], np.array([len(word)])
        for row in np.flatnonzero(np.isfinite(self.excess)).tolist():
            self.excess[row] += _excess(self.words[row, : self.sizes[row]], one, size, 1)


def main() -> None:
    print("# Levels whose solutions read unlike each other, row by row. Made by sokoban_words.py.")
    for level in find_words(0):
        print("/".join("".join("# @$."[tile] for tile in row) for row in level.tolist()))


if __name__ == "__main__":
    main()
