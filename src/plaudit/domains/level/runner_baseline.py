"""The constructive generator of runner levels: floors, ladders and ropes, things where one can come to."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.game import UNASKED, Maps
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.runner_physics import EXIT, GOLD, GUARD, OPEN, PLAYER
from plaudit.domains.level.runner_starts import Wanted, lay_out, places, stand, wanted

NAMES = ("gold", "guards", "ladders", "moves", "ropes")


def build_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """The player on the lowest floor, the exit on the highest, gold and guards on floors; none is played."""
    rng = np.random.default_rng([seed % 2**64, 29])
    width, height = request.size
    level = np.full((height, width), OPEN, np.uint8)
    much = wanted([int(request.target.get(name, UNASKED)) for name in NAMES], request.size)
    lay_out(level, Wanted(0, 0, much.ladders, much.ropes), rng)
    _put_ends(level, rng)
    for tile, count in ((GOLD, much.gold), (GUARD, much.guards)):
        stand(level, tile, count, rng)
    return level, {"evaluations": 0}


def _put_ends(level: Maps, rng: np.random.Generator) -> None:
    """The player at one end of the lowest places to stand, the exit at the other end of the highest."""
    found = places(level)
    if len(found) < 2:
        found = np.argwhere(level >= 0)
    side = 1 if rng.random() < 0.5 else -1
    low = found[np.lexsort((side * found[:, 1], -found[:, 0]))][0]
    high = found[np.lexsort((-side * found[:, 1], found[:, 0]))]
    high = next(place for place in high if (place != low).any())
    level[tuple(low)], level[tuple(high)] = PLAYER, EXIT
