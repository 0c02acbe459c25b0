"""The look of tile maps: our own drawn tiles, 16 pixels a cell, in plain NumPy.

One painter a kind of tile; a painter knows the place of its cell only through its neighbours, so that
any map of any size draws the same way. Positions are mixed into a fixed grain: no picture is random.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from plaudit.engine.random import splitmix

SIDE = 16
"""Pixels of one cell."""
Pixels = NDArray[np.float64]
Colour = tuple[int, int, int]

FLOOR: Colour = (236, 224, 200)
SHADOW: Colour = (196, 178, 150)
TOP: Colour = (58, 72, 104)
EDGE: Colour = (96, 116, 158)
FRONT: Colour = (38, 46, 70)
MORTAR: Colour = (27, 33, 52)
TRAIL: Colour = (214, 92, 58)
BEGIN: Colour = (46, 134, 98)
END: Colour = (190, 52, 72)


def draw_map(open_cells: NDArray[np.bool_]) -> Image.Image:
    """Draw a map `(H, W)`, True = one can walk there, inside a border of wall one cell wide."""
    free = np.pad(np.asarray(open_cells, bool), 1)
    height, width = free.shape
    canvas = np.empty((height * SIDE, width * SIDE, 3))
    for y in range(height):
        for x in range(width):
            block = canvas[y * SIDE : (y + 1) * SIDE, x * SIDE : (x + 1) * SIDE]
            (_paint_floor if free[y, x] else _paint_wall)(block, free, y, x)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def draw_trail(image: Image.Image, cells: Sequence[tuple[int, int]]) -> None:
    """Mark a walk over cells `(y, x)` with dots, its first cell and its last."""
    pen = ImageDraw.Draw(image)
    for cell in cells[1:-1]:
        _disc(pen, cell, 2, TRAIL)
    if cells:
        draw_marks(image, [(cells[0], BEGIN), (cells[-1], END)])


def draw_marks(image: Image.Image, marks: Iterable[tuple[tuple[int, int], Colour]]) -> None:
    """Put a coloured disc with a light rim on each cell `(y, x)`."""
    pen = ImageDraw.Draw(image)
    for cell, colour in marks:
        _disc(pen, cell, 6, (255, 250, 240))
        _disc(pen, cell, 4, colour)


def _disc(pen: ImageDraw.ImageDraw, cell: tuple[int, int], radius: int, colour: Colour) -> None:
    y, x = ((i + 1) * SIDE + SIDE // 2 for i in cell)
    pen.ellipse((x - radius, y - radius, x + radius - 1, y + radius - 1), fill=colour)


def _paint_floor(block: Pixels, free: NDArray[np.bool_], y: int, x: int) -> None:
    block[:] = FLOOR
    # Flagstones: every other cell a shade apart, and a few worn pixels.
    block -= 5.0 * ((x + y) % 2)
    block -= 9.0 * (_grain(y, x) > 0.93)[..., None]
    if not free[y - 1, x]:  # the wall above throws a shadow
        block[:4] = 0.55 * block[:4] + 0.45 * np.array(SHADOW)
        block[:2] = SHADOW
    if not free[y, x - 1]:
        block[:, :2] = 0.5 * block[:, :2] + 0.5 * np.array(SHADOW)


def _paint_wall(block: Pixels, free: NDArray[np.bool_], y: int, x: int) -> None:
    height, width = free.shape
    block[:] = TOP
    block += 7.0 * (_grain(y, x) > 0.9)[..., None]
    if y and free[y - 1, x]:
        block[:1] = EDGE
    if x and free[y, x - 1]:
        block[:, :1] = EDGE
    if x + 1 < width and free[y, x + 1]:
        block[:, -1:] = FRONT
    if y + 1 < height and free[y + 1, x]:  # one sees the front of the wall: two courses of bricks
        block[8:] = FRONT
        block[8] = EDGE
        block[12] = block[15] = MORTAR
        block[9:12, (4 * (x % 2) + 3) % SIDE :: 8] = MORTAR
        block[13:15, (4 * (x % 2) + 7) % SIDE :: 8] = MORTAR


def _grain(y: int, x: int) -> NDArray[np.float64]:
    """A fixed pattern `(SIDE, SIDE)` in [0, 1) for a cell."""
    start = np.uint64((y * 131 + x) * SIDE * SIDE)
    mixed = splitmix(start + np.arange(SIDE * SIDE, dtype=np.uint64))
    return ((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(SIDE, SIDE)
