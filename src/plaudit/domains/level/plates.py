"""The look of tiles that have a colour of their own: plates with a glyph on them, 16 pixels a cell.

Solid plates stand up from the floor, with a lit and a shaded edge; the others lie flat. What has a glyph in
the file shows it, but for the two tiles that levels are made of, walls and floor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from plaudit.domains.level.game import Maps, Tile
from plaudit.domains.level.tiles import Colour

SIDE = 16
_PLAIN = 2
"""Tiles, the first ones, that show no glyph."""
_POINTS, _BOLD = 12, 1.5
"""Size of the glyphs, and how much darker than the font they are."""


def draw_plates(level: Maps, tiles: Sequence[Tile]) -> Image.Image:
    """Draw a level `(H, W)` inside a border of its first tile, one cell wide."""
    framed = np.pad(level, 1)
    height, width = framed.shape
    image = Image.new("RGB", (width * SIDE, height * SIDE))
    plates = [draw_plate(tiles, number, odd) for number in range(len(tiles)) for odd in (0, 1)]
    for y in range(height):
        for x in range(width):
            image.paste(plates[2 * int(framed[y, x]) + (x + y) % 2], (x * SIDE, y * SIDE))
    return image


def draw_plate(tiles: Sequence[Tile], number: int, odd: int = 0) -> Image.Image:
    """One tile: a solid one as a block, anything else as a sign on the floor (`odd`: a shade apart)."""
    tile, ground = tiles[number], _rgb(tiles[1].colour)
    colour = _rgb(tile.colour)
    if number == 1 or not tile.passable:
        plate = Image.new("RGB", (SIDE, SIDE), _shade(colour, -0.025 * odd))
    else:
        plate = Image.new("RGB", (SIDE, SIDE), _shade(ground, -0.025 * odd))
    pen = ImageDraw.Draw(plate)
    if not tile.passable:
        pen.line([(0, SIDE - 1), (0, 0), (SIDE - 1, 0)], fill=_shade(colour, 0.18))
        pen.line([(0, SIDE - 1), (SIDE - 1, SIDE - 1), (SIDE - 1, 0)], fill=_shade(colour, -0.3))
    elif number >= _PLAIN:
        pen.rounded_rectangle((1, 2, 14, 15), 4, fill=_shade(ground, -0.3))
        pen.rounded_rectangle((1, 1, 14, 14), 4, fill=colour, outline=_shade(colour, -0.35))
    if number >= _PLAIN:
        _write(plate, tile.glyph, (255, 255, 255) if _dark(colour) else (26, 24, 32))
    return plate


def _write(plate: Image.Image, glyph: str, ink: Colour) -> None:
    """Put a glyph of Pillow's own font into the middle of what it covers."""
    font = ImageFont.load_default(_POINTS)
    mask = Image.new("L", (2 * SIDE, 2 * SIDE))
    ImageDraw.Draw(mask).text((SIDE // 2, SIDE // 4), glyph, fill=255, font=font)
    box = mask.getbbox() or (0, 0, SIDE, SIDE)
    crop = mask.crop(box).point(lambda level: min(255, int(level * _BOLD)))
    plate.paste(ink, ((SIDE - crop.width) // 2, (SIDE - crop.height) // 2), crop)


def _rgb(colour: str) -> Colour:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _shade(colour: Colour, by: float) -> Colour:
    """Lighter by a share of what is missing to white, or darker by a share of what is there."""
    red, green, blue = (round(c + (255 - c) * by if by > 0 else c * (1 + by)) for c in colour)
    return red, green, blue


def _dark(colour: Colour) -> bool:
    """Whether white is easier to read on it than black (relative luminance, ITU-R BT.709)."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2] < 140
