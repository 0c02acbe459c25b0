"""Compiled statistics of caves: counts, and the way that the benchmark's player jumps through the level.

The PCG Benchmark's `ddave` (Khalifa et al., 2025, arXiv 2503.21474) keeps only what is connected with the
player and plays that with up to four searches: best first by what is left to go plus 1, 1/2 or 0 times the
depth, then breadth first; once for the key and the exit, and once for each diamond. The same searches run
here with the same limits, physics and order among equals. Positions count as the same though the player is
at another height of a jump: that is the benchmark's, and decides what it finds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.cave_search import (
    DIAMOND,
    EXIT,
    KEY,
    PLAYER,
    SPIKE,
    WALL,
    Board,
    Nodes,
    make_nodes,
    move,
    search,
)
from plaudit.domains.level.walks import FAR, mark, pad, spread

(
    PLAYERS,
    EXITS,
    DIAMONDS,
    KEYS,
    SPIKES,
    SX,
    SY,
    EX,
    EY,
    NUM_JUMPS,
    SOLUTION_LENGTH,
    MISSED,
    FAULTS,
) = range(13)
"""Columns of the statistics; the places of player and exit are -1 where there is not one of them; MISSED
counts diamonds that no search comes to, where there is a way; SOLUTION_LENGTH counts moments, 0 = no way."""
STATISTICS = 13
DETAILS = 2
"""Planes that `paint` writes: connected with the player, and whether the way leads through a cell."""
_BALANCES = (1.0, 0.5, 0.0, -1.0)
_SOLID_FREE = 0b1111110
_SINGLE, _AFLOAT, _NO_WAY, _JUMP = 3, 2, 6, 2


class Rooms(NamedTuple):
    """Scratch of one thread."""

    kept: Any
    queue: Any
    steps: Any
    number: Any
    way: Any
    reached: Any
    line: Any
    nodes: Nodes


@njit(cache=True, nogil=True)
def usual_jumps(cells: int) -> int:
    """Jumps that the way must take: 2 on 11 x 7, in proportion elsewhere."""
    return max(1, (2 * cells + 38) // 77)


@njit(cache=True, nogil=True)
def _reach(board: Board, begin: Any, rooms: Rooms) -> int:
    """Mark in `rooms.reached` all that jumping from the states `begin` leads to; a state is cell * 4 + air.

    Nothing that this does not come to is come to by a search, which knows the same moves and looks at fewer
    moments: it spares the searches that must fail.
    """
    reached, queue = rooms.reached, rooms.line
    reached[:] = 0
    tail = 0
    for state in begin:
        reached[state] = 1
        queue[tail] = state
        tail += 1
    head = 0
    while head < tail:
        place, air = divmod(queue[head], 4)
        head += 1
        if board.flat[place] == SPIKE:
            continue
        for action in range(4):
            to, left, _ = move(board.flat, board.width, (place, air, 0), action)
            state = to * 4 + left
            if not reached[state]:
                reached[state] = 1
                queue[tail] = state
                tail += 1
    return tail


@njit(cache=True, nogil=True)
def _states_at(cell: int, rooms: Rooms) -> Any:
    """The states on a cell that are marked as reached."""
    found = np.empty(4, np.int64)
    count = 0
    for air in range(4):
        if rooms.reached[cell * 4 + air]:
            found[count] = cell * 4 + air
            count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def _near(board: Board, goal: int, states: int, rooms: Rooms) -> int:
    """Steps between a cell and the nearest of the states reached."""
    v, u = divmod(goal, board.width)
    best = 1 << 20
    for i in range(states):
        y, x = divmod(rooms.line[i] // 4, board.width)
        best = min(best, abs(y - v) + abs(x - u))
    return best


@njit(cache=True, nogil=True)
def _win(board: Board, start: int, nodes: Nodes) -> int:
    """The last moment of the first of the benchmark's searches that wins, or -1."""
    for balance in _BALANCES:
        last = search(board, start, balance, nodes)
        if last >= 0:
            return last
    return -1


