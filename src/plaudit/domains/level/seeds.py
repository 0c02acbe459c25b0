"""Start maps: every item begins from a map of its own, and neighbouring seeds begin far apart.

Two-tile starts are code words: shifts of the Legendre sequence of a prime q = 3 (mod 4) and their
complements (Paley, 1933), of which any two differ in half of the cells, and a word from its complement
in all. That is farther apart than independent random maps can be, so that a batch that edits few
cells stays diverse. A block of 2q consecutive seeds shares one random placement of the words.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps, Size
from plaudit.engine.random import RowRandom

SERIES = 1_000_000
"""Seeds of one series (seed // SERIES) share the blocks: item i of every series begins a block anew."""
TRAINING_SERIES = -1
"""Item seeds are 0 or more: training starts are never the starts of an evaluation."""


def start_maps(seeds: NDArray[np.int64], size: Size, density: float | None = None) -> Maps:
    """Return the start maps `(R, H, W)` of `R` item seeds: 0 or 1, a function of the seed alone.

    `density` None gives code words (half of the cells open); a number in [0, 1] gives independent
    cells that are open with that probability.
    """
    width, height = size
    if density is not None:
        cells = RowRandom(seeds).uniform(width * height) < density
        return cells.astype(np.uint8).reshape(-1, height, width)
    out = np.empty((len(seeds), width * height), np.uint8)
    blocks, word = place_of(seeds, size)
    for series, block in np.unique(blocks, axis=0):
        rows = np.flatnonzero((blocks == (series, block)).all(axis=1))
        out[rows] = _words(width * height, int(series), int(block), word[rows])
    return out.reshape(-1, height, width)


def place_of(seeds: NDArray[np.int64], size: Size) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the series and block `(R, 2)` of item seeds, and which word of the block is theirs `(R,)`."""
    q, _ = _legendre(size[0] * size[1])
    series, index = np.divmod(np.asarray(seeds, np.int64), SERIES)
    block, word = np.divmod(index, 2 * q)
    return np.stack([series, block], axis=1), word


def code_words(series: int, block: int, size: Size) -> NDArray[np.uint8]:
    """Return all start maps of a block as flat words `(2q, H * W)`, in the order of their seeds."""
    q, _ = _legendre(size[0] * size[1])
    return _words(size[0] * size[1], series, block, np.arange(2 * q))


def _words(cells: int, series: int, block: int, word: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the given words `(R, cells)` of a block."""
    q, squares = _legendre(cells)
    places, order = _placement(cells, series, block)
    shift = order[word]
    return squares[(places[None] - shift[:, None] % q) % q] ^ (shift >= q)[:, None]


def training_numbers(count: int) -> NDArray[np.int64]:
    """Return `count` seeds of start maps that are no item's (at most `SERIES`)."""
    return TRAINING_SERIES * SERIES + np.arange(count, dtype=np.int64)


@lru_cache(maxsize=8)
def _legendre(cells: int) -> tuple[int, NDArray[np.uint8]]:
    """Return the smallest prime q = 3 (mod 4) of at least `cells`, and which residues are squares."""
    q = max(cells, 3)
    while q % 4 != 3 or any(q % p == 0 for p in range(3, int(q**0.5) + 1, 2)):
        q += 1
    squares = np.zeros(q, np.uint8)
    squares[np.arange(1, q, dtype=np.int64) ** 2 % q] = 1
    return q, squares


@lru_cache(maxsize=64)
def _placement(cells: int, series: int, block: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each cell stands in the words of a block `(cells,)`, and the order of the words."""
    q, _ = _legendre(cells)
    # SeedSequence takes no negative numbers, and the series of training is one.
    rng = np.random.default_rng([series % 2**63, block, cells])
    return rng.permutation(q)[:cells], rng.permutation(2 * q)
