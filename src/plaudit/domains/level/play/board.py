"""Games being played: what lies on the maps, where the player is, and what the rules of a game must say.

One game is one file beside this one (`walk_maze.py` is the smallest) and one line in `games.py`: environment,
films, traces and difficulty ask these questions and know no game.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Maps, Size

Actions = NDArray[np.int64]
Y, X, STAGE, GATHERED, HURT = range(5)
"""Columns of a body that every game has: the player's cell, how many of the things that must be reached one
after the other were, what was taken that need not be, and how often, or how much, the player was hurt."""
OWN = 5
"""First of the columns that mean something to one game alone."""
BODY = 8
LOST, UNDER_WAY, WON = -1, 0, 1


@dataclass
class Boards:
    """B games under way.

    Attributes:
        maps: what lies on the cells `(B, H, W)`; what was taken is gone, and the player stands on none.
        body: the player `(B, BODY)` int32.
        outcome: `(B,)` int8: `LOST`, `UNDER_WAY` or `WON`.
        trod: how often the player has come to a cell `(B, H, W)` uint8 since the last stage began.
    """

    maps: Maps
    body: NDArray[np.int32]
    outcome: NDArray[np.int8]
    trod: NDArray[np.uint8]

    @classmethod
    def blank(cls, maps: Maps) -> Boards:
        """Boards of these maps, without a player on them yet."""
        rows = len(maps)
        body = np.zeros((rows, BODY), np.int32)
        return cls(maps.copy(), body, np.zeros(rows, np.int8), np.zeros(maps.shape, np.uint8))

    def __len__(self) -> int:
        return len(self.maps)

    def take(self, rows: Any) -> Boards:
        """A copy of the given rows."""
        return Boards(*(part[rows].copy() for part in (self.maps, self.body, self.outcome, self.trod)))

    def put(self, rows: Any, others: Boards) -> None:
        """Let the given rows be the others."""
        for name in ("maps", "body", "outcome", "trod"):
            getattr(self, name)[rows] = getattr(others, name)


class Rules(ABC):
    """How one game is played.

    Attributes:
        game: whose levels are played.
        moves: what each action is called; `keys` has a letter for each, as traces are written in.
        shown: names of the tiles on boards, for drawing: the game's own, then those that only boards have.
        planes: for each of these which plane of the observation shows it; -1 = none does.
        window: rows and columns, both odd, that the player sees around it.
        carried: what the player knows beside that, one number each.
        extras: tiles that are taken on the way and decide nothing.
    """

    game: ClassVar[Game]
    moves: ClassVar[tuple[str, ...]]
    keys: ClassVar[str]
    shown: ClassVar[tuple[str, ...]]
    planes: ClassVar[tuple[int, ...]]
    window: ClassVar[tuple[int, int]]
    carried: ClassVar[tuple[str, ...]] = ("down", "right", "far")
    extras: ClassVar[tuple[int, ...]] = ()

    @abstractmethod
    def begin(self, maps: Maps) -> Boards:
        """The boards of levels `(B, H, W)`; a level that cannot be played at all is `LOST` at once."""

    @abstractmethod
    def move(self, boards: Boards, actions: Actions) -> None:
        """Play one move `(B,)` in place; boards that are over stay as they are."""

    @abstractmethod
    def survey(self, boards: Boards, ahead: NDArray[np.float32], carried: NDArray[np.int8]) -> None:
        """Write about how many moves it is to the end `ahead (B,)`, and what the player knows.

        carried: `(B, len(self.carried))`, the first three the way to what comes next: see `compass`.
        """

    @abstractmethod
    def limit(self, size: Size) -> int:
        """Moves after which a game is given up."""

    @property
    def values(self) -> int:
        """Length of an observation: planes, trodden ground, what is carried, and the time that is left."""
        rows, columns = self.window
        return (max(self.planes) + 2) * rows * columns + len(self.carried) + 1

    def step(self, boards: Boards, actions: Actions) -> None:
        """Play one move and remember where it led; a new stage forgets."""
        self.move(boards, np.ascontiguousarray(actions, np.int64))
        mark_ground(boards.body, boards.trod)


@njit(cache=True, nogil=True)
def mark_ground(body: Any, trod: Any) -> None:
    """Count the cells that players have come to; the last column of a body holds the stage counted in."""
    for row in range(len(body)):
        if body[row, STAGE] != body[row, BODY - 1]:
            body[row, BODY - 1] = body[row, STAGE]
            trod[row] = 0
        y, x = body[row, Y], body[row, X]
        inside = 0 <= y < trod.shape[1] and 0 <= x < trod.shape[2]
        if inside and trod[row, y, x] < 255:
            trod[row, y, x] += 1


@njit(cache=True, nogil=True)
def compass(away: int) -> int:
    """A distance as the player feels it, in -4 to 4: each step of it is twice as far.

    >>> compass(0), compass(-1), compass(5), compass(100)
    (0, -1, 3, 4)
    """
    left, felt = abs(away), 0
    while left > 0 and felt < 4:
        felt += 1
        left //= 2
    return felt if away > 0 else -felt


@njit(cache=True, nogil=True)
def direct(carried: Any, body: Any, y: int, x: int) -> None:
    """Write the first three of what is carried: rows down, columns right, and steps to a cell."""
    down, right = y - body[Y], x - body[X]
    carried[0], carried[1] = compass(down), compass(right)
    carried[2] = compass(abs(down) + abs(right))


@njit(cache=True, nogil=True)
def look(boards: Any, planes: Any, window: Any, left: Any, carried: Any, out: Any) -> None:
    """Write observations `out (B, N)` int8 of boards `(maps, body, trod)`.

    One-hot windows around the players, as many as `planes` names; then how often the cells in it were
    trodden, up to 4; then what is carried, and `left (B,)`.
    """
    maps, body, trod = boards
    rows, columns = window
    size, count = rows * columns, planes.max() + 1
    height, width = maps.shape[1:]
    for row in range(len(maps)):
        out[row] = 0
        for i in range(size):
            y = body[row, Y] + i // columns - rows // 2
            x = body[row, X] + i % columns - columns // 2
            inside = 0 <= y < height and 0 <= x < width
            plane = planes[maps[row, y, x]] if inside else planes[0]
            if plane >= 0:
                out[row, plane * size + i] = 1
            if inside:
                out[row, count * size + i] = min(trod[row, y, x], 4)
        rest = (count + 1) * size
        for i in range(carried.shape[1]):
            out[row, rest + i] = carried[row, i]
        out[row, rest + carried.shape[1]] = left[row]
