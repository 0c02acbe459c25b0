"""How alike two texts read, compiled: solutions of Sokoban levels, and what happens on ways through dungeons.

Two levels are held to be alike where too large a share of the letters matches, as Ratcliff and Obershelp
count (Dr. Dobb's Journal, July 1988; Python's `difflib`): the longest run that both have, the first of
several, and left and right of it in turn. Runs grow by a letter at a time, in a bit for each place of the
other text. The judges have the definition in plain Python; what is here is for search alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LONGEST = 128
"""Letters of a text that are read: two words of bits."""
LETTERS = 8
_ONE, _NONE, _ALL, _LAST = np.uint64(1), np.uint64(0), ~np.uint64(0), np.uint64(63)
_WORD = 64


@njit(cache=True, nogil=True)
def make_matching() -> Any:
    """Scratch of `matches`: where each letter is, runs of one letter and of several, and parts to come."""
    return (
        np.zeros((LETTERS, 2), np.uint64),
        np.zeros((LONGEST, 2), np.uint64),
        np.zeros((LONGEST, 2), np.uint64),
        np.zeros((LONGEST + 2, 4), np.int64),
    )


@njit(cache=True, nogil=True)
def count_letters(text: Any, counts: Any) -> None:
    """How often each letter is in a text into `counts (LETTERS,)`."""
    counts[:] = 0
    for letter in text:
        counts[letter] += 1


@njit(cache=True, nogil=True)
def excess(one: Any, other: Any, counts: Any, allowed: float, scratch: Any) -> float:
    """How much more alike than `allowed`, in [0, 1], two texts read; 0 = not.

    counts: of the letters of both `(2, LETTERS)`: what they have in common bounds what can match.
    """
    total, common = len(one) + len(other), 0
    enough = int(allowed * total / 2 + 1e-9)
    if min(len(one), len(other)) <= enough:
        return 0.0
    for letter in range(LETTERS):
        common += min(counts[0][letter], counts[1][letter])
    if common <= enough or (len(other) <= _WORD and in_common(one, other, scratch) <= enough):
        return 0.0
    most = max(matches(one, other, enough, scratch), matches(other, one, enough, scratch))
    return 2.0 * most / total - allowed if most > enough else 0.0


@njit(cache=True, nogil=True)
def in_common(one: Any, other: Any, scratch: Any) -> int:
    """Letters of the longest common subsequence (Hyyro, 2004): no more can match. `other` has at most 64."""
    where = scratch[0]
    where[:] = 0
    for place in range(len(other)):
        where[other[place], 0] |= _ONE << np.uint64(place)
    gone = _ALL
    for letter in one:
        found = gone & where[letter, 0]
        gone = (gone + found) | (gone - found)
    left, count = ~gone & _bits(0, len(other)), 0
    while left:
        left &= left - _ONE
        count += 1
    return count


@njit(cache=True, nogil=True)
def compare(texts: Any, letters: Any, first: int, last: int, allowed: float, table: Any) -> None:
    """Fill the rows and columns from `first` to `last` of the table of texts that read more alike than is
    allowed."""
    scratch, counts = make_matching(), np.zeros((last, LETTERS), np.int64)
    for row in range(last):
        count_letters(texts[row, : letters[row]], counts[row])
    for row in range(first, last):
        one = texts[row, : letters[row]]
        table[row, row] = 1
        for other in range(row):
            both = (counts[row], counts[other])
            table[row, other] = excess(one, texts[other, : letters[other]], both, allowed, scratch) > 0
            table[other, row] = table[row, other]


@njit(cache=True, nogil=True)
def matches(one: Any, other: Any, enough: int, scratch: Any) -> int:
    """Letters of two texts that match; where these are not more than `enough`, any number up to that."""
    where, _, _, parts = scratch
    where[:] = 0
    for place in range(len(other)):
        where[other[place], place >> 6] |= _ONE << np.uint64(place & 63)
    parts[0, 0], parts[0, 1], parts[0, 2], parts[0, 3] = 0, len(one), 0, len(other)
    size, total, hope = 1, 0, min(len(one), len(other))
    while size and hope > enough:
        size -= 1
        low, high, first, last = parts[size, 0], parts[size, 1], parts[size, 2], parts[size, 3]
        length, at, place = _longest(one, (low, high, first, last), scratch)
        total += length
        hope += length - min(high - low, last - first)
        if length == 0:
            continue
        if at > low and place > first:
            parts[size, 0], parts[size, 1], parts[size, 2], parts[size, 3] = low, at, first, place
            hope += min(at - low, place - first)
            size += 1
        at, place = at + length, place + length
        if high > at and last > place:
            parts[size, 0], parts[size, 1], parts[size, 2], parts[size, 3] = at, high, place, last
            hope += min(high - at, last - place)
            size += 1
    return total if hope > enough else hope


@njit(cache=True, nogil=True)
def _longest(one: Any, part: Any, scratch: Any) -> Any:
    """The longest run that parts of both texts have: its letters, and where it begins in each."""
    (low, high, first, last), (where, base, run, _) = part, scratch
    near, far = _bits(first, last), _bits(first - _WORD, last - _WORD)
    wide, at = last > _WORD, -1
    for place in range(high - 1, low - 1, -1):
        base[place, 0] = run[place, 0] = where[one[place], 0] & near
        some = base[place, 0]
        if wide:
            base[place, 1] = run[place, 1] = where[one[place], 1] & far
            some |= base[place, 1]
        if some:
            at = place
    if at < 0:
        return 0, low, first
    length, begin, end = 0, at, 0
    while at >= 0:
        length, begin = length + 1, at
        end = _lowest(run[at, 0]) if run[at, 0] else _WORD + _lowest(run[at, 1])
        at = _grow(low + length, high, base, run, wide)
    return length, begin - length + 1, end - length + 1


@njit(cache=True, nogil=True, inline="always")
def _grow(begin: int, high: int, base: Any, run: Any, wide: bool) -> int:
    """Make runs that end at each place a letter longer; the first place where one still ends, or -1."""
    at = -1
    for place in range(high - 1, begin - 1, -1):
        before = run[place - 1, 0]
        run[place, 0] = (before << _ONE) & base[place, 0]
        some = run[place, 0]
        if wide:
            run[place, 1] = ((run[place - 1, 1] << _ONE) | (before >> _LAST)) & base[place, 1]
            some |= run[place, 1]
        if some:
            at = place
    return at


@njit(cache=True, nogil=True, inline="always")
def _bits(first: int, last: int) -> Any:
    """Bits from `first` to before `last` of a word."""
    first, last = max(first, 0), min(last, _WORD)
    if last <= first:
        return _NONE
    return (_ALL >> np.uint64(_WORD - last + first)) << np.uint64(first)


@njit(cache=True, nogil=True)
def _lowest(bits: Any) -> int:
    """The place of the lowest bit that is set."""
    place = 0
    for half in (32, 16, 8, 4, 2, 1):
        if not bits & ((_ONE << np.uint64(half)) - _ONE):
            bits >>= np.uint64(half)
            place += half
    return place
