"""Where Sokoban levels begin when a policy makes them: rooms whose solutions read unlike each other.

Levels are judged different by how their solutions read, and random ones read alike in one pair of three: of a
hundred ten would count. So every seed has a room of `words/sokoban.txt` to begin with, of which no two read
alike, turned and mirrored by chance. Random changes then carry it away for as long as it stays a good level
that reads unlike all the other rooms, which often is not far. On larger maps the player comes to the room
through a corridor, and crates that a room lacks stand in niches. What a request has beside that - locked
cells, moves, a map that is too small - is left to the policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Goals, Maps, Size
from plaudit.domains.level.metrics import Cell
from plaudit.domains.level.sokoban_kernels import (
    CRATE,
    ITERATIONS,
    OPEN,
    PLAYER,
    TARGET,
    WALL,
    Rooms,
    lay_board,
    make_rooms,
)
from plaudit.domains.level.sokoban_reading import LONGEST, at_most, likeness, read
from plaudit.domains.level.sokoban_search import Board, search
from plaudit.domains.level.walks import first_of, pad

SIDE = 5
GLYPHS = "# @$."
DRIFT = 30
"""Changes of a room that are tried for a seed."""
LIMIT = 0.5
"""How alike two texts may read."""
NEAR = 10
"""Rooms of which the one with the wanted number of moves is taken, where some are wanted."""
_WORDS = Path(__file__).parent / "words" / "sokoban.txt"
_SALT, _TRIES, _ROOMS = 0x50C0, 30, 8
_APART = 3
"""Steps of a corridor for each niche."""
_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))


class Words(NamedTuple):
    """Rooms `(N, 5, 5)`, how many crates and moves each has `(N,)`, its text `(N, LONGEST)` and its
    letters."""

    rooms: Maps
    crates: NDArray[np.int64]
    moves: NDArray[np.int64]
    texts: NDArray[np.int8]
    letters: NDArray[np.int64]


def plan_levels(numbers: NDArray[np.int64], size: Size, goals: Goals) -> Maps | None:
    """Levels `(R, H, W)` of seeds to begin with; None where no room has room. goals: crates and moves
    `(R, 2)`."""
    if min(size) < SIDE:
        return None
    out = np.zeros((len(numbers), size[1], size[0]), np.uint8)
    for row, (number, (crates, moves)) in enumerate(zip(numbers.tolist(), goals.tolist(), strict=True)):
        rng = np.random.default_rng([number % 2**64, _SALT])
        if size == (SIDE, SIDE):
            out[row] = _room(number, crates, moves, rng)[0]
        else:
            out[row] = _grounds(number, size, (crates, moves), rng)
    return out


def _room(number: int, crates: int, moves: int, rng: np.random.Generator) -> tuple[Maps, int]:
    """The room of a number, changed where no moves are asked for, and the moves that it takes."""
    words = load_words()
    word = _choose(words, number, crates, moves, rng)
    kept = np.arange(len(words.rooms)) != word
    others = (words.texts[kept], words.letters[kept])
    tries = DRIFT if moves == UNASKED else 0
    # Which of several shortest solutions is found depends on how a room lies: some turns read like others.
    for turn in rng.permutation(8).tolist():
        room = _turned(words.rooms[word], turn)
        length = drift(int(rng.integers(2**31)), room, tries, *others)
        if length:
            return room, length
    return words.rooms[word].copy(), int(words.moves[word])


def _grounds(number: int, size: Size, goal: tuple[int, int], rng: np.random.Generator) -> Maps:
    """A room on a larger map; of a few the one that lacks least of the crates and moves asked for."""
    crates, moves = goal
    wanted = sum(size) if moves == UNASKED else moves
    best, least = np.zeros(size[::-1], np.uint8), np.inf
    for attempt in range(_ROOMS):
        level = np.zeros(size[::-1], np.uint8)
        room, length = _room(number + attempt, crates, moves, rng)
        lacking = _settle(level, room, (max(crates, 0), wanted - length), rng)
        if lacking < least:
            best, least = level, lacking
        if least <= 0:
            break
    return best


def _choose(words: Words, number: int, crates: int, moves: int, rng: np.random.Generator) -> int:
    """The seed's room among those with as many crates as asked for or one off; by the moves, where some
    are."""
    wanted = int(rng.integers(1, SIDE + 1)) if crates == UNASKED else crates
    off = np.abs(words.crates - wanted)
    mine = np.flatnonzero(off <= max(1, int(off.min())))
    if moves == UNASKED:
        return int(mine[number % len(mine)])
    near = mine[(number + np.arange(NEAR)) % len(mine)]
    return int(near[np.abs(words.moves[near] - moves).argmin()])


def _turned(room: Maps, turn: int) -> Maps:
    """A copy, turned by a quarter so many times, and mirrored from the fourth on."""
    turned = np.rot90(room, turn % 4)
    return np.array(turned.T if turn >= 4 else turned, order="C")  # a view would be changed


@lru_cache(maxsize=1)
def load_words() -> Words:
    """The rooms of `words/sokoban.txt`, a line each, and how they read."""
    lines = _WORDS.read_text(encoding="ascii").splitlines()
    return read_rooms([line for line in lines if "|" in line])


def read_rooms(lines: Sequence[str]) -> Words:
    """Rooms from their rows, put behind each other with a bar between."""
    rooms = np.array(
        [[[GLYPHS.index(g) for g in row] for row in line.split("|")] for line in lines], np.uint8
    )
    texts, letters = np.zeros((len(rooms), LONGEST), np.int8), np.zeros(len(rooms), np.int64)
    moves = np.zeros(len(rooms), np.int64)
    read_all(rooms, texts, letters, moves)
    return Words(rooms, (rooms == CRATE).sum((1, 2)), moves, texts, letters)


@njit(cache=True, nogil=True)
def read_all(rooms: Any, texts: Any, letters: Any, moves: Any) -> None:
    """Texts, their letters and the moves of rooms `(N, 5, 5)`."""
    flat = np.zeros((SIDE + 2) ** 2, np.uint8)
    scratch = make_rooms(flat.size)
    for row in range(len(rooms)):
        letters[row], moves[row] = solve(rooms[row], scratch, flat, texts[row])


@njit(cache=True, nogil=True)
def solve(level: Any, rooms: Rooms, flat: Any, text: Any) -> Any:
    """Solve `level (5, 5)` breadth first, and wall up what its solution leaves alone.

    Returns the letters of its text and the moves; 0 and 0 where it is no good level.
    """
    width = level.shape[1] + 2
    pad(level, flat)
    lay_board(flat, (level.shape[0] + 2, width), rooms)
    crates, targets = np.flatnonzero(flat == CRATE), np.flatnonzero(rooms.target)
    board = Board(rooms.solid, rooms.target, rooms.dead, targets, width)
    nodes = rooms.nodes
    node = search(board, (first_of(flat, PLAYER), crates), -1, ITERATIONS, nodes)[0]
    if node < 0 or nodes.depth[node] < level.shape[0] + level.shape[1]:
        return 0, 0
    letters, moves = read(nodes, node, len(crates), width, text), nodes.depth[node]
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
    return letters, moves


@njit(cache=True, nogil=True)
def excess(text: Any, texts: Any, letters: Any) -> float:
    """How much more alike than allowed a text is to others, over all of them."""
    total = 0.0
    for other in range(len(texts)):
        known = texts[other, : letters[other]]
        if at_most(text, known) > LIMIT:
            total += max(likeness(text, known) - LIMIT, 0.0)
    return total


@njit(cache=True, nogil=True)
def change(level: Any) -> None:
    """Change a level at random, one to three times: open or close a cell, or exchange two."""
    flat = level.reshape(-1)
    for _ in range(1 + np.random.randint(3)):
        one, other = np.random.randint(flat.size), np.random.randint(flat.size)
        if np.random.random() < 0.5 and flat[one] <= OPEN:
            flat[one] = 1 - flat[one]
        else:
            flat[one], flat[other] = flat[other], flat[one]


@njit(cache=True, nogil=True)
def drift(seed: int, room: Any, tries: int, texts: Any, letters: Any) -> int:
    """Change a room in place for as long as it reads unlike the others; returns the moves of its solution.

    0 = the room itself reads like one of them.
    """
    np.random.seed(seed)
    flat, other = np.zeros((SIDE + 2) ** 2, np.uint8), room.copy()
    rooms, text = make_rooms(flat.size), np.zeros(LONGEST, np.int8)
    size, moves = solve(room, rooms, flat, text)
    if excess(text[:size], texts, letters) > 0:
        return 0
    for _ in range(tries):
        other[:] = room
        change(other)
        size, found = solve(other, rooms, flat, text)
        if size and excess(text[:size], texts, letters) == 0:
            room[:], moves = other, found
    return moves


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
