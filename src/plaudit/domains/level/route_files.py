"""Grid worlds as files: JSON, text with the route as arrows, and PNG with the layout embedded.

Cells are `[row, column]`. Reading raises only `InputError`.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from plaudit.domains.level.layouts import MOVES, Cell, Layout
from plaudit.domains.level.render import (
    LIMITS,
    about_item,
    check_suffix,
    parse_rows,
    read_embedded,
    validated,
    write_text,
)
from plaudit.domains.level.routes import PathRequest
from plaudit.domains.level.tiles import BEGIN, END, draw_map, draw_marks, draw_trail
from plaudit.errors import InputError
from plaudit.media.limits import read_json, read_text
from plaudit.media.png import write_png
from plaudit.task import Item

FORMATS = ("json", "txt", "png")
ARROWS = "^>v<"
"""Glyphs of the four moves."""
_OPEN = {"#": 0} | dict.fromkeys(f".{ARROWS}SGx", 1)


def save_route(item: Item, path: Path) -> None:
    """Write one grid world in the format of the suffix; raises `InputError` for another suffix."""
    suffix = check_suffix(path, FORMATS)
    if suffix == "json":
        write_text(path, json.dumps(layout_json(item.content), indent=1) + "\n")
    elif suffix == "txt":
        write_text(path, layout_text(item.content))
    else:
        own = {"layout": layout_json(item.content), "seed": item.seed, "info": item.info}
        write_png(preview_route(item), path, about_item("level/path", item) | {"item": own})


def load_route(path: Path) -> Item:
    """Read one grid world; a picture also gives its request and seed back."""
    suffix = check_suffix(path, FORMATS)
    if suffix == "png":
        data, request = read_embedded(path, PathRequest)
        return Item(parse_layout(data.get("layout"), str(path)), request, data["seed"], data["info"])
    if suffix == "json":
        layout = parse_layout(read_json(path, LIMITS), str(path))
    else:
        layout = parse_text(read_text(path, LIMITS), str(path))
    size = (layout.grid.shape[1], layout.grid.shape[0])
    return Item(layout, validated(PathRequest, {"size": size}, str(path)), 0)


def preview_route(item: Item) -> Image.Image:
    """Draw the grid with its route, its start (green) and its goal (red)."""
    image = draw_map(item.content.grid == 1)
    draw_trail(image, item.content.route)
    draw_marks(image, [(item.content.start, BEGIN), (item.content.goal, END)])
    return image


def layout_json(layout: Layout) -> dict[str, Any]:
    """The layout as plain values."""
    return {
        "rows": ["".join("#."[cell] for cell in row) for row in layout.grid.tolist()],
        "start": list(layout.start),
        "goal": list(layout.goal),
        "route": [list(cell) for cell in layout.route],
    }


def parse_layout(data: Any, place: str) -> Layout:
    """Read what `layout_json` wrote; raises `InputError`."""
    if not isinstance(data, dict) or set(data) != {"rows", "start", "goal", "route"}:
        raise InputError(
            "is no grid world: it needs rows, start, goal and route, and nothing else.", place=place
        )
    rows, route = data["rows"], data["route"]
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise InputError("rows is not a list of text lines.", place=place)
    if not isinstance(route, list):
        raise InputError("route is not a list of cells.", place=place)
    grid = parse_rows(rows, {"#": 0, ".": 1}, place)
    cells = [_cell(value, grid, place) for value in (data["start"], data["goal"], *route)]
    return _checked(Layout(grid, cells[0], cells[1], tuple(cells[2:])), place)


def layout_text(layout: Layout) -> str:
    """A line with start and goal, then the grid; the route is drawn as arrows.

    Without a move the start shows as S; the goal is G and any other end of a route x.
    """
    glyphs = [["#."[cell] for cell in row] for row in layout.grid.tolist()]
    _put(glyphs, layout.start, "S")
    for here, there in pairwise(layout.route):
        _put(glyphs, here, ARROWS[MOVES.index((there[0] - here[0], there[1] - here[1]))])
    if layout.steps:
        _put(glyphs, layout.route[-1], "x")
    _put(glyphs, layout.goal, "G")
    head = f"start {layout.start[0]},{layout.start[1]} goal {layout.goal[0]},{layout.goal[1]}\n"
    return head + "".join("".join(row) + "\n" for row in glyphs)


def parse_text(text: str, place: str) -> Layout:
    """Read what `layout_text` wrote; raises `InputError`."""
    head, *rows = text.removesuffix("\n").split("\n")
    words = head.split()
    if len(words) != 4 or words[0] != "start" or words[2] != "goal":
        raise InputError('begins with "start ROW,COLUMN goal ROW,COLUMN".', place=f"{place}, line 1")
    grid = parse_rows(rows, _OPEN, place)
    start, goal = (_cell(_numbers(word), grid, place) for word in (words[1], words[3]))
    route = [start]
    while rows[route[-1][0]][route[-1][1]] in ARROWS:
        dy, dx = MOVES[ARROWS.index(rows[route[-1][0]][route[-1][1]])]
        route.append(_cell([route[-1][0] + dy, route[-1][1] + dx], grid, place))
        if len(route) > grid.size:
            raise InputError("the arrows go round in a circle.", place=place)
    return _checked(Layout(grid, start, goal, tuple(route)), place)


def _put(glyphs: list[list[str]], cell: Cell, glyph: str) -> None:
    glyphs[cell[0]][cell[1]] = glyph


def _numbers(word: str) -> list[int]:
    parts = word.split(",")
    return [int(part) if part.isascii() and part.isdigit() and len(part) < 6 else -1 for part in parts]


def _cell(value: Any, grid: np.ndarray, place: str) -> Cell:
    """Check that a value is an open cell of the grid."""
    whole = isinstance(value, list) and len(value) == 2 and all(type(part) is int for part in value)
    if not whole or not all(0 <= part < side for part, side in zip(value, grid.shape, strict=True)):
        raise InputError(f"{str(value)[:40]} is not a cell of the grid.", place=place)
    if not grid[value[0], value[1]]:
        raise InputError(f"the cell {value} is solid, and a route cannot be there.", place=place)
    return value[0], value[1]


def _checked(layout: Layout, place: str) -> Layout:
    """Check that the route begins at the start, moves one cell at a time and meets no cell twice."""
    route = layout.route
    if not route or route[0] != layout.start:
        raise InputError("the route does not begin at the start.", place=place)
    nexts = pairwise(route)
    if any(abs(a[0] - b[0]) + abs(a[1] - b[1]) != 1 for a, b in nexts):
        raise InputError("the route jumps.", place=place)
    if len(set(route)) != len(route):
        raise InputError("the route comes to a cell twice.", place=place)
    return layout
