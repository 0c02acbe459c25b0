"""The look of platformers, seen from the side: sky with hills and clouds, ground with grass, pipes, blocks.

Our own drawing, 16 pixels a cell. Painters know a cell by its neighbours and its place alone, so that a map
of any size draws the same way; `things.py` draws what stands in the air.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from plaudit.domains.level.game import Maps
from plaudit.domains.level.things import GOLD, INK, LIGHT, PAINTERS, RED, SIDE, WHITE, Colour, Pen

SKY_TOP, SKY_LOW = np.array((104, 172, 226.0)), np.array((206, 232, 240.0))
FAR_HILL, NEAR_HILL = np.array((150, 200, 196.0)), np.array((120, 182, 150.0))
CLOUD: Colour = (244, 250, 252)
GRASS: Colour = (98, 176, 76)
GRASS_LIGHT: Colour = (142, 208, 98)
GRASS_DARK: Colour = (62, 128, 62)
SOIL: Colour = (150, 104, 66)
SOIL_DARK: Colour = (122, 82, 54)
PEBBLE: Colour = (176, 132, 90)
PIPE: Colour = (58, 152, 98)
PIPE_LIGHT: Colour = (130, 206, 138)
PIPE_DARK: Colour = (28, 92, 66)
BRICK: Colour = (200, 116, 72)
BRICK_LIGHT: Colour = (230, 158, 106)
MORTAR: Colour = (120, 60, 46)
NAMES = ("wall", "pipe", "block")
"""Tiles that are drawn here; the others are drawn on the sky by their painters."""


def draw_scene(level: Maps, names: Sequence[str]) -> Image.Image:
    """Draw a level `(H, W)` by the names of its tiles, one cell of sky and of soil around it."""
    padded = np.pad(level, 1, mode="edge")
    image = _backdrop(*padded.shape)
    draw = ImageDraw.Draw(image)
    kinds = np.array(names)[padded]
    # Around the level there is nothing but what it stands on.
    kinds[0] = np.where(np.isin(kinds[0], NAMES), kinds[0], "open")
    kinds[:, 0] = np.where(kinds[:, 0] == "wall", "wall", "open")
    kinds[:, -1] = np.where(kinds[:, -1] == "wall", "wall", "open")
    kinds[-1] = np.where(kinds[-1] == "wall", "wall", "open")
    for y, x in np.ndindex(kinds.shape):
        pen = Pen(draw, x * SIDE, y * SIDE)
        if kinds[y, x] in SOLIDS:
            SOLIDS[kinds[y, x]](pen, kinds, y, x)
        elif kinds[y, x] in OWN:
            OWN[kinds[y, x]](pen)
        elif kinds[y, x] in PAINTERS:
            PAINTERS[kinds[y, x]](pen)
    return image


def draw_tile(name: str) -> Image.Image:
    """One tile `(SIDE, SIDE)` for a tileset: solid ones as they are inside of a body, the others on sky."""
    image = Image.new("RGB", (SIDE, SIDE), tuple(int(c) for c in (SKY_TOP + SKY_LOW) / 2))
    pen = Pen(ImageDraw.Draw(image), 0, 0)
    around = np.full((3, 3), "open", dtype="<U8")
    around[1:, 1] = name
    if name in SOLIDS:
        SOLIDS[name](pen, around, 1, 1)
    elif name in OWN or name in PAINTERS:
        (OWN.get(name) or PAINTERS[name])(pen)
    return image


def _backdrop(rows: int, columns: int) -> Image.Image:
    """Sky that fades towards the ground, two lines of hills, and clouds."""
    height, width = rows * SIDE, columns * SIDE
    down = np.linspace(0.0, 1.0, height)[:, None, None]
    canvas = np.broadcast_to(SKY_TOP + (SKY_LOW - SKY_TOP) * down, (height, width, 3)).copy()
    x, y = np.arange(width), np.arange(height)[:, None]
    far = height * (0.62 - 0.10 * np.sin(x / 71.0) - 0.05 * np.sin(x / 29.0 + 1.0))
    near = height * (0.76 - 0.08 * np.sin(x / 53.0 + 2.0) - 0.03 * np.sin(x / 17.0))
    canvas[y > far] = FAR_HILL
    canvas[y > near] = NEAR_HILL
    image = Image.fromarray(canvas.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for number in range(max(1, columns // 9)):
        left, top = (number * 149 + 37) % width, 10 + (number * 61) % max(height // 3, 1)
        for dx, dy, size in ((0, 4, 14), (9, 0, 18), (22, 4, 14)):
            draw.ellipse((left + dx, top + dy, left + dx + size, top + dy + size * 2 // 3), fill=CLOUD)
    return image


def _soil(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """Soil, with grass where there is no more of it above, and an edge beside the air."""
    pen.box(0, 0, 15, 15, SOIL)
    for number in range(3):  # a few stones, always the same ones in the same cell
        at = (x * 7 + y * 13 + number * 5) % 12, (x * 11 + y * 3 + number * 7) % 12
        pen.box(at[0], at[1], at[0] + 2, at[1] + 1, PEBBLE if number else SOIL_DARK)
    if x > 0 and kinds[y, x - 1] != "wall":
        pen.box(0, 0, 1, 15, SOIL_DARK)
    if x + 1 < kinds.shape[1] and kinds[y, x + 1] != "wall":
        pen.box(14, 0, 15, 15, SOIL_DARK)
    if y == 0 or kinds[y - 1, x] != "wall":
        pen.box(0, 0, 15, 4, GRASS)
        pen.box(0, 0, 15, 1, GRASS_LIGHT)
        for left in range(0, 16, 4):
            pen.box(left + (x + y) % 2, 5, left + 1 + (x + y) % 2, 6, GRASS)
        pen.box(0, 4, 15, 4, GRASS_DARK)


def _pipe(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """The left or right half of a pipe, with a rim at its upper end; one without a partner is narrow."""
    left = x > 0 and kinds[y, x - 1] == "pipe"
    right = x + 1 < kinds.shape[1] and kinds[y, x + 1] == "pipe"
    rim = y == 0 or kinds[y - 1, x] != "pipe"
    begin, end = (0 if left else 2), (15 if right else 13)
    pen.box(begin, 0, end, 15, PIPE)
    if not left:
        pen.box(begin, 0, begin, 15, PIPE_DARK)
        pen.box(begin + 3, 0, begin + 5, 15, PIPE_LIGHT)
    if not right:
        pen.box(end - 3, 0, end, 15, PIPE_DARK)
    if rim:
        begin, end = 0, 15
        pen.box(begin, 0, end, 6, PIPE)
        pen.box(begin, 0, end, 0, PIPE_LIGHT)
        pen.box(begin, 6, end, 6, PIPE_DARK)
        if not left:
            pen.box(0, 0, 0, 6, PIPE_DARK)
            pen.box(2, 1, 4, 5, PIPE_LIGHT)
        if not right:
            pen.box(13, 1, 15, 6, PIPE_DARK)


def _block(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """Bricks in two courses."""
    del kinds, y
    pen.box(0, 0, 15, 15, MORTAR)
    for top, shift in ((0, 0), (5, 4), (10, 0)):
        for left in range(-shift, 16, 8):
            low, high = max(left, 0), min(left + 6, 15)
            if low <= high:
                pen.box(low, top, high, min(top + 3, 14), BRICK)
                pen.box(low, top, high, top, BRICK_LIGHT)
    del x


def _coin(pen: Pen) -> None:
    """A golden coin."""
    pen.disc(4, 2, 11, 13, INK)
    pen.disc(5, 3, 10, 12, GOLD)
    pen.box(7, 5, 8, 10, LIGHT)


def _flag(pen: Pen) -> None:
    """A red flag on a pole."""
    pen.box(3, 0, 4, 15, INK)
    pen.box(3, 1, 3, 15, WHITE)
    pen.shape([(5, 1), (14, 4), (5, 8)], RED)
    pen.box(1, 14, 7, 15, INK)


def _spiny(pen: Pen) -> None:
    """A beetle with spines on its back: not to be touched."""
    for left in (1, 5, 9):
        pen.shape([(left, 9), (left + 2, 2), (left + 5, 9)], WHITE)
    pen.disc(1, 6, 14, 17, (168, 56, 58))
    pen.box(1, 12, 14, 13, (240, 198, 160))
    pen.box(2, 14, 5, 15, INK)
    pen.box(10, 14, 13, 15, INK)
    pen.box(3, 9, 5, 11, WHITE)
    pen.box(4, 10, 4, 11, INK)


SOLIDS: dict[str, Callable[[Pen, NDArray[np.str_], int, int], None]] = {
    "wall": _soil,
    "pipe": _pipe,
    "block": _block,
}
OWN: dict[str, Callable[[Pen], None]] = {"coin": _coin, "exit": _flag, "enemy": _spiny}
"""Things that look otherwise here than in the other games."""
