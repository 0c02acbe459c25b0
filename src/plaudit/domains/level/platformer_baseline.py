"""The constructive generator of platformers: plots of ground, obstacles between them, things on firm land."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.game import Maps
from plaudit.domains.level.platformer_physics import BLOCK, COIN, ENEMY, OPEN
from plaudit.domains.level.platformer_starts import Land, lay_land, put_ends
from plaudit.domains.level.request import LevelRequest


def build_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """Obstacles as many as the jumps that enemies do not ask for already; nothing is played to see."""
    rng = np.random.default_rng([seed % 2**64, 23])
    width, height = request.size
    asked = {name: int(value) for name, value in request.target.items()}
    enemies, coins = asked.get("enemies", width // 14), asked.get("coins", width // 10)
    jumps = asked.get("jumps", width // 7)
    level = np.full((height, width), OPEN, np.uint8)
    land = lay_land(level, max(jumps - enemies // 2, width // 12), rng, rough=False)
    put_ends(level, land, rng)
    _hang_rows(level, land, rng)
    _stand(level, land, ENEMY, enemies, rng)
    _stand(level, land, COIN, coins, rng)
    return level, {"evaluations": 0}


def _hang_rows(level: Maps, land: Land, rng: np.random.Generator) -> None:
    """Rows of two to four blocks, three or four cells above level ground, until there are enough."""
    height, width = level.shape
    hung = 0
    for x in rng.permutation(width).tolist():
        long, up = int(rng.integers(2, 5)), int(rng.integers(3, 5))
        y = height - int(land.heights[x]) - up
        if hung >= width // 10 or not land.flat(x, long) or y < 1:
            continue
        if (level[y - 1 : y + 3, x : x + long] == OPEN).all():
            level[y, x : x + long] = BLOCK
            hung += long


def _stand(level: Maps, land: Land, tile: int, count: int, rng: np.random.Generator) -> None:
    """Things on the ground, not beside the ends of the level, no two of them side by side where that goes."""
    height, width = level.shape
    places = [x for x in rng.permutation(np.arange(width // 10 + 2, width - width // 10 - 2)).tolist()]
    for apart in (True, False):
        for x in places:
            y = height - 1 - int(land.heights[x])
            beside = level[y, max(x - 1, 0) : x + 2]
            free = land.heights[x] > 0 and level[y, x] == OPEN
            if count and free and not (apart and (beside == tile).any()):
                level[y, x] = tile
                count -= 1
