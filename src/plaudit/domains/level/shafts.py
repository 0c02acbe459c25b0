"""The look of runner levels: a cavern by lamplight, brick floors, stone, ladders, ropes, gold and guards.

Our own drawing, 16 pixels a cell. Painters know a cell by its neighbours and its place alone, so that a map
of any size draws the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from plaudit.domains.level.game import Maps
from plaudit.domains.level.things import DARK_WOOD, GOLD, INK, LIGHT, PAINTERS, SIDE, SKIN, WHITE, Colour, Pen

DEEP, NEAR = np.array((26, 28, 48.0)), np.array((52, 48, 72.0))
VEIN: Colour = (44, 42, 64)
STONE: Colour = (104, 112, 134)
STONE_LIGHT: Colour = (146, 154, 174)
STONE_DARK: Colour = (66, 72, 94)
BRICK: Colour = (186, 96, 62)
BRICK_LIGHT: Colour = (222, 140, 92)
MORTAR: Colour = (94, 46, 42)
RAIL: Colour = (214, 176, 104)
RAIL_DARK: Colour = (150, 108, 62)
CORD: Colour = (206, 196, 164)
CORD_DARK: Colour = (140, 128, 104)
ROBE: Colour = (178, 52, 78)
ROBE_DARK: Colour = (122, 32, 58)
GLOW: Colour = (250, 236, 176)
_FRAME = "frame"


def draw_cavern(level: Maps, names: Sequence[str]) -> Image.Image:
    """Draw a level `(H, W)` by the names of its tiles, inside a frame of stone one cell wide."""
    kinds = np.pad(np.array(names, dtype="<U8")[level], 1, constant_values=_FRAME)
    image = _backdrop(*kinds.shape)
    draw = ImageDraw.Draw(image)
    for y, x in np.ndindex(kinds.shape):
        _paint(Pen(draw, x * SIDE, y * SIDE), kinds, y, x)
    return image


def draw_cavern_tile(name: str) -> Image.Image:
    """One tile `(SIDE, SIDE)` for a tileset, between two of its own kind."""
    image = Image.new("RGB", (SIDE, SIDE), tuple(int(c) for c in (DEEP + NEAR) / 2))
    kinds = np.full((3, 3), "open", dtype="<U8")
    kinds[1] = name
    _paint(Pen(ImageDraw.Draw(image), 0, 0), kinds, 1, 1)
    return image


def _paint(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    name = str(kinds[y, x])
    if name in BUILT:
        BUILT[name](pen, kinds, y, x)
    elif name in OWN or name in PAINTERS:
        (OWN.get(name) or PAINTERS[name])(pen)


def _backdrop(rows: int, columns: int) -> Image.Image:
    """Rock that is lighter towards the middle, with veins in it."""
    height, width = rows * SIDE, columns * SIDE
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
    light = np.clip(1.0 - 0.5 * (x**2 + y**2), 0.0, 1.0)[..., None]
    image = Image.fromarray((DEEP + (NEAR - DEEP) * light).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for number in range(rows * columns // 6):
        left, top = (number * 157 + 31) % width, (number * 89 + 17) % height
        long = 5 + number * 7 % 9
        draw.line([(left, top), (left + long, top + number % 5 - 2)], fill=VEIN)
    return image


def _stone(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """A hewn block, lit from above."""
    del kinds
    pen.box(0, 0, 15, 15, STONE)
    pen.box(0, 0, 15, 1, STONE_LIGHT)
    pen.box(0, 0, 0, 15, STONE_LIGHT)
    pen.box(0, 14, 15, 15, STONE_DARK)
    pen.box(15, 1, 15, 15, STONE_DARK)
    for number in range(2):  # a few chips, always the same ones in the same cell
        left, top = 3 + (x * 5 + y * 3 + number * 7) % 9, 4 + (x * 3 + y * 7 + number * 5) % 7
        pen.box(left, top, left + 1 + number, top, STONE_DARK if number else STONE_LIGHT)


def _frame(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """Dark rock around the level."""
    del kinds
    pen.box(0, 0, 15, 15, STONE_DARK)
    left, top = 2 + (x * 7 + y * 3) % 9, 3 + (x * 5 + y * 11) % 9
    pen.box(left, top, left + 3, top + 1, (54, 58, 80))


def _bricks(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """Three courses of bricks, which go on from cell to cell."""
    pen.box(0, 0, 15, 15, MORTAR)
    for top, shift in ((0, 0), (5, 4), (10, 0)):
        for left in range(-shift, 16, 8):
            low, high = max(left, 0), min(left + 6, 15)
            pen.box(low, top, high, top + 3, BRICK)
            pen.box(low, top, high, top, BRICK_LIGHT)
    if kinds[y - 1, x] not in (*BUILT_SOLID, _FRAME):  # the edge that one stands on
        pen.box(0, 0, 15, 0, (240, 172, 120))


def _ladder(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """Two rails and four rungs; the rails end above the floor that the ladder leads to."""
    for left in (2, 12):
        pen.box(left, 0, left + 1, 15, RAIL)
        pen.box(left + 1, 0, left + 1, 15, RAIL_DARK)
    for top in (2, 6, 10, 14):
        pen.box(4, top, 11, top, RAIL)
        pen.box(4, top + 1, 11, top + 1, RAIL_DARK)
    if kinds[y - 1, x] != "ladder":
        for left in (2, 12):
            pen.box(left, 0, left + 1, 0, GLOW)


def _rope(pen: Pen, kinds: NDArray[np.str_], y: int, x: int) -> None:
    """A rope near the upper edge, with a peg where it ends."""
    pen.box(0, 3, 15, 3, CORD)
    pen.box(0, 4, 15, 4, CORD_DARK)
    for left in range(1, 16, 4):
        pen.box(left, 3, left, 4, CORD_DARK)
        pen.box(left + 1, 4, left + 1, 4, CORD)
    for beside, left in ((kinds[y, x - 1], 0), (kinds[y, x + 1], 13)):
        if beside != "rope":
            pen.box(left, 1, left + 2, 6, RAIL_DARK)
            pen.box(left, 1, left + 2, 1, RAIL)


def _gold(pen: Pen) -> None:
    """Three bars of gold."""
    for left, top in ((1, 11), (8, 11), (4, 7)):
        pen.shape([(left + 1, top), (left + 5, top), (left + 6, top + 4), (left, top + 4)], GOLD)
        pen.box(left + 1, top, left + 5, top, LIGHT)
        pen.box(left, top + 4, left + 6, top + 4, (160, 108, 36))


def _guard(pen: Pen) -> None:
    """A guard in a red robe and helmet, with a spear."""
    pen.box(13, 1, 13, 15, DARK_WOOD)
    pen.shape([(12, 3), (13, 0), (14, 3)], WHITE)
    pen.disc(4, 3, 10, 9, SKIN)
    pen.shape([(3, 5), (5, 1), (9, 1), (11, 5)], STONE)
    pen.box(3, 5, 11, 5, STONE_LIGHT)
    pen.box(6, 6, 6, 7, INK)
    pen.box(9, 6, 9, 7, INK)
    pen.shape([(4, 9), (10, 9), (12, 15), (2, 15)], ROBE)
    pen.box(7, 10, 7, 15, ROBE_DARK)
    pen.box(10, 10, 13, 11, ROBE)


def _exit(pen: Pen) -> None:
    """An archway with daylight behind it."""
    pen.disc(1, 0, 14, 13, STONE_LIGHT)
    pen.box(1, 6, 14, 15, STONE_LIGHT)
    pen.disc(3, 2, 12, 11, GLOW)
    pen.box(3, 7, 12, 15, GLOW)
    pen.box(5, 6, 10, 15, WHITE)
    pen.box(1, 6, 1, 15, STONE_DARK)
    pen.box(14, 6, 14, 15, STONE_DARK)


BUILT_SOLID = ("wall", "brick")
BUILT: dict[str, Callable[[Pen, NDArray[np.str_], int, int], None]] = {
    "wall": _stone,
    "brick": _bricks,
    "ladder": _ladder,
    "rope": _rope,
    _FRAME: _frame,
}
OWN: dict[str, Callable[[Pen], None]] = {"gold": _gold, "guard": _guard, "exit": _exit}
"""Things that look otherwise here than in the other games."""
