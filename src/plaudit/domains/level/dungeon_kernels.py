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

from plaudit.domains.level.heap import pop, push
from plaudit.domains.level.walks import FAR, count_regions, first_of, mark, pad, spread

WALL, OPEN, PLAYER, EXIT, POTION, TREASURE, GOBLIN, OGRE = range(8)
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
ITERATIONS, HEALTH, CURE = 5000, 5, 2
_BALANCES = (1.0, 0.5, 0.0, -1.0)
_WALKABLE = 0b11111110
_SINGLE, _REGION, _NO_WAY = 3, 5, 20


class Board(NamedTuple):
    """What does not move: tiles, which number each thing has (-1 = none), the exit and the row's length."""

    flat: Any
    number: Any
    leave: int
    width: int


class Nodes(NamedTuple):
    """Positions in the order in which they were come to; `taken (M, 2)` has a bit for each thing gone."""

    place: Any
    health: Any
    treasures: Any
    taken: Any
    parent: Any
    depth: Any
    costs: Any
    items: Any
    table: Any


class Rooms(NamedTuple):
    """Scratch of one thread."""

    free: Any
    queue: Any
    number: Any
    steps: Any
    way: Any
    nodes: Nodes


@njit(cache=True, nogil=True)
def usual_enemies(cells: int) -> int:
    """Enemies that the way must meet: 8 on 8 x 12, in proportion elsewhere."""
    return max(1, (8 * cells + 48) // 96)


@njit(cache=True, nogil=True)
def _is_new(nodes: Nodes, node: int) -> bool:
    """Put a position into the hash table of nodes; whether none like it was there."""
    mixed = np.uint64(nodes.place[node] * 8 + nodes.health[node] + 1) * np.uint64(0x9E3779B97F4A7C15)
    for part in range(2):
        mixed ^= mixed >> np.uint64(31)
        mixed = (mixed ^ nodes.taken[node, part]) * np.uint64(0xBF58476D1CE4E5B9)
    size = np.uint64(nodes.table.size - 1)
    slot = (mixed >> np.uint64(20)) & size
    while nodes.table[slot] != 0:
        if _alike(nodes, nodes.table[slot] - 1, node):
            return False
        slot = (slot + np.uint64(1)) & size
    nodes.table[slot] = node + 1
    return True


@njit(cache=True, nogil=True)
def _alike(nodes: Nodes, one: int, other: int) -> bool:
    """Whether two positions are the same to the search."""
    same = nodes.place[one] == nodes.place[other] and nodes.health[one] == nodes.health[other]
    first = nodes.taken[one, 0] == nodes.taken[other, 0]
    return same and first and nodes.taken[one, 1] == nodes.taken[other, 1]


@njit(cache=True, nogil=True)
def _ahead(board: Board, nodes: Nodes, node: int) -> int:
    """What the search holds to lie ahead: steps to the exit, four for lost health, less two for treasure."""
    y, x = divmod(nodes.place[node], board.width)
    v, u = divmod(board.leave, board.width)
    lost, found = HEALTH - nodes.health[node], nodes.treasures[node]
    return abs(y - v) + abs(x - u) + 4 * lost - 2 * found


@njit(cache=True, nogil=True)
def search(board: Board, start: int, balance: float, nodes: Nodes) -> int:
    """One of the benchmark's searches; the node at the exit, or -1. A balance below 0 is breadth first."""
    nodes.place[0], nodes.health[0], nodes.treasures[0] = start, HEALTH, 0
    nodes.taken[0, 0] = nodes.taken[0, 1] = np.uint64(0)
    nodes.parent[0], nodes.depth[0] = -1, 0
    nodes.table[:] = 0
    made, size, head, done = 1, 0, 0, 0
    if balance >= 0:
        size = push(nodes.costs, nodes.items, size, 0.0, 0)
    while done < ITERATIONS and (head < made if balance < 0 else size > 0):
        done += 1
        if balance < 0:
            now = head
            head += 1
        else:
            size = pop(nodes.costs, nodes.items, size)
            now = nodes.items[size]
        if nodes.health[now] <= 0:
            continue
        if nodes.place[now] == board.leave:
            return now
        if not _is_new(nodes, now):
            continue
        for step in (-1, 1, -board.width, board.width):
            _move(board, nodes, now, made, step)
            if balance >= 0:
                cost = _ahead(board, nodes, made) + balance * nodes.depth[made]
                size = push(nodes.costs, nodes.items, size, cost, made)
            made += 1
    return -1


@njit(cache=True, nogil=True)
def _move(board: Board, nodes: Nodes, now: int, node: int, step: int) -> None:
    """Write the position after a step, or after a bump into a wall, as `node`."""
    nodes.health[node], nodes.treasures[node] = nodes.health[now], nodes.treasures[now]
    nodes.taken[node, 0], nodes.taken[node, 1] = nodes.taken[now, 0], nodes.taken[now, 1]
    nodes.parent[node], nodes.depth[node] = now, nodes.depth[now] + 1
    to = nodes.place[now] + step
    if board.flat[to] == WALL:
        nodes.place[node] = nodes.place[now]
        return
    nodes.place[node] = to
    number = board.number[to]
    if number < 0:
        return
    part, bit = number >> 6, np.uint64(1) << np.uint64(number & 63)
    if nodes.taken[node, part] & bit:
        return
    nodes.taken[node, part] |= bit
    tile = board.flat[to]
    if tile == POTION:
        nodes.health[node] = min(nodes.health[node] + CURE, HEALTH)
    elif tile == TREASURE:
        nodes.treasures[node] += 1
    else:
        nodes.health[node] = max(nodes.health[node] - (tile - GOBLIN + 1), 0)


@njit(cache=True, nogil=True)
def _rooms(size: int) -> Rooms:
    nodes, table = 4 * ITERATIONS + 8, 16384
    return Rooms(
        np.zeros(size, np.uint8),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.uint8),
        Nodes(
            np.zeros(nodes, np.int32),
            np.zeros(nodes, np.int32),
            np.zeros(nodes, np.int32),
            np.zeros((nodes, 2), np.uint64),
            np.zeros(nodes, np.int32),
            np.zeros(nodes, np.int32),
            np.zeros(nodes, np.float64),
            np.zeros(nodes, np.int64),
            np.zeros(table, np.int32),
        ),
    )


@njit(cache=True, nogil=True)
def _play(flat: Any, width: int, must_meet: int, rooms: Rooms, out: Any) -> None:
    """Play a level that is whole; fill what the way found says, and mark its cells in `rooms.way`."""
    things = 0
    for cell in range(flat.size):
        rooms.number[cell] = -1
        if flat[cell] >= POTION and things < 128:
            rooms.number[cell] = things
            things += 1
    board = Board(flat, rooms.number, first_of(flat, EXIT), width)
    start, nodes = first_of(flat, PLAYER), rooms.nodes
    for balance in _BALANCES:
        last = search(board, start, balance, nodes)
        if last >= 0:
            break
    if last < 0:
        return
    out[SOLUTION_LENGTH], out[COL_TREASURES] = nodes.depth[last] + 1, nodes.treasures[last]
    while last >= 0:
        rooms.way[nodes.place[last]] = 1
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
