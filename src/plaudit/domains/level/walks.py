"""Compiled searches that the statistics of walking games share: distances, regions, first cells.

Maps are flat, with a border one cell wide around them (stride `W + 2`), so that no search looks at edges.
Every kernel frees the GIL: a caller may split a batch over threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

FAR = -1
"""Distance of a cell that is not reached."""


@njit(cache=True, nogil=True)
def pad(grid: Any, flat: Any) -> None:
    """Copy a map `(H, W)` into the middle of `flat`, whose border is left as it is."""
    height, width = grid.shape
    for y in range(height):
        row = (y + 1) * (width + 2) + 1
        for x in range(width):
            flat[row + x] = grid[y, x]


@njit(cache=True, nogil=True)
def first_of(flat: Any, tile: int) -> int:
    """The first cell in scan order that holds `tile`; -1 where none does."""
    for cell in range(flat.size):
        if flat[cell] == tile:
            return cell
    return -1


@njit(cache=True, nogil=True)
def spread(start: int, stride: int, free: Any, queue: Any, dist: Any) -> int:
    """Steps from `start` to every cell over `free` (1 = may be entered) into `dist`, `FAR` elsewhere.

    Returns how many cells are reached; none when the start itself is not free.
    """
    dist[:] = FAR
    if free[start] == 0:
        return 0
    dist[start] = 0
    queue[0] = start
    head, tail = 0, 1
    while head < tail:
        cell = queue[head]
        head += 1
        for near in (cell - stride, cell - 1, cell + 1, cell + stride):
            if free[near] and dist[near] == FAR:
                dist[near] = dist[cell] + 1
                queue[tail] = near
                tail += 1
    return tail


@njit(cache=True, nogil=True)
def count_regions(free: Any, stride: int, queue: Any) -> int:
    """Number of connected regions of `free`, which is cleared on the way."""
    regions = 0
    for start in range(free.size):
        if free[start] == 0:
            continue
        regions += 1
        free[start] = 0
        queue[0] = start
        head, tail = 0, 1
        while head < tail:
            cell = queue[head]
            head += 1
            for near in (cell - stride, cell - 1, cell + 1, cell + stride):
                if free[near]:
                    free[near] = 0
                    queue[tail] = near
                    tail += 1
    return regions


@njit(cache=True, nogil=True)
def mark(flat: Any, tiles: int, free: Any) -> None:
    """Set `free` to 1 where a cell holds one of `tiles` (a bit each), else to 0; the border is tile 0."""
    for cell in range(flat.size):
        free[cell] = (tiles >> np.int64(flat[cell])) & 1
