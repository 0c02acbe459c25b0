"""The judge of zelda levels, in plain Python: shares no code with the kernels that rewards use.

The definitions are those of the PCG Benchmark's `zelda-v0` (Khalifa et al., 2025, arXiv 2503.21474).
Two levels are alike where the routes from player to key read alike, after both were mirrored so that
they begin in the upper left quarter. (The benchmark names the route on to the door too, but looks for it
on a map where the door is a wall: it is always empty, and so it is left out here.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, distances, mirrored_route, number_of_regions

WALL, OPEN, PLAYER, KEY, DOOR, ENEMY = range(6)
ALIKE = 0.3
"""Share of the route's letters that must differ before two levels are different."""


def survey(level: Maps) -> dict[str, Any]:
    """What the judge sees in a level `(H, W)`: counts, regions, both legs and the route to the key."""
    count = Counter(level.ravel().tolist())
    to_key = _walk(level, PLAYER, KEY, (WALL, DOOR))
    to_door = _walk(level, KEY, DOOR, (WALL,))
    legs = [len(route) - 1 if route else -1 for route in (to_key, to_door)]
    return {
        "players": count[PLAYER],
        "keys": count[KEY],
        "doors": count[DOOR],
        "enemies": count[ENEMY],
        "regions": number_of_regions(level != WALL),
        "player_key": legs[0],
        "key_door": legs[1],
        "path": sum(max(leg, 0) for leg in legs),
        "route": to_key,
        "open": float((level != WALL).mean()),
    }


def passes(level: Maps, found: Mapping[str, Any]) -> bool:
    """One region, one player, key and door, 2 to 4 enemies on 11 x 7, both ways open and long enough."""
    usual = max(1, (3 * level.size + 38) // 77)
    slack = max(1, usual // 4)
    single = found["players"] == found["keys"] == found["doors"] == found["regions"] == 1
    open_ways = found["player_key"] > 0 and found["key_door"] > 0
    crowd = abs(found["enemies"] - usual) <= slack
    return bool(single and open_ways and crowd and found["path"] >= sum(level.shape))


def similarity(levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 1 for equal routes, 0 from 30 % of different letters on."""
    routes = [_letters(level, found["route"]) for level, found in zip(levels, figures, strict=True)]
    alike = np.eye(len(levels))
    for i, one in enumerate(routes):
        for j, other in enumerate(routes):
            if i != j:
                different = 1.0 - SequenceMatcher(None, one, other).ratio()
                alike[i, j] = 1.0 - min(different / ALIKE, 1.0)
    return alike


def _letters(level: Maps, route: Sequence[Cell]) -> str:
    height, width = level.shape
    return "".join(f"{x},{y}|" for y, x in mirrored_route(route, width, height))


def _walk(level: Maps, start: int, goal: int, solid: Sequence[int]) -> list[Cell]:
    """Cells of a shortest way between the first tiles of two kinds, the solid ones apart; [] = none.

    Where ways are equally short, the one that a walk back from the goal takes: left, right, up, down.
    """
    ends = [np.argwhere(level == tile) for tile in (start, goal)]
    if not all(len(found) for found in ends):
        return []
    first, last = ((int(found[0][0]), int(found[0][1])) for found in ends)
    free = ~np.isin(level, solid) | (level == goal)
    steps = distances(free, first)
    if last not in steps:
        return []
    way = [last]
    while steps[way[-1]] > 0:
        y, x = way[-1]
        around = ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x))
        way.append(next(cell for cell in around if steps.get(cell, -1) == steps[way[-1]] - 1))
    return way[::-1]
