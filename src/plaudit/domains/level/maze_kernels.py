"""Numba kernels of the binary maze domain: statistics, observation planes, look-ahead, hill climbing.

A map is ``(H, W) uint8`` with 0 = solid and 1 = open; batches put ``B`` in front.  Two statistics
describe a map: the number of 4-connected open regions, and the longest path.  The longest path is
found by a double breadth-first sweep in each region (from the region's first open cell in scan order
to the farthest cell, ties to the first in scan order, and from there to the farthest again); it is a
lower bound of the true diameter where a region has loops.  An empty map has 0 regions and path 0.

All kernels work on a grid padded by one solid cell, flattened with stride ``W + 2``; any H, W >= 1 work.
They release the GIL, so a caller may split a batch over threads.
"""

import numpy as np
from numba import njit

PLANES = 16
"""Number of observation planes written by :func:`observe`."""

# Columns of the work array: -1 in a distance column means "not reached", solid cells have region -1.
REGION, SWEEP, FROM_A, FROM_B, QUEUE, COLUMNS = 0, 1, 2, 3, 4, 5


@njit(cache=True, nogil=True)
def new_work(height, width):
    """Scratch ``(5, (H+2)*(W+2)) int32`` shared by the kernels below, for maps of one size."""
    return np.empty((COLUMNS, (height + 2) * (width + 2)), np.int32)


@njit(cache=True, nogil=True)
def _load(grid, work):
    """Copy a map into the padded work array: region -2 = open and unvisited, -1 = solid."""
    height, width = grid.shape
    work[:QUEUE, :] = -1
    region = work[REGION]
    for y in range(height):
        base = (y + 1) * (width + 2) + 1
        for x in range(width):
            if grid[y, x] != 0:
                region[base + x] = -2


@njit(cache=True, nogil=True)
def _flood(start, label, stride, region, dist, queue):
    """Breadth-first search from ``start`` inside cells of region id ``label``.

    Writes distances to ``dist`` (which must be -1 there).  Returns the farthest cell (first in scan
    order among equals), its distance and the number of cells reached.
    """
    queue[0] = start
    dist[start] = 0
    head, tail, layer, last = 0, 1, 0, 0
    while head < tail:
        cell = queue[head]
        step = dist[cell] + 1
        if step > last + 1:
            last = step - 1
            layer = head
        head += 1
        for near in (cell - stride, cell - 1, cell + 1, cell + stride):
            if region[near] == label and dist[near] < 0:
                dist[near] = step
                queue[tail] = near
                tail += 1
    far = queue[layer]
    for i in range(layer, tail):
        far = min(far, queue[i])
    return far, last, tail


@njit(cache=True, nogil=True)
def _spread(start, stride, free, queue):
    """Breadth-first search without branches: clears ``free`` (1 = open, unvisited) and fills ``queue``.

    Returns the farthest cell (first in scan order among equals), its distance and the cells reached.
    """
    one = np.uint32(1)
    step = np.uint32(stride)
    queue[0] = start
    free[start] = 0
    head, tail, layer, depth = 0, 1, 0, 0
    while head < tail:
        layer = head
        end = tail
        while head < end:
            cell = queue[np.uint32(head)]
            head += 1
            for near in (cell - step, cell - one, cell + one, cell + step):
                queue[np.uint32(tail)] = near
                tail += free[near]
                free[near] = 0
        depth += 1
    far = queue[layer]
    for i in range(layer, tail):
        far = min(far, queue[i])
    return far, depth - 1, tail


@njit(cache=True, nogil=True)
def _measure(free, stride, queue):
    """Regions and longest path of a padded map ``free`` (1 = open), which is cleared on the way."""
    regions, longest = 0, 0
    for start in range(stride + 1, free.size - stride - 1):
        if free[start]:
            far, _, size = _spread(np.uint32(start), stride, free, queue)
            regions += 1
            if size - 1 > longest:  # a region of n cells has no path longer than n - 1
                for i in range(size):
                    free[queue[i]] = 1
                _, length, _ = _spread(far, stride, free, queue)
                longest = max(longest, length)
    return regions, longest


@njit(cache=True, nogil=True)
def _pad(grid, flat):
    """Copy a map into the middle of the flat padded array ``flat``, with a solid border."""
    height, width = grid.shape
    flat[:] = 0
    for y in range(height):
        base = (y + 1) * (width + 2) + 1
        for x in range(width):
            flat[base + x] = grid[y, x]


@njit(cache=True, nogil=True)
def _scratch(height, width):
    """Padded map, its copy for :func:`_measure` and a queue (with room for a border overrun)."""
    size = (height + 2) * (width + 2)
    return np.zeros(size, np.uint8), np.zeros(size, np.uint8), np.zeros(size + 4, np.uint32)


@njit(cache=True, nogil=True)
def measure(maps, out):
    """Statistics of ``maps (B, H, W) uint8`` into ``out (B, 2) int32``: regions, longest path."""
    free, _, queue = _scratch(maps.shape[1], maps.shape[2])
    for b in range(maps.shape[0]):
        _pad(maps[b], free)
        out[b, 0], out[b, 1] = _measure(free, maps.shape[2] + 2, queue)


