"""The compiled search over pushes: best first, with dead cells, frozen crates and an exact pairing of crates.

A position is the set of crates and the region that the player walks in, known by its first cell. Its
estimate is the least sum of pushes over all pairings of crates and targets (Hungarian method), which never
promises more than can be had; positions where a crate can never move again off a target are left out. The
order is by `weight * estimate + pushes`: above 1 it finds solutions sooner and short ones less surely.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.heap import pop, push
from plaudit.domains.level.solver.board import FAR

SOLVED, UNSOLVABLE, UNKNOWN = 0, 1, 2


class Map(NamedTuple):
    """What does not move: see `board.Board`; `hashes (2, N)` for crates and the player's region."""

    width: int
    solid: Any
    goals: Any
    is_goal: Any
    pushes: Any
    dead: Any
    hashes: Any


class Nodes(NamedTuple):
    """Positions: crates `(M, G)`, the player's cell, what it came from, by which push, after how many."""

    crates: Any
    player: Any
    parent: Any
    pushed: Any
    depth: Any
    costs: Any
    items: Any
    table: Any


class Scratch(NamedTuple):
    """Room for one position: crates, where the player gets to, what is frozen, the pairing's rows."""

    occupied: Any
    region: Any
    queue: Any
    frozen: Any
    marked: Any
    left: Any
    right: Any
    match: Any
    slack: Any
    back: Any
    used: Any


@njit(cache=True, nogil=True)
def walk(start: int, board: Map, scratch: Scratch, stamp: int) -> int:
    """Mark with `stamp` the cells that the player gets to; returns the first of them."""
    region, queue = scratch.region, scratch.queue
    region[start] = stamp
    queue[0] = start
    head, tail, first = 0, 1, start
    while head < tail:
        cell = queue[head]
        head += 1
        first = min(first, cell)
        for near in (cell - 1, cell + 1, cell - board.width, cell + board.width):
            if region[near] != stamp and not board.solid[near] and not scratch.occupied[near]:
                region[near] = stamp
                queue[tail] = near
                tail += 1
    return first


@njit(cache=True, nogil=True)
def pairing(crates: Any, row: int, board: Map, scratch: Scratch) -> int:
    """Least sum of pushes over all pairings of the crates of a position with the targets; `FAR` = none."""
    count = len(board.goals)
    left, right, match = scratch.left, scratch.right, scratch.match
    left[: count + 1], right[: count + 1], match[: count + 1] = 0, 0, 0
    for crate in range(1, count + 1):
        match[0] = crate
        if not _augment(crates, row, board, scratch):
            return FAR
    total = 0
    for goal in range(1, count + 1):
        steps = board.pushes[goal - 1, crates[row, match[goal] - 1]]
        if steps >= FAR:
            return FAR
        total += steps
    return total


@njit(cache=True, nogil=True)
def _augment(crates: Any, row: int, board: Map, scratch: Scratch) -> bool:
    """Pair one more crate, changing earlier pairs where that is cheaper (Kuhn, 1955; Munkres, 1957)."""
    count = len(board.goals)
    left, right, match = scratch.left, scratch.right, scratch.match
    slack, back, used = scratch.slack, scratch.back, scratch.used
    slack[: count + 1], used[: count + 1] = 1 << 30, 0
    goal = 0
    while True:
        used[goal] = 1
        crate, step, following = match[goal], 1 << 30, 0
        for other in range(1, count + 1):
            if used[other]:
                continue
            cost = board.pushes[other - 1, crates[row, crate - 1]] - left[crate] - right[other]
            if cost < slack[other]:
                slack[other], back[other] = cost, goal
            if slack[other] < step:
                step, following = slack[other], other
        for other in range(count + 1):
            if used[other]:
                left[match[other]] += step
                right[other] -= step
            else:
                slack[other] -= step
        goal = following
        if match[goal] == 0:
            break
    while goal != 0:
        before = back[goal]
        match[goal] = match[before]
        goal = before
    return True


@njit(cache=True, nogil=True)
def blocked(cell: int, board: Map, scratch: Scratch) -> bool:
    """Whether the crate just pushed to `cell` can never move again, and one that holds it is off target.

    A crate is frozen along an axis between a wall or frozen crate on one side, or dead cells on both; crates
    under question count as walls (Junghanns and Schaeffer's freeze deadlock).
    """
    scratch.marked[0] = 0
    found = _stuck(cell, board, scratch)
    lost = False
    for i in range(1, scratch.marked[0] + 1):
        lost = lost or not board.is_goal[scratch.marked[i]]
        scratch.frozen[scratch.marked[i]] = 0
    return found and lost


