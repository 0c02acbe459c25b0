"""Sokoban levels as text (XSB), inside a wall: what `plaudit solve` and every Sokoban program read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.request import LARGEST, SMALLEST
from plaudit.domains.level.sokoban_kernels import CRATE, OPEN, PLAYER, TARGET, WALL
from plaudit.domains.level.solver import Level, read_levels
from plaudit.errors import InputError
from plaudit.task import Item


def write_xsb(game: Game, item: Item, folder: Path) -> str:
    """The level inside a wall one cell wide."""
    del folder  # a text needs no picture
    padded = np.pad(item.content, 1, constant_values=WALL)
    return "".join("".join(game.tiles[tile].glyph for tile in row) + "\n" for row in padded.tolist())


def read_xsb(game: Game, path: Path) -> tuple[Maps, dict[str, Any]]:
    """The level without the wall around it; raises only `InputError`."""
    del game  # there is one game whose levels are XSB
    levels, place = read_levels(path), str(path)
    if len(levels) != 1:
        raise InputError(f"holds {len(levels)} levels; give a file with one.", place=place)
    level = _inner(levels[0])
    if (level.crates & level.targets).any() or level.targets[level.player]:
        raise InputError("has something on a target, which no level of ours begins with.", place=place)
    cells = np.where(level.walls, WALL, OPEN).astype(np.uint8)
    cells[level.crates], cells[level.targets], cells[level.player] = CRATE, TARGET, PLAYER
    if not all(SMALLEST <= side <= LARGEST for side in cells.shape):
        raise InputError(f"is {cells.shape[1]} x {cells.shape[0]} cells inside its wall.", place=place)
    return cells, {}


def _inner(level: Level) -> Level:
    """The level without its outermost cells, where these are all wall."""
    rim = np.ones(level.walls.shape, bool)
    rim[1:-1, 1:-1] = False
    if not level.walls[rim].all():
        return level
    inside = (slice(1, -1), slice(1, -1))
    player = (level.player[0] - 1, level.player[1] - 1)
    return Level(level.walls[inside], level.crates[inside], level.targets[inside], player)
