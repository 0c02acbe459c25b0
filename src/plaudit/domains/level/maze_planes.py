"""The maze's statistics and observation planes in one pass, split over threads by the caller.

Statistics as in `maze_kernels`. Three ideas make it fast: the searches of all regions share one queue,
so that the processor always has independent cells at hand; what a cell shows is worked out plane by
plane, which the compiler turns into vector instructions; and the planes are woven into `(H, W, PLANES)`
two at a time. `tests/domains/level/test_maze_planes.py` defines every plane in plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

PLANES = 16
"""Observation planes that `observe` writes."""

_U, _I, _F, _D = np.uint64, np.int64, np.float32, np.float64
_0, _1, _2 = _U(0), _U(1), _U(2)
_NONE, _ONE, _TWO = _F(0), _F(1), _F(2)

# Rows of one size, known to the compiler: it can then tell that they do not overlap, and use vectors.
_PITCH = _U(66 * 66 + 12)  # a map of 64 x 64 in its border; an odd number of cache lines
_OPEN, _REGION, _FROM_A, _FROM_B, _LENGTH = (_U(row) * _PITCH for row in range(5))
_CHANGE, _PATH = _U(0), _PITCH
"""Rows of `field`, by padded cell: open (1 or 0); region (from 1 on, 0 = solid); distances from both ends
of the region's path; its length; guessed change of regions and guessed path. Whole numbers, exact."""
_VARYING = 11
"""The first planes, which differ by cell: the rows of `planes`."""

# A place in the queue: depth << 32 | region << 16 | cell.
_DEEPER, _CELL = _U(1 << 32), _U(0xFFFF)


@njit(cache=True, nogil=True)
def _pad(grid: Any, start: Any, mark: Any, edited: Any) -> None:
    """Copy a map and its edits into the middle of flat arrays, whose border stays 0."""
    height, width = grid.shape
    for y in range(_U(height)):
        row = (y + _1) * _U(width + 2) + _1
        for x in range(_U(width)):
            mark[row + x] = grid[y, x]
            edited[row + x] = grid[y, x] ^ start[y, x]


@njit(cache=True, nogil=True)
def _spread(size: Any, mark: Any, edited: Any, field: Any, planes: Any) -> None:
    """Fill the rows that the tiles give: open, no region, planes 0 and 1."""
    for cell in range(size):
        field[_OPEN + cell] = _F(mark[cell])
        field[_REGION + cell] = _NONE
    for cell in range(size):
        planes[cell] = _ONE if mark[cell] else -_ONE
        planes[_PITCH + cell] = _ONE if edited[cell] else _NONE


@njit(cache=True, nogil=True)
def _sweep(queue: Any, head: Any, tail: Any, stride: Any, mark: Any, turn: Any, ends: Any, dist: Any) -> Any:
    """Breadth-first search from all cells of `queue[head:tail]` at once, over cells marked `turn`.

    Adds 1 to their marks; writes distances to `dist[0][dist[1] + cell]` and the farthest place of each
    region, the first in scan order among equals, to `ends`, its cell inverted. Returns the queue's end.
    """
    field, row = dist
    while head < tail:
        place = queue[head]
        head += _1
        cell = place & _CELL
        region = (place >> _U(16)) & _CELL
        field[row + cell] = _F(_I(place >> _U(32)))
        far, known = place ^ _CELL, ends[region]
        ends[region] = far if far > known else known
        for step in (_DEEPER - stride, _DEEPER - _1, _DEEPER + _1, _DEEPER + stride):
            # Without branches: what stands around a cell is as good as random to the processor.
            near = place + step
            queue[tail] = near
            found = mark[near & _CELL] == turn
            mark[near & _CELL] += np.uint8(found)
            tail += _U(found)
    return tail


