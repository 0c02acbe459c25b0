"""Compiled statistics of small Sokoban levels: counts, and the solution that the benchmark's solver finds.

The PCG Benchmark's `sokoban` (Khalifa et al., 2025, arXiv 2503.21474) counts a level as solved when one of
four searches over single moves finds a solution within its iterations: breadth first, then best first by the
crates' distance plus 1, 1/2 or 0 times the depth. The same searches run here, with the same limits, the same
pruning of dead cells and the same order among equals, so that solved and unsolved, and the length of a
solution, agree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.sokoban_search import (
    BREADTH_FIRST,
    MOST,
    Board,
    Nodes,
    find_distances,
    make_nodes,
    search,
)
from plaudit.domains.level.walks import FAR, count_regions, first_of, mark, pad, spread

WALL, OPEN, PLAYER, CRATE, TARGET = range(5)
PLAYERS, CRATES, TARGETS, REGIONS, SOLUTION, FAULTS = range(6)
"""Columns of the statistics; SOLUTION is its length in moves, 0 where none was found."""
STATISTICS = 6
DETAILS = 3
"""Planes that `paint` writes: steps from the player, dead cells, and the length of the solution."""
ITERATIONS = 5000
"""Positions that each of the benchmark's searches takes up before it gives up (`sokoban-v0`)."""
_BALANCES = (BREADTH_FIRST, 2, 1, 0)
"""Twice what a step costs beside the crates' distance."""
_WALKABLE = 0b11110
_ONE_PLAYER, _ALIKE, _UNSOLVED, _AWAY = 3, 2, 5, 1
"""What faults cost, in moves of the solution."""


@njit(cache=True, nogil=True)
def find_dead(solid: Any, target: Any, shape: Any, dead: Any) -> None:
    """Mark the cells from which the benchmark holds that no crate comes away, in a padded map.

    Corners without a target; and what lies between two of them in a line that has a wall on either side of
    every cell, and no target.
    """
    height, width = shape
    dead[:] = 0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            cell = y * width + x
            beside = solid[cell - 1] or solid[cell + 1]
            above = solid[cell - width] or solid[cell + width]
            if not solid[cell] and not target[cell] and beside and above:
                dead[cell] = 2
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if dead[y * width + x] == 2:
                _mark_line(y * width + x, 1, width, (solid, target, dead))
                _mark_line(y * width + x, width, 1, (solid, target, dead))


@njit(cache=True, nogil=True)
def _mark_line(corner: int, step: int, side: int, board: Any) -> None:
    """Mark as dead what lies between a corner and the corners after it along `step`."""
    solid, target, dead = board
    cell = corner + step
    while 0 <= cell - side and cell + side < solid.size:
        if dead[cell] == 2:
            for between in range(corner + step, cell, step):
                dead[between] = max(dead[between], 1)
        if target[cell] or solid[cell] or not (solid[cell - side] or solid[cell + side]):
            return
        cell += step


class Rooms(NamedTuple):
    """Scratch of one thread: walls, targets and dead cells, a queue, steps from the player, a search."""

    solid: Any
    target: Any
    dead: Any
    queue: Any
    steps: Any
    nodes: Nodes


@njit(cache=True, nogil=True)
def make_rooms(size: int) -> Rooms:
    solid, target, dead = np.zeros(size, np.uint8), np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    queue, steps = np.zeros(size, np.int32), np.zeros(size, np.int32)
    return Rooms(solid, target, dead, queue, steps, make_nodes(ITERATIONS))


