"""What stands on the cells of games: drawn by our own hand, 16 pixels a cell, one painter a tile name.

A painter gets a pen that draws on the cell alone, in pixels from its upper left corner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from plaudit.domains.level.game import Maps

SIDE = 16
Colour = tuple[int, int, int]
INK: Colour = (38, 34, 46)
GOLD: Colour = (226, 170, 58)
LIGHT: Colour = (255, 226, 138)
WOOD: Colour = (146, 92, 54)
DARK_WOOD: Colour = (104, 62, 38)
SKIN: Colour = (240, 198, 160)
GREEN: Colour = (64, 140, 92)
DARK_GREEN: Colour = (40, 98, 66)
RED: Colour = (196, 62, 62)
DARK_RED: Colour = (140, 38, 48)
PURPLE: Colour = (126, 84, 160)
BLUE: Colour = (86, 156, 214)
STEEL: Colour = (150, 160, 176)
WHITE: Colour = (250, 248, 240)


class Pen:
    """Rectangles, ellipses and polygons on one cell."""

    def __init__(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        self._draw, self._left, self._top = draw, left, top

    def box(self, x: int, y: int, right: int, bottom: int, fill: Colour) -> None:
        self._draw.rectangle(self._placed(x, y, right, bottom), fill=fill)

    def disc(self, x: int, y: int, right: int, bottom: int, fill: Colour) -> None:
        self._draw.ellipse(self._placed(x, y, right, bottom), fill=fill)

    def shape(self, points: Sequence[tuple[int, int]], fill: Colour) -> None:
        self._draw.polygon([(self._left + x, self._top + y) for x, y in points], fill=fill)

    def _placed(self, *corners: int) -> tuple[int, ...]:
        return tuple(at + (self._left, self._top)[i % 2] for i, at in enumerate(corners))


def player(pen: Pen) -> None:
    """A small adventurer in a green cap and tunic."""
    pen.disc(4, 2, 11, 9, SKIN)
    pen.shape([(3, 5), (7, 0), (12, 5)], GREEN)
    pen.box(3, 5, 12, 5, DARK_GREEN)
    pen.box(6, 6, 6, 7, INK)
    pen.box(9, 6, 9, 7, INK)
    pen.box(4, 9, 11, 13, GREEN)
    pen.box(4, 11, 11, 11, WOOD)
    pen.box(5, 14, 6, 15, DARK_WOOD)
    pen.box(9, 14, 10, 15, DARK_WOOD)


def key(pen: Pen) -> None:
    """A golden key."""
    pen.disc(1, 4, 8, 11, GOLD)
    pen.disc(3, 6, 6, 9, WHITE)
    pen.box(8, 7, 14, 8, GOLD)
    pen.box(11, 9, 11, 11, GOLD)
    pen.box(14, 9, 14, 12, GOLD)
    pen.box(2, 5, 5, 5, LIGHT)


def door(pen: Pen) -> None:
    """A wooden door with an arch and a knob."""
    pen.disc(2, 0, 13, 11, DARK_WOOD)
    pen.box(2, 6, 13, 15, DARK_WOOD)
    pen.disc(3, 1, 12, 10, WOOD)
    pen.box(3, 6, 12, 15, WOOD)
    pen.box(7, 1, 8, 15, DARK_WOOD)
    pen.disc(10, 8, 11, 9, LIGHT)


def enemy(pen: Pen) -> None:
    """A bat with its wings spread."""
    pen.shape([(0, 4), (5, 7), (5, 11), (2, 9)], PURPLE)
    pen.shape([(15, 4), (10, 7), (10, 11), (13, 9)], PURPLE)
    pen.disc(4, 4, 11, 12, INK)
    pen.shape([(4, 6), (5, 2), (7, 5)], INK)
    pen.shape([(11, 6), (10, 2), (8, 5)], INK)
    pen.box(6, 7, 6, 8, RED)
    pen.box(9, 7, 9, 8, RED)


def crate(pen: Pen) -> None:
    """A wooden crate."""
    pen.box(1, 1, 14, 14, DARK_WOOD)
    pen.box(2, 2, 13, 13, WOOD)
    pen.shape([(2, 3), (3, 2), (13, 12), (12, 13)], DARK_WOOD)
    pen.shape([(12, 2), (13, 3), (3, 13), (2, 12)], DARK_WOOD)


def target(pen: Pen) -> None:
    """A mark on the floor."""
    pen.disc(3, 3, 12, 12, RED)
    pen.disc(5, 5, 10, 10, WHITE)
    pen.disc(7, 7, 8, 8, RED)


def leave(pen: Pen) -> None:
    """Stairs that lead down and out."""
    pen.box(1, 1, 14, 14, INK)
    for step in range(4):
        pen.box(
            2 + 3 * step, 2 + 3 * step, 13, 4 + 3 * step, (200 - 40 * step, 188 - 38 * step, 170 - 34 * step)
        )


def potion(pen: Pen) -> None:
    """A flask of something red."""
    pen.box(6, 1, 9, 2, DARK_WOOD)
    pen.box(6, 3, 9, 6, STEEL)
    pen.disc(2, 5, 13, 15, STEEL)
    pen.disc(3, 8, 12, 14, RED)
    pen.box(5, 9, 6, 10, WHITE)


def treasure(pen: Pen) -> None:
    """A chest with a golden lock."""
    pen.disc(1, 3, 14, 10, WOOD)
    pen.box(1, 7, 14, 13, DARK_WOOD)
    pen.box(1, 7, 14, 7, GOLD)
    pen.box(6, 6, 9, 10, GOLD)
    pen.box(7, 8, 8, 9, INK)


def goblin(pen: Pen) -> None:
    """A small green head with long ears."""
    pen.shape([(0, 5), (5, 6), (5, 10)], GREEN)
    pen.shape([(15, 5), (10, 6), (10, 10)], GREEN)
    pen.disc(4, 3, 11, 12, GREEN)
    pen.box(6, 6, 6, 7, LIGHT)
    pen.box(9, 6, 9, 7, LIGHT)
    pen.box(6, 10, 9, 10, INK)
    pen.box(5, 13, 10, 15, DARK_WOOD)


def ogre(pen: Pen) -> None:
    """A large red head with horns and tusks."""
    pen.shape([(1, 0), (4, 3), (2, 6)], WHITE)
    pen.shape([(14, 0), (11, 3), (13, 6)], WHITE)
    pen.disc(1, 2, 14, 14, RED)
    pen.box(4, 6, 5, 7, LIGHT)
    pen.box(10, 6, 11, 7, LIGHT)
    pen.box(4, 11, 11, 12, DARK_RED)
    pen.box(5, 10, 5, 12, WHITE)
    pen.box(10, 10, 10, 12, WHITE)


def diamond(pen: Pen) -> None:
    """A cut stone."""
    pen.shape([(1, 6), (4, 2), (11, 2), (14, 6), (7, 14), (8, 14)], BLUE)
    pen.shape([(4, 2), (6, 6), (1, 6)], (150, 200, 236))
    pen.shape([(6, 6), (9, 6), (8, 13), (7, 13)], (126, 186, 230))
    pen.box(5, 3, 8, 3, WHITE)


def spike(pen: Pen) -> None:
    """Three steel spikes."""
    for left in (0, 5, 10):
        pen.shape([(left, 15), (left + 2, 4), (left + 3, 4), (left + 5, 15)], STEEL)
        pen.shape([(left + 3, 5), (left + 3, 15), (left + 5, 15)], (104, 112, 128))


def stored(pen: Pen) -> None:
    """A crate on its mark."""
    pen.box(1, 1, 14, 14, DARK_GREEN)
    pen.box(2, 2, 13, 13, GREEN)
    pen.shape([(2, 3), (3, 2), (13, 12), (12, 13)], DARK_GREEN)
    pen.shape([(12, 2), (13, 3), (3, 13), (2, 12)], DARK_GREEN)


PAINTERS: dict[str, Callable[[Pen], None]] = {
    "player": player,
    "key": key,
    "door": door,
    "enemy": enemy,
    "crate": crate,
    "target": target,
    "stored": stored,
    "exit": leave,
    "potion": potion,
    "treasure": treasure,
    "goblin": goblin,
    "ogre": ogre,
    "diamond": diamond,
    "spike": spike,
}
"""By the tile's name; floor and walls are drawn by `tiles.py`."""


def draw_things(image: Image.Image, level: Maps, names: Sequence[str]) -> None:
    """Draw what stands on the cells of `level (H, W)`, inside the border of wall that the picture has."""
    draw = ImageDraw.Draw(image)
    for y, x in np.argwhere(level >= 0):
        painter = PAINTERS.get(names[int(level[y, x])])
        if painter is not None:
            painter(Pen(draw, (int(x) + 1) * SIDE, (int(y) + 1) * SIDE))
