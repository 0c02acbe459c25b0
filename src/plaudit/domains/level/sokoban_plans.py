"""Where Sokoban levels begin when a policy makes them: rooms whose solutions read unlike each other.

Levels are judged different by how their solutions read, and random ones read alike in one pair of three: of a
hundred ten would count. So every number has its place among a hundred slots, and every slot has rooms of its
own for 1 to 5 crates in `words/sokoban.txt`, of which those of different slots hardly ever read alike. A
hundred numbers in a row go through all slots before one comes again. The room of a slot is turned and
mirrored by chance, and random changes carry it away for as long as it reads unlike the rooms of the others.

Where moves are asked for, a level begins with the room of `words/sokoban_moves.txt` that comes nearest. On
larger maps the player comes to the room through a corridor, and crates that a room lacks stand in niches.
What a request has beside that - locked cells, more moves, a map that is too small - is left to the policy.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Goals, Maps, Size
from plaudit.domains.level.likeness import (
    LETTERS,
    LONGEST,
    compare,
    count_letters,
    excess,
    make_matching,
)
from plaudit.domains.level.metrics import Cell
from plaudit.domains.level.sokoban_kernels import CRATE, OPEN, PLAYER, TARGET, WALL
from plaudit.domains.level.sokoban_rooms import ALIKE, SIDE, Words, change, make_scratch, read_rooms, solve
from plaudit.domains.level.sokoban_slots import ASKED, SLOTS

DRIFT = 3
"""Changes of a room that are tried for a seed."""
_FOLDER = Path(__file__).parent / "words"
_SALT, _TRIES, _ROOMS = 0x50C0, 30, 8
_APART = 3
"""Steps of a corridor for each niche."""
_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))


class Plans(NamedTuple):
    """Rooms of the slots, the slots themselves `(SLOTS, ASKED)`, and which rooms read alike `(N, N)`."""

    words: Words
    slots: NDArray[np.int64]
    alike: NDArray[np.uint8]


def plan_levels(numbers: NDArray[np.int64], size: Size, goals: Goals) -> Maps | None:
    """Levels `(R, H, W)` of seeds to begin with; None where no room has room. goals: crates and moves
    `(R, 2)`."""
    if min(size) < SIDE:
        return None
    out = np.zeros((len(numbers), size[1], size[0]), np.uint8)
    for row, (number, (crates, moves)) in enumerate(zip(numbers.tolist(), goals.tolist(), strict=True)):
        rng = np.random.default_rng([number % 2**64, _SALT])
        if moves != UNASKED and size == (SIDE, SIDE):
            out[row] = _long_room(crates, moves, rng)[0]
        elif size == (SIDE, SIDE):
            out[row] = _slot_room(number, crates, rng)
        else:
            out[row] = _grounds(number, size, (crates, moves), rng)
    return out


def _slot_room(number: int, crates: int, rng: np.random.Generator) -> Maps:
    """The room of a number's slot, changed."""
    plans, slot = load_plans(), number % SLOTS
    wanted = int(rng.integers(1, ASKED + 1)) if crates == UNASKED else min(max(crates, 1), ASKED)
    word = int(plans.slots[slot, wanted - 1])
    others = plans.alike[word] == 0
    others[plans.slots[slot]] = False
    return _varied(plans.words, word, (plans.words.texts[others], plans.words.letters[others]), False, rng)[0]


def _long_room(crates: int, moves: int, rng: np.random.Generator) -> tuple[Maps, int]:
    """A room with as many crates as asked for, and as many moves, or nearly; and the moves that it takes."""
    lengths = load_lengths()
    wanted = int(rng.integers(1, ASKED + 1)) if crates == UNASKED else crates
    off = np.abs(lengths.crates - wanted) * LONGEST + np.abs(lengths.moves - moves)
    word = int(rng.choice(np.flatnonzero(off == off.min())))
    return _varied(lengths, word, (lengths.texts[:0], lengths.letters[:0]), True, rng)


def _varied(
    words: Words, word: int, others: tuple[Any, Any], keep_moves: bool, rng: np.random.Generator
) -> tuple[Maps, int]:
    """A room turned and changed by chance, so that it reads unlike others and has its moves still, if these
    are to be kept; and its moves."""
    moves = int(words.moves[word])
    # Which of several solutions is found depends on how a room lies: some turns read like others.
    for turn in rng.permutation(8).tolist():
        room = _turned(words.rooms[word], turn)
        length = drift(int(rng.integers(2**31)), room, DRIFT, moves if keep_moves else 0, others)
        if length:
            return room, length
    return words.rooms[word].copy(), moves


def _grounds(number: int, size: Size, goal: tuple[int, int], rng: np.random.Generator) -> Maps:
    """A room on a larger map; of a few the one that lacks least of the crates and moves asked for."""
    crates, moves = goal
    wanted = sum(size) if moves == UNASKED else moves
    best, least = np.zeros(size[::-1], np.uint8), np.inf
    for attempt in range(_ROOMS):
        level = np.zeros(size[::-1], np.uint8)
        room, length = _plain_room(number + attempt, crates, rng)
        lacking = _settle(level, room, (max(crates, 0), wanted - length), rng)
        if lacking < least:
            best, least = level, lacking
        if least <= 0:
            break
    return best


