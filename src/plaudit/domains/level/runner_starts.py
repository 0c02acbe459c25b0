"""Where runner levels begin: floors in bands of their own heights, ladders, ropes, things, spoiled by chance.

The map is cut into bands. In each, floors lie three to five cells apart; ladders lead from a floor down to
what lies below, ropes go on from where a floor ends. Then come gold and guards, and a few cells of anything
anywhere: no start that was looked at was a good level.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Goals, Maps, Size
from plaudit.domains.level.runner_physics import (
    BRICK,
    EXIT,
    GOLD,
    GUARD,
    LADDER,
    OPEN,
    PLAYER,
    ROPE,
    WALL,
)

_SALT = 0x10DE
SPOILED = 1 / 140
"""Share of the cells of a start that hold anything."""
STRAIGHT = 0.75
"""Rows and columns from the player to the exit for each tick of the way there."""
APART = 3, 5
"""Least and most rows from one floor to the next."""
Random = np.random.Generator
Floor = tuple[int, int, int]
"""Row, first column and the column after the last."""


@dataclass(frozen=True)
class Wanted:
    """How much a level should have of each."""

    gold: int
    guards: int
    ladders: int
    moves: int
    ropes: int


def planned_maps(numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
    """Start maps `(R, H, W)` of seeds `(R,)`; `density` below 1 fills what is open with bricks.

    goals: gold, guards, ladders, moves, ropes and buried gold `(R, 6)`.
    """
    width, height = size
    maps = np.full((len(numbers), height, width), OPEN, np.uint8)
    for level, number, goal in zip(maps, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        much = wanted(goal, size)
        lay_out(level, much, rng)
        for tile, count in ((GOLD, much.gold), (GUARD, much.guards)):
            stand(level, tile, count, rng)
        spoil(level, rng)
        if density is not None:
            level[(level == OPEN) & (rng.random(level.shape) >= density)] = BRICK
        put_ends(level, much.moves, rng)
    return maps


def wanted(goal: list[int], size: Size) -> Wanted:
    """What is asked for, or as much as is usual."""
    width, height = size
    cells = width * height
    usual = width // 4, width // 7, cells // 11, (width + height) * 5 // 6, cells // 30
    return Wanted(*(u if g == UNASKED else g for u, g in zip(usual, goal[:5], strict=True)))


def lay_out(level: Maps, much: Wanted, rng: Random) -> None:
    """Build floors, ladders and ropes into an open map, about as many as are wanted."""
    floors = _lay_floors(level, rng)
    set_ladders(level, floors, much.ladders, rng)
    hang_ropes(level, floors, much.ropes, rng)


def _lay_floors(level: Maps, rng: Random) -> list[Floor]:
    """The lowest row of walls; floors of bricks, a few of walls, in bands at least six cells wide."""
    height, width = level.shape
    level[-1] = WALL
    floors = [(height - 1, 0, width)]
    for left, right in pairwise(cut(width, rng)):
        y = height - 1 - int(rng.integers(APART[0], APART[1] + 1))
        while y >= 2:
            begin = left + int(rng.integers(0, 3)) * int(rng.random() < 0.5)
            end = right - int(rng.integers(0, 3)) * int(rng.random() < 0.5)
            if end - begin >= 2:
                level[y, begin:end] = WALL if rng.random() < 0.15 else BRICK
                floors.append((y, begin, end))
            y -= int(rng.integers(APART[0], APART[1] + 1))
    return sorted(floors, reverse=True)


def cut(width: int, rng: Random) -> list[int]:
    """Columns where the bands begin, and the width: bands are at least six cells wide."""
    cuts = [0]
    while cuts[-1] + 12 <= width:
        cuts.append(min(cuts[-1] + int(rng.integers(6, 15)), width))
    return [*cuts[:-1], width] if len(cuts) > 1 and width - cuts[-1] < 6 else [*cuts, width]


def set_ladders(
    level: Maps, floors: list[Floor], cells: int, rng: Random, locked: NDArray[np.bool_] | None = None
) -> None:
    """One ladder down from every floor but the lowest, more until there are about as many cells.

    Locked cells `(H, W)` are left alone.
    """
    order = rng.permutation(len(floors) - 1) + 1
    kept = np.zeros(level.shape, bool) if locked is None else locked & (level != LADDER)
    while len(order):
        for place in order.tolist():
            y, left, right = floors[place]
            floor = ((level[y] == WALL) | (level[y] == BRICK)).tolist()
            columns = [x for x in range(left, right) if _may_break(floor, x)]
            if columns:
                _set_ladder(level, kept, y, int(rng.choice(columns)))
        if (level == LADDER).sum() >= cells or rng.random() < 0.2:
            return


def _may_break(floor: list[bool], x: int) -> bool:
    """Whether a floor is still two cells long on either side, or ends there, when one goes to a ladder."""
    last = len(floor) - 1
    left = x < 1 or not floor[x - 1] or (x >= 2 and floor[x - 2])
    right = x + 1 > last or not floor[x + 1] or (x + 2 <= last and floor[x + 2])
    return left and right


def _set_ladder(level: Maps, kept: NDArray[np.bool_], y: int, x: int) -> None:
    """A ladder from the floor in row `y` down to what is solid, not beside another one."""
    height = len(level)
    foot = y + 1
    while foot < height and level[foot, x] not in (WALL, BRICK):
        foot += 1
    beside = level[y:foot, max(x - 1, 0) : x + 2]
    free = not (beside == LADDER).any() and not kept[y:foot, x].any()
    if y > 0 and foot - y >= 2 and free:
        level[y:foot, x] = LADDER


def hang_ropes(level: Maps, floors: list[Floor], cells: int, rng: Random) -> None:
    """Ropes from where floors end to the next thing, until there are about as many cells."""
    width = level.shape[1]
    for place in rng.permutation(len(floors)).tolist():
        y, left, right = floors[place]
        for begin, step in ((right, 1), (left - 1, -1)):
            end = begin
            while 0 <= end < width and level[y - 1, end] == OPEN and level[y, end] in (OPEN, ROPE):
                end += step
            row = np.arange(begin, end, step)
            if len(row) >= 3 and (level == ROPE).sum() + len(row) <= cells + 6:
                level[y - 1, row] = ROPE
    _hang_anywhere(level, cells, rng)


def _hang_anywhere(level: Maps, cells: int, rng: Random) -> None:
    """Ropes of up to eight cells in the open, where those from floor to floor are too few."""
    height, width = level.shape
    for _ in range(20):
        y, x = int(rng.integers(1, max(height - 2, 2))), int(rng.integers(width))
        long = int(rng.integers(3, 9))
        room = level[y : y + 2, x : x + long]
        if (level == ROPE).sum() + long <= cells and room.shape[1] == long and (room == OPEN).all():
            level[y, x : x + long] = ROPE


def places(level: Maps) -> NDArray[np.int64]:
    """Open cells `(n, 2)` above something to stand on."""
    firm = np.zeros(level.shape, bool)
    firm[:-1] = np.isin(level[1:], (WALL, BRICK, LADDER))
    return np.argwhere(firm & (level == OPEN))


def stand(level: Maps, tile: int, count: int, rng: Random) -> None:
    """Things on floors, where there is room; else anywhere."""
    found = places(level)
    if len(found) < count:
        found = np.argwhere(level == OPEN) if (level == OPEN).sum() >= count else np.argwhere(level >= 0)
    for y, x in found[rng.permutation(len(found))[:count]].tolist():
        level[y, x] = tile


def put_ends(level: Maps, moves: int, rng: Random) -> None:
    """The player onto a floor, and the exit about as far from there as it should be; one that is there
    already stays."""
    found = places(level)
    if len(found) < 2:
        found = np.argwhere(level >= 0)
    here, there = np.argwhere(level == PLAYER), np.argwhere(level == EXIT)
    one, other = (EXIT, PLAYER) if len(there) else (PLAYER, EXIT)
    first = there if len(there) else here
    begin = first[0] if len(first) else found[rng.integers(len(found))]
    level[tuple(begin)] = one
    if len(here) and len(there):
        return
    apart = np.abs(found - begin).sum(1)
    off = np.abs(apart - STRAIGHT * moves) + rng.random(len(found))
    off[apart == 0] = np.inf
    level[tuple(found[off.argmin()])] = other


def spoil(level: Maps, rng: Random) -> None:
    """Change a few cells, anywhere, to anything but a player or an exit."""
    count = 3 + int(SPOILED * level.size)
    cells = rng.permutation(level.size)[:count]
    level.ravel()[cells] = rng.choice([WALL, OPEN, GOLD, GUARD, LADDER, ROPE, BRICK], len(cells))
