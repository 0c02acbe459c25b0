"""Tiled maps, as XML (`.tmx`) and as JSON (`.tmj`), format 1.10: one layer, one embedded tileset.

Cells hold tile numbers plus one, as Tiled counts from the tileset's first number. Maps from elsewhere are
read when their one tile layer uses a tileset whose tiles stand in the order of the game's.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np

from plaudit.domains.level.files.about import KEY, LIMITS, as_level, heard, told
from plaudit.domains.level.files.atlas import write_atlas
from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.request import LARGEST, WIDEST
from plaudit.domains.level.things import SIDE
from plaudit.errors import InputError
from plaudit.media.limits import read_json, read_text
from plaudit.task import Item

_FLAGS = 0x1FFFFFFF
"""The upper bits of a cell turn and mirror its picture, and say nothing of the tile."""
_FEWEST, _MOST = -1, 4 * WIDEST * LARGEST


def write_tmx(game: Game, item: Item, folder: Path) -> str:
    """The map as XML; the picture of the tiles is written into `folder`."""
    height, width = item.content.shape
    kinds = len(game.tiles)
    picture = write_atlas(game, folder)
    tiles = "".join(
        f'  <tile id="{number}" type={quoteattr(tile.name)}/>\n' for number, tile in enumerate(game.tiles)
    )
    rows = ",\n".join(",".join(str(tile + 1) for tile in row) for row in item.content.tolist())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<map version="1.10" orientation="orthogonal" renderorder="right-down" width="{width}" '
        f'height="{height}" tilewidth="{SIDE}" tileheight="{SIDE}" infinite="0" nextlayerid="2" '
        'nextobjectid="1">\n'
        f' <properties>\n  <property name="{KEY}" value={quoteattr(told(game, item))}/>\n </properties>\n'
        f' <tileset firstgid="1" name={quoteattr(game.name)} tilewidth="{SIDE}" tileheight="{SIDE}" '
        f'tilecount="{kinds}" columns="{kinds}">\n'
        f'  <image source={quoteattr(picture)} width="{kinds * SIDE}" height="{SIDE}"/>\n{tiles} </tileset>\n'
        f' <layer id="1" name="level" width="{width}" height="{height}">\n'
        f'  <data encoding="csv">\n{rows}\n</data>\n </layer>\n</map>\n'
    )


def read_tmx(game: Game, path: Path) -> tuple[Maps, dict[str, Any]]:
    """The level and what it says of itself; raises only `InputError`."""
    text, place = read_text(path, LIMITS), str(path)
    if "<!" in text.replace("<!--", ""):
        raise InputError("declares a document type, which no Tiled map needs.", place=place)
    try:
        root = ElementTree.fromstring(text.encode())
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"is not XML: {error}.", place=place) from error
    if root.tag != "map" or root.get("infinite", "0") != "0":
        raise InputError("is no finite Tiled map.", place=place, hint="Unset Map > Infinite in Tiled.")
    layers, tilesets = root.findall("layer"), root.findall("tileset")
    first = _only(len(layers), [t.get("source") for t in tilesets], place) or tilesets[0].get("firstgid", "1")
    layer, data = layers[0], layers[0].find("data")
    if data is None:
        raise InputError("its layer holds no data.", place=place)
    cells = _cells(data.text or "", data.get("encoding", ""), data.get("compression", ""), place)
    size = _whole(layer.get("width"), place), _whole(layer.get("height"), place)
    about = root.find(f"properties/property[@name='{KEY}']")
    level = as_level(game, _numbers(cells, _whole(first, place)), size, place)
    return level, heard(None if about is None else about.get("value"), place)


def write_tmj(game: Game, item: Item, folder: Path) -> str:
    """The map as JSON; the picture of the tiles is written into `folder`."""
    height, width = item.content.shape
    kinds = len(game.tiles)
    tileset = {
        "firstgid": 1,
        "name": game.name,
        "image": write_atlas(game, folder),
        "imagewidth": kinds * SIDE,
        "imageheight": SIDE,
        "tilewidth": SIDE,
        "tileheight": SIDE,
        "tilecount": kinds,
        "columns": kinds,
        "margin": 0,
        "spacing": 0,
        "tiles": [{"id": number, "type": tile.name} for number, tile in enumerate(game.tiles)],
    }
    layer = {
        "id": 1,
        "name": "level",
        "type": "tilelayer",
        "width": width,
        "height": height,
        "x": 0,
        "y": 0,
        "opacity": 1,
        "visible": True,
        "data": (item.content.astype(int) + 1).ravel().tolist(),
    }
    whole = {
        "type": "map",
        "version": "1.10",
        "orientation": "orthogonal",
        "renderorder": "right-down",
        "width": width,
        "height": height,
        "tilewidth": SIDE,
        "tileheight": SIDE,
        "infinite": False,
        "nextlayerid": 2,
        "nextobjectid": 1,
        "properties": [{"name": KEY, "type": "string", "value": told(game, item)}],
        "tilesets": [tileset],
        "layers": [layer],
    }
    return json.dumps(whole) + "\n"


def read_tmj(game: Game, path: Path) -> tuple[Maps, dict[str, Any]]:
    """The level and what it says of itself; raises only `InputError`."""
    whole, place = read_json(path, LIMITS), str(path)
    if not isinstance(whole, dict) or whole.get("infinite") or whole.get("type") != "map":
        raise InputError("is no finite Tiled map.", place=place)
    layers = [each for each in _dicts(whole.get("layers")) if each.get("type") == "tilelayer"]
    tilesets = _dicts(whole.get("tilesets"))
    first = _only(len(layers), [t.get("source") for t in tilesets], place) or tilesets[0].get("firstgid", 1)
    layer = layers[0]
    cells = layer.get("data")
    if isinstance(cells, str):
        cells = _cells(cells, layer.get("encoding", ""), layer.get("compression", ""), place)
    if not isinstance(cells, list) or not all(type(cell) is int for cell in cells):
        raise InputError("its layer holds no list of tile numbers.", place=place)
    size = layer.get("width"), layer.get("height")
    about = next((p.get("value") for p in _dicts(whole.get("properties")) if p.get("name") == KEY), None)
    return as_level(game, _numbers(cells, _whole(first, place)), size, place), heard(about, place)


def _only(layers: int, sources: list[Any], place: str) -> None:
    """Raise `InputError` unless there is one layer and one tileset that the map itself holds."""
    if layers != 1:
        raise InputError(
            f"has {layers} tile layers, a level has one.", place=place, hint="Merge them in Tiled."
        )
    if len(sources) != 1:
        raise InputError(f"has {len(sources)} tilesets, a level has one.", place=place)
    if sources[0] is not None:
        raise InputError(
            f"its tileset is another file ({str(sources[0])[:60]}), which is not read.",
            place=place,
            hint="In Tiled: Map > Embed Tilesets.",
        )


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _whole(text: Any, place: str) -> int:
    """A whole number from an attribute."""
    if not str(text).isascii() or not str(text).isdigit() or len(str(text)) > 9:
        raise InputError(f"{str(text)[:20]!r} is no whole number.", place=place)
    return int(text)


def _cells(text: str, encoding: str, compression: str, place: str) -> list[int]:
    """Cell numbers from the text of a layer, in any of Tiled's encodings but zstd."""
    if encoding == "csv":
        return [_whole(cell.strip(), place) for cell in text.split(",")]
    if encoding != "base64" or compression not in ("", "zlib", "gzip"):
        what = f"its data is {encoding or 'XML'} {compression}".rstrip()
        raise InputError(
            f"{what}, which is not read.", place=place, hint="Set Tile Layer Format to CSV in Tiled."
        )
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
        if compression:
            # 47 lets zlib tell gzip from zlib by the header; what would not end is cut off and refused.
            raw = zlib.decompressobj(47).decompress(raw, _MOST + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InputError(f"its data cannot be unpacked: {error}.", place=place) from error
    if len(raw) > _MOST or len(raw) % 4:
        raise InputError(f"its data unpacks to {len(raw)} bytes or more, no map of ours.", place=place)
    return [int(cell) for cell in np.frombuffer(raw, "<u4")]


def _numbers(cells: list[int], first: int) -> list[int]:
    """Tile numbers from cells; an empty cell is no tile."""
    return [(cell & _FLAGS) - first if cell else _FEWEST for cell in cells]
