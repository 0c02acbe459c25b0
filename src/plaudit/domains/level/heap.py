"""A binary heap on arrays that orders equal costs as Python's `heapq` does.

Which of several equally good solutions a best-first search finds depends on it, and so do the length of a
solution and what is collected on the way: figures that a judge in plain Python must see the same.
`costs` and `items` are parallel arrays; each function returns the new number of entries.
"""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def push(costs: Any, items: Any, size: int, cost: float, item: int) -> int:
    """Put an item into the heap."""
    costs[size], items[size] = cost, item
    _rise(costs, items, 0, size)
    return size + 1


@njit(cache=True, nogil=True)
def pop(costs: Any, items: Any, size: int) -> int:
    """Take the first item out: it then stands behind the heap's end, at `items[size - 1]`."""
    size -= 1
    cost, item = costs[size], items[size]
    items[size] = items[0]
    if size == 0:
        return 0
    place, child = 0, 1
    while child < size:
        if child + 1 < size and not costs[child] < costs[child + 1]:
            child += 1
        costs[place], items[place] = costs[child], items[child]
        place, child = child, 2 * child + 1
    costs[place], items[place] = cost, item
    _rise(costs, items, 0, place)
    return size


@njit(cache=True, nogil=True)
def _rise(costs: Any, items: Any, first: int, place: int) -> None:
    """Move the entry at `place` up to where no parent costs more."""
    cost, item = costs[place], items[place]
    while place > first:
        parent = (place - 1) >> 1
        if not cost < costs[parent]:
            break
        costs[place], items[place] = costs[parent], items[parent]
        place = parent
    costs[place], items[place] = cost, item
