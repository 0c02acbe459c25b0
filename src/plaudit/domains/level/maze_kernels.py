"""Numba kernels of the binary maze domain: statistics, look-ahead, hill climbing.

A map is ``(H, W) uint8``, 0 = solid, 1 = open.  Statistics: number of 4-connected open regions, and longest
path by a double breadth-first sweep in each region (from its first open cell in scan order to the farthest
cell, ties to the first in scan order, and from there again): a lower bound where there are loops.  An empty
map has 0 regions and path 0.  Kernels use a flat grid with a solid border (stride ``W + 2``), work for any
H, W >= 1, and release the GIL, so a caller may split a batch over threads.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _sweep(start, stride, free, queue):
    """Breadth-first search without branches from ``start`` over ``free`` (1 = open, unvisited; is cleared).

    Fills ``queue``; returns the farthest cell (first in scan order), its distance and the cells reached.
    """
    one, step = np.uint32(1), np.uint32(stride)
    queue[0], free[start] = start, 0
    head, tail, layer, depth = 0, 1, 0, 0
    while head < tail:
        layer, end = head, tail
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
def _again(start, stride, free, queue, size):
    """Sweep once more, from ``start``, the region whose ``size`` cells are still in ``queue``."""
    for i in range(size):
        free[queue[i]] = 1
    return _sweep(start, stride, free, queue)


@njit(cache=True, nogil=True)
def _measure(free, stride, queue):
    """Regions and longest path of a padded map ``free`` (1 = open), which is cleared on the way."""
    regions, longest = 0, 0
    for start in range(stride + 1, free.size - stride - 1):
        if free[start]:
            far, _, size = _sweep(np.uint32(start), stride, free, queue)
            regions += 1
            if size - 1 > longest:  # a region of n cells has no path longer than n - 1
                _, length, _ = _again(far, stride, free, queue, size)
                longest = max(longest, length)
    return regions, longest


@njit(cache=True, nogil=True)
def _pad(grid, flat):
    """Copy a map into the middle of the flat padded array ``flat``, with a solid border."""
    height, width = grid.shape
    flat[:] = 0
    for y in range(height):
        for x in range(width):
            flat[(y + 1) * (width + 2) + 1 + x] = grid[y, x]


@njit(cache=True, nogil=True)
def _scratch(height, width):
    """Padded map, its copy for :func:`_measure`, a queue (with room to write past its end)."""
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
    return region_weight * abs(regions - 1) + max(0, abs(path - target) - tol)


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
def look_ahead(maps, out):
    """Exact statistics after every single flip: ``(B, H, W) uint8`` -> ``out (B, H*W, 2) int32``."""
    cells = np.empty((maps.shape[0], maps.shape[1] * maps.shape[2]), np.int64)
    cells[:] = np.arange(cells.shape[1])
    measure_flips(maps, cells, out)


@njit(cache=True, nogil=True)
def hill_climb(maps, targets, tol, region_weight, budget, seeds, evaluations):
    """Baseline: flip random cells of ``maps (B, H, W)`` in place, keeping flips that do not raise the loss.

    ``targets, seeds, evaluations (B,) int64``; stops at loss 0 or after ``budget`` evaluations, and writes
    how many.
    """
    height, width = maps.shape[1], maps.shape[2]
    flat, free, queue = _scratch(height, width)
    for b in range(maps.shape[0]):
        np.random.seed(seeds[b])
        _pad(maps[b], free)
        regions, path = _measure(free, width + 2, queue)
        now, used = loss(regions, path, targets[b], tol, region_weight), 1
        while now > 0 and used < budget:
            cell = np.random.randint(height * width)
            _pad(maps[b], flat)
            regions, path = _measure_flip(flat, cell, width, free, queue)
            new, used = loss(regions, path, targets[b], tol, region_weight), used + 1
            if new <= now:
                now = new
                maps[b, cell // width, cell % width] ^= 1
        evaluations[b] = used
