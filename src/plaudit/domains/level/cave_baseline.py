"""The constructive generator of caves: steps of rock from the player up to the exit, things on the steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.cave_kernels import DIAMOND, EXIT, KEY, OPEN, PLAYER, WALL
from plaudit.domains.level.game import Maps
from plaudit.domains.level.request import LevelRequest


def build_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """An open cave with a ledge every other row, shifted so that one can jump from each to the next."""
    rng = np.random.default_rng([seed % 2**64, 19])
    width, height = request.size
    asked = {name: int(value) for name, value in request.target.items()}
    level = np.full((height, width), OPEN, np.uint8)
    sx, sy = asked.get("sx", 0), asked.get("sy", height - 1)
    ex, ey = asked.get("ex", width - 1), asked.get("ey", 0)
    if sy + 1 < height:
        level[sy + 1 :, sx] = WALL
    x, y = sx, sy
    while y > ey:
        y = max(y - 2, ey)
        x = int(np.clip(x + np.sign(ex - x or rng.integers(-1, 2)) * rng.integers(1, 3), 0, width - 1))
        if y + 1 < height and (y + 1, x) != (sy, sx):
            level[y + 1, x] = WALL
    for step in range(min(x, ex), max(x, ex) + 1):
        if ey + 1 < height and (ey + 1, step) != (sy, sx):
            level[ey + 1, step] = WALL
    level[sy, sx], level[ey, ex] = PLAYER, EXIT
    firm = [
        (int(v), int(u)) for v, u in np.argwhere(level == OPEN) if v + 1 == height or level[v + 1, u] == WALL
    ]
    places = [firm[i] for i in rng.permutation(len(firm))]
    for cell, tile in zip(places, [KEY, *[DIAMOND] * asked.get("diamonds", 0)], strict=False):
        level[cell] = tile
    return level, {"evaluations": 0}
