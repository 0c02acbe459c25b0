"""The shortest way to win a level, by breadth-first search over the rules themselves, all of a depth at once.

What a player takes on the way without need - treasures, diamonds, coins - is left out, as no outcome depends
on it. This is what tests and benchmarks hold players against; no reward looks at it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.board import BODY, UNDER_WAY, WON, Boards, Rules
from plaudit.domains.level.starts import OPEN

MOST_STATES = 300_000


def shortest(rules: Rules, level: Maps, most: int = MOST_STATES) -> tuple[int, ...] | None:
    """Moves `(T,)` that win a level `(H, W)`, as few as there are; None where no way was found.

    most: states after which the search gives up, so that None is no proof.
    """
    plain = np.where(np.isin(level, rules.extras), OPEN, level).astype(np.uint8)
    front = rules.begin(plain[None])
    seen = set(_keys(front))
    trail: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while len(front) and len(seen) <= most:
        after, parent, move = _grown(rules, front)
        won = np.flatnonzero(after.outcome == WON)
        if len(won):
            return _traced(trail, int(parent[won[0]]), int(move[won[0]]))
        fresh = []
        for row, key in enumerate(_keys(after)):
            if after.outcome[row] == UNDER_WAY and key not in seen:
                seen.add(key)
                fresh.append(row)
        front = after.take(np.array(fresh, np.int64))
        trail.append((parent[fresh], move[fresh]))
    return None


def _grown(rules: Rules, front: Boards) -> tuple[Boards, NDArray[np.int64], NDArray[np.int64]]:
    """Every board after every move, with the row that each comes from and the move."""
    count = len(rules.moves)
    parent, move = np.divmod(np.arange(len(front) * count), count)
    after = front.take(parent)
    rules.move(after, move)
    return after, parent, move


def _keys(boards: Boards) -> list[int]:
    """A number for each board by which it is known again."""
    bodies = boards.body[:, : BODY - 1]
    return [hash((a.tobytes(), b.tobytes())) for a, b in zip(boards.maps, bodies, strict=True)]


def _traced(trail: list[tuple[NDArray[np.int64], NDArray[np.int64]]], row: int, last: int) -> tuple[int, ...]:
    """The moves that led to a row of the last depth, and the last one."""
    moves = [last]
    for parent, move in reversed(trail):
        moves.append(int(move[row]))
        row = int(parent[row])
    return tuple(moves[::-1])