@njit(cache=True, nogil=True)
def _from_ends(queue: Any, regions: Any, stride: Any, mark: Any, turn: Any, ends: Any, dist: Any) -> Any:
    """Sweep every region from its place in `ends`, and put the farthest places from there in `ends`."""
    for region in range(_1, regions + _1):
        cell = (ends[region] & _CELL) ^ _CELL
        queue[region - _1] = region << _U(16) | cell
        mark[cell] += np.uint8(1)
        ends[region] = 0
    return _sweep(queue, _0, regions, stride, mark, turn, ends, dist)


@njit(cache=True, nogil=True)
def _survey(mark: Any, queue: Any, ends: Any, stride: Any, size: Any, field: Any) -> Any:
    """Fill `field`; return the number of regions, the longest path and the region that has it."""
    regions, tail = _0, _0
    for cell in range(stride + _1, size - stride - _1):
        if mark[cell] == 1:
            regions += _1
            ends[regions] = 0
            mark[cell] = 2
            queue[tail] = regions << _U(16) | cell
            tail = _sweep(queue, tail, tail + _1, stride, mark, 1, ends, (field, _FROM_A))
    _from_ends(queue, regions, stride, mark, 2, ends, (field, _FROM_A))
    longest, best = _0, _1
    for region in range(_1, regions + _1):
        length = ends[region] >> _U(32)
        if length > longest:
            longest, best = length, region
    lengths = ends[regions + _1 :]
    lengths[: regions + _1] = ends[: regions + _1] >> _U(32)
    _from_ends(queue, regions, stride, mark, 3, ends, (field, _FROM_B))
    for place in queue[:tail]:
        region = (place >> _U(16)) & _CELL
        field[_REGION + (place & _CELL)] = _F(_I(region))
        field[_LENGTH + (place & _CELL)] = _F(_I(lengths[region]))
    return _I(regions), _I(longest), _I(best)


@njit(cache=True, nogil=True)
def _beside(cell: Any, field: Any) -> Any:
    """Region of a cell, distances from the ends of its path to the cell beside it, length of the path."""
    a, b = field[_FROM_A + cell] + _ONE, field[_FROM_B + cell] + _ONE
    return field[_REGION + cell], a, b, field[_LENGTH + cell]


@njit(cache=True, nogil=True)
def _absorb(one: Any, other: Any) -> Any:
    """Two neighbours of a solid cell as one where they are of one region.

    Returns the first with the nearer distances, and the second without a region.
    """
    same = one[0] == other[0]
    a, b = min(one[1], other[1]), min(one[2], other[2])
    joined = (one[0], a if same else one[1], b if same else one[2], one[3])
    return joined, (_NONE if same else other[0], other[1], other[2], other[3])


@njit(cache=True, nogil=True)
def _join(near: Any, reach: Any) -> Any:
    """Paths through an opened cell with one more region beside it.

    `reach`: longest path within one region, and the two farthest ends of different ones.
    """
    region, a, b, length = near
    inside, first, second = reach
    far = max(a, b) if region > _NONE else _NONE
    loop = min(length, a + b) if region > _NONE else _NONE
    return max(inside, loop), max(first, far), max(second, min(first, far))


@njit(cache=True, nogil=True)
def _flip_solid(stride: Any, size: Any, stats: Any, field: Any, guess: Any) -> None:
    """Guess the change of regions and the path if a solid cell were opened, for all cells."""
    longest, best = _F(stats[1]), _F(stats[2])
    for cell in range(stride + _1, size - stride - _1):
        north, west = _beside(cell - stride, field), _beside(cell - _1, field)
        east, south = _beside(cell + _1, field), _beside(cell + stride, field)
        north, west = _absorb(north, west)
        north, east = _absorb(north, east)
        north, south = _absorb(north, south)
        west, east = _absorb(west, east)
        west, south = _absorb(west, south)
        east, south = _absorb(east, south)
        joined = (_ONE if north[0] > _NONE else _NONE) + (_ONE if west[0] > _NONE else _NONE)
        joined += (_ONE if east[0] > _NONE else _NONE) + (_ONE if south[0] > _NONE else _NONE)
        touches = (north[0] == best) | (west[0] == best) | (east[0] == best) | (south[0] == best)
        reach = _join(west, _join(north, (_NONE, _NONE, _NONE)))
        reach = _join(south, _join(east, reach))
        path = max(reach[0], reach[1] + reach[2])
        guess[_CHANGE + cell] = _ONE - joined
        guess[_PATH + cell] = path if touches else max(path, longest)


