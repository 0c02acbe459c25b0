"""The searches of the PCG Benchmark's solver of Sokoban (arXiv 2503.21474), compiled.

Breadth first over single moves, or best first by the crates' distance plus 1, 1/2 or 0 times the depth, with
the benchmark's limits and its order among equals; `sokoban_kernels.py` says what a solution found means.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.heap import item_of, pop_whole, push_whole
from plaudit.domains.level.visited import is_new

MOST = 24
"""Crates of a level that is searched at all; one with more is not solved by anybody."""
BREADTH_FIRST = -1


class Board(NamedTuple):
    """What does not move: solid and dead cells, flat; how far each cell is from each target `(N, n)`; and the
    row's length."""

    solid: Any
    dead: Any
    away: Any
    width: int


class Nodes(NamedTuple):
    """The positions of one search, in the order in which they were come to, its heap and what it has seen.

    `places (M * (MOST + 1),)` holds one position behind the other (`positions_of`). `distance` is that of the
    crates, each of which takes, in turn, the nearest target that is left: 0 = solved.
    """

    places: Any
    parent: Any
    depth: Any
    distance: Any
    heap: Any
    table: Any


@njit(cache=True, nogil=True, inline="always")
def positions_of(nodes: Nodes, count: int) -> Any:
    """The cells of so many crates, told apart, and behind them the player's `(M, count + 1)`."""
    return nodes.places[: len(nodes.parent) * (count + 1)].reshape(-1, count + 1)


@njit(cache=True, nogil=True)
def find_distances(flat: Any, target: int, width: int) -> Any:
    """How many steps each cell is from each target `(N, n)`, walls or not."""
    targets = np.flatnonzero(flat == target)
    away = np.empty((flat.size, len(targets)), np.int16)
    for cell in range(flat.size):
        y, x = divmod(cell, width)
        for place in range(len(targets)):
            v, u = divmod(targets[place], width)
            away[cell, place] = abs(y - v) + abs(x - u)
    return away


@njit(cache=True, nogil=True)
def _apart(positions: Any, row: int, away: Any) -> int:
    """Sum of the crates' distances: each takes, in turn, the nearest target that is left."""
    taken, total = 0, 0
    for crate in range(away.shape[1]):
        best, found = 1 << 14, 0
        for place in range(away.shape[1]):
            steps = away[positions[row, crate], place]
            if steps < best and not (taken >> place) & 1:
                best, found = steps, place
        taken |= 1 << found
        total += best
    return total


@njit(cache=True, nogil=True)
def search(board: Board, start: Any, balance: int, limit: int, nodes: Nodes) -> Any:
    """One of the benchmark's searches: the node of its solution or -1, the least distance it came to, and
    whether it took up every position that there is.

    start: the player's cell and the crates' `(n,)`; balance: twice the price of a step, or BREADTH_FIRST.
    """
    count = board.away.shape[1]
    positions = positions_of(nodes, count)
    positions[0, :count], positions[0, count] = start[1], start[0]
    nodes.parent[0], nodes.depth[0] = -1, 0
    nodes.distance[0] = _apart(positions, 0, board.away)
    nodes.table[:] = 0
    if balance == BREADTH_FIRST:
        return _search_breadth(board, positions, limit, nodes)
    return _search_best(board, positions, balance, limit, nodes)


@njit(cache=True, nogil=True)
def _search_breadth(board: Board, positions: Any, limit: int, nodes: Nodes) -> Any:
    """Breadth first. Positions are taken up in the order in which they are come to: what is come to within
    the limit decides it, and what is come to after it need not be looked at."""
    made, now, nearest = 1, 0, nodes.distance[0]
    while now < made:
        if is_new(positions, now, positions.shape[1], nodes.table):
            for step in (-1, 1, -board.width, board.width):
                if not _child(made, now, step, board, positions, nodes):
                    continue
                nearest = min(nearest, nodes.distance[made])
                if nodes.distance[made] == 0:
                    return made, 0, False
                made += 1
                if made == limit:
                    return -1, nearest, False
        now += 1
    return -1, nearest, True


@njit(cache=True, nogil=True)
def _search_best(board: Board, positions: Any, balance: int, limit: int, nodes: Nodes) -> Any:
    made, done, nearest = 1, 0, nodes.distance[0]
    size = push_whole(nodes.heap, 0, 2 * nodes.distance[0], 0)
    while done < limit and size > 0:
        done += 1
        size = pop_whole(nodes.heap, size)
        now = item_of(nodes.heap[size])
        if nodes.distance[now] == 0:
            return now, 0, False
        if not is_new(positions, now, positions.shape[1], nodes.table):
            continue
        nearest = min(nearest, nodes.distance[now])
        for step in (-1, 1, -board.width, board.width):
            if _child(made, now, step, board, positions, nodes):
                cost = 2 * nodes.distance[made] + balance * nodes.depth[made]
                size = push_whole(nodes.heap, size, cost, made)
                made += 1
    return -1, nearest, done < limit


@njit(cache=True, nogil=True, inline="always")
def _crate_at(cell: int, positions: Any, row: int, count: int) -> int:
    """Which crate of a position stands on a cell; -1 = none."""
    for crate in range(count):
        if positions[row, crate] == cell:
            return crate
    return -1


@njit(cache=True, nogil=True, inline="always")
def _child(node: int, now: int, step: int, board: Board, positions: Any, nodes: Nodes) -> bool:
    """Write the position after a move of one step as `node`; whether it is one that is looked at."""
    count = positions.shape[1] - 1
    to = positions[now, count] + step
    if board.solid[to]:
        return False
    pushed = _crate_at(to, positions, now, count)
    if pushed >= 0 and (board.solid[to + step] or _crate_at(to + step, positions, now, count) >= 0):
        return False
    for crate in range(count):
        positions[node, crate] = positions[now, crate]
    nodes.distance[node] = nodes.distance[now]
    if pushed >= 0:
        positions[node, pushed] = to + step
        for crate in range(count):
            if board.dead[positions[node, crate]]:
                return False
        nodes.distance[node] = _apart(positions, node, board.away)
    positions[node, count], nodes.parent[node], nodes.depth[node] = to, now, nodes.depth[now] + 1
    return True


@njit(cache=True, nogil=True)
def make_nodes(limit: int) -> Nodes:
    """Room for the nodes of one search of `limit` iterations."""
    nodes = 4 * limit + 8
    table = 1
    while table < 2 * limit:
        table *= 2
    return Nodes(
        np.zeros(nodes * (MOST + 1), np.int16),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int64),
        np.zeros(table, np.int32),
    )
