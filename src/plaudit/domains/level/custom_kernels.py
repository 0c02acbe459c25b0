"""Compiled statistics and observation planes of a game of one's own, over plain arrays of its rules.

Nothing is generated or compiled for a game: one kernel reads the arrays of any. Columns of the statistics:
the count of every tile, the regions of every region rule, the steps of every path rule (-1 = no way), faults.
A walk is found breadth first over pairs of a cell and the number of points come to, so that it is the
shortest of all that come to its points in their order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plaudit.domains.level.custom_rules import MOST_STOPS, GameRules
from plaudit.domains.level.walks import FAR, count_regions, mark, pad

POINTS = MOST_STOPS + 2
ANY = np.int64(2**40)
"""Stands for a limit that a rule does not set."""
_ONE, _REGION, _NO_WAY = 3, 5, 5
"""What a fault costs, in steps of path, as in the other games; a missing or spare thing costs 3."""
MOST_FAULTS = 32_000
"""Where faults end, so that they stay within the range of their term."""


class Rules(NamedTuple):
    """A game as arrays: T tiles, R region rules, P path rules, D planes of distances.

    Limits are least and most. A set of tiles is a number with a bit for each.
    """

    counts: Any
    """Limits `(T, 2)`."""
    regions: Any
    """Tiles of each rule `(R,)`."""
    region_limits: Any
    """`(R, 2)`."""
    points: Any
    """Tiles that each walk comes to, in their order, then -1 `(P, POINTS)`."""
    free: Any
    """Tiles that each walk may enter `(P,)`."""
    path_limits: Any
    """`(P, 2)`."""
    planes: Any
    """From which tile, over which tiles `(D, 2)`: the distances that are shown."""


def rule_arrays(rules: GameRules) -> Rules:
    """The arrays of a game that was checked."""
    number = {tile.name: at for at, tile in enumerate(rules.tiles)}

    def bits(names: Any) -> int:
        return sum(1 << number[name] for name in names)

    points, free = [], []
    for path in rules.paths:
        found = [number[name] for name in path.points]
        points.append(found + [-1] * (POINTS - len(found)))
        free.append(bits(set(rules.walkable) - set(path.closed)))
    shown = dict.fromkeys(
        (tile, over) for row, over in zip(points, free, strict=True) for tile in row if tile >= 0
    )
    return Rules(
        _limits(rules.tiles),
        np.array([bits(region.tiles or rules.walkable) for region in rules.regions], np.int64),
        _limits(rules.regions),
        np.array(points, np.int64).reshape(-1, POINTS),
        np.array(free, np.int64),
        _limits(rules.paths),
        np.array(list(shown), np.int64).reshape(-1, 2),
    )


def _limits(parts: Any) -> Any:
    rows = [(part.min, ANY if part.max is None else part.max) for part in parts]
    return np.array(rows, np.int64).reshape(-1, 2)


@njit(cache=True, nogil=True)
def _off(value: int, limits: Any) -> int:
    """How far a value is from its limits."""
    return max(limits[0] - value, value - limits[1], 0)


@njit(cache=True, nogil=True)
def _walk(flat: Any, free: Any, points: Any, stride: int, scratch: Any) -> int:
    """Steps of the shortest walk that comes to all points in their order; `FAR` where there is none."""
    queue, dist = scratch
    size = flat.size
    dist[:] = FAR
    head, tail = 0, 0
    for cell in range(size):
        if free[cell] and flat[cell] == points[0]:
            dist[size + cell] = 0
            queue[tail] = size + cell
            tail += 1
    while head < tail:
        stage, cell = divmod(queue[head], size)
        steps = dist[queue[head]] + 1
        head += 1
        for near in (cell - stride, cell - 1, cell + 1, cell + stride):
            if free[near] == 0:
                continue
            to = stage + 1 if flat[near] == points[stage] else stage
            if to == POINTS or points[to] < 0:
                return steps
            if dist[to * size + near] == FAR:
                dist[to * size + near] = steps
                queue[tail] = to * size + near
                tail += 1
    return FAR


@njit(cache=True, nogil=True)
def _survey(flat: Any, size: Any, rules: Rules, scratch: Any, out: Any) -> None:
    """Fill `out (S,)` with the statistics of a map with a border, `flat`."""
    height, width = size
    free, queue, dist = scratch
    stride, tiles, faults = width + 2, len(rules.counts), 0
    out[:] = 0
    for y in range(height):
        for x in range(width):
            out[flat[(y + 1) * stride + 1 + x]] += 1
    for tile in range(tiles):
        faults += _ONE * _off(out[tile], rules.counts[tile])
    for at in range(len(rules.regions)):
        mark_inside(flat, rules.regions[at], free, (height, width))
        out[tiles + at] = count_regions(free, stride, queue)
        faults += _REGION * _off(out[tiles + at], rules.region_limits[at])
    first = tiles + len(rules.regions)
    for at in range(len(rules.points)):
        mark_inside(flat, rules.free[at], free, (height, width))
        steps = _walk(flat, free, rules.points[at], stride, (queue, dist))
        out[first + at] = steps
        faults += _off(max(steps, 0), rules.path_limits[at]) + (_NO_WAY if steps == FAR else 0)
    out[first + len(rules.points)] = min(faults, MOST_FAULTS)


@njit(cache=True, nogil=True)
def mark_inside(flat: Any, tiles: int, free: Any, size: Any) -> None:
    """As `walks.mark`, but the border is never free: tile 0 may be one of the tiles."""
    mark(flat, tiles, free)
    height, width = size
    stride = width + 2
    free[:stride] = 0
    free[(height + 1) * stride :] = 0
    for y in range(height + 2):
        free[y * stride] = 0
        free[y * stride + width + 1] = 0


@njit(cache=True, nogil=True)
def _scratch(height: int, width: int) -> Any:
    size = (height + 2) * (width + 2)
    states = size * (POINTS + 1)
    return np.zeros(size, np.uint8), np.zeros(states, np.int32), np.zeros(states, np.int32)


@njit(cache=True, nogil=True)
def measure(maps: Any, rules: Rules, out: Any) -> None:
    """Statistics of `maps (B, H, W) uint8` into `out (B, S) int32`."""
    rows, height, width = maps.shape
    scratch = _scratch(height, width)
    flat = np.zeros((height + 2) * (width + 2), np.uint8)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, (height, width), rules, scratch, out[row])


@njit(cache=True, nogil=True)
def paint(maps: Any, rules: Rules, out: Any, planes: Any) -> None:
    """Statistics into `out (B, S)`, and steps from tiles of some kinds into `planes (B, H, W, D)`.

    A plane holds steps over width + height, at most 2; -1 where there is no way.
    """
    rows, height, width = maps.shape
    stride = width + 2
    scratch = _scratch(height, width)
    free, queue, dist = scratch
    flat = np.zeros(free.size, np.uint8)
    scale = np.float32(1.0 / (width + height))
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, (height, width), rules, scratch, out[row])
        for plane in range(len(rules.planes)):
            mark_inside(flat, rules.planes[plane, 1], free, (height, width))
            _spread(flat, free, rules.planes[plane, 0], stride, (queue, dist))
            for y in range(height):
                for x in range(width):
                    steps = dist[(y + 1) * stride + 1 + x]
                    shown = np.float32(-1.0) if steps == FAR else min(steps * scale, np.float32(2.0))
                    planes[row, y, x, plane] = shown


@njit(cache=True, nogil=True)
def _spread(flat: Any, free: Any, tile: int, stride: int, scratch: Any) -> None:
    """Steps from the nearest cell of a tile into the first cells of `dist`, `FAR` elsewhere."""
    queue, dist = scratch
    dist[: flat.size] = FAR
    head, tail = 0, 0
    for cell in range(flat.size):
        if free[cell] and flat[cell] == tile:
            dist[cell] = 0
            queue[tail] = cell
            tail += 1
    while head < tail:
        cell = queue[head]
        head += 1
        for near in (cell - stride, cell - 1, cell + 1, cell + stride):
            if free[near] and dist[near] == FAR:
                dist[near] = dist[cell] + 1
                queue[tail] = near
                tail += 1
