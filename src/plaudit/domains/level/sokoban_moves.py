"""Find the rooms of `words/sokoban_moves.txt`: `python -m plaudit.domains.level.sokoban_moves MINUTES`.

It prints a few rooms for 1 to 5 crates and every number of moves up to `MOST`. Random good levels are changed
at random, each taking the place of the one before where its number of moves was not found more often, so that
long solutions are come to step by step.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.likeness import LONGEST
from plaudit.domains.level.sokoban_rooms import SIDE, change, draw, make_scratch, solve, write_room

EACH, MOST = 3, 60
"""Rooms for every number of crates and moves; the most moves."""
CHAINS, CHANGES = 10, 500


@njit(cache=True, nogil=True)
def climb_lengths(seed: int, level: Any, seen: Any, rooms: Any) -> None:
    """Change a good level at random, and keep what has moves that are rare so far.

    seen `(MOST + 1,)`: how often each number of moves was come to; rooms `(MOST + 1, EACH, 5, 5)`: the
    last levels with so many.
    """
    np.random.seed(seed)
    scratch, text, other = make_scratch(), np.zeros(LONGEST, np.int8), level.copy()
    moves = solve(level, scratch, text)[1]
    for _ in range(CHANGES):
        other[:] = level
        change(other)
        found = solve(other, scratch, text)[1]
        if found == 0 or found > MOST:
            continue
        rooms[found, seen[found] % EACH] = other
        seen[found] += 1
        if moves > MOST or seen[found] * np.random.random() <= seen[moves]:
            level[:], moves = other, found


def main() -> None:
    minutes = float(sys.argv[1])
    print("Rooms, row behind row, with 1 to 5 crates and many numbers of moves. Made by sokoban_moves.py.")
    for crates in range(1, 6):
        seen, rooms = np.zeros(MOST + 1, np.int64), np.zeros((MOST + 1, EACH, SIDE, SIDE), np.uint8)
        seed, begun = 1000 * crates, time.process_time()
        while time.process_time() - begun < 12 * minutes:
            levels = np.zeros((CHAINS, SIDE, SIDE), np.uint8)
            draw(seed, crates, levels, np.zeros((CHAINS, LONGEST), np.int8), np.zeros(CHAINS, np.int64))
            for level in levels:
                seed += 1
                climb_lengths(seed, level, seen, rooms)
        for moves, count in enumerate(seen.tolist()):
            for room in rooms[moves, : min(count, EACH)]:
                print(write_room(room))


if __name__ == "__main__":
    main()
