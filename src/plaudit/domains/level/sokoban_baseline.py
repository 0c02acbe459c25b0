"""The constructive generator of Sokoban: begin solved, and pull the crates away at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.sokoban_kernels import CRATE, OPEN, PLAYER, TARGET

TRIES = 30
"""Levels pulled of which the one with the most pulls that count is kept."""
STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))


def pull_level(request: LevelRequest, seed: int) -> tuple[Maps, dict[str, Any]]:
    """Of a few levels the one whose crates ended farthest from where they began."""
    rng = np.random.default_rng([seed % 2**64, 13])
    count = int(request.target.get("crates", 2))
    made = [_pulled(request.size, count, rng) for _ in range(TRIES)]
    return max(made, key=lambda each: each[1])[0], {"evaluations": TRIES}


def _pulled(size: tuple[int, int], count: int, rng: np.random.Generator) -> tuple[Maps, int]:
    """A level from crates on targets, and how far its crates were pulled in all."""
    width, height = size
    level = (rng.random((height, width)) < 0.85).astype(np.uint8)
    cells = rng.permutation(width * height)
    count = min(count, (len(cells) - 1) // 2)
    targets = [(int(c) // width, int(c) % width) for c in cells[:count]]
    player = (int(cells[count]) // width, int(cells[count]) % width)
    for cell in (*targets, player):
        level[cell] = OPEN
    crates = list(targets)
    for _ in range(40 * count):
        player, crates = _pull(level, player, crates, STEPS[int(rng.integers(4))])
    if set(crates) & set(targets) or player in targets:
        return level, -1
    far = sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in zip(crates, targets, strict=True))
    for tile, places in ((TARGET, targets), (CRATE, crates), (PLAYER, [player])):
        for cell in places:
            level[cell] = tile
    return level, far


def _pull(level: Maps, player: Cell, crates: list[Cell], step: Cell) -> tuple[Cell, list[Cell]]:
    """Walk one step back, and take along a crate that stands behind."""
    to = (player[0] + step[0], player[1] + step[1])
    behind = (player[0] - step[0], player[1] - step[1])
    inside = 0 <= to[0] < level.shape[0] and 0 <= to[1] < level.shape[1]
    if not inside or level[to] != OPEN or to in crates:
        return player, crates
    return to, [player if crate == behind else crate for crate in crates]
