"""How a person's drawing is made with the pen: its moves, in the person's order, and what they earn.

Each line is followed as far as a move of the pen goes, so that corners between two moves are cut by a pixel
at most. `Tracing` plays drawings side by side and gives moments with their whole discounted return: what
`plaudit.engine.imitation` learns from.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from plaudit.domains.image.paint_human import Line
from plaudit.domains.image.paint_kernels import squared_error
from plaudit.domains.image.paint_pen import BLOCKS, DRAWN, LIFTED, MOVES, SET, Pen
from plaudit.domains.image.paint_strokes import Pixels
from plaudit.engine.imitation import Played

_NUMBER = {tuple(move): at for at, move in enumerate(MOVES.tolist())}
_IDLE = int(np.flatnonzero(MOVES[:, 2] == LIFTED)[0])
_BLOCK = 3
"""Farthest that two pixels of a block lie apart, on a canvas of 28."""
_FAR = 3
"""Farthest a drawing move goes, in pixels along either axis."""


class Hand:
    """One drawing under way: the places to go to, and whether to draw on the way there."""

    def __init__(self, lines: list[Line], size: int) -> None:
        self.size, self.done = size, 0
        self.places: list[tuple[int, int, bool]] = []
        for line in lines:
            path = _pixels(line, size)
            self.places.append((int(path[0, 0]), int(path[0, 1]), False))
            k = 0
            while k < len(path) - 1:
                k = _reach(path, k)
                self.places.append((int(path[k, 0]), int(path[k, 1]), True))

    def move(self, x: int, y: int) -> int:
        """The number of the next move from where the pen is; -1 when all is drawn."""
        while self.done < len(self.places):
            u, v, draws = self.places[self.done]
            if (u, v) == (x, y):
                self.done += 1
            elif draws:
                self.done += 1
                return _NUMBER[(u - x, v - y, DRAWN)]
            else:
                return self._approach(u - x, v - y, u, v)
        return -1

    def _approach(self, dx: int, dy: int, u: int, v: int) -> int:
        """A lifted move towards a place: set down in its block where that is far away, else a step."""
        if max(abs(dx), abs(dy)) > _BLOCK * self.size / 28:
            return _NUMBER[(u * BLOCKS // self.size, v * BLOCKS // self.size, SET)]
        near, away = sorted((abs(dx), abs(dy)))
        far = 2 if away >= 2 and near != 1 else 1
        return _NUMBER[(far * int(np.sign(dx)), far * int(np.sign(dy)), LIFTED)]


def _pixels(line: Line, size: int) -> NDArray[np.int64]:
    """The pixels `(N, 2)` that a line goes through, one step of a pixel apart, both axes at once at most."""
    found = [np.floor(line[0]).astype(np.int64)]
    for start, end in pairwise(line):
        steps = max(1, int(np.ceil(np.abs(end - start).max())))
        for k in range(1, steps + 1):
            place = np.floor(start + (end - start) * k / steps).astype(np.int64)
            if (place != found[-1]).any():
                found.append(place)
    return np.clip(np.array(found), 0, size - 1)


def _reach(path: NDArray[np.int64], k: int) -> int:
    """The next place along the path that one drawing move reaches: 3 pixels away, else 1."""
    ahead = path[k + _FAR] - path[k] if k + _FAR < len(path) else np.zeros(2, np.int64)
    return k + _FAR if np.abs(ahead).max() == _FAR else k + 1


class Drawn(Protocol):
    """Pictures whose lines are known, by number."""

    def lines(self, number: int) -> list[Line]:
        """Lines `(N, 2)` in pixels, in the order of their making."""
        ...

    def take(self, numbers: NDArray[np.int64]) -> Pixels:
        """Rasters `(N, size, size)`."""
        ...


class Tracing:
    """Drawings of people traced by the pen: a source of what was played."""

    def __init__(self, drawings: Drawn, pen: Pen, weight: float, weighing: Any) -> None:
        self.drawings, self.pen, self.weight, self.weighing = drawings, pen, weight, weighing
        self.observation_space: Space[Any] = pen.observation_space
        self.action_space: Space[Any] = pen.action_space

    def play(self, random: np.random.Generator, gamma: float) -> Played:
        """Trace as many fresh drawings as the pen has rows."""
        rows, size, steps = len(self.pen.pens), self.pen.size, self.pen.steps
        numbers = random.integers(0, 2**31, rows)
        hands = [Hand(self.drawings.lines(int(n)), size) for n in numbers]
        target = self.drawings.take(numbers)
        canvas, error = np.zeros_like(target), np.zeros(rows, np.int64)
        squared_error(canvas, target, error)
        self.pen.begin(np.arange(rows))
        shape = (steps, rows, *(self.observation_space.shape or ()))
        obs, actions = np.zeros(shape, np.uint8), np.full((steps, rows), -1)
        earned = np.zeros((steps, rows))
        for t in range(steps):
            self.pen.observe(canvas, target, np.full(rows, t), obs[t])
            actions[t] = [
                hand.move(x, y) for hand, (x, y) in zip(hands, self.pen.place.tolist(), strict=True)
            ]
            before = error.copy()
            # Who is done makes a move that draws nothing.
            self.pen.apply(np.where(actions[t] < 0, _IDLE, actions[t]), canvas, target, error)
            earned[t] = (before - error) / (255.0**2 * size * size) * self.weight
        known = actions >= 0
        return Played(obs[known], actions[known], _returns(earned, gamma)[known])


def _returns(earned: NDArray[np.float64], gamma: float) -> NDArray[np.float32]:
    """Discounted sums `(T, B)` of what is earned from each step on."""
    total = np.zeros_like(earned)
    after = np.zeros(earned.shape[1])
    for t in reversed(range(len(earned))):
        total[t] = after = earned[t] + gamma * after
    return total.astype(np.float32)
