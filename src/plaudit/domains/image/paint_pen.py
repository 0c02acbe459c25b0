"""The pen: moves on the pixel grid, drawing or lifted, after Doodle-SDQ (Zhou et al., 2018).

It draws to any place 1 or 3 pixels away (the rings of 3 x 3 and 7 x 7), goes lifted by 1 or 2 pixels in eight
directions, is set down where most ink is missing in one of 7 x 7 blocks of the canvas, or rubs out along 1
pixel: 105 actions. Width and ink are fixed. The policy sees what is around the pen, as the paper's 11 x 11
patch, and what there is to gain in each block. Departs from the paper, whose pen reaches what is in the patch
alone: to find what is left farther away then takes many moves that earn nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.image.paint_kernels import draw_capsule
from plaudit.engine.env import State

WIDTH = 1.8 / 28
"""Of the pen's line, in widths of the canvas."""
RINGS, UP = (1, 3), (1, 2)
"""How far a move goes in pixels, the farther of right and down: drawing, and lifted."""
BLOCKS = 7
"""Blocks along a side of the canvas."""
LIFTED, DRAWN, RUBBED, SET = 0, 1, 2, 3
_PLACES = [(x, y) for y in range(-3, 4) for x in range(-3, 4)]
MOVES = np.array(
    [(x, y, DRAWN) for x, y in _PLACES if max(abs(x), abs(y)) in RINGS]
    + [(x * n, y * n, LIFTED) for n in UP for x, y in _PLACES if max(abs(x), abs(y)) == 1]
    + [(x, y, RUBBED) for x, y in _PLACES if max(abs(x), abs(y)) == 1]
    + [(x, y, SET) for y in range(BLOCKS) for x in range(BLOCKS)],
    np.int64,
)
"""`(A, 3)`: to the right, down (for `SET` the block's column and row), and what is done."""
PATCH = 11
"""Side of what is seen in full."""
NEAR = 3 * PATCH * PATCH + BLOCKS * BLOCKS + 4


class Pen:
    """Moves one pen a row; see `plaudit.domains.image.paint_env.Tool`."""

    def __init__(self, size: int, moves: int, near: bool, rows: int) -> None:
        self.size, self.steps, self.near = size, moves, near
        shape = (NEAR,) if near else (size, size, 4)
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)
        self.action_space = spaces.Discrete(len(MOVES))
        self.radius = np.float32(WIDTH * size / 2)
        self.pens = np.zeros((rows, 4), np.int64)
        # Views: where the pens are, what they did last, and how many strokes they have begun.
        self.place, self.did, self.count = self.pens[:, :2], self.pens[:, 2], self.pens[:, 3]

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
    """Move every pen `(B, 4)`: x, y, what it did last, strokes begun. Places stay on the canvas."""
    piece = np.empty(7, np.float32)
    piece[4], piece[5] = radius, 1.0
    size = canvas.shape[1]
    for row in range(len(action)):
        move = MOVES[action[row]]
        if move[2] == SET:
            x, y = barest(canvas[row], target[row], move[0], move[1])
        else:
            x = min(size - 1, max(0, pens[row, 0] + move[0]))
            y = min(size - 1, max(0, pens[row, 1] + move[1]))
        did = LIFTED if move[2] == SET else move[2]
        if did != LIFTED:
            piece[0], piece[1] = pens[row, 0] + 0.5, pens[row, 1] + 0.5
            piece[2], piece[3], piece[6] = x + 0.5, y + 0.5, did == RUBBED
            error[row] += draw_capsule(canvas[row], target[row], piece)
            pens[row, 3] += did != pens[row, 2]
        pens[row, 2] = did
        pens[row, 0], pens[row, 1] = x, y


@njit(cache=True, nogil=True)
def barest(canvas: Any, target: Any, column: Any, line: Any) -> Any:
    """The pixel (x, y) of a block that misses most ink; where none does, the block's middle."""
    size = canvas.shape[0]
    x, y = (2 * column + 1) * size // (2 * BLOCKS), (2 * line + 1) * size // (2 * BLOCKS)
    most = 0
    for i in range(-(-line * size // BLOCKS), -(-(line + 1) * size // BLOCKS)):
        for j in range(-(-column * size // BLOCKS), -(-(column + 1) * size // BLOCKS)):
            off = int(target[i, j]) - int(canvas[i, j])
            if off > most:
                most, x, y = off, j, i
    return x, y


@njit(cache=True, nogil=True)
def see_near(canvas: Any, target: Any, pens: Any, spent: Any, out: Any) -> None:
    """Write what pens see, `(B, NEAR)` uint8.

    Near: missing ink, surplus ink and ink; then what there is to gain in the blocks; four numbers. Without
    the ink itself, paper that shall stay white looks like a line that is done: to draw over the one costs,
    over the other not. To gain there is what full ink would take off the error, pixel by pixel: a line's
    grey edges miss ink for ever, and a pen that goes by them never stops coming back.
    """
    size, area, half = canvas.shape[1], PATCH * PATCH, PATCH // 2
    block = np.array([i * BLOCKS // size for i in range(size)])
    count = np.bincount(block, minlength=BLOCKS)
    sums = np.zeros((BLOCKS, BLOCKS), np.int64)
    for row in range(len(canvas)):
        out[row, :] = 0
        sums[:, :] = 0
        x, y = pens[row, 0], pens[row, 1]
        for i in range(size):
            for j in range(size):
                ink = canvas[row, i, j]
                off = int(target[row, i, j]) - int(ink)
                if off == 0 and ink == 0:
                    continue
                v, u = i - y + half, j - x + half
                if 0 <= v < PATCH and 0 <= u < PATCH:
                    out[row, (0 if off > 0 else area) + v * PATCH + u] = abs(off)
                    out[row, 2 * area + v * PATCH + u] = ink
                if off > 0:
                    over = 255 - int(target[row, i, j])
                    sums[block[i], block[j]] += max(0, off * off - over * over) // 255
        for v in range(BLOCKS):
            for u in range(BLOCKS):
                out[row, 3 * area + v * BLOCKS + u] = sums[v, u] // (count[v] * count[u])
        at = 3 * area + BLOCKS * BLOCKS
        out[row, at], out[row, at + 1] = x * 255 // size, y * 255 // size
        out[row, at + 2], out[row, at + 3] = 255 * (pens[row, 2] == DRAWN), spent[row]


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