@njit(cache=True, nogil=True)
def _rooms(size: int) -> Rooms:
    kept, way = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    queue, steps, number = np.zeros(size, np.int32), np.zeros(size, np.int32), np.zeros(size, np.int32)
    reached, line = np.zeros(4 * size, np.uint8), np.zeros(4 * size, np.int64)
    return Rooms(kept, queue, steps, number, way, reached, line, make_nodes((size + 63) // 64))


@njit(cache=True, nogil=True)
def _keep_connected(flat: Any, width: int, rooms: Rooms) -> None:
    """Make a wall of everything that is not connected with the player.

    Of several players one counts: that whose number is the number of the largest region with a player.
    """
    mark(flat, _SOLID_FREE, rooms.kept)
    players = np.flatnonzero(flat == PLAYER)
    if len(players) == 0:
        return
    rooms.way[:] = 0
    largest, chosen, regions = -1, 0, 0
    for player in players:
        if rooms.way[player]:
            continue
        size = spread(player, width, rooms.kept, rooms.queue, rooms.steps)
        for i in range(size):
            rooms.way[rooms.queue[i]] = 1
        if size > largest:
            largest, chosen = size, regions
        regions += 1
    spread(players[chosen], width, rooms.kept, rooms.queue, rooms.steps)
    for cell in range(flat.size):
        if rooms.steps[cell] == FAR:
            flat[cell] = WALL


@njit(cache=True, nogil=True)
def _survey(flat: Any, shape: Any, rooms: Rooms, out: Any) -> None:
    """Fill `out (STATISTICS,)` from a padded map, which is cut down to what is connected with the player."""
    height, width = shape
    _keep_connected(flat, width, rooms)
    out[:] = 0
    out[SX] = out[SY] = out[EX] = out[EY] = -1
    afloat, things = 0, 0
    key, leave, start = -1, -1, -1
    for cell in range(flat.size):
        rooms.number[cell] = -1
        rooms.way[cell] = 0
        tile = flat[cell]
        if tile in (PLAYER, EXIT):
            afloat += flat[cell + width] != WALL
        if tile >= PLAYER:
            out[tile - PLAYER] += 1
        if tile == DIAMOND:
            rooms.number[cell] = things
            things += 1
        start = cell if tile == PLAYER else start
        leave = cell if tile == EXIT else leave
        key = cell if tile == KEY else key
    if out[PLAYERS] == 1:
        out[SX], out[SY] = start % width - 1, start // width - 1
    if out[EXITS] == 1:
        out[EX], out[EY] = leave % width - 1, leave // width - 1
    whole = out[PLAYERS] == 1 and out[EXITS] == 1 and out[KEYS] == 1
    nearest = height + width
    if whole:
        nearest = _play(
            Board(flat, rooms.number, width, key, leave, -1, (things + 63) // 64), start, rooms, out
        )
    single = abs(out[PLAYERS] - 1) + abs(out[EXITS] - 1) + abs(out[KEYS] - 1)
    most = 2 * max(height - 2, width - 2)
    many = max(out[SPIKES] - most, 0) + max(out[DIAMONDS] - min(height - 2, width - 2), 0)
    wrong = _SINGLE * single + _AFLOAT * afloat + many
    if out[SOLUTION_LENGTH] == 0:
        out[FAULTS] = wrong + _NO_WAY + nearest
    else:
        jumps = usual_jumps((height - 2) * (width - 2))
        off = max(jumps - out[NUM_JUMPS], out[NUM_JUMPS] - max(height - 2, width - 2), 0)
        out[FAULTS] = wrong + _JUMP * off + 2 * out[MISSED]


@njit(cache=True, nogil=True)
def _play(board: Board, start: int, rooms: Rooms, out: Any) -> int:
    """Play a whole level and, when it is won, once more for each diamond; how near the player came."""
    begin = np.array([start * 4])
    states = _reach(board, begin, rooms)
    with_key = _states_at(board.key, rooms)
    if len(with_key) == 0:
        return _near(board, board.key, states, rooms) + board.width + len(board.flat) // board.width
    states = _reach(board, with_key, rooms)
    if len(_states_at(board.leave, rooms)) == 0:
        return _near(board, board.leave, states, rooms)
    last = _win(board, start, rooms.nodes)
    if last < 0:
        return board.width
    out[SOLUTION_LENGTH], out[NUM_JUMPS] = rooms.nodes.depth[last] + 1, rooms.nodes.jumps[last]
    while last >= 0:
        rooms.way[rooms.nodes.place[last]] = 1
        last = rooms.nodes.parent[last]
    _reach(board, begin, rooms)
    for cell in range(len(board.flat)):
        if board.flat[cell] == DIAMOND:
            one = Board(board.flat, board.number, board.width, board.key, board.leave, cell, board.words)
            out[MISSED] += len(_states_at(cell, rooms)) == 0 or _win(one, start, rooms.nodes) < 0
    return 0


@njit(cache=True, nogil=True)
def measure(maps: Any, out: Any) -> None:
    """Statistics of `maps (B, H, W) uint8` into `out (B, STATISTICS) int32`."""
    rows, height, width = maps.shape
    flat = np.zeros((height + 2) * (width + 2), np.uint8)
    rooms = _rooms(flat.size)
    for row in range(rows):
        flat[:] = 0
        pad(maps[row], flat)
        _survey(flat, (height + 2, width + 2), rooms, out[row])


@njit(cache=True, nogil=True)
def paint(maps: Any, out: Any, planes: Any) -> None:
    """Statistics into `out (B, STATISTICS)`, and the planes of `DETAILS` into `planes (B, H, W, 2)`."""
    rows, height, width = maps.shape
    flat = np.zeros((height + 2) * (width + 2), np.uint8)
    rooms = _rooms(flat.size)
    for row in range(rows):
        flat[:] = 0
        pad(maps[row], flat)
        _survey(flat, (height + 2, width + 2), rooms, out[row])
        for y in range(height):
            for x in range(width):
                cell = (y + 1) * (width + 2) + 1 + x
                planes[row, y, x, 0] = np.float32(flat[cell] != WALL)
                planes[row, y, x, 1] = np.float32(rooms.way[cell])
