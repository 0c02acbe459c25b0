"""The constructive generator of dungeons: dig a tree, keep one way of it, put the things on that way."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.baselines import dig_tree
from plaudit.domains.level.dungeon_kernels import usual_enemies
from plaudit.domains.level.dungeon_search import EXIT, GOBLIN, PLAYER, POTION, TREASURE
from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, distances
from plaudit.domains.level.request import LevelRequest

TRIES = 20
"""Trees of which the one whose way is nearest to the wanted length is kept."""


def build_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """A corridor from a tree; enemies, potions so that the player may live, and treasures in random order."""
    rng = np.random.default_rng([seed % 2**64, 17])
    wanted = int(request.target.get("solution_length", request.size[0] * request.size[1] // 3))
    tries = [_way(dig_tree(request.size[::-1], rng), wanted, rng) for _ in range(TRIES)]
    free, way = min(tries, key=lambda each: abs(len(each[1]) - wanted))
    level = free.astype(np.uint8)
    # Other corridors are closed: by them the player would go round the enemies.
    level[:] = 0
    for cell in way:
        level[cell] = 1
    enemies = usual_enemies(level.size)
    fights = [tile for i in range(enemies) for tile in ([GOBLIN, POTION] if i % 2 else [GOBLIN])]
    things = [*fights, *[TREASURE] * int(request.target.get("col_treasures", 0))]
    inner = way[1:-1]
    chosen = sorted(rng.permutation(len(inner))[: len(things)].tolist())
    for index, tile in zip(chosen, rng.permutation(things[: len(chosen)]).tolist(), strict=True):
        level[inner[index]] = tile
    level[way[0]], level[way[-1]] = PLAYER, EXIT
    return level, {"evaluations": TRIES}


def _way(free: Any, wanted: int, rng: np.random.Generator) -> tuple[Any, list[Cell]]:
    """A way in a tree from any cell to one as far away as is wanted."""
    cells = [(int(y), int(x)) for y, x in np.argwhere(free)]
    start = cells[int(rng.integers(len(cells)))]
    steps = distances(free, start)
    cell = min(steps, key=lambda each: (abs(steps[each] + 1 - wanted), each))
    way = [cell]
    while steps[way[-1]] > 0:
        y, x = way[-1]
        around = ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x))
        way.append(next(near for near in around if steps.get(near, -1) == steps[way[-1]] - 1))
    return free, way[::-1]
