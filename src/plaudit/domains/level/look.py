"""How a game looks: a look draws whole levels, tiles for tilesets, and the parts that a player sees move.

Rooms from above (`tiles.py`, `things.py`), a landscape from the side (`scenery.py`), a cavern (`shafts.py`),
and plates in colours of one's own (`plates.py`). A game names one (`Game.look`); whoever draws asks it and
knows no game.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw

from plaudit.domains.level import scenery, shafts
from plaudit.domains.level.game import Maps, Tile
from plaudit.domains.level.metrics import longest_path
from plaudit.domains.level.plates import draw_plate, draw_plates
from plaudit.domains.level.things import PAINTERS, SIDE, Pen, draw_things
from plaudit.domains.level.tiles import draw_map, draw_trail

EDGES = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""North, east, south and west as (dy, dx): bits 1, 2, 4 and 8 of what joins a cell."""
OPEN = 1
"""Every game's open tile."""


class Look(Protocol):
    """What can be drawn of a game, `SIDE` pixels a cell.

    Attributes:
        border: the tile that levels are framed with; None = no frame.
        sky: colours (`#rrggbb`) from top to bottom behind what is drawn; empty = the ground covers it.
    """

    border: int | None
    sky: tuple[str, ...]

    def draw(self, level: Maps, tiles: Sequence[Tile]) -> Image.Image:
        """A level `(H, W)` inside a border one cell wide."""
        ...

    def tile(self, tiles: Sequence[Tile], number: int) -> Image.Image:
        """One tile as a tileset has it."""
        ...

    def group(self, tiles: Sequence[Tile], number: int) -> int:
        """Tiles of one group join when they are neighbours: their ground is drawn without an edge between."""
        ...

    def ground(self, tiles: Sequence[Tile], number: int, joined: int) -> Image.Image | None:
        """What lies on a cell, as far as it does not move, with a bit for each of `EDGES` that joins."""
        ...

    def thing(self, tiles: Sequence[Tile], name: str) -> Image.Image | None:
        """What stands on the ground, RGBA; None = nothing."""
        ...


class Rooms:
    """Floor and brick walls from above, with things on the floor."""

    border: int | None = 0
    sky: tuple[str, ...] = ()

    def draw(self, level: Maps, tiles: Sequence[Tile]) -> Image.Image:
        image = draw_map(np.array([tile.passable for tile in tiles])[level])
        draw_things(image, level, [tile.name for tile in tiles])
        return image

    def tile(self, tiles: Sequence[Tile], number: int) -> Image.Image:
        cell = draw_map(np.array([[tiles[number].passable]]))
        draw_things(cell, np.array([[number]], np.uint8), [tile.name for tile in tiles])
        return _middle(cell)

    def group(self, tiles: Sequence[Tile], number: int) -> int:
        return int(tiles[number].passable)

    def ground(self, tiles: Sequence[Tile], number: int, joined: int) -> Image.Image | None:
        free = tiles[number].passable
        around = np.full((3, 3), free)
        for bit, (dy, dx) in enumerate(EDGES):
            around[1 + dy, 1 + dx] = free == bool(joined >> bit & 1)
        return draw_map(around).crop((2 * SIDE, 2 * SIDE, 3 * SIDE, 3 * SIDE))

    def thing(self, tiles: Sequence[Tile], name: str) -> Image.Image | None:
        return _sprite(name)


class Corridors(Rooms):
    """Rooms with the longest path marked: the look of mazes."""

    def draw(self, level: Maps, tiles: Sequence[Tile]) -> Image.Image:
        free = np.array([tile.passable for tile in tiles])[level]
        image = draw_map(free)
        draw_trail(image, longest_path(free))
        return image


class Landscape:
    """Ground, pipes and blocks from the side, before a sky."""

    border: int | None = None
    sky: tuple[str, ...] = tuple(
        "#" + "".join(f"{int(part):02x}" for part in colour) for colour in (scenery.SKY_TOP, scenery.SKY_LOW)
    )

    def draw(self, level: Maps, tiles: Sequence[Tile]) -> Image.Image:
        return scenery.draw_scene(level, [tile.name for tile in tiles])

    def tile(self, tiles: Sequence[Tile], number: int) -> Image.Image:
        return scenery.draw_tile(tiles[number].name)

    def group(self, tiles: Sequence[Tile], number: int) -> int:
        return number if tiles[number].name in scenery.NAMES else OPEN

    def ground(self, tiles: Sequence[Tile], number: int, joined: int) -> Image.Image | None:
        name = tiles[number].name
        if name not in scenery.SOLIDS:
            return None
        around = np.full((3, 3), "open", dtype="<U8")
        around[1, 1] = name
        for bit, (dy, dx) in enumerate(EDGES):
            if joined >> bit & 1:
                around[1 + dy, 1 + dx] = name
        image = Image.new("RGBA", (SIDE, SIDE))
        scenery.SOLIDS[name](Pen(ImageDraw.Draw(image), 0, 0), around, 1, 1)
        return image

    def thing(self, tiles: Sequence[Tile], name: str) -> Image.Image | None:
        painter = scenery.OWN.get(name)
        if painter is None:
            return _sprite(name)
        image = Image.new("RGBA", (SIDE, SIDE))
        painter(Pen(ImageDraw.Draw(image), 0, 0))
        return image


class Cavern:
    """Stone, bricks, ladders and ropes from the side, by lamplight."""

    border: int | None = None
    sky: tuple[str, ...] = ()

    def draw(self, level: Maps, tiles: Sequence[Tile]) -> Image.Image:
        return shafts.draw_cavern(level, [tile.name for tile in tiles])

    def tile(self, tiles: Sequence[Tile], number: int) -> Image.Image:
        return shafts.draw_cavern_tile(tiles[number].name)

    def group(self, tiles: Sequence[Tile], number: int) -> int:
        return number if tiles[number].name in shafts.BUILT else OPEN

    def ground(self, tiles: Sequence[Tile], number: int, joined: int) -> Image.Image | None:
        return self.tile(tiles, number) if tiles[number].name in shafts.BUILT else None

    def thing(self, tiles: Sequence[Tile], name: str) -> Image.Image | None:
        return _sprite(name)


class Plates:
    """Plates in the colours that tiles have, with their glyphs."""

    border: int | None = 0
    sky: tuple[str, ...] = ()

    def draw(self, level: Maps, tiles: Sequence[Tile]) -> Image.Image:
        return draw_plates(level, tiles)

    def tile(self, tiles: Sequence[Tile], number: int) -> Image.Image:
        return draw_plate(tiles, number)

    def group(self, tiles: Sequence[Tile], number: int) -> int:
        return number

    def ground(self, tiles: Sequence[Tile], number: int, joined: int) -> Image.Image | None:
        return draw_plate(tiles, OPEN if tiles[number].passable else number)

    def thing(self, tiles: Sequence[Tile], name: str) -> Image.Image | None:
        number = next((at for at, tile in enumerate(tiles) if tile.name == name), OPEN)
        lies = number == OPEN or not tiles[number].passable
        return None if lies else draw_plate(tiles, number).convert("RGBA")


def _middle(image: Image.Image) -> Image.Image:
    return image.crop((SIDE, SIDE, 2 * SIDE, 2 * SIDE))


def _sprite(name: str) -> Image.Image | None:
    """What a painter of `things.py` draws, on nothing."""
    if name not in PAINTERS:
        return None
    image = Image.new("RGBA", (SIDE, SIDE))
    PAINTERS[name](Pen(ImageDraw.Draw(image), 0, 0))
    return image
