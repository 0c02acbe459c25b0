"""The positions that a search has taken up: a hash table that holds them exactly, not by a fingerprint."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def is_new(keys: Any, row: int, width: int, table: Any) -> bool:
    """Put `keys[row, :width]` into the table; whether no row with the same numbers was there.

    keys: whole numbers `(M, >= width)`; table: `(2^k,) int32`, zeros when empty, with room for every row.
    """
    mixed = np.uint64(0)
    for part in range(width):
        mixed ^= mixed >> np.uint64(31)
        mixed = (mixed ^ np.uint64(keys[row, part]) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    size = np.uint64(table.size - 1)
    slot = (mixed >> np.uint64(20)) & size
    while table[slot] != 0:
        if _same(keys, table[slot] - 1, row, width):
            return False
        slot = (slot + np.uint64(1)) & size
    table[slot] = row + 1
    return True


@njit(cache=True, nogil=True)
def _same(keys: Any, one: int, other: int, width: int) -> bool:
    for part in range(width):
        if keys[one, part] != keys[other, part]:
            return False
    return True
