"""Repair: the fewest edits that make a level good and, where something is asked for, as asked.

A beam search over sets of edits, one edit deeper a round, by the exact distance of every map: it stops at the
first round in which a map is good, so that it finds a repair of one edit always, and one of few edits where
the damage of each can be seen in the distance. Locked cells are left alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.game import UNASKED, Game, Goals, Maps
from plaudit.domains.level.request import LevelRequest, goals_of, locks_of, tolerances
from plaudit.errors import Infeasible
from plaudit.task import Item

WIDTH = 24
"""Maps that are edited further in every round."""
DEEPEST = 12
"""Edits after which a level is given up as too far from a good one."""
_AT_ONCE = 8192
"""Maps that are measured together."""


def repair_level(game: Game, item: Item) -> Item:
    """The level with the fewest edits found; `info["repair"]` lists each as column, row, from and to.

    Raises `Infeasible` when no few edits make it good, with the nearest it came to.
    """
    request = item.request
    assert isinstance(request, LevelRequest)
    cells, tiles = locks_of(game, request)
    before = item.content.copy()
    before[cells] = tiles[cells]
    after, rounds, looked = _search(game, request, before, cells)
    edits = [
        {"x": int(x), "y": int(y), "from": _name(game, item.content[y, x]), "to": _name(game, after[y, x])}
        for y, x in np.argwhere(after != item.content)
    ]
    info = {**item.info, "repair": edits, "edits": len(edits), "evaluations": looked, "rounds": rounds}
    return Item(after, request, item.seed, info)


def _name(game: Game, tile: Any) -> str:
    return game.tiles[int(tile)].name


def _search(game: Game, request: LevelRequest, level: Maps, locked: Any) -> tuple[Maps, int, int]:
    """The first good map found, after how many rounds, and how many maps were looked at."""
    goals, limits = _wanted(game, request)
    beam, seen, looked = level[None], {level.tobytes()}, 1
    nearest = float(game.distance(game.measure(beam), goals, limits)[0])
    for depth in range(DEEPEST + 1):
        if nearest <= 0:
            return beam[0], depth, looked
        if locked.all():
            break
        maps, distances = _edited(game, beam, (goals, limits), locked)
        looked += len(maps)
        chosen = []
        for row in np.argsort(distances, kind="stable").tolist():
            key = maps[row].tobytes()
            if key not in seen:
                seen.add(key)
                chosen.append(row)
            if len(chosen) == WIDTH:
                break
        if not chosen:
            break
        beam, nearest = maps[chosen], float(distances[chosen[0]])
    raise Infeasible(
        f"no {DEEPEST} edits were found that make this a good {game.name}; the nearest lacks {nearest:g}.",
        hint="Unlock cells, ask for less, or make a new level.",
    )


def _wanted(game: Game, request: LevelRequest) -> tuple[Goals, tuple[float, ...]]:
    """Goals `(1, G)` and their tolerances.

    A game without faults of its own is good where its targets are in range: unasked, anything in it will do.
    """
    goals, limits = goals_of(game, [request]), tolerances(game, request)
    if "faults" in game.statistics:
        return goals, limits
    low = np.array(game.span(request.size))[:, 0] - game.tolerance(request.size)
    high = np.array(game.reach(request.size))[:, 1]
    unasked = goals[0] == UNASKED
    middle, half = (low + high) // 2, (high - low) / 2
    return np.where(unasked, middle, goals).astype(np.int64), tuple(np.where(unasked, half, limits).tolist())


def _edited(game: Game, beam: Maps, wanted: Any, locked: Any) -> tuple[Maps, Any]:
    """Every map one edit from those of the beam, and how far each is from what is wanted."""
    goals, limits = wanted
    free = np.flatnonzero(~locked.ravel())
    kinds = len(game.tiles)
    cell, tile = (part.ravel() for part in np.meshgrid(free, np.arange(kinds), indexing="ij"))
    maps = np.repeat(beam, len(cell), axis=0)
    maps.reshape(len(maps), -1)[np.arange(len(maps)), np.tile(cell, len(beam))] = np.tile(tile, len(beam))
    distances = np.concatenate(
        [
            game.distance(game.measure(part), np.repeat(goals, len(part), axis=0), limits)
            for part in (maps[i : i + _AT_ONCE] for i in range(0, len(maps), _AT_ONCE))
        ]
    )
    return maps, distances
