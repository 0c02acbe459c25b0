"""Compiled statistics and observation planes of zelda.

The numbers are those of the PCG Benchmark's `zelda` (Khalifa et al., 2025, arXiv 2503.21474): tiles are
counted, regions are those of everything but walls, and both legs start at the first tile of their kind in
scan order. The way to the key does not lead through the door, the way to the door may.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.walks import FAR, count_regions, first_of, mark, pad, spread

WALL, OPEN, PLAYER, KEY, DOOR, ENEMY = range(6)
PLAYERS, KEYS, DOORS, ENEMIES, REGIONS, PLAYER_KEY, KEY_DOOR, PATH, FAULTS, CROWD = range(10)
"""Columns of the statistics."""
STATISTICS = 10
DISTANCES = 3
"""Planes that `paint` writes: steps from the player, from the key, from the door."""
_WALKABLE = 0b111110
_TO_KEY = 0b101110
_ONE_OF_EACH, _ONE_REGION, _NO_WAY = 3, 5, 5
"""What a fault costs, in steps of path: gym-pcgrl's weights (Khalifa et al., 2020, arXiv 2001.09212)."""


@njit(cache=True, nogil=True)
def usual_enemies(cells: int) -> int:
    """Enemies of a level of this many cells: 3 on 11 x 7, in proportion elsewhere."""
    return max(1, (3 * cells + 38) // 77)


@njit(cache=True, nogil=True)
def _survey(flat: Any, size: Any, scratch: Any, out: Any) -> Any:
    """Fill `out (STATISTICS,)`; leave the distances from player and key in `scratch`."""
    height, width = size
    stride = width + 2
    free, queue, from_player, from_key = scratch
    out[:] = 0
    for y in range(height):
        for x in range(width):
            tile = flat[(y + 1) * stride + 1 + x]
            if tile >= PLAYER:
                out[tile - PLAYER] += 1
    mark(flat, _WALKABLE, free)
    out[REGIONS] = count_regions(free, stride, queue)
    player, key, door = first_of(flat, PLAYER), first_of(flat, KEY), first_of(flat, DOOR)
    from_player[:] = FAR
    from_key[:] = FAR
    if player >= 0:
        mark(flat, _TO_KEY, free)
        spread(player, stride, free, queue, from_player)
    if key >= 0:
        mark(flat, _WALKABLE, free)
        spread(key, stride, free, queue, from_key)
    out[PLAYER_KEY] = from_player[key] if player >= 0 and key >= 0 else FAR
    out[KEY_DOOR] = from_key[door] if key >= 0 and door >= 0 else FAR
    out[PATH] = max(out[PLAYER_KEY], 0) + max(out[KEY_DOOR], 0)
    out[FAULTS] = _faults(out, width + height)
    usual = usual_enemies(width * height)
    slack = max(1, usual // 4)
    out[CROWD] = max(usual - slack - out[ENEMIES], out[ENEMIES] - usual - slack, 0)
    return door


@njit(cache=True, nogil=True)
def _faults(out: Any, shortest: int) -> int:
    """What keeps a level from being a good one, enemies apart, in steps of path; 0 = nothing."""
    each = abs(out[PLAYERS] - 1) + abs(out[KEYS] - 1) + abs(out[DOORS] - 1)
    ways = (out[PLAYER_KEY] <= 0) + (out[KEY_DOOR] <= 0)
    short = max(shortest - out[PATH], 0)
    return _ONE_OF_EACH * each + _ONE_REGION * abs(out[REGIONS] - 1) + _NO_WAY * ways + short


@njit(cache=True, nogil=True)
def _scratch(height: int, width: int) -> Any:
    size = (height + 2) * (width + 2)
    whole = (
        np.zeros(size, np.uint8),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
    )
    return whole


@njit(cache=True, nogil=True)
def measure(maps: Any, out: Any) -> None:
    """Statistics of `maps (B, H, W) uint8` into `out (B, STATISTICS) int32`."""
    rows, height, width = maps.shape
    scratch = _scratch(height, width)
    flat = np.zeros((height + 2) * (width + 2), np.uint8)
    for row in range(rows):
        pad(maps[row], flat)
        _survey(flat, (height, width), scratch, out[row])


@njit(cache=True, nogil=True)
def paint(maps: Any, out: Any, planes: Any) -> None:
    """Statistics into `out (B, STATISTICS)`, and steps from player, key and door into `planes (B, H, W, 3)`.

    A plane holds steps over width + height; -1 where there is no way.
    """
    rows, height, width = maps.shape
    stride = width + 2
    scratch = _scratch(height, width)
    free, queue, from_player, from_key = scratch
    flat, from_door = np.zeros(free.size, np.uint8), np.zeros(free.size, np.int32)
    scale = np.float32(1.0 / (width + height))
    for row in range(rows):
        pad(maps[row], flat)
        door = _survey(flat, (height, width), scratch, out[row])
        from_door[:] = FAR
        if door >= 0:
            mark(flat, _WALKABLE, free)
            spread(door, stride, free, queue, from_door)
        for y in range(height):
            for x in range(width):
                cell = (y + 1) * stride + 1 + x
                for plane, dist in enumerate((from_player, from_key, from_door)):
                    steps = dist[cell]
                    planes[row, y, x, plane] = np.float32(-1.0) if steps == FAR else steps * scale
