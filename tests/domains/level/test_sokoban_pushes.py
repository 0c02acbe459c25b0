"""A level without a solution is told apart by pushes, and none that a search solves is taken for one."""

import numpy as np
import pytest

from plaudit.domains.level.sokoban_judge import find_solution
from plaudit.domains.level.sokoban_pushes import make_positions, may_be_solved
from plaudit.domains.level.sokoban_rooms import read_rooms

GOOD = "@    | $ . |     |     |     "
STUCK = (
    "$@  .|     |     |     |     ",  # in a corner
    "@  # | $#. |   ##|     |     ",  # the target is walled off
    "@#  .|## $ |     |     |     ",  # the player is
    "@$$ .|    .|     |     |     ",  # along a wall, where only one target lies
)


def padded(line: str) -> np.ndarray:
    rows = [["# @$.".index(glyph) for glyph in row] for row in line.split("|")]
    return np.pad(np.array(rows, np.uint8), 1)


def may(level: np.ndarray) -> bool:
    return bool(may_be_solved(level.reshape(-1), level.shape[1], make_positions()))


def test_a_level_that_can_be_solved():
    assert may(padded(GOOD))


@pytest.mark.parametrize("line", STUCK)
def test_a_level_that_cannot(line):
    assert not may(padded(line))


@pytest.mark.parametrize("crates", [1, 2, 3])
def test_random_levels_that_the_judge_solves_may_be_solved(crates):
    rng, solved, told = np.random.default_rng(crates), 0, 0
    for _ in range(150):
        level = (rng.random((5, 5)) < 0.8).astype(np.uint8)
        cells = rng.permutation(25)
        level.reshape(-1)[cells[: 1 + 2 * crates]] = [2] + crates * [3] + crates * [4]
        found = bool(find_solution(level))
        solved += found
        told += may(np.pad(level, 1))
        assert may(np.pad(level, 1)) or not found
    assert solved > 0
    assert told < 75


def test_a_room_without_solution_has_no_moves():
    assert read_rooms([STUCK[1]]).moves.tolist() == [0]
