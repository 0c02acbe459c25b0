"""Everywhere that a player who runs and jumps can come to, by a compiled search over whole rows of positions.

The physics, whose numbers stand in `platformer.py`: a player of one cell, on a grid of half cells across and
quarter cells up, at most one half cell to either side in a tick, with a vertical speed that a jump sets to 5,
gravity lowers by 1, and the ground or letting go of the key sets to 0. A state is a column of half cells, a
height and a speed. All states of one height and speed are one row of bits, and a tick moves such a row at
once: a few shifts and masks for all columns. The search goes on jump by jump: after round j the rows hold
what takes at most j jumps, so that the round that touches the exit first is the number of jumps needed.

Everything lies in one array of 64-bit words, `bits (ROWS, N)`, which compiled functions pass on at no cost:
`Rows` says where each kind of row begins. Heights `y` count quarter cells from the lower edge of the map up,
rows of cells `h` from the lowest up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

WALL, OPEN, PLAYER, EXIT, COIN, ENEMY, PIPE, BLOCK = range(8)
SPEED = 5
"""Vertical speed of a jump, in quarter cells a tick: it rises 5 + 4 + 3 + 2 + 1 = 15 of them."""
FALL = 4
"""Fastest fall, in quarter cells a tick."""
LAYERS = FALL + SPEED
"""Speeds in the air: layers 0 to FALL hold those from 0 down to -FALL, the others those from 1 up."""
ONE, TOP, NONE = np.uint64(1), np.uint64(63), np.uint64(0)


class Rows(NamedTuple):
    """Where the rows of a map with H rows of cells begin.

    box, safe, touched: for each height, where the player fits, touches no enemy, and has been.
    free: for row h - 1 of cells, from the void at h = 0 to the upper border at H + 1: where the player fits.
    ground, landed, ready: for each row of cells, states on the ground come to, not walked from yet, and not
    jumped from yet.
    seen, fresh: for each layer and height, states in the air come to, and not gone on from yet.
    """

    box: int
    safe: int
    touched: int
    free: int
    ground: int
    landed: int
    ready: int
    seen: int
    fresh: int
    heights: int
    """Number of heights: 4 H."""


@njit(cache=True, nogil=True)
def rows_of(height: int) -> Rows:
    """The places of the rows for maps of this height."""
    tall = 4 * height
    free = 3 * tall
    ground = free + height + 2
    seen = ground + 3 * height
    fresh = seen + LAYERS * tall
    return Rows(0, tall, 2 * tall, free, ground, ground + height, ground + 2 * height, seen, fresh, tall)


@njit(cache=True, nogil=True)
def make_bits(width: int, height: int) -> Any:
    """Room for the search on maps of one size."""
    at = rows_of(height)
    return np.zeros((at.fresh + LAYERS * at.heights, (2 * width - 1 + 63) // 64), np.uint64)


@njit(cache=True, nogil=True)
def solid(tile: int) -> bool:
    """Whether one stands on a tile and runs into it."""
    return tile == WALL or tile >= PIPE


@njit(cache=True, nogil=True)
def _put(bits: Any, row: int, bit: int) -> None:
    bits[row, bit >> 6] |= ONE << np.uint64(bit & 63)


@njit(cache=True, nogil=True)
def set_map(level: Any, bits: Any) -> None:
    """Write the rows of a map `(H, W)` and forget all states."""
    height, width = level.shape
    at, last = rows_of(height), 2 * width - 2
    bits[:] = NONE
    bits[at.safe : at.touched] = ~NONE
    for bit in range(last + 1):
        _put(bits, at.free, bit)
    for h in range(height):
        before = False
        for x in range(width):
            tile = level[height - 1 - h, x]
            now = not solid(tile)
            if now:
                _put(bits, at.free + h + 1, 2 * x)
            if now and before:
                _put(bits, at.free + h + 1, 2 * x - 1)
            if tile == ENEMY:
                _forbid(bits, at, (x, h), last)
            before = now
    for y in range(at.heights):
        lower = at.free + (y >> 2) + 1
        upper = lower if y & 3 == 0 else lower + 1
        for i in range(bits.shape[1]):
            bits[at.box + y, i] = bits[lower, i] & bits[upper, i]


@njit(cache=True, nogil=True)
def _forbid(bits: Any, at: Rows, cell: Any, last: int) -> None:
    """Clear the positions in which the player touches a cell `(x, h)`."""
    x, h = cell
    for bit in range(max(2 * x - 1, 0), min(2 * x + 1, last) + 1):
        mask = ~(ONE << np.uint64(bit & 63))
        for y in range(max(4 * h - 3, 0), min(4 * h + 4, at.heights)):
            bits[at.safe + y, bit >> 6] &= mask


@njit(cache=True, nogil=True)
def touches(bits: Any, x: int, h: int) -> bool:
    """Whether the player has touched cell `x` of row `h`."""
    low, high = max(2 * x - 1, 0), 2 * x + 1
    heights = 4 * _height(bits)
    for word in range(low >> 6, min((high >> 6) + 1, bits.shape[1])):
        mask = NONE
        for bit in range(max(low, 64 * word), min(high, 64 * word + 63) + 1):
            mask |= ONE << np.uint64(bit & 63)
        for y in range(max(4 * h - 3, 0), min(4 * h + 4, heights)):
            if bits[2 * heights + y, word] & mask:
                return True
    return False


@njit(cache=True, nogil=True)
def _height(bits: Any) -> int:
    """Rows of cells of the map that these rows are for."""
    return (len(bits) - 2) // (16 + 8 * LAYERS)


@njit(cache=True, nogil=True)
def begin(bits: Any, x: int, h: int) -> None:
    """Put the player into cell `x` of row `h`, and let it walk and fall."""
    at = rows_of(_height(bits))
    _arrive(bits, at, 4 * h, 0, (2 * x) >> 6, ONE << np.uint64((2 * x) & 63))
    _fall(bits, at)


@njit(cache=True, nogil=True)
def leap(bits: Any) -> bool:
    """One more jump from everywhere on the ground; False when there was nowhere new to jump from."""
    at = rows_of(_height(bits))
    found = False
    for y in range(0, at.heights, 4):
        row = at.ready + (y >> 2)
        if not _empty(bits, row):
            found = True
            _rise(bits, at, row, y, SPEED)
    if not found:
        return False
    for speed in range(SPEED - 1, 0, -1):
        for y in range(at.heights):
            row = at.fresh + (FALL + speed) * at.heights + y
            if not _empty(bits, row):
                # Who lets go of the key goes on as if at the top of the jump.
                for i in range(bits.shape[1]):
                    _note(bits, at, y, 0, i, bits[row, i])
                _rise(bits, at, row, y, speed)
    _fall(bits, at)
    return True


@njit(cache=True, nogil=True)
def _empty(bits: Any, row: int) -> bool:
    for i in range(bits.shape[1]):
        if bits[row, i]:
            return False
    return True


@njit(cache=True, nogil=True)
def _fall(bits: Any, at: Rows) -> None:
    """Fall and walk on from all new states, from the highest down: whoever leaves a ledge ends lower."""
    for y in range(at.heights - 1, -1, -1):
        for layer in range(FALL + 1):
            row = at.fresh + layer * at.heights + y
            if not _empty(bits, row):
                _sink(bits, at, row, y, min(layer + 1, FALL))
        if y & 3 == 0:
            row = at.landed + (y >> 2)
            while not _empty(bits, row):
                # Who is still on the ground is in the same row again, where that is new; the rest falls.
                _sink(bits, at, row, y, 1)


@njit(cache=True, nogil=True)
def _moved(before: Any, here: Any, after: Any, box: Any) -> Any:
    """States of one word after running left, right or not: `before` and `after` are the words beside it."""
    aside = (here << ONE) | (here >> ONE) | (before >> TOP) | (after << TOP)
    return here | (aside & box)


@njit(cache=True, nogil=True)
def _rise(bits: Any, at: Rows, row: int, y: int, speed: int) -> None:
    """Run one tick from all states of a row, and rise by `speed` or up to what is above; empties the row."""
    before = NONE
    # Nobody passes the upper border.
    lowest, highest = ((y + 3) >> 2) + 1, min((y + speed + 3) >> 2, at.heights >> 2)
    for i in range(bits.shape[1]):
        here, after = bits[row, i], bits[row, i + 1] if i + 1 < bits.shape[1] else NONE
        moved = _moved(before, here, after, bits[at.box + y, i])
        before, bits[row, i] = here, NONE
        for above in range(lowest, highest + 1):
            room = bits[at.free + above + 1, i]
            _arrive(bits, at, 4 * (above - 1), 0, i, moved & ~room)
            moved &= room
        if y + speed < at.heights:
            _arrive(bits, at, y + speed, speed - 1, i, moved)


@njit(cache=True, nogil=True)
def _sink(bits: Any, at: Rows, row: int, y: int, speed: int) -> None:
    """Run one tick from all states of a row, and fall by `speed` or onto what is below; empties the row."""
    before = NONE
    for i in range(bits.shape[1]):
        here, after = bits[row, i], bits[row, i + 1] if i + 1 < bits.shape[1] else NONE
        moved = _moved(before, here, after, bits[at.box + y, i])
        before, bits[row, i] = here, NONE
        if y & 3 < speed:
            room = bits[at.free + (y >> 2), i]  # of the row below, which is the void for the lowest
            _arrive(bits, at, y & ~3, 0, i, moved & ~room)
            moved &= room
        if y >= speed:
            _arrive(bits, at, y - speed, -speed, i, moved)


@njit(cache=True, nogil=True)
def _arrive(bits: Any, at: Rows, y: int, speed: int, i: int, states: Any) -> None:
    """Note states of word `i` at a height and a speed, but for those that touch an enemy."""
    states &= bits[at.safe + y, i]
    if not states:
        return
    bits[at.touched + y, i] |= states
    h = y >> 2
    if speed <= 0 and y & 3 == 0:
        stands = states & ~bits[at.free + h, i]
        new = stands & ~bits[at.ground + h, i]
        bits[at.ground + h, i] |= new
        bits[at.landed + h, i] |= new
        bits[at.ready + h, i] |= new
        states &= ~stands
    _note(bits, at, y, -speed if speed <= 0 else FALL + speed, i, states)


@njit(cache=True, nogil=True)
def _note(bits: Any, at: Rows, y: int, layer: int, i: int, states: Any) -> None:
    """Keep those of the states in the air that were not seen before, to go on from."""
    row = layer * at.heights + y
    new = states & ~bits[at.seen + row, i]
    bits[at.seen + row, i] |= new
    bits[at.fresh + row, i] |= new
