"""The searches of the PCG Benchmark's solver of Sokoban (arXiv 2503.21474), compiled.

Breadth first over single moves, or best first by the crates' distance plus 1, 1/2 or 0 times the depth, with
the benchmark's limits and its order among equals; `sokoban_kernels.py` says what a solution found means.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.heap import pop, push
from plaudit.domains.level.visited import is_new

MOST = 24
"""Crates of a level that is searched at all; one with more is not solved by anybody."""


class Board(NamedTuple):
    """What does not move: solid, target and dead cells, flat; the targets' cells `(n,)`; the row's length."""

    solid: Any
    target: Any
    dead: Any
    targets: Any
    width: int


class Nodes(NamedTuple):
    """The positions of one search, in the order in which they were come to, its heap and what it has seen.

    `crates (M, MOST + 1)` tells crates apart and, where a position is taken up, has the player behind them.
    """

    player: Any
    crates: Any
    parent: Any
    depth: Any
    distance: Any
    costs: Any
    items: Any
    table: Any


@njit(cache=True, nogil=True)
def _apart(crates: Any, row: int, count: int, targets: Any, width: int) -> int:
    """Sum of the crates' distances: each takes, in turn, the nearest target that is left."""
    taken, total = 0, 0
    for crate in range(count):
        y, x = divmod(crates[row, crate], width)
        best, found = 1 << 30, -1
        for place in range(count):
            if not (taken >> place) & 1:
                v, u = divmod(targets[place], width)
                steps = abs(y - v) + abs(x - u)
                if steps < best:
                    best, found = steps, place
        taken |= 1 << found
        total += best
    return total


@njit(cache=True, nogil=True, inline="always")
def _solved(crates: Any, row: int, count: int, target: Any) -> bool:
    for crate in range(count):
        if not target[crates[row, crate]]:
            return False
    return True


@njit(cache=True, nogil=True)
def search(board: Board, start: Any, balance: float, limit: int, nodes: Nodes) -> Any:
    """One of the benchmark's searches: the node of its solution or -1, the least distance it came to, and
    whether it took up every position that there is.

    start: the player's cell and the crates' `(n,)`.
    """
    count = len(board.targets)
    nodes.player[0], nodes.parent[0], nodes.depth[0] = start[0], -1, 0
    nodes.crates[0, :count] = start[1]
    nodes.distance[0] = _apart(nodes.crates, 0, count, board.targets, board.width)
    nodes.table[:] = 0
    made, size, head, done = 1, 0, 0, 0
    if balance >= 0:
        size = push(nodes.costs, nodes.items, size, nodes.distance[0], 0)
    nearest = nodes.distance[0]
    while done < limit and (head < made if balance < 0 else size > 0):
        done += 1
        if balance < 0:
            now = head
            head += 1
        else:
            size = pop(nodes.costs, nodes.items, size)
            now = nodes.items[size]
        if _solved(nodes.crates, now, count, board.target):
            return now, 0, False
        nodes.crates[now, count] = nodes.player[now]
        if not is_new(nodes.crates, now, count + 1, nodes.table):
            continue
        nearest = min(nearest, nodes.distance[now])
        for step in (-1, 1, -board.width, board.width):
            if not _child(made, now, step, board, nodes):
                continue
            if balance >= 0:
                cost = nodes.distance[made] + balance * nodes.depth[made]
                size = push(nodes.costs, nodes.items, size, cost, made)
            made += 1
    return -1, nearest, done < limit


@njit(cache=True, nogil=True, inline="always")
def _crate_at(cell: int, crates: Any, row: int, count: int) -> int:
    """Which crate of a position stands on a cell; -1 = none."""
    for crate in range(count):
        if crates[row, crate] == cell:
            return crate
    return -1


@njit(cache=True, nogil=True, inline="always")
def _child(node: int, now: int, step: int, board: Board, nodes: Nodes) -> bool:
    """Write the position after a move of one step as `node`; whether it is one that is looked at."""
    count = len(board.targets)
    to = nodes.player[now] + step
    if board.solid[to]:
        return False
    pushed = _crate_at(to, nodes.crates, now, count)
    if pushed >= 0 and (board.solid[to + step] or _crate_at(to + step, nodes.crates, now, count) >= 0):
        return False
    for crate in range(count):
        nodes.crates[node, crate] = nodes.crates[now, crate]
    nodes.distance[node] = nodes.distance[now]
    if pushed >= 0:
        nodes.crates[node, pushed] = to + step
        for crate in range(count):
            if board.dead[nodes.crates[node, crate]]:
                return False
        nodes.distance[node] = _apart(nodes.crates, node, count, board.targets, board.width)
    nodes.player[node], nodes.parent[node], nodes.depth[node] = to, now, nodes.depth[now] + 1
    return True


@njit(cache=True, nogil=True)
def make_nodes(limit: int) -> Nodes:
    """Room for the nodes of one search of `limit` iterations."""
    nodes = 4 * limit + 8
    table = 1
    while table < 2 * limit:
        table *= 2
    return Nodes(
        np.zeros(nodes, np.int32),
        np.zeros((nodes, MOST + 1), np.int32),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.int32),
        np.zeros(nodes, np.float64),
        np.zeros(nodes, np.int64),
        np.zeros(table, np.int32),
    )
