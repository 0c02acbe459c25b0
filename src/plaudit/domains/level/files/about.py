"""What an exported level says of itself: its task, request, seed and recipe, as one line of JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.request import check_size, described
from plaudit.errors import InputError
from plaudit.media.limits import Limits, parse_json
from plaudit.task import Item

KEY = "plaudit"
"""Name of the property that holds it."""
LIMITS = Limits(file_bytes=2**22, text_bytes=2**18)


def told(game: Game, item: Item) -> str:
    """The line to embed."""
    about = {
        "task": f"level/{game.name}",
        "request": dict(described(item.request)),
        "seed": item.seed,
        "recipe": item.info.get("recipe", {"task": f"level/{game.name}"}),
    }
    return json.dumps(about, sort_keys=True)


def heard(text: Any, place: str) -> dict[str, Any]:
    """The embedded object, or {} where there is none; raises `InputError` for one that is damaged."""
    if text is None:
        return {}
    found = parse_json(text, f"{place} (property {KEY})") if isinstance(text, str) else None
    seed = found.get("seed") if isinstance(found, dict) else None
    if type(seed) is not int or abs(seed) >= 2**63:
        raise InputError(f"its property {KEY} is damaged.", place=place, hint="Remove it to read the level.")
    return dict(found)


def as_level(game: Game, numbers: Any, size: tuple[Any, Any], place: str) -> Maps:
    """Tile numbers in rows as a map `(H, W)`; raises `InputError` naming the cell of what is wrong."""
    width, height = size
    if not all(type(side) is int for side in size):
        raise InputError(f"is {width} x {height} cells.", place=place)
    check_size((width, height), game.widest, place)
    if not isinstance(numbers, list) or len(numbers) != width * height:
        count = len(numbers) if isinstance(numbers, list) else "no"
        raise InputError(f"holds {count} cells where {width} x {height} need {width * height}.", place=place)
    for index, number in enumerate(numbers):
        if type(number) is not int or not 0 <= number < len(game.tiles):
            y, x = divmod(index, width)
            raise InputError(
                f"holds the unknown tile {str(number)[:20]}.",
                place=f"{place}, row {y + 1}, column {x + 1}",
                hint=f"A {game.name} has {', '.join(tile.name for tile in game.tiles)}.",
            )
    return np.array(numbers, np.uint8).reshape(height, width)