@njit(cache=True, nogil=True)
def find_solution(flat: Any, shape: Any, rooms: Rooms) -> Any:
    """Search a padded map as the benchmark does: the node of the solution in `rooms.nodes`, -1 where there is
    none, how far the crates stayed from their targets then, and how many searches it took."""
    lay_board(flat, shape, rooms)
    board = Board(rooms.solid, rooms.dead, find_distances(flat, TARGET, shape[1]), shape[1])
    start = (first_of(flat, PLAYER), np.flatnonzero(flat == CRATE))
    away, searches = 1 << 30, 0
    for balance in _BALANCES:
        node, nearest, complete = search(board, start, balance, ITERATIONS, rooms.nodes)
        searches += 1
        if node >= 0:
            return node, 0, searches
        away = min(away, nearest)
        if complete:  # the other searches take up the same positions, in another order
            break
    return -1, away, searches


@njit(cache=True, nogil=True)
def lay_board(flat: Any, shape: Any, rooms: Rooms) -> None:
    """Find the walls, the targets and the dead cells of a padded map."""
    for cell in range(flat.size):
        rooms.solid[cell] = flat[cell] == WALL
        rooms.target[cell] = flat[cell] == TARGET
    find_dead(rooms.solid, rooms.target, shape, rooms.dead)


@njit(cache=True, nogil=True)
def _survey(flat: Any, shape: Any, rooms: Rooms, out: Any) -> None:
    """Fill `out (STATISTICS,)` from a padded map."""
    out[:] = 0
    for cell in range(flat.size):
        if flat[cell] >= PLAYER:
            out[flat[cell] - PLAYER] += 1
    mark(flat, _WALKABLE, rooms.solid)
    out[REGIONS] = count_regions(rooms.solid, shape[1], rooms.queue)
    alike = out[CRATES] == out[TARGETS] and 0 < out[CRATES] <= MOST
    away = 0
    if out[PLAYERS] == 1 and alike:
        node, away, _ = find_solution(flat, shape, rooms)
        out[SOLUTION] = rooms.nodes.depth[node] if node >= 0 else 0
    missing = 1 if out[CRATES] == 0 else 0
    wrong = _ONE_PLAYER * abs(out[PLAYERS] - 1) + _ALIKE * (abs(out[CRATES] - out[TARGETS]) + missing)
    shortest = shape[0] - 2 + shape[1] - 2
    if out[SOLUTION] == 0:
        out[FAULTS] = wrong + _UNSOLVED + _AWAY * away + shortest
    else:
        out[FAULTS] = wrong + max(shortest - out[SOLUTION], 0)


@njit(cache=True, nogil=True)
def measure(maps: Any, out: Any) -> None:
    """Statistics of `maps (B, H, W) uint8` into `out (B, STATISTICS) int32`."""
    rows, height, width = maps.shape
    flat = np.zeros((height + 2) * (width + 2), np.uint8)
    rooms = make_rooms(flat.size)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, (height + 2, width + 2), rooms, out[row])


@njit(cache=True, nogil=True)
def paint(maps: Any, out: Any, planes: Any) -> None:
    """Statistics into `out (B, STATISTICS)`, and the planes of `DETAILS` into `planes (B, H, W, 3)`."""
    rows, height, width = maps.shape
    shape, scale = (height + 2, width + 2), np.float32(1.0 / (width + height))
    flat = np.zeros(shape[0] * shape[1], np.uint8)
    rooms, free = make_rooms(flat.size), np.zeros(flat.size, np.uint8)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, shape, rooms, out[row])
        lay_board(flat, shape, rooms)
        mark(flat, _WALKABLE, free)
        player = first_of(flat, PLAYER)
        rooms.steps[:] = FAR
        if player >= 0:
            spread(player, shape[1], free, rooms.queue, rooms.steps)
        for y in range(height):
            for x in range(width):
                cell = (y + 1) * shape[1] + 1 + x
                steps = rooms.steps[cell]
                planes[row, y, x, 0] = np.float32(-1.0) if steps == FAR else steps * scale
                planes[row, y, x, 1] = np.float32(rooms.dead[cell] > 0)
                planes[row, y, x, 2] = min(np.float32(out[row, SOLUTION]) / np.float32(20.0), np.float32(2.0))
