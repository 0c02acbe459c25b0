"""The searches of the PCG Benchmark's player of caves (`ddave`, arXiv 2503.21474), and its physics, compiled.

Best first by what is left to go plus 1, 1/2 or 0 times the depth, or breadth first, with the benchmark's
limits and its order among equals; `cave_kernels.py` says what the ways found mean.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.heap import pop, push
from plaudit.domains.level.visited import is_new

WALL, OPEN, PLAYER, EXIT, DIAMOND, KEY, SPIKE = range(7)
ITERATIONS, AIR, HANG = 5000, 3, 1


class Board(NamedTuple):
    """What does not move: tiles, numbers of the diamonds (-1 = none), row length, key, exit, cell wanted,
    and how many words hold a bit for each diamond."""

    flat: Any
    number: Any
    width: int
    key: int
    leave: int
    goal: int
    words: int


class Nodes(NamedTuple):
    """Moments of the game in the order in which they were come to.

    `taken (M, words + 1)` has a bit for each diamond, and where a moment is taken up the rest of it.
    """

    place: Any
    alive: Any
    air: Any
    has_key: Any
    jumps: Any
    taken: Any
    parent: Any
    depth: Any
    costs: Any
    items: Any
    table: Any


@njit(cache=True, nogil=True)
def _ahead(board: Board, nodes: Nodes, node: int) -> int:
    """Steps to what is wanted next; the way to the key counts the way on to the exit as one full length."""
    goal, more = board.leave, 0
    if board.goal >= 0:
        goal = board.goal
    elif not nodes.has_key[node]:
        goal, more = board.key, board.width + len(board.flat) // board.width
    y, x = divmod(nodes.place[node], board.width)
    v, u = divmod(goal, board.width)
    return abs(y - v) + abs(x - u) + more


@njit(cache=True, nogil=True)
def _won(board: Board, nodes: Nodes, node: int) -> bool:
    if board.goal >= 0:
        return nodes.place[node] == board.goal
    return nodes.has_key[node] == 1 and nodes.place[node] == board.leave


@njit(cache=True, nogil=True)
def search(board: Board, start: int, balance: float, nodes: Nodes) -> int:
    """One of the benchmark's searches; the moment in which the game is won, or -1."""
    nodes.place[0], nodes.alive[0], nodes.air[0], nodes.has_key[0], nodes.jumps[0] = start, 1, 0, 0, 0
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
        if not nodes.alive[now]:
            continue
        if _won(board, nodes, now):
            return now
        # The air under the player does not count: that is the benchmark's.
        nodes.taken[now, board.words] = nodes.place[now] * 4 + nodes.alive[now] * 2 + nodes.has_key[now]
        if not is_new(nodes.taken, now, board.words + 1, nodes.table):
            continue
        for action in range(4):
            _act(board, nodes, now, made, action)
            if balance >= 0:
                cost = _ahead(board, nodes, made) + balance * nodes.depth[made]
                size = push(nodes.costs, nodes.items, size, cost, made)
            made += 1
    return -1


@njit(cache=True, nogil=True)
def move(flat: Any, width: int, state: Any, action: int) -> Any:
    """Place, air and jumps after an action and a tick of the air."""
    place, air, jumps = state
    if action == 3:
        if flat[place + width] == WALL and flat[place - width] != WALL:
            air, jumps = AIR, jumps + 1
    elif action > 0:
        to = place - 1 if action == 1 else place + 1
        place = place if flat[to] == WALL else to
    if air > HANG:
        open_above = flat[place - width] != WALL
        air = air - 1 if open_above else HANG
        place = place - width if open_above else place
    elif air > 0:
        air -= 1
    elif flat[place + width] != WALL:
        place += width
    return place, air, jumps


@njit(cache=True, nogil=True)
def _act(board: Board, nodes: Nodes, now: int, node: int, action: int) -> None:
    """Write the moment after waiting (0), a step left (1) or right (2) or a jump (3), and a tick of air."""
    state = (nodes.place[now], nodes.air[now], nodes.jumps[now])
    place, air, jumps = move(board.flat, board.width, state, action)
    nodes.place[node], nodes.air[node], nodes.jumps[node] = place, air, jumps
    nodes.parent[node], nodes.depth[node] = now, nodes.depth[now] + 1
    _enter(board, nodes, now, node)


@njit(cache=True, nogil=True)
def _enter(board: Board, nodes: Nodes, now: int, node: int) -> None:
    """What the cell that a moment leads to does to the player."""
    nodes.alive[node], nodes.has_key[node] = nodes.alive[now], nodes.has_key[now]
    for part in range(board.words):
        nodes.taken[node, part] = nodes.taken[now, part]
    place = nodes.place[node]
    tile, number = board.flat[place], board.number[place]
    if tile == SPIKE:
        nodes.alive[node] = 0
    elif tile == KEY:
        nodes.has_key[node] = 1
    elif number >= 0:
        nodes.taken[node, number >> 6] |= np.uint64(1) << np.uint64(number & 63)


@njit(cache=True, nogil=True)
def make_nodes(words: int) -> Nodes:
    """Room for the moments of one search, with `words` words of bits for the diamonds taken."""
    count = 4 * ITERATIONS + 8
    numbers = np.zeros((7, count), np.int32)
    return Nodes(
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        np.zeros((count, words + 1), np.uint64),
        numbers[5],
        numbers[6],
        np.zeros(count, np.float64),
        np.zeros(count, np.int64),
        np.zeros(16384, np.int32),
    )
