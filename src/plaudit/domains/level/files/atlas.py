"""The tileset picture that lies beside exported levels: the game's tiles in a row, our own drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from plaudit.domains.level.game import Game
from plaudit.domains.level.plates import draw_plate
from plaudit.domains.level.scenery import draw_tile
from plaudit.domains.level.shafts import draw_cavern_tile
from plaudit.domains.level.things import SIDE, draw_things
from plaudit.domains.level.tiles import draw_map
from plaudit.errors import ResourceError


def write_atlas(game: Game, folder: Path) -> str:
    """Write `GAME.tiles.png` once into a folder; returns its name.

    Games with colours of their own share a name: theirs is written each time.
    """
    path = folder / f"{game.name}.tiles.png"
    if not path.exists() or game.tiles[0].colour:
        try:
            draw_atlas(game).save(path)
        except OSError as error:
            raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error
    return path.name


def draw_atlas(game: Game) -> Image.Image:
    """Every tile of the game once, in the order of their numbers, on floor or wall as it is in levels."""
    names = [tile.name for tile in game.tiles]
    image = Image.new("RGB", (SIDE * len(names), SIDE))
    for number, tile in enumerate(game.tiles):
        if game.name == "platformer":
            image.paste(draw_tile(tile.name), (SIDE * number, 0))
            continue
        if game.name == "runner":
            image.paste(draw_cavern_tile(tile.name), (SIDE * number, 0))
            continue
        if tile.colour:
            image.paste(draw_plate(game.tiles, number), (SIDE * number, 0))
            continue
        cell = draw_map(np.array([[tile.passable]]))
        draw_things(cell, np.array([[number]], np.uint8), names)
        image.paste(cell.crop((SIDE, SIDE, 2 * SIDE, 2 * SIDE)), (SIDE * number, 0))
    return image
