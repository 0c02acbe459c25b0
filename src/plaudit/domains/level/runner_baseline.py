"""The constructive generator of runner levels: floors, ladders and ropes, and things on the floors."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.game import UNASKED, Maps
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.runner_physics import GOLD, GUARD, OPEN
from plaudit.domains.level.runner_starts import lay_out, put_ends, stand, wanted

NAMES = ("gold", "guards", "ladders", "moves", "ropes")


def build_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """All things on floors, the exit about as far as is asked for; nothing is played to see."""
    rng = np.random.default_rng([seed % 2**64, 29])
    width, height = request.size
    level = np.full((height, width), OPEN, np.uint8)
    much = wanted([int(request.target.get(name, UNASKED)) for name in NAMES], request.size)
    lay_out(level, much, rng)
    put_ends(level, much.moves, rng)
    for tile, count in ((GOLD, much.gold), (GUARD, much.guards)):
        stand(level, tile, count, rng)
    return level, {"evaluations": 0}
