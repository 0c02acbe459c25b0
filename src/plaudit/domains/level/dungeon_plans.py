"""Dungeons laid out so that the player lives: where a policy begins on large maps and around locked cells.

The benchmark's player gives up after 5,000 positions. On a map larger than the game's own, or around cells
that are locked, it finds no way through things strewn by chance, so that no edit seems better than another.
Here the map is solid but for one walk, and potions stand on it before the player would die; what is locked
beside the walk is joined to it by the shortest ways. Such a plan needs no learning, and on most large maps it
is a good level already: what is asked for, and what locked cells spoil, is left to the policy.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.dungeon_kernels import usual_enemies
from plaudit.domains.level.dungeon_search import (
    CURE,
    EXIT,
    GOBLIN,
    HEALTH,
    OGRE,
    OPEN,
    PLAYER,
    POTION,
    TREASURE,
    WALL,
)
from plaudit.domains.level.dungeon_starts import OGRES
from plaudit.domains.level.game import UNASKED, Goals, Maps
from plaudit.domains.level.metrics import Cell

_SALT, _TRIES = 0xD06E, 40
_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
EARLY = 0.3
"""How often a hurt player finds a potion before it needs one."""


def plan_dungeons(cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Levels `(R, H, W)` of seeds `(R,)` whose locked `cells (H, W)` hold their `tiles (H, W)`.

    goals: treasures and length of the way `(R, 2)`.
    """
    levels = np.full((len(numbers), *cells.shape), WALL, np.uint8)
    shut = cells & (tiles == WALL)
    for level, number, (treasures, length) in zip(levels, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        cells_long = int(rng.integers(level.size // 6, level.size // 2)) if length == UNASKED else length
        found = int(rng.integers(0, sum(level.shape) // 2)) if treasures == UNASKED else treasures
        level[cells] = tiles[cells]
        walk = _walk(shut, _locked_at(level, cells, PLAYER), cells_long, rng)
        _lay_things(level, cells, walk, found, rng)
        _lay_ends(level, cells, walk)
        _join(level, shut, walk)
    return levels


def _locked_at(level: Maps, cells: NDArray[np.bool_], tile: int) -> Cell | None:
    """Where the first such tile is locked."""
    found = np.argwhere(cells & (level == tile))
    return (int(found[0][0]), int(found[0][1])) if len(found) else None


def _walk(shut: NDArray[np.bool_], start: Cell | None, long: int, rng: np.random.Generator) -> list[Cell]:
    """The longest of a few walks at random of at most `long` cells, that touch themselves nowhere."""
    best: list[Cell] = []
    free = [(int(y), int(x)) for y, x in np.argwhere(~shut)]
    for _ in range(_TRIES):
        walk = [start or free[int(rng.integers(len(free)))]]
        taken = set(walk)
        while len(walk) < long:
            near = [
                cell
                for cell in _around(walk[-1], shut)
                if cell not in taken and sum(beside in taken for beside in _around(cell, shut)) == 1
            ]
            if not near:
                break
            walk.append(near[int(rng.integers(len(near)))])
            taken.add(walk[-1])
        best = walk if len(walk) > len(best) else best
        if len(best) == long:
            break
    return best


def _around(cell: Cell, shut: NDArray[np.bool_]) -> list[Cell]:
    """The cells beside one that are on the map and not shut."""
    height, width = shut.shape
    beside = [(cell[0] + dy, cell[1] + dx) for dy, dx in _STEPS]
    return [(y, x) for y, x in beside if 0 <= y < height and 0 <= x < width and not shut[y, x]]


def _lay_things(
    level: Maps, cells: NDArray[np.bool_], walk: list[Cell], treasures: int, rng: np.random.Generator
) -> None:
    """Put as many enemies as usual on the walk, its ends aside, with treasures and what keeps one alive."""
    inner = walk[1:-1]
    places = [cell for cell in inner if not cells[cell]]
    for cell in places:
        level[cell] = OPEN
    there = np.array([int(level[cell]) for cell in inner], np.int64)
    missing = max(usual_enemies(level.size) - int((there >= GOBLIN).sum()), 0)
    enemies = np.where(rng.random(missing) < OGRES, OGRE, GOBLIN).tolist()
    things = _survived(enemies, rng)
    treasures = min(max(treasures - int((there == TREASURE).sum()), 0), max(len(places) - len(things), 0))
    for _ in range(treasures):
        things.insert(int(rng.integers(len(things) + 1)), TREASURE)
    chosen = np.sort(rng.permutation(len(places))[: len(things)]).tolist()
    for at, tile in zip(chosen, things, strict=False):
        level[places[at]] = tile


def _survived(enemies: list[int], rng: np.random.Generator) -> list[int]:
    """Enemies in their order with potions between them, so that a player who meets them all lives."""
    met, health = [], HEALTH
    for enemy in enemies:
        hurt = enemy - GOBLIN + 1
        while health <= hurt or (health + CURE <= HEALTH and rng.random() < EARLY):
            met.append(POTION)
            health = min(health + CURE, HEALTH)
        met.append(enemy)
        health -= hurt
    return met


def _lay_ends(level: Maps, cells: NDArray[np.bool_], walk: list[Cell]) -> None:
    """Player and exit at the ends of the walk, unless they are locked elsewhere."""
    for cell, tile in ((walk[0], PLAYER), (walk[-1], EXIT)):
        if not (level == tile).any() and not cells[cell]:
            level[cell] = tile


def _join(level: Maps, shut: NDArray[np.bool_], walk: list[Cell]) -> None:
    """Open the shortest ways from the walk to whatever lies apart from it."""
    while way := _way_to_another(level, shut, _led_to(level, shut, walk)):
        for cell in way:
            level[cell] = OPEN


def _led_to(level: Maps, shut: NDArray[np.bool_], walk: list[Cell]) -> list[Cell]:
    """The cells that one comes to from the walk, itself included."""
    found, queue = dict.fromkeys(walk), deque(walk)
    while queue:
        for near in _around(queue.popleft(), shut):
            if near not in found and level[near] != WALL:
                found[near] = None
                queue.append(near)
    return list(found)


def _way_to_another(level: Maps, shut: NDArray[np.bool_], found: list[Cell]) -> list[Cell]:
    """Walls of the shortest way from the cells found to one that is no wall; [] = there is none to open."""
    before: dict[Cell, Cell | None] = dict.fromkeys(found)
    queue = deque(found)
    while queue:
        cell = queue.popleft()
        for near in _around(cell, shut):
            if near in before:
                continue
            before[near] = cell
            queue.append(near)
            if level[near] != WALL:
                return _back(before, near)
    return []


def _back(before: dict[Cell, Cell | None], end: Cell) -> list[Cell]:
    """The cells between an end and where its way began."""
    way, cell = [], before[end]
    while cell is not None and before[cell] is not None:
        way.append(cell)
        cell = before[cell]
    return way