@njit(cache=True, nogil=True)
def _flip_open(stride: Any, size: Any, stats: Any, field: Any, guess: Any) -> None:
    """Guess the change of regions and the path if an open cell were filled, from its 3x3 ring."""
    longest, best = _F(stats[1]), _F(stats[2])
    for cell in range(stride + _1, size - stride - _1):
        above, below = cell - stride, cell + stride
        north, south, east, west = field[above], field[below], field[cell + _1], field[cell - _1]
        links = north * east * field[above + _1] + east * south * field[below + _1]
        links += south * west * field[below - _1] + west * north * field[above - _1]
        degree = north + south + east + west
        parts = max(degree - links, min(degree, _ONE))
        a, b = field[_FROM_A + cell], field[_FROM_B + cell]
        on = (field[_REGION + cell] == best) & (a + b == longest)
        tip = longest - _ONE if min(a, b) == _NONE else longest
        cut = max(a, b) - _ONE if parts >= _TWO else tip
        path = max(cut if on else longest, _NONE)
        is_open = field[_OPEN + cell] > _NONE
        guess[_CHANGE + cell] = parts - _ONE if is_open else guess[_CHANGE + cell]
        guess[_PATH + cell] = path if is_open else guess[_PATH + cell]


@njit(cache=True, nogil=True)
def _paint_tiles(stride: Any, size: Any, stats: Any, goal: Any, field: Any, planes: Any) -> None:
    """Planes 2 to 7; in double precision, rounded once."""
    unit, scale = 1.0 / goal[0], goal[3]
    longest, best = _F(stats[1]), _F(stats[2])
    for cell in range(stride + _1, size - stride - _1):
        a, b, length = field[_FROM_A + cell], field[_FROM_B + cell], field[_LENGTH + cell]
        is_open = field[_OPEN + cell] > _NONE
        main = is_open & (field[_REGION + cell] == best)
        detour, lean = _D(a + b - length) * scale, _D(a - b) * unit
        planes[_U(2) * _PITCH + cell] = _ONE if main else _NONE
        planes[_U(3) * _PITCH + cell] = _ONE if main & (a + b == longest) else _NONE
        planes[_U(4) * _PITCH + cell] = _F(min(_D(max(a, b)) * unit, 2.0)) if is_open else _NONE
        planes[_U(5) * _PITCH + cell] = _F(min(detour, 2.0)) if is_open else _NONE
        planes[_U(6) * _PITCH + cell] = _F(max(-1.0, min(lean, 1.0))) if is_open else _NONE
        planes[_U(7) * _PITCH + cell] = _F(min(_D(length) * unit, 2.0)) if is_open else _NONE


@njit(cache=True, nogil=True)
def _loss(regions: Any, path: Any, goal: Any) -> Any:
    return goal[2] * abs(regions - 1.0) + max(0.0, abs(path - goal[0]) - goal[1])


@njit(cache=True, nogil=True)
def _paint_guesses(stride: Any, size: Any, stats: Any, goal: Any, guess: Any, planes: Any) -> None:
    """Planes 8 to 10: what a flip would probably change."""
    regions, longest, scale = _D(stats[0]), _D(stats[1]), goal[3]
    now = _loss(regions, longest, goal)
    for cell in range(stride + _1, size - stride - _1):
        change, path = _D(guess[_CHANGE + cell]), _D(guess[_PATH + cell])
        gain = now - _loss(regions + change, path, goal)
        planes[_U(8) * _PITCH + cell] = _F(0.5 * change)
        planes[_U(9) * _PITCH + cell] = _F(max(-1.0, min((path - longest) * scale * 2.0, 1.0)))
        planes[_U(10) * _PITCH + cell] = _F(max(-2.0, min(gain * 0.1, 2.0)))


