"""Sokoban levels as text (XSB): one or many in a file, as collections and Boxoban write them.

`#` wall, `@` player, `$` crate, `.` target, `*` crate on a target, `+` player on a target, space, `-` or `_`
floor. Levels are separated by lines that hold anything else: blank ones, titles, comments after `;`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError
from plaudit.media.limits import Limits, read_text

FLOOR = " -_"
GLYPHS = frozenset("#@$.*+" + FLOOR)
LARGEST = 64
"""Cells along a side."""
LIMITS = Limits(file_bytes=2**24, text_bytes=2**24)
Cells = NDArray[np.bool_]


@dataclass(frozen=True)
class Level:
    """One level: walls, crates and targets `(H, W)`, the player's cell `(y, x)`, and where it was read."""

    walls: Cells
    crates: Cells
    targets: Cells
    player: tuple[int, int]
    title: str = ""
    line: int = 1

    def text(self) -> str:
        """The level as XSB."""
        rows = []
        for y in range(self.walls.shape[0]):
            rows.append("".join(self._glyph(y, x) for x in range(self.walls.shape[1])).rstrip())
        return "\n".join(rows) + "\n"

    def _glyph(self, y: int, x: int) -> str:
        on = int(self.targets[y, x])
        if self.walls[y, x]:
            return "#"
        if self.crates[y, x]:
            return "$*"[on]
        return "@+"[on] if (y, x) == self.player else " ."[on]


def read_levels(path: Path) -> list[Level]:
    """Every level of a file; raises `InputError` naming line and column of what is wrong."""
    levels = [
        parse_level(rows, str(path), first, title) for first, title, rows in _blocks(read_text(path, LIMITS))
    ]
    if not levels:
        raise InputError("holds no level.", place=str(path), hint="A level has lines of # and floor.")
    return levels


def _blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Number of the first line, title before it, and lines of each level."""
    rows: list[str] = []
    first, title = 1, ""
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.rstrip()
        if "#" in line and not line.lstrip().startswith(";"):
            first = number if not rows else first
            rows.append(line)
            continue
        if rows:
            yield first, title, rows
            rows, title = [], ""
        if line.strip():
            title = line.strip().lstrip("; ")[:80]


def parse_level(rows: list[str], place: str, first: int = 1, title: str = "") -> Level:
    """Turn lines into a level; raises `InputError` for what cannot be one."""
    where, width = f"{place}, line {first}", max(map(len, rows))
    if width > LARGEST or len(rows) > LARGEST:
        what = f"a level of {width}x{len(rows)} cells is too large."
        raise InputError(what, place=where, hint=f"At most {LARGEST} along a side.")
    for y, row in enumerate(rows):
        for x, glyph in enumerate(row):
            if glyph not in GLYPHS:
                cell = f"{place}, line {first + y}, column {x + 1}"
                raise InputError(f"{glyph!r} is no tile.", place=cell, hint="Known: # @ $ . * + and space.")
    grid = np.array([list(row.ljust(width)) for row in rows])
    players = np.argwhere(np.isin(grid, ["@", "+"]))
    crates, targets = np.isin(grid, ["$", "*"]), np.isin(grid, [".", "+", "*"])
    if len(players) != 1:
        raise InputError(f"a level has one player, this one {len(players)}.", place=where)
    if crates.sum() != targets.sum() or not crates.any():
        raise InputError(
            f"{crates.sum()} crates for {targets.sum()} targets: they must be as many.", place=where
        )
    y, x = players[0].tolist()
    return Level(grid == "#", crates, targets, (y, x), title, first)
