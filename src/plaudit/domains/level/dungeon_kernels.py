"""Compiled statistics of dungeons: counts, and the way that the benchmark's player finds through the level.

The PCG Benchmark's `mdungeons` (Khalifa et al., 2025, arXiv 2503.21474) plays a level with up to four
searches: best first by what is left to go, lost health and treasure plus 1, 1/2 or 0 times the depth, then
breadth first. The same searches run here with the same limits and the same order among equals, so that the
way found, what is collected on it and which enemies it meets agree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.dungeon_search import (
    EXIT,
    GOBLIN,
    OPEN,
    PLAYER,
    POTION,
    Board,
    Nodes,
    make_nodes,
    place_of,
    search,
)
from plaudit.domains.level.walks import FAR, count_regions, first_of, mark, pad, spread

(
    PLAYERS,
    EXITS,
    POTIONS,
    TREASURES,
    ENEMIES,
    REGIONS,
    LAYOUT,
    SOLUTION_LENGTH,
    COL_TREASURES,
    AVOIDED,
    FAULTS,
) = range(11)
"""Columns of the statistics; SOLUTION_LENGTH counts cells, 0 = no way; AVOIDED is how far the way stays from
the nearest enemies, in steps over all that must be met."""
STATISTICS = 11
DETAILS = 3
"""Planes that `paint` writes: steps from the player, from the exit, and whether the way leads over a cell."""
_HALVES = (2, 1, 0, -1)
"""What a step costs the searches beside what lies ahead, in halves; below 0 = breadth first."""
_WALKABLE = 0b11111110
_SINGLE, _REGION, _NO_WAY = 3, 5, 20


class Rooms(NamedTuple):
    """Scratch of one thread."""

    free: Any
    queue: Any
    number: Any
    away: Any
    steps: Any
    way: Any
    nodes: Nodes


@njit(cache=True, nogil=True)
def usual_enemies(cells: int) -> int:
    """Enemies that the way must meet: 8 on 8 x 12, in proportion elsewhere."""
    return max(1, (8 * cells + 48) // 96)


@njit(cache=True, nogil=True)
def _rooms(size: int) -> Rooms:
    return Rooms(
        np.zeros(size, np.uint8),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.uint8),
        make_nodes((size + 63) // 64),
    )


@njit(cache=True, nogil=True)
def _play(flat: Any, width: int, must_meet: int, rooms: Rooms, out: Any) -> None:
    """Play a level that is whole; fill what the way found says, and mark its cells in `rooms.way`."""
    things, leave = 0, first_of(flat, EXIT)
    v, u = divmod(leave, width)
    for cell in range(flat.size):
        y, x = divmod(cell, width)
        rooms.away[cell], rooms.number[cell] = abs(y - v) + abs(x - u), -1
        if flat[cell] >= POTION:
            rooms.number[cell] = things
            things += 1
    board = Board(flat, rooms.number, rooms.away, leave, width, (things + 63) // 64)
    start, nodes = first_of(flat, PLAYER), rooms.nodes
    for halves in _HALVES:
        last, complete = search(board, start, halves, nodes)
        if last >= 0 or complete:  # the other searches take up the same positions, in another order
            break
    if last < 0:
        return
    out[SOLUTION_LENGTH], out[COL_TREASURES] = nodes.depth[last] + 1, nodes.treasures[last]
    while last >= 0:
        rooms.way[place_of(board, nodes, last)] = 1
        last = nodes.parent[last]
    out[AVOIDED] = _avoided(flat, width, must_meet, rooms)


@njit(cache=True, nogil=True)
def _avoided(flat: Any, width: int, must_meet: int, rooms: Rooms) -> int:
    """Sum of the steps between the way and the enemies nearest to it, as many as must be met."""
    found, total = 0, 0
    for cell in range(flat.size):
        if flat[cell] >= GOBLIN:
            y, x = divmod(cell, width)
            best = 1 << 20
            for other in range(flat.size):
                if rooms.way[other]:
                    v, u = divmod(other, width)
                    best = min(best, abs(y - v) + abs(x - u))
            rooms.queue[found] = best
            found += 1
    nearest = np.sort(rooms.queue[:found])
    for i in range(min(found, must_meet)):
        total += nearest[i]
    return total


@njit(cache=True, nogil=True)
def _survey(flat: Any, shape: Any, rooms: Rooms, out: Any) -> None:
    """Fill `out (STATISTICS,)` from a padded map."""
    out[:] = 0
    height, width = shape
    cells = (height - 2) * (width - 2)
    walls = 0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            tile = flat[y * width + x]
            if tile <= OPEN:
                walls += 1
            else:
                out[min(tile - PLAYER, ENEMIES)] += 1
    out[LAYOUT] = walls
    mark(flat, _WALKABLE, rooms.free)
    out[REGIONS] = count_regions(rooms.free, width, rooms.queue)
    rooms.way[:] = 0
    must_meet = usual_enemies(cells)
    whole = out[PLAYERS] == 1 and out[EXITS] == 1 and out[REGIONS] == 1
    if whole:
        _play(flat, width, must_meet, rooms, out)
    wrong = _SINGLE * (abs(out[PLAYERS] - 1) + abs(out[EXITS] - 1)) + _REGION * abs(out[REGIONS] - 1)
    wrong += max(must_meet - out[ENEMIES], 0) + max(cells // 2 - out[LAYOUT], 0)
    if out[SOLUTION_LENGTH] == 0:
        out[FAULTS] = wrong + _NO_WAY + must_meet
    else:
        out[FAULTS] = wrong + max(must_meet + 2 - out[SOLUTION_LENGTH], 0) + out[AVOIDED]


@njit(cache=True, nogil=True)
def measure(maps: Any, out: Any) -> None:
    """Statistics of `maps (B, H, W) uint8` into `out (B, STATISTICS) int32`."""
    rows, height, width = maps.shape
    flat = np.zeros((height + 2) * (width + 2), np.uint8)
    rooms = _rooms(flat.size)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, (height + 2, width + 2), rooms, out[row])


@njit(cache=True, nogil=True)
def paint(maps: Any, out: Any, planes: Any) -> None:
    """Statistics into `out (B, STATISTICS)`, and the planes of `DETAILS` into `planes (B, H, W, 3)`."""
    rows, height, width = maps.shape
    shape, scale = (height + 2, width + 2), np.float32(1.0 / (width + height))
    flat = np.zeros(shape[0] * shape[1], np.uint8)
    rooms, other = _rooms(flat.size), np.zeros(flat.size, np.int32)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, shape, rooms, out[row])
        mark(flat, _WALKABLE, rooms.free)
        player, leave = first_of(flat, PLAYER), first_of(flat, EXIT)
        rooms.steps[:] = FAR
        other[:] = FAR
        if player >= 0:
            spread(player, shape[1], rooms.free, rooms.queue, rooms.steps)
        if leave >= 0:
            spread(leave, shape[1], rooms.free, rooms.queue, other)
        for y in range(height):
            for x in range(width):
                cell = (y + 1) * shape[1] + 1 + x
                for plane, steps in enumerate((rooms.steps[cell], other[cell])):
                    planes[row, y, x, plane] = np.float32(-1.0) if steps == FAR else min(steps * scale, 2.0)
                planes[row, y, x, 2] = np.float32(rooms.way[cell])
