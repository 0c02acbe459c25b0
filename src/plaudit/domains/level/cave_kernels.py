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

from plaudit.domains.level.heap import pop, push
from plaudit.domains.level.walks import FAR, mark, pad, spread

WALL, OPEN, PLAYER, EXIT, DIAMOND, KEY, SPIKE = range(7)
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
ITERATIONS, AIR, HANG = 5000, 3, 1
_BALANCES = (1.0, 0.5, 0.0, -1.0)
_SOLID_FREE = 0b1111110
_SINGLE, _AFLOAT, _NO_WAY, _JUMP = 3, 2, 6, 2


class Board(NamedTuple):
    """What does not move: tiles, numbers of the diamonds (-1 = none), row length, key, exit, cell wanted."""

    flat: Any
    number: Any
    width: int
    key: int
    leave: int
    goal: int


class Nodes(NamedTuple):
    """Moments of the game in the order in which they were come to."""

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
def _is_new(nodes: Nodes, node: int) -> bool:
    """Put a moment into the hash table by all but the air under it; whether none like it was there."""
    state = np.uint64(nodes.place[node] * 4 + nodes.alive[node] * 2 + nodes.has_key[node] + 1)
    mixed = state * np.uint64(0x9E3779B97F4A7C15)
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
    """Whether two moments are the same to the search."""
    same = nodes.place[one] == nodes.place[other] and nodes.alive[one] == nodes.alive[other]
    same = same and nodes.has_key[one] == nodes.has_key[other]
    first = nodes.taken[one, 0] == nodes.taken[other, 0]
    return same and first and nodes.taken[one, 1] == nodes.taken[other, 1]


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
        if not nodes.alive[now]:
            continue
        if _won(board, nodes, now):
            return now
        if not _is_new(nodes, now):
            continue
        for action in range(4):
            _act(board, nodes, now, made, action)
            if balance >= 0:
                cost = _ahead(board, nodes, made) + balance * nodes.depth[made]
                size = push(nodes.costs, nodes.items, size, cost, made)
            made += 1
    return -1


@njit(cache=True, nogil=True)
def _step(flat: Any, width: int, state: Any, action: int) -> Any:
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
    place, air, jumps = _step(board.flat, board.width, state, action)
    nodes.place[node], nodes.air[node], nodes.jumps[node] = place, air, jumps
    nodes.parent[node], nodes.depth[node] = now, nodes.depth[now] + 1
    _enter(board, nodes, now, node)


@njit(cache=True, nogil=True)
def _enter(board: Board, nodes: Nodes, now: int, node: int) -> None:
    """What the cell that a moment leads to does to the player."""
    nodes.alive[node], nodes.has_key[node] = nodes.alive[now], nodes.has_key[now]
    nodes.taken[node, 0], nodes.taken[node, 1] = nodes.taken[now, 0], nodes.taken[now, 1]
    place = nodes.place[node]
    tile, number = board.flat[place], board.number[place]
    if tile == SPIKE:
        nodes.alive[node] = 0
    elif tile == KEY:
        nodes.has_key[node] = 1
    elif number >= 0:
        nodes.taken[node, number >> 6] |= np.uint64(1) << np.uint64(number & 63)


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
            to, left, _ = _step(board.flat, board.width, (place, air, 0), action)
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
    count = 4 * ITERATIONS + 8
    numbers = np.zeros((7, count), np.int32)
    nodes = Nodes(
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        np.zeros((count, 2), np.uint64),
        numbers[5],
        numbers[6],
        np.zeros(count, np.float64),
        np.zeros(count, np.int64),
        np.zeros(16384, np.int32),
    )
    kept, way = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    queue, steps, number = np.zeros(size, np.int32), np.zeros(size, np.int32), np.zeros(size, np.int32)
    reached, line = np.zeros(4 * size, np.uint8), np.zeros(4 * size, np.int64)
    return Rooms(kept, queue, steps, number, way, reached, line, nodes)


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
        if tile == DIAMOND and things < 128:
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
        nearest = _play(Board(flat, rooms.number, width, key, leave, -1), start, rooms, out)
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
            one = Board(board.flat, board.number, board.width, board.key, board.leave, cell)
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
