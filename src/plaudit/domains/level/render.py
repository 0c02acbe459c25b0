"""Levels as files: CSV (tile numbers), text (one glyph a cell), PNG with the level embedded, engines' files.

Reading raises only `InputError`, with the line and column of what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, ValidationError

from plaudit.domains.level.files import godot, ldtk, tiled, xsb
from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.playable import playable
from plaudit.domains.level.request import LARGEST, LevelRequest, check_size, check_statistics, described
from plaudit.errors import InputError, ResourceError, did_you_mean
from plaudit.media.limits import Limits, read_text
from plaudit.media.png import read_png, write_png
from plaudit.task import Item

FORMATS = ("csv", "txt", "png", "tmx", "tmj", "ldtk", "tscn")
_WRITERS = {
    "tmx": tiled.write_tmx,
    "tmj": tiled.write_tmj,
    "ldtk": ldtk.write_ldtk,
    "tscn": godot.write_tscn,
    "xsb": xsb.write_xsb,
}
_READERS = {
    "tmx": tiled.read_tmx,
    "tmj": tiled.read_tmj,
    "ldtk": ldtk.read_ldtk,
    "tscn": godot.read_tscn,
    "xsb": xsb.read_xsb,
}
LIMITS = Limits(file_bytes=2**22, pixels=2**22, text_bytes=2**18)


def formats_of(game: Game) -> tuple[str, ...]:
    """What a game's levels can be written as: Sokoban has a text form of its own."""
    return (*FORMATS, "xsb") if game.name == "sokoban" else FORMATS


def save_level(game: Game, item: Item, path: Path) -> None:
    """Write one level in the format of the suffix; raises `InputError` for another suffix."""
    suffix = check_suffix(path, formats_of(game))
    if suffix == "png":
        about = about_item(f"level/{game.name}", item) | {"item": embedded(game, item)}
        write_png(preview_level(game, item), path, about)
        return
    if suffix in _WRITERS:
        write_text(path, _WRITERS[suffix](game, item, path.parent))
        return
    rows = item.content.tolist()
    if suffix == "csv":
        write_text(path, "".join(",".join(map(str, row)) + "\n" for row in rows))
    else:
        write_text(path, level_text(game, item.content))


def load_level(game: Game, kind: type[LevelRequest], path: Path) -> Item:
    """Read one level; a picture and the files of engines also give its request and seed back."""
    suffix = check_suffix(path, formats_of(game))
    if suffix == "png":
        return _load_picture(game, kind, path)
    if suffix in _READERS:
        level, about = _READERS[suffix](game, path)
        asked = {"size": [level.shape[1], level.shape[0]], **_table(about.get("request"))}
        request = _named(game, validated(kind, asked, f"{path} (request)"), path)
        info = {"recipe": about["recipe"]} if "recipe" in about else {"start": "unknown"}
        return Item(level, request, about.get("seed", 0), info)
    text = read_text(path, LIMITS)
    rows = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
    rows = [row.rstrip("\r") for row in rows]
    if suffix == "csv":
        known = {str(i): i for i in range(len(game.tiles))}
        level = parse_rows(
            [[cell.strip() for cell in row.split(",")] for row in rows], known, str(path), game.widest
        )
    else:
        level = parse_rows(rows, glyphs(game), str(path), game.widest)
    return Item(level, kind(size=(level.shape[1], level.shape[0])), 0, {"start": "unknown"})


def _named(game: Game, request: LevelRequest, path: Path) -> LevelRequest:
    """The request of a file, if it names statistics of the game alone; raises `InputError`."""
    try:
        check_statistics(game.targets, request)
    except InputError as error:
        raise InputError(str(error), place=f"{path} (request)") from error
    return request


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def preview_level(game: Game, item: Item) -> Image.Image:
    """Draw the level in the game's own look."""
    return game.look.draw(item.content, game.tiles)


def level_text(game: Game, level: Maps) -> str:
    """The level with one glyph a cell and one line a row."""
    return "".join("".join(game.tiles[tile].glyph for tile in row) + "\n" for row in level.tolist())


def glyphs(game: Game) -> Mapping[str, int]:
    """Which tile a glyph stands for."""
    return {tile.glyph: number for number, tile in enumerate(game.tiles)}


def parse_rows(
    rows: Sequence[Sequence[str]], known: Mapping[str, int], place: str, widest: int = LARGEST
) -> Maps:
    """Turn rows of cells into a map `(H, W)`; raises `InputError` for unknown cells and wrong sizes."""
    width = len(rows[0]) if rows else 0
    check_size((width, len(rows)), widest, place)
    level = np.empty((len(rows), width), np.uint8)
    for y, row in enumerate(rows):
        if len(row) != width:
            raise InputError(
                f"has {len(row)} cells where the first line has {width}.", place=f"{place}, line {y + 1}"
            )
        for x, cell in enumerate(row):
            if cell not in known:
                raise InputError(
                    f"holds the unknown tile {cell[:20]!r}.",
                    place=f"{place}, line {y + 1}, column {x + 1}",
                    hint=f"Known: {' '.join(known)}.",
                )
            level[y, x] = known[cell]
    return level


def embedded(game: Game, item: Item) -> dict[str, Any]:
    """What a picture carries of its item: the level itself, the seed, the figures, and how it is played."""
    told = {"level": level_text(game, item.content).splitlines(), "seed": item.seed, "info": item.info}
    rules = playable(game, item.content)
    return told if rules is None else {**told, "play": rules}


def about_item(task: str, item: Item) -> dict[str, Any]:
    """The recipe and the request that a picture carries; the recipe at least names the task."""
    return {"recipe": item.info.get("recipe", {"task": task}), "request": described(item.request)}


def _load_picture(game: Game, kind: type[LevelRequest], path: Path) -> Item:
    data, request = read_embedded(path, kind)
    _named(game, request, path)
    rows = data.get("level")
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise InputError(
            "embeds no level.", place=str(path), hint="Only pictures made by Plaudit are levels."
        )
    return Item(parse_rows(rows, glyphs(game), str(path), game.widest), request, data["seed"], data["info"])


def read_embedded(path: Path, kind: type[BaseModel]) -> tuple[dict[str, Any], Any]:
    """Return what a picture embeds of its item (`seed` and `info` checked) and its request."""
    about = read_png(path, LIMITS)[1]
    data = about.get("item")
    if not isinstance(data, dict):
        raise InputError(
            "embeds no item.", place=str(path), hint="Only pictures made by Plaudit can be read."
        )
    seed, info = data.get("seed", 0), data.get("info", {})
    if not isinstance(seed, int) or abs(seed) >= 2**63 or not isinstance(info, dict):
        raise InputError("embeds an item whose seed or info cannot be read.", place=str(path))
    return {**data, "seed": seed, "info": info}, validated(
        kind, about.get("request", {}), f"{path} (request)"
    )


def validated(kind: type[BaseModel], values: Any, place: str) -> Any:
    """Make a pydantic model, turning what is wrong into an `InputError` that names the field."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{field}: {first['msg']}.", place=place) from error


def check_suffix(path: Path, formats: Sequence[str]) -> str:
    """The suffix without the dot, in lower case; raises `InputError` unless it is one of `formats`."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in formats:
        raise InputError(
            f'the format "{suffix}" is not known.', place=str(path), hint=did_you_mean(suffix, formats)
        )
    return suffix


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text; raises `ResourceError` when the disk refuses."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error
