"""Small Sokoban levels, called rooms: how they are written, drawn, solved, read and changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.likeness import LONGEST
from plaudit.domains.level.sokoban_kernels import (
    CRATE,
    OPEN,
    PLAYER,
    TARGET,
    WALL,
    find_solution,
    make_rooms,
)
from plaudit.domains.level.sokoban_pushes import make_positions, may_be_solved
from plaudit.domains.level.sokoban_reading import read
from plaudit.domains.level.walks import pad

SIDE = 5
GLYPHS = "# @$."
ALIKE = 0.5
"""Share of the letters of two solutions that may match; two rooms that read more alike count as one."""
_PADDED = (SIDE + 2) ** 2


class Words(NamedTuple):
    """Rooms `(N, 5, 5)`, how many crates and moves each has `(N,)`, its text `(N, LONGEST)` and its
    letters, and the searches that it took to solve it."""

    rooms: Maps
    crates: NDArray[np.int64]
    moves: NDArray[np.int64]
    texts: NDArray[np.int8]
    letters: NDArray[np.int64]
    searches: NDArray[np.int64]


def read_rooms(lines: Sequence[str]) -> Words:
    """Rooms from their rows, put behind each other with a bar between; 0 moves where one is no good level."""
    rows = [[[GLYPHS.index(glyph) for glyph in row] for row in line.split("|")] for line in lines]
    rooms = np.array(rows, np.uint8).reshape(-1, SIDE, SIDE)
    texts, figures = np.zeros((len(rooms), LONGEST), np.int8), np.zeros((len(rooms), 3), np.int64)
    _solve_all(rooms, texts, figures)
    letters, moves, searches = figures.T
    return Words(rooms, (rooms == CRATE).sum((1, 2)), moves, texts, letters, searches)


def write_room(room: Maps) -> str:
    """A room as a line that `read_rooms` reads."""
    return "|".join("".join(GLYPHS[tile] for tile in row) for row in room.tolist())


@njit(cache=True, nogil=True)
def make_scratch() -> Any:
    """What `solve` needs beside a room: the scratch of the searches, and a padded map."""
    return make_rooms(_PADDED), np.zeros(_PADDED, np.uint8), make_positions()


@njit(cache=True, nogil=True)
def _solve_all(rooms: Any, texts: Any, figures: Any) -> None:
    scratch = make_scratch()
    for row in range(len(rooms)):
        letters, moves, searches = solve(rooms[row], scratch, texts[row])
        figures[row, 0], figures[row, 1], figures[row, 2] = letters, moves, searches


@njit(cache=True, nogil=True)
def solve(level: Any, scratch: Any, text: Any) -> Any:
    """Solve `level (5, 5)` as the benchmark does and write how the solution reads into `text (LONGEST,)`.

    Returns the letters of its text, the moves and the searches made; no letters and moves where the level is
    not good.
    """
    rooms, flat, positions = scratch
    width = level.shape[1] + 2
    pad(level, flat)
    if not may_be_solved(flat, width, positions):
        return 0, 0, 0
    node, _, searches = find_solution(flat, (level.shape[0] + 2, width), rooms)
    if node < 0 or rooms.nodes.depth[node] < level.shape[0] + level.shape[1]:
        return 0, 0, searches
    letters = read(rooms.nodes, node, _crates(flat), width, text)
    return letters, rooms.nodes.depth[node], searches


@njit(cache=True, nogil=True)
def _crates(flat: Any) -> int:
    count = 0
    for tile in flat:
        count += tile == CRATE
    return count


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
def vary(level: Any, fewest: int, most: int, other: Any) -> bool:
    """Write a changed copy of a level, now and then with a crate more or less; whether it has so many
    crates, and as many targets."""
    other[:] = level
    change(other)
    if np.random.random() < 0.2:
        change(other)
    if np.random.random() < 0.05:
        _change_crates(other)
    crates, targets = 0, 0
    for tile in other.reshape(-1):
        crates += tile == CRATE
        targets += tile == TARGET
    return crates == targets and fewest <= crates <= most


@njit(cache=True, nogil=True)
def _change_crates(level: Any) -> None:
    """Take a crate and a target away, or put one of each on open cells."""
    flat, more = level.reshape(-1), np.random.random() < 0.5
    for tile in (CRATE, TARGET):
        cells = np.flatnonzero(flat == (OPEN if more else tile))
        if len(cells):
            flat[cells[np.random.randint(len(cells))]] = tile if more else OPEN


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
