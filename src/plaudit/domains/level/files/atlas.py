"""The tileset picture that lies beside exported levels: the game's tiles in a row, our own drawing."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from plaudit.domains.level.game import Game
from plaudit.domains.level.things import SIDE
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
    image = Image.new("RGB", (SIDE * len(game.tiles), SIDE))
    for number in range(len(game.tiles)):
        image.paste(game.look.tile(game.tiles, number), (SIDE * number, 0))
    return image
