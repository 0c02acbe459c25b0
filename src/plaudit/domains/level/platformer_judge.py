"""The judge of platformers, in plain Python: shares no code with the kernels that rewards use.

The rules stand in `platformer.py`; whether a level can be finished, in how many jumps and with which coins,
an agent finds that plays it key by key (`platformer_agent.py`). Two levels are alike where the agent's ways
lead through the same cells: they count as two when 40 % of the cells of both ways are cells of one alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, distances
from plaudit.domains.level.platformer_agent import (
    BLOCK,
    COIN,
    ENEMY,
    EXIT,
    GROUND,
    PIPE,
    PLAYER,
    Body,
    Played,
    play,
)

SOLID = (GROUND, PIPE, BLOCK)
DIFFERENT = 0.4


def survey(level: Maps) -> dict[str, Any]:
    """What the judge sees in a level `(H, W)`: counts, the agent's way and keys, and what is not in place."""
    count = Counter(level.ravel().tolist())
    pipe = level == PIPE
    tops = int(np.count_nonzero(pipe[0]) + np.count_nonzero(pipe[1:] & ~pipe[:-1]))
    played = _played(level) if count[PLAYER] == count[EXIT] == 1 else Played()
    return {
        "players": count[PLAYER],
        "exits": count[EXIT],
        "enemies": count[ENEMY],
        "coins": count[COIN],
        "pipes": tops // 2,
        "blocks": count[BLOCK],
        "gaps": len(_gaps(level)),
        "jumps": played.jumps,
        "missed": count[COIN] - len(played.coins) if played.jumps >= 0 else 0,
        "ticks": len(played.keys),
        "wrong": sorted(_wrong(level)),
        "keys": played.keys,
        "way": sorted({_cell(body, len(level)) for body in played.way}),
    }


def _played(level: Maps) -> Played:
    y, x = np.argwhere(level == PLAYER)[0].tolist()
    return play(level, (y, x))


def _cell(body: Body, height: int) -> Cell:
    """The cell that the middle of the player is in."""
    return height - 1 - (body.y + 2) // 4, (body.x + 1) // 2


def _gaps(level: Maps) -> list[int]:
    """Columns of each gap in the ground."""
    return [len(list(run)) for hole, run in groupby(tile != GROUND for tile in level[-1].tolist()) if hole]


def _wrong(level: Maps) -> set[str]:
    """Names of the rules of place that the level breaks."""
    height, width = level.shape
    solid = np.isin(level, SOLID)
    wrong = _wrong_ground(level == GROUND, _gaps(level))
    for name, tile in (("player", PLAYER), ("exit", EXIT), ("enemy", ENEMY)):
        if any(y + 1 == height or not solid[y + 1, x] for y, x in np.argwhere(level == tile).tolist()):
            wrong.add(f"{name} in the air")
    if any(x > width // 10 for _, x in np.argwhere(level == PLAYER).tolist()):
        wrong.add("player too far in")
    if any(width - 1 - x > width // 10 for _, x in np.argwhere(level == EXIT).tolist()):
        wrong.add("exit too far in")
    if not all(_is_pipe(level, cells) for cells in _bodies(level == PIPE)):
        wrong.add("crooked pipe")
    if not _blocks_hang(level, solid):
        wrong.add("crooked blocks")
    return wrong


def _wrong_ground(ground: NDArray[np.bool_], gaps: Sequence[int]) -> set[str]:
    """Names of the rules of the ground that are broken."""
    wrong, heights = set(), ground.sum(axis=0)
    if (ground[:-1] & ~ground[1:]).any():
        wrong.add("ground in the air")
    if heights.max() > len(ground) / 2:
        wrong.add("ground too high")
    if (np.diff(heights[heights > 0]) > 3).any():
        wrong.add("step too high")
    if any(columns > 4 for columns in gaps):
        wrong.add("gap too wide")
    return wrong


def _bodies(there: NDArray[np.bool_]) -> list[list[Cell]]:
    """Cells of each connected body of a map."""
    left = {(int(y), int(x)) for y, x in np.argwhere(there)}
    bodies = []
    while left:
        body = sorted(distances(there, min(left)))
        bodies.append(body)
        left -= set(body)
    return bodies


def _is_pipe(level: Maps, cells: Sequence[Cell]) -> bool:
    """Whether a body of pipe cells is two wide, up to four high, on the ground, with nothing on it."""
    rows, columns = sorted({y for y, _ in cells}), sorted({x for _, x in cells})
    if len(columns) != 2 or len(cells) != 2 * len(rows) or len(rows) > 4:
        return False
    if rows[0] == 0 or rows[-1] + 1 == len(level):
        return False
    below = level[rows[-1] + 1, columns[0] : columns[1] + 1]
    above = level[rows[0] - 1, columns[0] : columns[1] + 1]
    return bool((below == GROUND).all() and not np.isin(above, SOLID).any())


def _blocks_hang(level: Maps, solid: NDArray[np.bool_]) -> bool:
    """Whether all blocks come in rows, with nothing on them and two free cells below."""
    for row, cells in enumerate(level.tolist()):
        x = 0
        for tile, run in groupby(cells):
            long = len(list(run))
            if tile == BLOCK:
                around = solid[max(row - 1, 0) : row + 3, x : x + long].sum()
                if long < 2 or row == 0 or row + 2 >= len(level) or around > long:
                    return False
            x += long
    return True


def passes(level: Maps, found: Mapping[str, Any]) -> bool:
    """Everything in its place, sensible amounts, a way with enough jumps, and every coin on some way."""
    width = level.shape[1]
    amounts = (
        ("pipes", width // 25, width // 6),
        ("blocks", width // 10, width // 2),
        ("gaps", width // 25, width // 8),
        ("enemies", 0, width // 5),
        ("coins", 0, width // 4),
        ("jumps", width // 12, width),
    )
    single = found["players"] == found["exits"] == 1
    sensible = all(low <= found[name] <= high for name, low, high in amounts)
    return bool(single and sensible and not found["wrong"] and found["missed"] == 0)


def similarity(levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 0 from 40 % of cells on that are on one of the two ways alone."""
    alike = np.eye(len(levels))
    ways = [set(found["way"]) for found in figures]
    for i, one in enumerate(ways):
        for j, other in enumerate(ways):
            if i != j and levels[i].shape == levels[j].shape:
                apart = len(one ^ other) / max(len(one) + len(other), 1)
                alike[i, j] = 1.0 - min(apart / DIFFERENT, 1.0)
    return alike
