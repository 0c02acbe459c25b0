"""The judge of runner levels, in plain Python: shares no code with the kernels that rewards use.

The rules stand in `runner.py`; whether all the gold can be had in one play, an agent finds that plays the
level key by key (`runner_agent.py`). Two levels are alike where a player comes to the same cells in the same
manner: on foot, climbing or hanging. They count as two when 40 % of what is in both is in one alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell
from plaudit.domains.level.runner_agent import (
    BRICK,
    EXIT,
    GOLD,
    GUARD,
    LADDER,
    PLAYER,
    ROPE,
    WALL,
    Played,
    play,
)

SOLID = (WALL, BRICK)
DIFFERENT = 0.4


def survey(level: Maps) -> dict[str, Any]:
    """What the judge sees in a level `(H, W)`: counts, the agent's play, and what is not in place."""
    count = Counter(level.ravel().tolist())
    single = count[PLAYER] == count[EXIT] == 1
    played = _played(level) if single else Played()
    solid = np.isin(level, SOLID)
    firm = _firm(level, solid)
    useful = ((level == LADDER) | (level == ROPE) | (firm & ~solid)) & (level != GUARD)
    come = np.zeros(level.shape, bool)
    for cell in played.cells:
        come[cell] = True
    open_to_exit = played.moves >= 0
    return {
        "players": count[PLAYER],
        "exits": count[EXIT],
        "gold": count[GOLD],
        "guards": count[GUARD],
        "ladders": count[LADDER],
        "ropes": count[ROPE],
        "solids": int(solid.sum()),
        "moves": played.moves,
        "missed": count[GOLD] - played.taken if open_to_exit else 0,
        "buried": count[GOLD] - played.undug if open_to_exit else 0,
        "idle": int((useful & ~come).sum()) if single else 0,
        "explored": int((come & ~solid).sum()),
        "useful": int(useful.sum()),
        "ticks": len(played.keys) if played.won else -1,
        "digs": sum(key in "[]" for key in played.keys),
        "wrong": sorted(_wrong(level, solid, firm)),
        "won": bool(played.won),
        "keys": played.keys,
        "come": sorted(_manner(level, played)),
    }


def _played(level: Maps) -> Played:
    y, x = np.argwhere(level == PLAYER)[0].tolist()
    return play(level, (y, x))


def _firm(level: Maps, solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells above something to stand on."""
    firm = np.ones(level.shape, bool)
    firm[:-1] = solid[1:] | (level[1:] == LADDER)
    return firm


def _manner(level: Maps, played: Played) -> Iterator[tuple[int, int, str]]:
    """Cells where the player is held, and how; holes and cells of a fall are left out."""
    for (y, x), held in played.cells.items():
        tile = int(level[y, x])
        if held and tile not in SOLID:
            yield y, x, {LADDER: "climbing", ROPE: "hanging"}.get(tile, "on foot")


def _wrong(level: Maps, solid: NDArray[np.bool_], firm: NDArray[np.bool_]) -> set[str]:
    """Names of the rules of place that the level breaks."""
    wrong = set()
    for name, tile in (("player", PLAYER), ("exit", EXIT), ("gold", GOLD), ("guard", GUARD)):
        if (~firm[level == tile]).any():
            wrong.add(f"{name} in the air")
    if any(long < 2 for _, long in _runs(solid)):
        wrong.add("lone wall or brick")
    for (y, x), long in _runs(level == ROPE):
        if long < 3 or y + 1 == len(level) or solid[y + 1, x : x + long].any():
            wrong.add("crooked rope")
    for (x, y), long in _runs((level == LADDER).T):
        if long < 2 or y == 0 or solid[y - 1, x] or not firm[y + long - 1, x]:
            wrong.add("crooked ladder")
    return wrong


def _runs(there: NDArray[np.bool_]) -> Iterator[tuple[Cell, int]]:
    """Where each run along a row begins, and its length."""
    for row, cells in enumerate(there.tolist()):
        place = 0
        for filled, run in groupby(cells):
            long = len(list(run))
            if filled:
                yield (row, place), long
            place += long


def passes(level: Maps, found: Mapping[str, Any]) -> bool:
    """Everything in its place, sensible amounts, little of no use, and a play that was seen to win."""
    height, width = level.shape
    cells = width * height
    limits = (
        ("gold", 3 * width // 16, width // 2),
        ("guards", width // 10, width // 4),
        ("ladders", cells // 25, cells // 5),
        ("ropes", cells // 100, cells // 8),
        ("solids", cells // 6, cells // 2),
        ("moves", (width + height) // 2, 3 * cells),
        ("idle", 0, found["useful"] // 4),
        ("explored", cells // 5, cells),
    )
    single = found["players"] == found["exits"] == 1
    sensible = all(low <= found[name] <= high for name, low, high in limits)
    return bool(single and sensible and not found["wrong"] and found["won"])


def similarity(levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 0 from 40 % on of cells and manners that are in one of the two alone."""
    alike = np.eye(len(levels))
    come = [set(found["come"]) for found in figures]
    for i, one in enumerate(come):
        for j, other in enumerate(come):
            if i != j and levels[i].shape == levels[j].shape:
                apart = len(one ^ other) / max(len(one) + len(other), 1)
                alike[i, j] = 1.0 - min(apart / DIFFERENT, 1.0)
    return alike