@njit(nogil=True)
def _stuck(cell: int, board: Map, scratch: Scratch) -> bool:
    """Whether a crate can move along neither axis; those found frozen on the way are listed in `marked`."""
    frozen, marked = scratch.frozen, scratch.marked
    before = marked[0]
    marked[0] += 1
    marked[marked[0]] = cell
    frozen[cell] = 1
    for step in (1, board.width):
        one, other = cell - step, cell + step
        held = board.solid[one] or board.solid[other] or frozen[one] or frozen[other]
        held = held or (board.dead[one] and board.dead[other])
        if not held and scratch.occupied[one]:
            held = _stuck(one, board, scratch)
        if not held and scratch.occupied[other]:
            held = _stuck(other, board, scratch)
        if not held:
            # What was found frozen leaned on this crate: nothing of it is known.
            while marked[0] > before:
                frozen[marked[marked[0]]] = 0
                marked[0] -= 1
            return False
    return True


@njit(cache=True, nogil=True)
def _seen(table: Any, key: Any) -> bool:
    """Put a key into the hash table; whether it was there already."""
    size = np.uint64(table.size - 1)
    place = key & size
    while table[place] != 0:
        if table[place] == key:
            return True
        place = (place + np.uint64(1)) & size
    table[place] = key
    return False


@njit(cache=True, nogil=True)
def _key(crates: Any, row: int, first: int, board: Map) -> Any:
    mixed = board.hashes[1, first]
    for crate in range(len(board.goals)):
        mixed ^= board.hashes[0, crates[row, crate]]
    return mixed | np.uint64(1)


@njit(cache=True, nogil=True)
def begin(board: Map, player: int, crates: Any, weight: float, nodes: Nodes, scratch: Scratch) -> Any:
    """Put the first position in; returns the number of nodes, of entries in the heap, and the estimate."""
    nodes.crates[0] = crates
    nodes.player[0], nodes.parent[0], nodes.depth[0] = player, -1, 0
    estimate = pairing(nodes.crates, 0, board, scratch)
    return 1, push(nodes.costs, nodes.items, 0, weight * estimate, 0), estimate


@njit(cache=True, nogil=True)
def advance(board: Map, state: Any, weight: float, rounds: int, nodes: Nodes, scratch: Scratch) -> Any:
    """Expand up to `rounds` positions from `state` (nodes, heap entries, expanded).

    Returns what is known (`SOLVED`, `UNSOLVABLE`, or `UNKNOWN` so far), the last node and the new state.
    """
    made, size, done = state
    count, room = len(board.goals), len(nodes.player)
    for _ in range(rounds):
        if size == 0:
            return UNSOLVABLE, -1, (made, size, done)
        if made + 4 * count > room or 2 * (done + 1) > len(nodes.table):
            return UNKNOWN, -1, (made, size, done)
        size = pop(nodes.costs, nodes.items, size)
        now = nodes.items[size]
        for crate in range(count):
            scratch.occupied[nodes.crates[now, crate]] = 1
        first = walk(nodes.player[now], board, scratch, now + 1)
        solved = False
        known = _seen(nodes.table, _key(nodes.crates, now, first, board))
        if not known:
            done += 1
            made, size, solved = _expand(now, board, weight, (made, size), nodes, scratch)
        for crate in range(count):
            scratch.occupied[nodes.crates[now, crate]] = 0
        if not known and solved:
            return SOLVED, made - 1, (made, size, done)
    return UNKNOWN, -1, (made, size, done)


@njit(cache=True, nogil=True)
def _expand(now: int, board: Map, weight: float, state: Any, nodes: Nodes, scratch: Scratch) -> Any:
    """Add every push from a position; returns nodes, heap entries, and whether the last one is a solution."""
    made, size = state
    for crate in range(len(board.goals)):
        cell = nodes.crates[now, crate]
        for step in (-1, 1, -board.width, board.width):
            if scratch.region[cell - step] != now + 1:
                continue
            to = cell + step
            if board.solid[to] or scratch.occupied[to] or board.dead[to]:
                continue
            estimate = _child(made, now, crate, to, board, nodes, scratch)
            if estimate >= FAR:
                continue
            nodes.player[made], nodes.parent[made] = cell, now
            nodes.pushed[made], nodes.depth[made] = step, nodes.depth[now] + 1
            cost = weight * estimate + nodes.depth[made]
            size = push(nodes.costs, nodes.items, size, cost, made)
            made += 1
            if estimate == 0:
                return made, size, True
    return made, size, False


@njit(cache=True, nogil=True)
def _child(node: int, now: int, crate: int, to: int, board: Map, nodes: Nodes, scratch: Scratch) -> int:
    """Write the crates after a push as `node`; returns the estimate, `FAR` where they are lost."""
    cell = nodes.crates[now, crate]
    for each in range(len(board.goals)):
        nodes.crates[node, each] = nodes.crates[now, each]
    nodes.crates[node, crate] = to
    scratch.occupied[cell], scratch.occupied[to] = 0, 1
    lost = blocked(to, board, scratch)
    scratch.occupied[cell], scratch.occupied[to] = 1, 0
    return FAR if lost else pairing(nodes.crates, node, board, scratch)
