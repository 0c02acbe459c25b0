"""Godot 4.3 scenes (`.tscn`): a TileMapLayer with its cells, and a TileSet over the picture of the tiles.

`tile_map_data` is a version of two bytes and twelve bytes a cell, little endian: x, y, source, column and row
in the picture, alternative. What the level says of itself stands in the node's metadata.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

from plaudit.domains.level.files.about import KEY, LIMITS, as_level, heard, told
from plaudit.domains.level.files.atlas import write_atlas
from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.request import LARGEST, WIDEST
from plaudit.domains.level.things import SIDE
from plaudit.errors import InputError
from plaudit.media.limits import parse_json, read_text
from plaudit.task import Item

_CELL = struct.Struct("<hhHHHH")
_DATA = re.compile(r"^tile_map_data = PackedByteArray\(([0-9, \n]*)\)", re.M)
_ABOUT = re.compile(rf'^metadata/{KEY} = ("(?:[^"\\\n]|\\.)*")', re.M)
_VERSION = b"\0\0"


def write_tscn(game: Game, item: Item, folder: Path) -> str:
    """The scene as text; the picture of the tiles is written into `folder`."""
    cells = [
        _CELL.pack(x, y, 0, tile, 0, 0)
        for y, row in enumerate(item.content.tolist())
        for x, tile in enumerate(row)
    ]
    data = ", ".join(str(byte) for byte in _VERSION + b"".join(cells))
    atlas = "".join(f"{number}:0/0 = 0\n" for number in range(len(game.tiles)))
    return (
        "[gd_scene load_steps=4 format=3]\n\n"
        f'[ext_resource type="Texture2D" path="{write_atlas(game, folder)}" id="1"]\n\n'
        f'[sub_resource type="TileSetAtlasSource" id="tiles"]\ntexture = ExtResource("1")\n'
        f"texture_region_size = Vector2i({SIDE}, {SIDE})\n{atlas}\n"
        f'[sub_resource type="TileSet" id="set"]\ntile_size = Vector2i({SIDE}, {SIDE})\n'
        'sources/0 = SubResource("tiles")\n\n'
        f'[node name="Level" type="TileMapLayer"]\ntile_map_data = PackedByteArray({data})\n'
        f'tile_set = SubResource("set")\nmetadata/{KEY} = {json.dumps(told(game, item))}\n'
    )


def read_tscn(game: Game, path: Path) -> tuple[Maps, dict[str, Any]]:
    """The level and what it says of itself; raises only `InputError`."""
    text, place = read_text(path, LIMITS), str(path)
    found = _DATA.findall(text)
    if len(found) != 1:
        hint = "A level is one TileMapLayer, as Godot 4.3 and newer write it."
        raise InputError(f"holds {len(found)} layers of tiles, a level has one.", place=place, hint=hint)
    words = [word.strip() for word in found[0].split(",")]
    numbers = [int(word) if word.isdigit() and len(word) < 4 else 256 for word in words]
    raw = bytes(number for number in numbers if number < 256)
    if raw[:2] != _VERSION or (len(raw) - 2) % _CELL.size or len(raw) != len(words):
        raise InputError("its tile_map_data is damaged or of another version.", place=place)
    cells = {}
    for x, y, _, column, row, _ in _CELL.iter_unpack(raw[2:]):
        if not (0 <= x < WIDEST and 0 <= y < LARGEST):
            raise InputError(f"has a cell at {x}, {y}, outside of a level.", place=place)
        cells[y, x] = column if row == 0 else -1
    height, width = (max((cell[axis] for cell in cells), default=-1) + 1 for axis in (0, 1))
    level = as_level(
        game, [cells.get((y, x), -1) for y in range(height) for x in range(width)], (width, height), place
    )
    about = _ABOUT.search(text)
    return level, heard(parse_json(about[1], place) if about else None, place)
