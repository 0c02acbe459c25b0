"""Where items begin: their start maps with the locked cells laid in, and what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.episodes import Beginning
from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.request import LevelRequest, goals_of, locks_of
from plaudit.task import Item

OPEN = 1
"""What takes the place of furniture that had to go: every game's open tile."""


def beginnings(game: Game, requests: Sequence[LevelRequest], seeds: NDArray[np.int64]) -> Beginning:
    """Where the items of requests that differ in their goals alone begin: locked cells hold their tiles."""
    first = requests[0]
    cells, tiles = locks_of(game, first)
    goals = goals_of(game, requests)
    maps = None
    if cells.any() and first.density is None:
        maps = game.around(cells, tiles, seeds, goals)
    if maps is None:
        maps = lay_locks(game, game.starts(seeds, first.size, first.density, goals), cells, tiles)
    return Beginning(seeds, maps, goals, np.broadcast_to(cells, maps.shape))


def planned(game: Game, beginning: Beginning, request: LevelRequest) -> Beginning:
    """The beginning as the game's plan has it, unless the request says how levels begin or edits are few."""
    plan = None
    if request.changes == 1 and request.density is None:
        plan = game.plan(beginning.seeds, request.size, beginning.goals)
    if plan is None:
        return beginning
    cells, tiles = locks_of(game, request)
    return replace(beginning, maps=lay_locks(game, plan, cells, tiles))


def start_of(game: Game, item: Item) -> Maps:
    """The map `(H, W)` that an item began as, from its request and seed."""
    assert isinstance(item.request, LevelRequest)
    return beginnings(game, [item.request], np.array([item.seed], np.int64)).maps[0]


def lay_locks(game: Game, maps: Maps, cells: NDArray[np.bool_], tiles: Maps) -> Maps:
    """Put the locked tiles into start maps `(R, H, W)`; what a level has once goes where it is locked."""
    if not cells.any():
        return maps
    for number, tile in enumerate(game.tiles):
        if tile.single and (cells & (tiles == number)).any():
            maps[maps == number] = OPEN
    maps[:, cells] = tiles[cells]
    return maps
