"""The pen: local moves on the pixel grid, drawing or lifted, as in Doodle-SDQ (Zhou et al., 2018).

Eight directions; three lengths with the pen down (1, 2 and 4 pixels) and two with the pen up (2 and 6): 40
actions. Width and ink of the pen are fixed. The policy sees missing and surplus ink, near the pen in full,
farther away by blocks of 4 x 4, always with the pen in the middle, as the paper's 11 x 11 patch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.image.paint_kernels import draw_capsule
from plaudit.engine.env import State

DOWN, UP = (1, 2, 4), (2, 6)
"""Lengths of a move in pixels, along both axes where it is diagonal."""
DIRECTIONS = ((0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1))
MOVES = np.array(
    [(dx * n, dy * n, 1) for n in DOWN for dx, dy in DIRECTIONS]
    + [(dx * n, dy * n, 0) for n in UP for dx, dy in DIRECTIONS],
    np.int64,
)
"""`(A, 3)`: to the right, down, and whether it draws."""
PATCH = 11
"""Side of what is seen in full."""
BLOCKS, BLOCK = 14, 4
"""Side of what is seen coarsely, in blocks, and of a block in pixels."""
NEAR = 2 * PATCH * PATCH + BLOCKS * BLOCKS + 4


class Pen:
    """Moves one pen a row; see `plaudit.domains.image.paint_env.Tool`."""

    def __init__(self, size: int, moves: int, width: float, near: bool, rows: int) -> None:
        self.size, self.steps, self.near = size, moves, near
        shape = (NEAR,) if near else (size, size, 4)
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)
        self.action_space = spaces.Discrete(len(MOVES))
        self.radius = np.float32(width * size / 2)
        self.pens = np.zeros((rows, 4), np.int64)
        # Views: where the pens are, whether they drew last, and how many strokes they have begun.
        self.place, self.down, self.count = self.pens[:, :2], self.pens[:, 2], self.pens[:, 3]

    def begin(self, rows: NDArray[Any]) -> None:
        self.place[rows], self.pens[rows, 2:] = self.size // 2, 0

    def apply(self, action: Any, canvas: Any, target: Any, error: Any) -> None:
        move_pens(action, self.radius, self.pens, canvas, target, error)

    def observe(self, canvas: Any, target: Any, done: Any, out: Any) -> None:
        spent = done * 255 // self.steps
        if self.near:
            see_near(canvas, target, self.pens, spent, out)
        else:
            see_planes(canvas, target, self.pens, spent, out.view("<u4")[..., 0])

    def strokes(self) -> NDArray[np.int64]:
        return self.count

    def state_dict(self) -> State:
        return {"pens": self.pens.copy()}

    def load_state_dict(self, state: State) -> None:
        self.pens[...] = state["pens"]


@njit(cache=True, nogil=True)
def move_pens(action: Any, radius: Any, pens: Any, canvas: Any, target: Any, error: Any) -> None:
    """Move every pen `(B, 4)`: x, y, whether it drew, strokes begun. Places stay on the canvas."""
    piece = np.empty(7, np.float32)
    piece[4], piece[5], piece[6] = radius, 1.0, 0.0
    last = canvas.shape[1] - 1
    for row in range(len(action)):
        move = MOVES[action[row]]
        x = min(last, max(0, pens[row, 0] + move[0]))
        y = min(last, max(0, pens[row, 1] + move[1]))
        if move[2]:
            piece[0], piece[1] = pens[row, 0] + 0.5, pens[row, 1] + 0.5
            piece[2], piece[3] = x + 0.5, y + 0.5
            error[row] += draw_capsule(canvas[row], target[row], piece)
            pens[row, 3] += 1 - pens[row, 2]
        pens[row, 2] = move[2]
        pens[row, 0], pens[row, 1] = x, y


@njit(cache=True, nogil=True)
def see_near(canvas: Any, target: Any, pens: Any, spent: Any, out: Any) -> None:
    """Write what pens see, `(B, NEAR)` uint8: missing and surplus ink near, missing ink far, four numbers."""
    size, area, half = canvas.shape[1], PATCH * PATCH, PATCH // 2
    reach = BLOCKS * BLOCK // 2
    sums = np.zeros((BLOCKS, BLOCKS), np.int64)
    for row in range(len(canvas)):
        out[row, :] = 0
        sums[:, :] = 0
        x, y = pens[row, 0], pens[row, 1]
        for i in range(size):
            for j in range(size):
                off = int(target[row, i, j]) - int(canvas[row, i, j])
                if off == 0:
                    continue
                v, u = i - y + half, j - x + half
                if 0 <= v < PATCH and 0 <= u < PATCH:
                    out[row, (0 if off > 0 else area) + v * PATCH + u] = abs(off)
                v, u = (i - y + reach) // BLOCK, (j - x + reach) // BLOCK
                if off > 0 and 0 <= v < BLOCKS and 0 <= u < BLOCKS:
                    sums[v, u] += off
        for v in range(BLOCKS):
            for u in range(BLOCKS):
                out[row, 2 * area + v * BLOCKS + u] = sums[v, u] // (BLOCK * BLOCK)
        at = 2 * area + BLOCKS * BLOCKS
        out[row, at], out[row, at + 1] = x * 255 // size, y * 255 // size
        out[row, at + 2], out[row, at + 3] = 255 * pens[row, 2], spent[row]


@njit(cache=True, nogil=True)
def see_planes(canvas: Any, target: Any, pens: Any, spent: Any, out: Any) -> None:
    """Write `(B, H, W)` uint32: of each pixel target, canvas, difference (128 = none), pen and steps spent.

    Four bytes at once, the lowest first, which is four times as fast as one by one.
    """
    for row in range(len(canvas)):
        time = np.uint32(spent[row] // 2) << np.uint32(24)
        for i in range(canvas.shape[1]):
            for j in range(canvas.shape[2]):
                a, b = np.uint32(target[row, i, j]), np.uint32(canvas[row, i, j])
                off = (np.uint32(256) + a - b) >> np.uint32(1)
                out[row, i, j] = a | (b << np.uint32(8)) | (off << np.uint32(16)) | time
        out[row, pens[row, 1], pens[row, 0]] |= np.uint32(0xFF000000)
