"""The searches of the PCG Benchmark's player of dungeons (`mdungeons`, arXiv 2503.21474), compiled.

Best first by what is left to go, lost health and treasure plus 1, 1/2 or 0 times the depth, or breadth first,
with the benchmark's limits and its order among equals; `dungeon_kernels.py` says what the ways found mean.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.heap import pop, push
from plaudit.domains.level.visited import is_new

WALL, OPEN, PLAYER, EXIT, POTION, TREASURE, GOBLIN, OGRE = range(8)
ITERATIONS, HEALTH, CURE = 5000, 5, 2


class Board(NamedTuple):
    """What does not move: tiles, which number each thing has (-1 = none), the exit, the row's length, and how
    many words hold a bit for each thing."""

    flat: Any
    number: Any
    leave: int
    width: int
    words: int


class Nodes(NamedTuple):
    """Positions in the order in which they were come to.

    `taken (M, words + 1)` has a bit for each thing gone, and where a position is taken up the rest of it.
    """

    place: Any
    health: Any
    treasures: Any
    taken: Any
    parent: Any
    depth: Any
    costs: Any
    items: Any
    table: Any


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
    nodes.taken[0, : board.words] = 0
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
        nodes.taken[now, board.words] = nodes.place[now] * 8 + nodes.health[now]
        if not is_new(nodes.taken, now, board.words + 1, nodes.table):
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
    for part in range(board.words):
        nodes.taken[node, part] = nodes.taken[now, part]
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
def make_nodes(words: int) -> Nodes:
    """Room for the positions of one search, with `words` words of bits for the things gone."""
    nodes = 4 * ITERATIONS + 8
    return Nodes(
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int32),
        np.zeros((nodes, words + 1), np.uint64),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.float64),
        np.zeros(nodes, np.int64),
        np.zeros(16384, np.int32),
    )
