"""The constructive generator of caves: ledges from the player up to the exit, things on firm ground."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.cave_search import DIAMOND, KEY, OPEN, WALL
from plaudit.domains.level.cave_starts import lay_ledges
from plaudit.domains.level.game import Maps
from plaudit.domains.level.request import LevelRequest


def build_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """An open cave with a ledge every other row, shifted so that one can jump from each to the next."""
    rng = np.random.default_rng([seed % 2**64, 19])
    width, height = request.size
    asked = {name: int(value) for name, value in request.target.items()}
    level = np.full((height, width), OPEN, np.uint8)
    start = asked.get("sy", height - 1), asked.get("sx", 0)
    lay_ledges(level, start, (asked.get("ey", 0), asked.get("ex", width - 1)), rng)
    firm = [
        (int(v), int(u)) for v, u in np.argwhere(level == OPEN) if v + 1 == height or level[v + 1, u] == WALL
    ]
    places = [firm[i] for i in rng.permutation(len(firm))]
    for cell, tile in zip(places, [KEY, *[DIAMOND] * asked.get("diamonds", 0)], strict=False):
        level[cell] = tile
    return level, {"evaluations": 0}
