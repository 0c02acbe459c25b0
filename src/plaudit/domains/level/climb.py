"""Hill climbing in the compiled statistics: the baseline of every game, and the polish of what a policy left.

Many levels climb side by side, each with its own random numbers: a move that does not raise the distance
from the request is kept. A move is another tile in a cell, unless the game has moves of its own. What a row
does depends on its own start, request and seed alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.episodes import Beginning
from plaudit.domains.level.film import Reel
from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.request import LevelRequest, complete, tolerances
from plaudit.domains.level.starts import beginnings
from plaudit.engine.random import RowRandom
from plaudit.task import Item

BUDGET = 10_000
"""Evaluations after which climbing gives up."""
ROWS = 128
"""Levels that climb side by side."""
_BLOCK = 64
"""Edits whose random numbers are drawn at once."""

Climbed = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Evaluations that each row took, and its distance from the request in the end, `(R,)`; 0 = met."""


def climb(
    game: Game,
    beginning: Beginning,
    tolerance: tuple[float, ...],
    budget: int,
    threads: int = 1,
    reels: Sequence[Reel] | None = None,
) -> Climbed:
    """Climb with `beginning.maps (R, H, W)` in place; returns evaluations taken and distances left.

    Threads share the rows; what comes out does not depend on how many there are. `reels (R)`: where the
    edits that are kept are noted, if they are.
    """
    rows = len(beginning.maps)
    if threads == 1 or rows < 2:
        return _climb(game, beginning, tolerance, budget, reels)
    used, best = np.zeros(rows, np.int64), np.zeros(rows)

    def share(first: int) -> None:
        mine = beginning.only(np.arange(first, rows, threads))
        own = None if reels is None else reels[first::threads]
        used[first::threads], best[first::threads] = _climb(game, mine, tolerance, budget, own)
        beginning.maps[first::threads] = mine.maps

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(share, range(min(threads, rows))))
    return used, best


def _climb(
    game: Game,
    beginning: Beginning,
    tolerance: tuple[float, ...],
    budget: int,
    reels: Sequence[Reel] | None,
) -> Climbed:
    maps, locked = beginning.maps, beginning.locked
    random = RowRandom(beginning.seeds)
    best = game.distance(game.measure(maps), beginning.goals, tolerance)
    used = np.ones(len(maps), np.int64)
    live = np.flatnonzero(best > 0)
    while len(live):
        drawn = random.uniform(2 * _BLOCK, live).reshape(len(live), _BLOCK, 2)
        cells = _cells(game, maps[live], drawn[:, :, 0])
        for edit in range(_BLOCK):
            rows = np.flatnonzero((best[live] > 0) & (used[live] < budget))
            if not len(rows):
                break
            at, before = live[rows], maps[live[rows]]
            after = _moved(game, before, locked[at], cells[rows, edit], drawn[rows, edit, 1])
            found = game.distance(game.measure(after), beginning.goals[at], tolerance)
            used[at] += 1
            kept = found <= best[at]
            maps[at[kept]] = after[kept]
            for i in np.flatnonzero(kept).tolist() if reels is not None else ():
                reels[at[i]].note(before[i], after[i])
            best[at] = np.minimum(found, best[at])
        live = live[(best[live] > 0) & (used[live] < budget)]
    return used, best


def _moved(
    game: Game, maps: Maps, locked: NDArray[np.bool_], cells: NDArray[np.int64], drawn: NDArray[np.float64]
) -> Maps:
    """Each map `(R, H, W)` after a move at one cell, the game's own or another tile, by numbers in [0, 1)."""
    after = game.moves(maps, locked, cells, drawn)
    if after is not None:
        return after
    after, row, tiles = maps.copy(), np.arange(len(maps)), len(game.tiles)
    step = 1 + (drawn * (tiles - 1)).astype(np.int64)
    # A locked cell is drawn as often as any other, and left alone.
    step[locked.reshape(len(maps), -1)[row, cells]] = 0
    flat = after.reshape(len(maps), -1)
    flat[row, cells] = (flat[row, cells] + step) % tiles
    return after


def _cells(game: Game, maps: Maps, drawn: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cells `(R, N)` from numbers in [0, 1): any as likely as any other, or as the game suspects them."""
    suspects = game.suspects(maps)
    if suspects is None:
        return np.asarray(drawn * maps[0].size, np.int64)
    # Shares of a row lie between its number and the next, so that one search does for all rows.
    share = np.cumsum(suspects.reshape(len(maps), -1), axis=1, dtype=np.float64)
    share /= share[:, -1:]
    row = np.arange(len(maps))[:, None]
    found = np.searchsorted((share + row).ravel(), drawn + row, side="right")
    return np.asarray(np.minimum(found - row * share.shape[1], share.shape[1] - 1), np.int64)


def climb_levels(game: Game, requests: Sequence[LevelRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Yield a level for each request and seed: its start map after hill climbing."""
    for first in range(0, len(seeds), ROWS):
        part = slice(first, first + ROWS)
        full = [
            complete(game, request, seed) for request, seed in zip(requests[part], seeds[part], strict=True)
        ]
        made: dict[int, Item] = {}
        for members in alike(game, full):
            asked = [full[i] for i in members]
            numbers = np.array([seeds[part][i] for i in members], np.int64)
            start = beginnings(game, asked, numbers)
            used, _ = climb(game, start, tolerances(game, asked[0]), BUDGET)
            for row, i in enumerate(members):
                info: dict[str, Any] = {"evaluations": int(used[row])}
                made[i] = Item(start.maps[row].copy(), full[i], int(numbers[row]), info)
        yield from (made[i] for i in range(len(full)))


def alike(game: Game, requests: Sequence[LevelRequest]) -> list[list[int]]:
    """Indices of requests that differ in their goals alone, group by group."""
    kinds = [(r.size, tolerances(game, r), r.density, r.changes, r.steps, r.locked) for r in requests]
    return [[i for i, other in enumerate(kinds) if other == kind] for kind in dict.fromkeys(kinds)]
