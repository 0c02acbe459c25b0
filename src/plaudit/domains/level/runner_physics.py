"""Everywhere that a player who runs, climbs, hangs, falls and digs can come to, and the best play, compiled.

The physics, whose rules stand in `runner.py`, make a graph of cells. A hole is open just long enough for the
player to get into it, and closes behind the player: so nothing that was done before counts in what can be
done next, and a state is the cell that the player is in. A cell of brick is one too: the player is in a hole
there.

Falling and digging cannot always be undone, so that gold which can be come to need not be gold that can be
had in one play. The cells that lead to one another (Tarjan, 1972) are had together, and between these groups
a play only goes forwards: the play with the most gold is the heaviest way through them that ends at the exit.
Gold stays where it is for that and blocks nothing, so this is exact, in time linear in the cells.

Maps are flat, with a border one cell wide around them (stride `W + 2`): N cells in all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

WALL, OPEN, PLAYER, EXIT, GOLD, GUARD, LADDER, ROPE, BRICK, BORDER = range(10)
MOVES = 6
"""Most ways on from a cell: left, right, up, down, and holes dug on either side."""
WALKED, ALL = MOVES, MOVES + 1
"""Columns of a table of ways, after the ways themselves: how many there are without digging, and in all."""
DIG = 3
"""Ticks from digging to being in the hole; any other move takes one."""
FAR = -1
"""Ticks to a cell that is not come to."""


@njit(cache=True, nogil=True)
def solid(tile: int) -> bool:
    """Whether one stands on a tile and runs into it."""
    return tile == WALL or tile >= BRICK


@njit(cache=True, nogil=True)
def enterable(tile: int) -> bool:
    """Whether the player may go into a cell with this tile: nothing solid, and no guard."""
    return not solid(tile) and tile != GUARD


@njit(cache=True, nogil=True)
def supported(flat: Any, stride: int, cell: int) -> bool:
    """Whether there is something below a cell to stand on: solid, a ladder, or the lower border."""
    below = flat[cell + stride]
    return solid(below) or below == LADDER


@njit(cache=True, nogil=True)
def list_ways(flat: Any, stride: int, cell: int, ways: Any) -> None:
    """Write the cells that one comes to next from `cell` into its row of `ways (N, ALL + 1)`.

    Those without digging come first; the last two columns say how many there are.
    """
    row, count = ways[cell], 0
    if enterable(flat[cell + stride]):
        row[0] = cell + stride
        count = 1
    tile, held = flat[cell], supported(flat, stride, cell)
    if not (held or tile in (LADDER, ROPE)):
        row[WALKED] = row[ALL] = count
        return
    left, right = enterable(flat[cell - 1]), enterable(flat[cell + 1])
    if left:
        row[count] = cell - 1
        count += 1
    if right:
        row[count] = cell + 1
        count += 1
    if tile == LADDER and enterable(flat[cell - stride]):
        row[count] = cell - stride
        count += 1
    row[WALKED] = count
    # Who digs stands, and not in a hole: one can come back from all that is passed on the way into it.
    free = held and tile != BRICK
    if free and left and flat[cell + stride - 1] == BRICK:
        row[count] = cell + stride - 1
        count += 1
    if free and right and flat[cell + stride + 1] == BRICK:
        row[count] = cell + stride + 1
        count += 1
    row[ALL] = count


@njit(cache=True, nogil=True)
def spread(flat: Any, stride: int, start: int, ways: Any, ticks: Any) -> None:
    """Fewest ticks to every cell, holes included, into `ticks (N,)`, `FAR` elsewhere; fills in `ways`."""
    queues = np.empty((DIG + 1, MOVES * flat.size), np.int32)
    filled = np.zeros(DIG + 1, np.int64)
    ticks[:] = FAR
    queues[0, 0], filled[0] = start, 1
    now, waiting = 0, 1
    while waiting:
        lane = now % (DIG + 1)
        for place in range(filled[lane]):
            cell = queues[lane, place]
            if ticks[cell] != FAR:
                continue
            ticks[cell] = now
            list_ways(flat, stride, cell, ways)
            for i in range(ways[cell, ALL]):
                to = ways[cell, i]
                if ticks[to] == FAR:
                    later = (now + (1 if i < ways[cell, WALKED] else DIG)) % (DIG + 1)
                    queues[later, filled[later]] = to
                    filled[later] += 1
                    waiting += 1
        waiting -= filled[lane]
        filled[lane] = 0
        now += 1


@njit(cache=True, nogil=True)
def walk(start: int, ways: Any, come: Any) -> None:
    """Mark in `come (N,)` with 1 all that one comes to without digging, after `spread` from the same cell."""
    queue = np.empty(len(come), np.int32)
    come[:] = 0
    queue[0], come[start] = start, 1
    read, filled = 0, 1
    while read < filled:
        cell = queue[read]
        read += 1
        for i in range(ways[cell, WALKED]):
            to = ways[cell, i]
            if not come[to]:
                come[to] = 1
                queue[filled] = to
                filled += 1


@njit(cache=True, nogil=True)
def best_play(flat: Any, start: int, ways: Any, leads: Any) -> int:
    """Most gold of one play from `start` that ends at the exit, -1 where none does; after `spread`.

    leads `(N,)`: 0 where one cannot come to, 1 from where there is no way to the exit, 2 from where there is
    one, 3 what is on the best play.
    """
    group, order, number = _groups(start, ways)
    gold, best, after = _weigh(flat, ways, group, order, number)
    on, at = np.zeros(number, np.bool_), group[start]
    while at >= 0 and best[at] >= 0:
        on[at] = True
        at = after[at]
    leads[:] = 0
    for cell in order:
        own = group[cell]
        leads[cell] = 3 if on[own] else (2 if best[own] >= 0 else 1)
    own = group[start]
    return best[own] + gold[own] if best[own] >= 0 else -1


@njit(cache=True, nogil=True)
def next_aims(flat: Any, start: int, ways: Any, aims: Any) -> int:
    """Most gold of one play, as `best_play` says; after `spread`.

    aims `(N,)`: 1 for the gold that such a play may take first, or for the exit where it takes none: any of
    it can be gone for by the shortest way without losing another piece.
    """
    group, order, number = _groups(start, ways)
    gold, best, after = _weigh(flat, ways, group, order, number)
    aims[:] = 0
    at = group[start]
    if best[at] < 0:
        return -1
    most = best[at] + gold[at]
    while gold[at] == 0 and after[at] >= 0:
        at = after[at]
    wanted = GOLD if gold[at] else EXIT
    for cell in order:
        aims[cell] = group[cell] == at and flat[cell] == wanted
    return most


@njit(cache=True, nogil=True)
def _weigh(flat: Any, ways: Any, group: Any, order: Any, number: int) -> Any:
    """Of each group `(G,)` its gold, the most gold after it (-1: no exit comes), and the next group."""
    gold, after = np.zeros(number, np.int32), np.full(number, -1, np.int32)
    best = np.full(number, -1, np.int32)
    for cell in order:  # the groups that others lead to come first
        own = group[cell]
        gold[own] += flat[cell] == GOLD
        if flat[cell] == EXIT:
            best[own] = max(best[own], 0)
        for i in range(ways[cell, ALL]):
            other = group[ways[cell, i]]
            if other != own and best[other] >= 0 and best[other] + gold[other] > best[own]:
                best[own], after[own] = best[other] + gold[other], other
    return gold, best, after


@njit(cache=True, nogil=True)
def _groups(start: int, ways: Any) -> Any:
    """Groups of cells that lead to one another, by Tarjan's search with a stack of its own.

    Returns the group of each cell `(N,)`, -1 where none leads to; all cells come to, groups one after the
    other, those that others lead to first; and the number of groups.
    """
    cells = len(ways)
    group, low = np.full(cells, -1, np.int32), np.zeros(cells, np.int32)
    seen, turn = np.zeros(cells, np.int32), np.zeros(cells, np.int8)
    path, open_cells, order = np.empty(cells, np.int32), np.empty(cells, np.int32), np.empty(cells, np.int32)
    path[0], open_cells[0] = start, start
    seen[start] = low[start] = 1
    depth, opened, clock, number, closed = 1, 1, 1, 0, 0
    while depth:
        cell = path[depth - 1]
        if turn[cell] < ways[cell, ALL]:
            other = ways[cell, turn[cell]]
            turn[cell] += 1
            if not seen[other]:
                clock += 1
                seen[other] = low[other] = clock
                path[depth], open_cells[opened] = other, other
                depth, opened = depth + 1, opened + 1
            elif group[other] < 0:
                low[cell] = min(low[cell], seen[other])
            continue
        depth -= 1
        if depth:
            low[path[depth - 1]] = min(low[path[depth - 1]], low[cell])
        if low[cell] == seen[cell]:
            while True:
                opened -= 1
                other = open_cells[opened]
                group[other], order[closed] = number, other
                closed += 1
                if other == cell:
                    break
            number += 1
    return group, order[:closed], number