def _plain_room(number: int, crates: int, rng: np.random.Generator) -> tuple[Maps, int]:
    """A room that breadth first solves, as it has to stay solved with more around it; and its moves."""
    words = load_plans().words
    plain = words.searches == 1
    wanted = int(rng.integers(1, ASKED + 1)) if crates == UNASKED else crates
    off = np.where(plain, np.abs(words.crates - wanted), LONGEST)
    mine = np.flatnonzero(off <= max(1, int(off.min())))
    word = int(mine[number % len(mine)])
    return _turned(words.rooms[word], int(rng.integers(8))), int(words.moves[word])


def _turned(room: Maps, turn: int) -> Maps:
    """A copy, turned by a quarter so many times, and mirrored from the fourth on."""
    turned = np.rot90(room, turn % 4)
    return np.array(turned.T if turn >= 4 else turned, order="C")  # a view would be changed


@lru_cache(maxsize=1)
def load_plans() -> Plans:
    """The rooms of `words/sokoban.txt`, and how they read."""
    lines = (_FOLDER / "sokoban.txt").read_text(encoding="ascii").splitlines()[1:]
    words = read_rooms([line for line in lines if "|" in line])
    slots = np.array([line.split() for line in lines if "|" not in line], np.int64)
    table = np.zeros((len(words.rooms), len(words.rooms)), np.uint8)
    compare(words.texts, words.letters, 0, len(table), ALIKE, table)
    return Plans(words, slots, table)


@lru_cache(maxsize=1)
def load_lengths() -> Words:
    """The rooms of `words/sokoban_moves.txt`, for moves that are asked for."""
    return read_rooms((_FOLDER / "sokoban_moves.txt").read_text(encoding="ascii").splitlines()[1:])


@njit(cache=True, nogil=True)
def drift(seed: int, room: Any, tries: int, wanted: int, others: Any) -> int:
    """Change a room in place as long as it reads unlike others; returns the moves of its solution.

    wanted: moves that it has to have, 0 = any; others: texts `(N, LONGEST)` and their letters. 0 is returned
    where the room itself is not as it should be.
    """
    np.random.seed(seed)
    scratch, text, other, moves = make_scratch(), np.zeros(LONGEST, np.int8), room.copy(), 0
    for attempt in range(1 + tries):
        if attempt:
            other[:] = room
            change(other)
        size, found, _ = solve(other, scratch, text)
        if size and wanted in (0, found) and _unlike(text[:size], others):
            room[:], moves = other, found
        elif attempt == 0:
            return 0
    return moves


@njit(cache=True, nogil=True)
def _unlike(text: Any, others: Any) -> bool:
    """Whether a text reads like none of others."""
    scratch, counts = make_matching(), np.zeros((2, LETTERS), np.int64)
    count_letters(text, counts[0])
    for row in range(len(others[1])):
        known = others[0][row, : others[1][row]]
        count_letters(known, counts[1])
        if excess(text, known, counts, ALIKE, scratch) > 0:
            return False
    return True


def _settle(level: Maps, room: Maps, wanted: tuple[int, int], rng: np.random.Generator) -> int:
    """Lay a room into a larger map of walls, its player at the end of a corridor, crates that it lacks in
    niches.

    wanted: crates in all, and moves more than the room itself takes; returns how many of both are lacking.
    """
    height, width = level.shape
    top, left = int(rng.integers(height - SIDE + 1)), int(rng.integers(width - SIDE + 1))
    level[top : top + SIDE, left : left + SIDE] = room
    y, x = np.argwhere(level == PLAYER)[0].tolist()
    crates = max(wanted[0] - int((room == CRATE).sum()), 0)
    corridor = _corridor(level, (y, x), max(wanted[1], _APART * crates), rng)
    level[y, x] = OPEN
    for cell in corridor:
        level[cell] = OPEN
    level[corridor[-1]] = PLAYER
    for cell in corridor[1:-1]:
        crates -= crates > 0 and _niche(level, cell)
    return crates + max(wanted[1] - len(corridor) + 1, 0)


def _corridor(level: Maps, start: Cell, steps: int, rng: np.random.Generator) -> list[Cell]:
    """The longest of a few walks at random through walls that touch nothing, at most so many steps."""
    best = [start]
    for _ in range(_TRIES):
        walk, taken = [start], {start}
        while len(walk) <= steps:
            y, x = walk[-1]
            near = [c for c in ((y + dy, x + dx) for dy, dx in _STEPS) if _may_dig(level, c, walk[-1], taken)]
            if not near:
                break
            walk.append(near[int(rng.integers(len(near)))])
            taken.add(walk[-1])
        best = walk if len(walk) > len(best) else best
        if len(best) > steps:
            break
    return best


def _may_dig(level: Maps, cell: Cell, before: Cell, taken: set[Cell]) -> bool:
    """Whether a cell is a wall on the map that touches nothing open but the cell before."""
    if not _inside(level, cell) or level[cell] != WALL or cell in taken:
        return False
    around = ((cell[0] + dy, cell[1] + dx) for dy, dx in _STEPS)
    return not any(
        near != before and _inside(level, near) and (level[near] != WALL or near in taken) for near in around
    )


def _niche(level: Maps, cell: Cell) -> bool:
    """Put a crate beside a cell, and its target behind it; whether there was room in the walls."""
    for dy, dx in _STEPS:
        crate, target = (cell[0] + dy, cell[1] + dx), (cell[0] + 2 * dy, cell[1] + 2 * dx)
        if _may_dig(level, crate, cell, set()) and _may_dig(level, target, crate, set()):
            level[crate], level[target] = CRATE, TARGET
            return True
    return False


def _inside(level: Maps, cell: Cell) -> bool:
    return 0 <= cell[0] < level.shape[0] and 0 <= cell[1] < level.shape[1]
