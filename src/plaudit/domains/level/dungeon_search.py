"""The searches of the PCG Benchmark's player of dungeons (`mdungeons`, arXiv 2503.21474), compiled.

Best first by what is left to go, lost health and treasure plus 1, 1/2 or 0 times the depth, or breadth first,
with the benchmark's limits and its order among equals; `dungeon_kernels.py` says what the ways found mean.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.heap import item_of, pop_whole, push_whole
from plaudit.domains.level.visited import is_new

WALL, OPEN, PLAYER, EXIT, POTION, TREASURE, GOBLIN, OGRE = range(8)
ITERATIONS, HEALTH, CURE = 5000, 5, 2


class Board(NamedTuple):
    """What does not move: tiles, which number each thing has (-1 = none), steps to the exit over whatever
    lies between, the exit, the row's length, and how many words hold a bit for each thing."""

    flat: Any
    number: Any
    away: Any
    leave: int
    width: int
    words: int


class Nodes(NamedTuple):
    """Positions in the order in which they were come to.

    `taken (M, words + 1)` has a bit for each thing gone, and then eight times the player's cell plus the
    health: what makes a position the same as another. `closed`: it was taken up.
    """

    taken: Any
    treasures: Any
    parent: Any
    depth: Any
    closed: Any
    heap: Any
    table: Any


@njit(cache=True, nogil=True, inline="always")
def place_of(board: Board, nodes: Nodes, node: int) -> int:
    """The player's cell."""
    return np.int64(nodes.taken[node, board.words]) >> 3


@njit(cache=True, nogil=True, inline="always")
def _ahead(board: Board, nodes: Nodes, node: int) -> int:
    """What the search holds to lie ahead: steps to the exit, four for lost health, less two for treasure."""
    moment = np.int64(nodes.taken[node, board.words])
    return board.away[moment >> 3] + 4 * (HEALTH - (moment & 7)) - 2 * nodes.treasures[node]


@njit(cache=True, nogil=True)
def search(board: Board, start: int, halves: int, nodes: Nodes) -> Any:
    """One of the benchmark's searches: the node at the exit or -1, and whether it took up every position.

    halves: what a step costs beside what lies ahead, in halves; below 0 = breadth first.
    """
    nodes.taken[0, : board.words] = 0
    nodes.taken[0, board.words] = start * 8 + HEALTH
    nodes.treasures[0], nodes.parent[0], nodes.depth[0], nodes.closed[0] = 0, -1, 0, 0
    nodes.table[:] = 0
    made, size, head, done = 1, 0, 0, 0
    if halves >= 0:
        size = push_whole(nodes.heap, size, 0, 0)
    while done < ITERATIONS and (head < made if halves < 0 else size > 0):
        done += 1
        if halves < 0:
            now = head
            head += 1
        else:
            size = pop_whole(nodes.heap, size)
            now = item_of(nodes.heap[size])
        moment = np.int64(nodes.taken[now, board.words])
        if nodes.closed[now] or moment & 7 == 0:
            continue
        if moment >> 3 == board.leave:
            return now, False
        nodes.closed[now] = 1
        if not is_new(nodes.taken, now, board.words + 1, nodes.table):
            continue
        for step in (-1, 1, -board.width, board.width):
            after = now if halves >= 0 and board.flat[(moment >> 3) + step] == WALL else made
            if after == made:
                _move(board, nodes, now, made, step)
                made += 1
            # A bump into a wall is the same position again, which the search takes out and passes over.
            if halves >= 0:
                cost = 2 * _ahead(board, nodes, after) + halves * (nodes.depth[now] + 1)
                size = push_whole(nodes.heap, size, cost, after)
    return -1, done < ITERATIONS


@njit(cache=True, nogil=True)
def _move(board: Board, nodes: Nodes, now: int, node: int, step: int) -> None:
    """Write the position after a step, or after a bump into a wall, as `node`."""
    for part in range(board.words + 1):
        nodes.taken[node, part] = nodes.taken[now, part]
    nodes.treasures[node], nodes.closed[node] = nodes.treasures[now], 0
    nodes.parent[node], nodes.depth[node] = now, nodes.depth[now] + 1
    moment = np.int64(nodes.taken[now, board.words])
    to, health = (moment >> 3) + step, moment & 7
    if board.flat[to] == WALL:
        return
    number = board.number[to]
    if number >= 0:
        part, bit = number >> 6, np.uint64(1) << np.uint64(number & 63)
        if not nodes.taken[node, part] & bit:
            nodes.taken[node, part] |= bit
            tile = board.flat[to]
            if tile == POTION:
                health = min(health + CURE, HEALTH)
            elif tile == TREASURE:
                nodes.treasures[node] += 1
            else:
                health = max(health - (tile - GOBLIN + 1), 0)
    nodes.taken[node, board.words] = to * 8 + health


@njit(cache=True, nogil=True)
def make_nodes(words: int) -> Nodes:
    """Room for the positions of one search, with `words` words of bits for the things gone."""
    nodes = 4 * ITERATIONS + 8
    return Nodes(
        np.empty((nodes, words + 1), np.uint64),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.uint8),
        np.empty(nodes, np.int64),
        np.empty(16384, np.int32),
    )