@njit(cache=True, nogil=True)
def _measure_flip(flat, cell, width, free, queue):
    """Statistics of the padded map ``flat`` with the unpadded flat index ``cell`` flipped."""
    free[:] = flat
    free[(cell // width + 1) * (width + 2) + cell % width + 1] ^= 1
    return _measure(free, width + 2, queue)


@njit(cache=True, nogil=True)
def loss(regions, path, target, tol, region_weight):
    """Distance of statistics from the goal: one region and ``|path - target| <= tol``."""
    broken = region_weight * abs(regions - 1)
    return broken + max(0, abs(path - target) - tol)


@njit(cache=True, nogil=True)
def look_ahead(maps, out):
    """Exact statistics after every single flip: ``(B, H, W) uint8`` -> ``out (B, H*W, 2) int32``."""
    height, width = maps.shape[1], maps.shape[2]
    flat, free, queue = _scratch(height, width)
    for b in range(maps.shape[0]):
        _pad(maps[b], flat)
        for cell in range(height * width):
            out[b, cell, 0], out[b, cell, 1] = _measure_flip(flat, cell, width, free, queue)


@njit(cache=True, nogil=True)
def measure_flips(maps, cells, out):
    """Exact statistics after chosen flips: ``cells (B, K)`` flat indices -> ``out (B, K, 2) int32``."""
    height, width = maps.shape[1], maps.shape[2]
    flat, free, queue = _scratch(height, width)
    for b in range(maps.shape[0]):
        _pad(maps[b], flat)
        for k in range(cells.shape[1]):
            out[b, k, 0], out[b, k, 1] = _measure_flip(flat, cells[b, k], width, free, queue)


@njit(cache=True, nogil=True)
def _survey(grid, work, lengths):
    """Label the regions and sweep each from both ends of its longest path.

    Fills ``work`` (region ids, distances from end a and end b inside each region) and ``lengths``
    (path per region id).  Returns regions, longest path and the id of the region that holds it.
    """
    _load(grid, work)
    stride = grid.shape[1] + 2
    region, sweep, from_a, from_b, queue = (
        work[REGION],
        work[SWEEP],
        work[FROM_A],
        work[FROM_B],
        work[QUEUE],
    )
    regions, longest, best = 0, 0, 0
    for start in range(stride + 1, region.size - stride - 1):
        if region[start] == -2:
            far, _, size = _flood(start, -2, stride, region, sweep, queue)
            for i in range(size):
                region[queue[i]] = regions
            end, length, _ = _flood(far, regions, stride, region, from_a, queue)
            _flood(end, regions, stride, region, from_b, queue)
            lengths[regions] = length
            if length > longest:
                longest, best = length, regions
            regions += 1
    return regions, longest, best


@njit(cache=True, nogil=True)
def _reach(cell, label, stride, work):
    """Distances from ``cell``, were it open, to both ends of the adjoining region ``label``."""
    a, b = 1 << 20, 1 << 20
    for near in (cell - stride, cell - 1, cell + 1, cell + stride):
        if work[REGION, near] == label:
            a = min(a, work[FROM_A, near] + 1)
            b = min(b, work[FROM_B, near] + 1)
    return a, b


@njit(cache=True, nogil=True)
def _guess_open(cell, stride, work, lengths, longest, best):
    """Guessed change of regions and guessed path if a solid cell were opened."""
    first, second, inside, joined, touches = 0, 0, 0, 0, False
    nears = (cell - stride, cell - 1, cell + 1, cell + stride)
    for i in range(4):
        label = work[REGION, nears[i]]
        seen = label < 0
        for j in range(i):
            seen = seen or work[REGION, nears[j]] == label
        if seen:
            continue
        joined += 1
        touches = touches or label == best
        a, b = _reach(cell, label, stride, work)
        inside = max(inside, min(lengths[label], a + b))
        far = max(a, b)
        if far > first:
            first, second = far, first
        else:
            second = max(second, far)
    path = max(inside, first + second)
    if not touches:
        path = max(path, longest)
    return 1 - joined, path


@njit(cache=True, nogil=True)
def _ring_parts(cell, stride, region):
    """Open neighbours of a cell, counting those joined around its 3x3 ring once."""
    ring = (
        cell - stride,
        cell - stride + 1,
        cell + 1,
        cell + stride + 1,
        cell + stride,
        cell + stride - 1,
        cell - 1,
        cell - stride - 1,
    )
    degree, links = 0, 0
    for i in range(0, 8, 2):
        if region[ring[i]] >= 0:
            degree += 1
            if region[ring[i + 1]] >= 0 and region[ring[(i + 2) % 8]] >= 0:
                links += 1
    return max(degree - links, min(degree, 1))


@njit(cache=True, nogil=True)
def _guess_close(cell, stride, work, lengths, longest, best):
    """Guessed change of regions and guessed path if an open cell were filled (from its 3x3 ring)."""
    label = work[REGION, cell]
    parts = _ring_parts(cell, stride, work[REGION])
    a, b = work[FROM_A, cell], work[FROM_B, cell]
    path = longest
    if label == best and a + b == longest:
        if parts >= 2:
            path = max(a, b) - 1
        elif a == 0 or b == 0:
            path = longest - 1
    return parts - 1, max(path, 0)


@njit(cache=True, nogil=True)
def _paint_cell(cell, stride, work, lengths, stats, goal, out):
    """The eleven planes that differ by cell; ``out (PLANES,)``, see :func:`observe`."""
    regions, longest, best = stats
    target, tol, weight, scale = goal
    label = work[REGION, cell]
    if label >= 0:
        a, b = work[FROM_A, cell], work[FROM_B, cell]
        change, path = _guess_close(cell, stride, work, lengths, longest, best)
        out[0] = 1.0
        out[2] = 1.0 if label == best else 0.0
        out[3] = 1.0 if label == best and a + b == longest else 0.0
        out[4] = min(max(a, b) / target, 2.0)
        out[5] = min((a + b - lengths[label]) * scale, 2.0)
        out[6] = max(-1.0, min((a - b) / target, 1.0))
        out[7] = min(lengths[label] / target, 2.0)
    else:
        change, path = _guess_open(cell, stride, work, lengths, longest, best)
        out[0] = -1.0
        out[2:8] = 0.0
    gain = loss(regions, longest, target, tol, weight) - loss(regions + change, path, target, tol, weight)
    out[8] = 0.5 * change
    out[9] = max(-1.0, min((path - longest) * scale * 2.0, 1.0))
    out[10] = max(-2.0, min(gain * 0.1, 2.0))


@njit(cache=True, nogil=True)
def _paint(grid, start, left, stats, goal, work, lengths, out):
    """All planes of one map into ``out (PLANES, H, W) float32``; ``left`` = share of steps left."""
    height, width = grid.shape
    regions, longest, _ = stats
    target, tol, _, scale = goal
    gap = target - longest
    values = np.zeros(PLANES, np.float32)
    values[11] = max(-1.0, min(gap / target, 1.0))
    values[12] = 0.0 if abs(gap) <= tol else (1.0 if gap > 0 else -1.0)
    values[13] = min(np.log2(max(regions, 1)) * 0.25, 2.0)
    values[14] = left
    values[15] = target / (height * width)
    for y in range(height):
        for x in range(width):
            values[1] = 1.0 if grid[y, x] != start[y, x] else 0.0
            _paint_cell((y + 1) * (width + 2) + x + 1, width + 2, work, lengths, stats, goal, values)
            for p in range(PLANES):
                out[p, y, x] = values[p]


@njit(cache=True, nogil=True)
def observe(maps, starts, targets, left, tol, region_weight, out, stats):
    """Statistics and observation planes in one pass.

    ``maps, starts (B, H, W) uint8``; ``targets (B,) int64`` wanted path; ``left (B,) float32`` share of
    steps left; writes ``out (B, 16, H, W) float32`` and ``stats (B, 2) int32``.  Planes: 0 tile (+1 open,
    -1 solid; padding is 0); 1 differs from the start; 2 in the region with the longest path; 3 on a
    longest path; 4 distance to the farther path end of the own region / target; 5 detour
    (a + b - path)/(H + W); 6 (a - b)/target; 7 path of the own region / target; 8 and 9 guessed change of
    regions and path by a flip, from the neighbourhood; 10 the gain of loss these mean; then constants:
    11 (target - path)/target, 12 its sign outside the tolerance, 13 log2(regions)/4, 14 steps left,
    15 target/(H*W).
    """
    height, width = maps.shape[1], maps.shape[2]
    work = new_work(height, width)
    lengths = np.zeros(height * width + 1, np.int32)
    scale = 1.0 / (height + width)
    for b in range(maps.shape[0]):
        found = _survey(maps[b], work, lengths)
        stats[b, 0], stats[b, 1] = found[0], found[1]
        goal = (targets[b], tol, region_weight, scale)
        _paint(maps[b], starts[b], left[b], found, goal, work, lengths, out[b])


@njit(cache=True, nogil=True)
def hill_climb(maps, targets, tol, region_weight, budget, seeds, evaluations):
    """Baseline: flip random cells in place, keeping flips that do not raise the loss.

    ``maps (B, H, W) uint8`` is changed in place; ``targets, seeds, evaluations (B,) int64``; stops at loss
    0 or after ``budget`` statistics evaluations, and writes how many were used.
    """
    height, width = maps.shape[1], maps.shape[2]
    flat, free, queue = _scratch(height, width)
    for b in range(maps.shape[0]):
        np.random.seed(seeds[b])
        _pad(maps[b], free)
        regions, path = _measure(free, width + 2, queue)
        now = loss(regions, path, targets[b], tol, region_weight)
        used = 1
        while now > 0 and used < budget:
            cell = np.random.randint(height * width)
            _pad(maps[b], flat)
            regions, path = _measure_flip(flat, cell, width, free, queue)
            new = loss(regions, path, targets[b], tol, region_weight)
            used += 1
            if new <= now:
                now = new
                maps[b, cell // width, cell % width] ^= 1
        evaluations[b] = used
