"""How a person's drawing is made with the pen: its moves, in the person's order, and what they earn.

Each line is followed as far as a move of the pen goes, so that corners between two moves are cut by a pixel at
most. `Tracing` plays drawings side by side and gives transitions with the whole discounted return of each:
what `plaudit.engine.imitation` learns from.
"""

from __future__ import annotations

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
_FAR = 3
"""Farthest a drawing move goes, in pixels along either axis."""


def moves_of(lines: list[Line], size: int) -> list[int]:
    """The pen's moves that draw `lines` in their order."""
    moves: list[int] = []
    at = None
    for line in lines:
        path = _pixels(line, size)
        if at is None or tuple(path[0]) != at:
            moves += _set_down(path[0], size)
        places = [tuple(path[0])]
        k = 0
        while k < len(path) - 1:
            k, steps = _reach(path, k)
            moves += [_NUMBER[(dx, dy, DRAWN)] for dx, dy in steps]
        at = tuple(path[k]) if k else places[0]
    return moves


def _pixels(line: Line, size: int) -> NDArray[np.int64]:
    """The pixels `(N, 2)` that a line goes through, one step of a pixel apart, both axes at once at most."""
    found = [np.floor(line[0]).astype(np.int64)]
    for start, end in zip(line[:-1], line[1:], strict=True):
        steps = max(1, int(np.ceil(np.abs(end - start).max())))
        for k in range(1, steps + 1):
            place = np.floor(start + (end - start) * k / steps).astype(np.int64)
            if (place != found[-1]).any():
                found.append(place)
    return np.clip(np.array(found), 0, size - 1)


def _reach(path: NDArray[np.int64], k: int) -> tuple[int, list[tuple[int, int]]]:
    """The next place along the path, and the moves that draw to it: one of 3 pixels, else one of 1."""
    off = np.abs(path[k : k + _FAR + 1] - path[k]).max(1)
    if len(off) == _FAR + 1 and off[_FAR] == _FAR:
        dx, dy = (path[k + _FAR] - path[k]).tolist()
        return k + _FAR, [(dx, dy)]
    dx, dy = (path[k + 1] - path[k]).tolist()
    return k + 1, [(dx, dy)] if max(abs(dx), abs(dy)) == 1 else []


def _set_down(place: NDArray[np.int64], size: int) -> list[int]:
    """Moves that bring the pen to a place: set down in its block, then lifted by 1 or 2 pixels at a time."""
    block = place * BLOCKS // size
    moves = [_NUMBER[(int(block[0]), int(block[1]), SET)]]
    here = (2 * block + 1) * size // (2 * BLOCKS)
    while (here != place).any():
        off = place - here
        step = np.sign(off) * (2 if np.abs(off).min() >= 2 or _straight(off) else 1)
        moves.append(_NUMBER[(int(step[0]), int(step[1]), LIFTED)])
        here = here + step
    return moves


def _straight(off: NDArray[np.int64]) -> bool:
    return bool(np.abs(off).min() == 0 and np.abs(off).max() >= 2)


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
        plans = [moves_of(self.drawings.lines(int(n)), size)[:steps] for n in numbers]
        length = np.array([len(plan) for plan in plans])
        actions = np.zeros((length.max(), rows), np.int64)
        for row, plan in enumerate(plans):
            actions[: len(plan), row] = plan
        target = self.drawings.take(numbers)
        canvas, error = np.zeros_like(target), np.zeros(rows, np.int64)
        squared_error(canvas, target, error)
        self.pen.begin(np.arange(rows))
        shape = self.observation_space.shape or ()
        obs = np.zeros((len(actions), rows, *shape), np.uint8)
        earned = np.zeros((len(actions), rows))
        for t, action in enumerate(actions):
            self.pen.observe(canvas, target, np.full(rows, t), obs[t])
            before = error.copy()
            self.pen.apply(action, canvas, target, error)
            earned[t] = (before - error) / (255.0**2 * size * size) * self.weight
        known = np.arange(len(actions))[:, None] < length
        earned[~known] = 0.0
        return Played(obs[known], actions[known], _returns(earned, gamma)[known])


def _returns(earned: NDArray[np.float64], gamma: float) -> NDArray[np.float32]:
    """Discounted sums `(T, B)` of what is earned from each step on."""
    total = np.zeros_like(earned)
    after = np.zeros(earned.shape[1])
    for t in reversed(range(len(earned))):
        total[t] = after = earned[t] + gamma * after
    return total.astype(np.float32)
