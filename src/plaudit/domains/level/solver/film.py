"""A solution as an animation: one frame a move, pushes a little longer, drawn as the levels are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from plaudit.domains.level.solver.search import LETTERS
from plaudit.domains.level.solver.xsb import Level
from plaudit.domains.level.things import draw_things
from plaudit.domains.level.tiles import draw_map
from plaudit.media.film import Film

NAMES = ("wall", "open", "player", "crate", "target", "stored")
WALL, OPEN, PLAYER, CRATE, TARGET, STORED = range(6)
_WALK_MS, _PUSH_MS, _LAST_MS = 90, 160, 1500
LONGEST = 600
"""Moves that are shown; the rest of a longer solution is left out."""


def write_film(level: Level, moves: str, path: Path) -> None:
    """Write a GIF of the moves (LURD); raises `ResourceError` when the disk refuses."""
    crates, player = level.crates.copy(), level.player
    frames, times = [_frame(level, crates, player)], [_PUSH_MS]
    for letter in moves[:LONGEST]:
        dy, dx = LETTERS[letter.lower()]
        player = (player[0] + dy, player[1] + dx)
        if crates[player]:
            crates[player], crates[player[0] + dy, player[1] + dx] = False, True
        frames.append(_frame(level, crates, player))
        times.append(_PUSH_MS if letter.isupper() else _WALK_MS)
    times[-1] = _LAST_MS
    Film(frames, times).save(path)


def _frame(level: Level, crates: np.ndarray, player: tuple[int, int]) -> Image.Image:
    cells = np.where(level.walls, WALL, np.where(level.targets, TARGET, OPEN))
    cells = np.where(crates, np.where(level.targets, STORED, CRATE), cells)
    cells[player] = PLAYER
    image = draw_map(~level.walls)
    draw_things(image, cells, NAMES)
    return image
