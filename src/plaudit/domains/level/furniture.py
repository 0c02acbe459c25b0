"""Start maps with things on them: random cells of a map get the tiles that a game needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.engine.random import RowRandom

_SALT = 0x0F11


def furnish(maps: Maps, numbers: NDArray[np.int64], pieces: Sequence[tuple[int, NDArray[np.int64]]]) -> Maps:
    """Put tiles on cells of `maps (R, H, W)` that differ for each of the seeds `numbers (R,)`; returns them.

    pieces: tiles, and how many of each a row gets `(R,)`; what finds no cell is left out.
    """
    flat = maps.reshape(len(maps), -1)
    order = RowRandom(numbers ^ _SALT).uniform(flat.shape[1]).argsort(axis=1)
    place = np.zeros(len(maps), np.int64)
    every = np.arange(flat.shape[1])
    for tile, count in pieces:
        chosen = (every >= place[:, None]) & (every < (place + count)[:, None])
        rows, at = np.nonzero(chosen)
        flat[rows, order[rows, at]] = tile
        place = place + count
    return maps