@njit(cache=True, nogil=True)
def _paint_same(stats: Any, goal: Any, left: Any, cells: Any, same: Any) -> None:
    """Planes 11 to 15, which are the same in every cell, into `same (5,)`."""
    gap = goal[0] - stats[1]
    same[0] = max(-1.0, min(gap / goal[0], 1.0))
    same[1] = 0.0 if abs(gap) <= goal[1] else np.sign(gap)
    same[2] = min(np.log2(max(stats[0], 1)) * 0.25, 2.0)
    same[3] = left
    same[4] = goal[0] / cells


@njit(cache=True, nogil=True)
def _weave(planes: Any, same: Any, width: Any, out: Any) -> None:
    """Write all planes cell by cell; every argument holds the bits of floats, `out (H*W*8,)` two in one."""
    half = _U(32)
    edge = _U(same[0]) << half
    pair, last = _U(same[1]) | _U(same[2]) << half, _U(same[3]) | _U(same[4]) << half
    at, row = _0, width + _U(3)
    while at < out.size:
        for cell in range(row, row + width):
            for k in range(_U(5)):
                low, high = planes[_2 * k * _PITCH + cell], planes[(_2 * k + _1) * _PITCH + cell]
                out[at + k] = _U(low) | _U(high) << half
            out[at + _U(5)] = _U(planes[_U(10) * _PITCH + cell]) | edge
            out[at + _U(6)] = pair
            out[at + _U(7)] = last
            at += _U(PLANES // 2)
        row += width + _2


@njit(cache=True, nogil=True)
def observe(maps: Any, starts: Any, targets: Any, left: Any, limits: Any, out: Any, stats: Any) -> None:
    """Write planes `out (B, H*W*PLANES) float32` and `stats (B, 2) int32`: regions, longest path.

    `maps, starts (B, H, W) uint8`; `targets (B,) int64`, at least 1; `left (B,) float32` share of steps
    left; `limits`: tolerance and region weight, as two floats. Planes: 0 tile (+1 open, -1 solid);
    1 differs from the start; 2 in the region with the longest path; 3 on that path; 4 distance to the
    farther path end of the own region / target; 5 detour (a + b - path)/(H + W); 6 (a - b)/target; 7 path
    of the own region / target; 8, 9 guessed change of regions/2 and of path*2/(H + W) by a flip; 10 the
    gain of loss these mean / 10; constants: 11 (target - path)/target, 12 its sign outside the tolerance,
    13 log2(regions)/4, 14 steps left, 15 target/(H*W). Raises `ValueError` above 64 x 64 cells.
    """
    height, width = maps.shape[1], maps.shape[2]
    stride, size = _U(width + 2), _U((height + 2) * (width + 2))
    if size > _PITCH:
        raise ValueError("the maze is too large: the planes are made for up to 64 x 64 cells")
    mark, edited = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    queue, ends = np.empty(size, np.uint64), np.empty(_2 * size, np.uint64)
    guess, field = np.empty(_2 * _PITCH, _F), np.empty(_U(5) * _PITCH, _F)
    planes = np.empty(_U(_VARYING) * _PITCH, _F)
    for row in range(_U(5)):  # what lies around a map is read, and shows nothing
        field[row * _PITCH : row * _PITCH + size] = _NONE
    same = np.zeros(5, _F)
    for b in range(maps.shape[0]):
        goal = (_D(targets[b]), _D(limits[0]), _D(limits[1]), 1.0 / (height + width))
        _pad(maps[b], starts[b], mark, edited)
        _spread(size, mark, edited, field, planes)
        found = _survey(mark, queue, ends, stride, size, field)
        stats[b, 0], stats[b, 1] = found[0], found[1]
        _flip_solid(stride, size, found, field, guess)
        _flip_open(stride, size, found, field, guess)
        _paint_tiles(stride, size, found, goal, field, planes)
        _paint_guesses(stride, size, found, goal, guess, planes)
        _paint_same(found, goal, left[b], height * width, same)
        _weave(planes.view(np.uint32), same.view(np.uint32), _U(width), out[b].view(np.uint64))
