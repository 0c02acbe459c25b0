"""Solutions of Sokoban levels as letters, and how alike two of them read, compiled.

Two levels are held to be alike where their solutions read alike (`sokoban_judge.py` has the definition in
plain Python; what is here is for search alone). Letters are numbers: 0 to 3 = a step right, left, down, up;
4 more = with a push.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LONGEST = 128
"""Letters of a text that are read."""
ALIKE = 0.5
"""Two texts that are more alike count as one."""
_DOWN, _PUSH = 2, 4


@njit(cache=True, nogil=True)
def read(nodes: Any, node: int, crates: int, width: int, text: Any) -> int:
    """Write the solution that ends at a node of a search, as it reads, into `text (LONGEST,)`; its length.

    Turned and mirrored so that it begins to the right and first turns down; repeated letters are one.
    """
    steps = nodes.depth[node]
    raw = np.empty(steps, np.int8)
    for at in range(steps - 1, -1, -1):
        before = nodes.parent[node]
        raw[at] = _letter(nodes, before, node, crates, width)
        node = before
    return _compress(raw, text)


@njit(cache=True, nogil=True)
def _letter(nodes: Any, before: int, node: int, crates: int, width: int) -> int:
    """The move from one position to the next."""
    step = nodes.player[node] - nodes.player[before]
    letter = 0 if step == 1 else (1 if step == -1 else (2 if step == width else 3))
    for crate in range(crates):
        if nodes.crates[node, crate] != nodes.crates[before, crate]:
            return letter + _PUSH
    return letter


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


@njit(cache=True, nogil=True)
def likeness(one: Any, other: Any) -> float:
    """How alike two texts read, in [0, 1]: the larger of Ratcliff and Obershelp's ratios, either one
    first."""
    total = len(one) + len(other)
    if total == 0:
        return 1.0
    return 2.0 * max(_matches(one, other), _matches(other, one)) / total


@njit(cache=True, nogil=True)
def alike(one: Any, other: Any) -> bool:
    """Whether two texts read alike: more than half of their letters match, either one first."""
    total = len(one) + len(other)
    if 4 * min(len(one), len(other)) <= total or at_most(one, other) <= ALIKE:
        return False
    return 4 * _matches(one, other) > total or 4 * _matches(other, one) > total


@njit(cache=True, nogil=True)
def compare(texts: Any, letters: Any, first: int, last: int, table: Any) -> None:
    """Fill the rows and columns from `first` to `last` of the table of texts that read alike."""
    for row in range(first, last):
        table[row, row] = 1
        for other in range(row):
            same = alike(texts[row, : letters[row]], texts[other, : letters[other]])
            table[row, other] = same
            table[other, row] = same


@njit(cache=True, nogil=True)
def at_most(one: Any, other: Any) -> float:
    """A bound on how alike two texts read, from how often each letter is there."""
    balance = np.zeros(8, np.int64)
    for letter in one:
        balance[letter] += 1
    common = 0
    for letter in other:
        balance[letter] -= 1
        common += balance[letter] >= 0
    return 2.0 * common / max(len(one) + len(other), 1)


@njit(cache=True, nogil=True)
def _matches(one: Any, other: Any) -> int:
    """Letters in the longest run that both have, the first of several, and left and right of it in turn."""
    parts = np.empty((len(one) + len(other) + 2, 4), np.int64)
    run = np.empty(len(other) + 1, np.int64)
    parts[0] = np.array((0, len(one), 0, len(other)))
    total, size = 0, 1
    while size:
        size -= 1
        low, high, first, last = parts[size]
        longest, at, place = _longest(one[low:high], other[first:last], run)
        if longest == 0:
            continue
        total += longest
        at, place = at + low, place + first
        parts[size] = np.array((low, at, first, place))
        parts[size + 1] = np.array((at + longest, high, place + longest, last))
        size += 2
    return total


@njit(cache=True, nogil=True)
def _longest(one: Any, other: Any, run: Any) -> Any:
    """The longest common run of two texts: letters, and where it begins in each."""
    longest, at, place = 0, 0, 0
    run[: len(other) + 1] = 0
    for i in range(len(one)):
        before = 0
        for j in range(len(other)):
            above = run[j + 1]
            run[j + 1] = before + 1 if one[i] == other[j] else 0
            if run[j + 1] > longest:
                longest, at, place = run[j + 1], i - run[j + 1] + 1, j - run[j + 1] + 1
            before = above
    return longest, at, place
