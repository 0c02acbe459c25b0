"""Find the rooms of `words/sokoban.txt`: `python -m plaudit.domains.level.sokoban_words [FILE] > FOUND`.

Small levels are annealed, and one is kept when its solution reads unlike that of every one kept before:
Ratcliff and Obershelp's similarity is at most 1/2, as the PCG Benchmark wants it. Texts of one length have
most in common, so that the lengths wanted are spread, each half as long again as the one before. Goes on
from the rooms of a file, if one is named; the first fifty take minutes, and each more takes longer.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.game import Maps
from plaudit.domains.level.sokoban_kernels import CRATE, OPEN, PLAYER, TARGET, WALL, make_rooms
from plaudit.domains.level.sokoban_plans import GLYPHS, LIMIT, SIDE, change, excess, read_rooms, solve
from plaudit.domains.level.sokoban_reading import LONGEST, likeness

KINDS = (2, 4)
"""Crates of the rooms."""
WORDS = 100
"""Of each kind at most."""
POOL = 400
"""Random good levels of each kind to begin with."""
CHANGES = 2500
"""Changes of a level that are tried."""
LENGTHS = (5, 7, 11, 16, 24, 36, 54, 80)
"""Letters of the texts wanted, in turn."""
ROUNDS = 2000
WARMTH = 0.03
"""Of the annealing; an excess that is less is often accepted."""
PULL = 0.3
"""Price of a text that is e times as long as wanted, or as short."""


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
def fill_pool(seed: int, crates: int, levels: Any, texts: Any, letters: Any) -> None:
    """Random good levels `(P, 5, 5)` with their texts."""
    np.random.seed(seed)
    flat = np.zeros((SIDE + 2) ** 2, np.uint8)
    rooms = make_rooms(flat.size)
    for row in range(len(levels)):
        letters[row] = 0
        while letters[row] == 0:
            _strewn(crates, levels[row])
            letters[row] = solve(levels[row], rooms, flat, texts[row])[0]


@njit(cache=True, nogil=True)
def _price(text: Any, kept: Any, wanted: int, most: float) -> Any:
    """What a text costs and how much of it is for being like the kept ones; stops above `most`."""
    cost, strict = PULL * abs(math.log(len(text) / wanted)), 0.0
    for row in range(len(kept[0])):
        if cost + strict > most:
            break
        strict += excess(text, kept[0][row : row + 1], kept[1][row : row + 1])
    return cost + strict, strict


@njit(cache=True, nogil=True)
def set_apart(seed: int, level: Any, text: Any, kept: Any, wanted: int) -> int:
    """Anneal a good level in place, with its text; how many letters that has, 0 where it stays too alike.

    kept: texts `(N, LONGEST)` and their letters `(N,)`; wanted: letters, more or less.
    """
    np.random.seed(seed)
    flat, other = np.zeros((SIDE + 2) ** 2, np.uint8), level.copy()
    rooms, trial = make_rooms(flat.size), np.zeros(LONGEST, np.int8)
    size = solve(level, rooms, flat, text)[0]
    cost, strict = _price(text[:size], kept, wanted, 1e9)
    for _ in range(CHANGES):
        if strict == 0:
            return size
        other[:] = level
        change(other)
        letters = solve(other, rooms, flat, trial)[0]
        if letters == 0:
            continue
        most = cost - WARMTH * math.log(1.0 - np.random.random())
        price, hard = _price(trial[:letters], kept, wanted, most)
        if price <= most:
            level[:], text[:] = other, trial
            size, cost, strict = letters, price, hard
    return 0


class Pool:
    """Levels of one number of crates to begin with, and how much each is like the rooms so far."""

    def __init__(self, seed: int, crates: int) -> None:
        self.found, self.seed, self.crates = 0, seed, crates
        self.levels = np.zeros((POOL, SIDE, SIDE), np.uint8)
        self.texts, self.letters = np.zeros((POOL, LONGEST), np.int8), np.zeros(POOL, np.int64)
        fill_pool(seed, crates, self.levels, self.texts, self.letters)
        self.excess = np.zeros(POOL)

    def take(self, wanted: int) -> Maps:
        """The level that is least like the rooms so far and nearest to the length, and was not given
        often."""
        best = int((self.excess + PULL * np.abs(np.log(self.letters / wanted))).argmin())
        self.excess[best] += 0.2
        return self.levels[best].copy()

    def heed(self, text: Any) -> None:
        """Take account of another room."""
        for row in range(POOL):
            alike = likeness(self.texts[row, : self.letters[row]], text)
            self.excess[row] += max(alike - LIMIT, 0.0)


def find_rooms(seed: int, lines: list[str]) -> None:
    """Print the rooms of `lines` and more whose solutions read unlike each other; the kinds take turns."""
    pools = [Pool(seed, crates) for crates in KINDS]
    texts, letters = np.zeros((len(KINDS) * WORDS, LONGEST), np.int8), np.zeros(len(KINDS) * WORDS, np.int64)
    count = len(lines)
    if lines:
        known = read_rooms(lines)
        texts[:count], letters[:count] = known.texts, known.letters
    for line, word, size in zip(lines, texts, letters, strict=False):
        print(line)
        for each in pools:
            each.found += each.crates == line.count("$")
            each.heed(word[:size])
    for turn in range(ROUNDS):
        pool, wanted = pools[turn % len(KINDS)], LENGTHS[turn // len(KINDS) % len(LENGTHS)]
        level, text = pool.take(wanted), np.zeros(LONGEST, np.int8)
        size = set_apart(seed + count + turn, level, text, (texts[:count], letters[:count]), wanted)
        if size and pool.found < WORDS:
            for each in pools:
                each.heed(text[:size])
            texts[count], letters[count] = text, size
            count, pool.found = count + 1, pool.found + 1
            print("|".join("".join(GLYPHS[tile] for tile in row) for row in level.tolist()), flush=True)
        print(f"{count} rooms of {turn + 1}: {size} letters, {wanted} wanted", file=sys.stderr, flush=True)


def main() -> None:
    given = Path(sys.argv[1]).read_text(encoding="ascii").splitlines() if len(sys.argv) > 1 else []
    print("Rooms whose solutions read unlike each other, row behind row. Made by sokoban_words.py.")
    find_rooms(len(given), [line for line in given if "|" in line])


if __name__ == "__main__":
    main()
