"""Solutions of Sokoban levels as letters, compiled (`sokoban_judge.py` has the definition in plain Python).

Letters are numbers: 0 to 3 = a step right, left, down, up; 4 more = with a push.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.level.sokoban_search import positions_of

_DOWN, _PUSH = 2, 4


@njit(cache=True, nogil=True)
def read(nodes: Any, node: int, crates: int, width: int, text: Any) -> int:
    """Write the solution that ends at a node of a search, as it reads, into `text (LONGEST,)`; its length.

    Turned and mirrored so that it begins to the right and first turns down; repeated letters are one.
    """
    positions = positions_of(nodes, crates)
    raw = np.empty(nodes.depth[node], np.int8)
    for at in range(len(raw) - 1, -1, -1):
        raw[at] = _letter(positions[nodes.parent[node]], positions[node], width)
        node = nodes.parent[node]
    return _compress(raw, text)


@njit(cache=True, nogil=True)
def _letter(before: Any, after: Any, width: int) -> int:
    """The move from one position to the next."""
    step = after[-1] - before[-1]
    letter = 0 if step == 1 else (1 if step == -1 else (2 if step == width else 3))
    return letter + (_PUSH if (before[:-1] != after[:-1]).any() else 0)


@njit(cache=True, nogil=True)
def _compress(raw: Any, text: Any) -> int:
    """Turn the letters, and leave out repeated ones; returns how many are left."""
    turned = len(raw) > 0 and raw[0] & 3 >= _DOWN
    left, up, seen = False, False, False
    if len(raw):
        left = (raw[0] & 1) == 1
    for letter in raw:
        vertical = (letter & 3 >= _DOWN) != turned
        if vertical and not seen:
            up, seen = (letter & 1) == 1, True
    size = 0
    for letter in raw:
        vertical = (letter & 3 >= _DOWN) != turned
        back = (letter & 1) ^ (up if vertical else left)
        read_as = (letter & _PUSH) + (_DOWN if vertical else 0) + back
        if (size == 0 or text[size - 1] != read_as) and size < len(text):
            text[size] = read_as
            size += 1
    return size
