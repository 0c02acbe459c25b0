"""Where zelda levels begin: a route from the player to the key that no neighbouring seed has.

Levels are judged different by these routes. Independent routes of 11 to 18 steps on 11 x 7 read alike in
one pair of twenty, and then only four of ten in a batch count. So the routes are code words, as the start
maps of mazes are: `words/zelda.txt` holds walks of which any two read unlike, and a seed takes the word of
its number, mirrored by chance. A request decides how much of the word is walked before the key. Everything
else - the door, the way to it, what is open - begins at random and is left to the policy, which may also
change the route.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Goals, Maps, Size
from plaudit.domains.level.metrics import Cell
from plaudit.domains.level.zelda_kernels import DOOR, ENEMY, KEY, OPEN, PLAYER, WALL, usual_enemies

WORD_SIZE: Size = (11, 7)
MOVES = {"u": (-1, 0), "d": (1, 0), "l": (0, -1), "r": (0, 1)}
_WORDS = Path(__file__).parent / "words" / "zelda.txt"
LENGTHS = (10, 14, 18)
"""Lengths at which words read unlike each other."""
SLACK = 2
"""What a leg may be off."""
_SALT = 0x2E1DA
_TRIES = 40


def planned_maps(maps: Maps, numbers: NDArray[np.int64], goals: Goals, span: tuple[int, int]) -> Maps:
    """Lay the routes of seeds `(R,)` into `maps (R, H, W)`; returns them.

    goals: `(R, G)`, whose first are leg, leg and whole path.
    span: usual lengths of the first leg, where nothing is asked.
    """
    size = maps.shape[2], maps.shape[1]
    for level, number, goal in zip(maps, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        leg = _first_leg(goal, span, rng)
        _lay(level, _route(number, size, leg, rng), rng)
    return maps


def _first_leg(goal: list[int], span: tuple[int, int], rng: np.random.Generator) -> int:
    """Steps from player to key: as asked, half of the path asked for, or any usual number."""
    leg, _, path = goal[:3]
    if leg != UNASKED:
        return leg
    return path // 2 if path != UNASKED else int(rng.integers(span[0], span[1] + 1))


def _route(number: int, size: Size, leg: int, rng: np.random.Generator) -> list[Cell]:
    """The first cells of the seed's word; on other sizes, or for longer legs, a walk at random."""
    words = load_words()
    word = words[number % len(words)]
    if size != WORD_SIZE or leg > max(LENGTHS) + SLACK:
        return random_walk(size, leg, rng)
    # Of the lengths at which words were compared the nearest, as a leg may be two steps off.
    leg = min(LENGTHS, key=lambda length: abs(length - leg))
    height, width = size[1], size[0]
    # A word that begins on a middle line would read differently when mirrored there.
    flip_y, flip_x = rng.integers(2, size=2) == 1
    flip_y, flip_x = flip_y and 2 * word[0][0] + 1 != height, flip_x and 2 * word[0][1] + 1 != width
    cells = word[: leg + 1]
    return [(height - 1 - y if flip_y else y, width - 1 - x if flip_x else x) for y, x in cells]


@lru_cache(maxsize=1)
def load_words() -> list[list[Cell]]:
    """The walks of `words/zelda.txt`: a line is a row, a column and moves."""
    words = []
    for line in _WORDS.read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            y, x, moves = line.split()
            words.append(walked((int(y), int(x)), moves))
    return words


def walked(start: Cell, moves: str) -> list[Cell]:
    """The cells of a walk.

    >>> walked((0, 0), "rd")
    [(0, 0), (0, 1), (1, 1)]
    """
    cells = [start]
    for move in moves:
        dy, dx = MOVES[move]
        cells.append((cells[-1][0] + dy, cells[-1][1] + dx))
    return cells


def random_walk(size: Size, steps: int, rng: np.random.Generator) -> list[Cell]:
    """The longest of a few walks at random that touch themselves nowhere, at most `steps` long."""
    best: list[Cell] = []
    for _ in range(_TRIES):
        cells = [(int(rng.integers(size[1])), int(rng.integers(size[0])))]
        taken = set(cells)
        while len(cells) <= steps:
            near = [(cells[-1][0] + dy, cells[-1][1] + dx) for dy, dx in MOVES.values()]
            near = [
                c for c in near if 0 <= c[0] < size[1] and 0 <= c[1] < size[0] and _touches(c, taken) == 1
            ]
            near = [c for c in near if c not in taken]
            if not near:
                break
            cells.append(near[int(rng.integers(len(near)))])
            taken.add(cells[-1])
        if len(cells) > len(best):
            best = cells
        if len(best) > steps:
            break
    return best


def _touches(cell: Cell, taken: set[Cell]) -> int:
    return sum((cell[0] + dy, cell[1] + dx) in taken for dy, dx in MOVES.values())


def _lay(level: Maps, route: list[Cell], rng: np.random.Generator) -> None:
    """Put the route into a map `(H, W)` between walls, with player and key at its ends, and the furniture."""
    height, width = level.shape
    for y, x in route[:-1]:
        for dy, dx in MOVES.values():
            if 0 <= y + dy < height and 0 <= x + dx < width:
                level[y + dy, x + dx] = WALL
    for cell in route:
        level[cell] = OPEN
    level[route[0]], level[route[-1]] = PLAYER, KEY
    count = 1 + usual_enemies(level.size)
    free = np.flatnonzero(level.ravel() == OPEN)
    free = free[~np.isin(free, [y * width + x for y, x in route])]
    if len(free) < count:  # hardly anything is open: furniture stands in the walls
        free = np.flatnonzero(level.ravel() == WALL)
    places = rng.permutation(free)[:count]
    level.ravel()[places[0]] = DOOR
    level.ravel()[places[1:]] = ENEMY
