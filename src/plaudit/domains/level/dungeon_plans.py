"""Dungeons laid out so that the player lives: where a policy begins when it makes levels.

A walk leads from the player to the exit, and potions stand on it before the player would die. On the game's
own size what is met there is the story of a number (`dungeon_stories.py`), by which a hundred levels read
unlike, and dead ends branch off the walk. They open no other way, so that the walk is what a player finds.

The benchmark's player gives up after 5,000 positions. On a larger map, or around cells that are locked, it
finds no way through things strewn by chance, so that no edit seems better than another. There the map is
solid but for the walk, and what is locked beside it is joined to it by the shortest ways.

A plan needs no learning, and most are good levels already: requests that no story answers, what locked cells
spoil and tolerances tighter than the game's own are left to the policy.
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
from plaudit.domains.level.dungeon_stories import LEAN, SIZE, SLACK, story_of
from plaudit.domains.level.game import UNASKED, Goals, Maps
from plaudit.domains.level.metrics import Cell
from plaudit.domains.level.winding import beside, dig_dead_ends, lengthen

_SALT, _TRIES = 0xD06E, 10
EARLY = 0.3
"""How often a hurt player finds a potion before it needs one."""


def plan_dungeons(cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Levels `(R, H, W)` of seeds `(R,)` whose locked `cells (H, W)` hold their `tiles (H, W)`.

    goals: treasures and length of the way `(R, 2)`.
    """
    levels = np.full((len(numbers), *cells.shape), WALL, np.uint8)
    shut = cells & (tiles == WALL)
    for level, number, goal in zip(levels, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        found, cells_long = _usual(goal, level.shape, rng)
        level[cells] = tiles[cells]
        walk = _walk(shut, _locked_at(level, cells, PLAYER), cells_long, rng)
        _lay_things(level, cells, walk, found, rng)
        _lay_ends(level, cells, walk)
        _join(level, shut, walk)
    return levels


def tell_dungeons(numbers: NDArray[np.int64], goals: Goals) -> Maps:
    """Levels `(R, 12, 8)` of seeds `(R,)` that tell the stories of their numbers.

    goals: treasures and length of the way `(R, 2)`.
    """
    levels = np.full((len(numbers), SIZE[1], SIZE[0]), WALL, np.uint8)
    free = np.zeros(levels.shape[1:], np.bool_)
    for level, number, goal in zip(levels, numbers.tolist(), goals.tolist(), strict=True):
        rng = np.random.default_rng([number % 2**64, _SALT])
        treasures, length = _usual(goal, level.shape, rng)
        story = _with_treasures(story_of(number, treasures, length), treasures, length, rng)
        walk = _walk(free, None, max(length, len(story) + 2), rng)
        level[tuple(np.transpose(walk))] = OPEN
        if story and len(story) <= len(walk) - 2:
            places = np.sort(rng.permutation(len(walk) - 2)[: len(story)]) + 1
            for at, tile in zip(places.tolist(), story, strict=True):
                level[walk[at]] = tile
        else:
            _lay_things(level, free, walk, treasures, rng)
        level[walk[0]], level[walk[-1]] = PLAYER, EXIT
        dig_dead_ends(level, WALL, OPEN, rng)
    return levels


def _with_treasures(story: list[int], treasures: int, length: int, rng: np.random.Generator) -> list[int]:
    """The story with as many treasures as are asked for, where a way of that length has room for them, and
    within `SLACK` of that where a longer one has; another one where it leaves too little room for that."""
    others, most = len(story) - story.count(TREASURE), length + SLACK - 2
    if story and most - others < treasures - SLACK and others > len(LEAN):
        story, others = [*LEAN], len(LEAN)
    story, found = [*story], story.count(TREASURE)
    wanted = min(treasures, max(length - 2 - others, min(treasures - SLACK, most - others)))
    for _ in range(wanted - found if story else 0):
        story.insert(int(rng.integers(len(story) + 1)), TREASURE)
    for _ in range(found - max(wanted, 0)):
        del story[int(rng.choice([at for at, tile in enumerate(story) if tile == TREASURE]))]
    return story


def _usual(goal: list[int], shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Treasures and length of the way, by chance where they are not asked for."""
    (treasures, length), cells = goal, shape[0] * shape[1]
    length = int(rng.integers(cells // 6, cells // 2)) if length == UNASKED else length
    return int(rng.integers(0, sum(shape) // 2)) if treasures == UNASKED else treasures, length


def _locked_at(level: Maps, cells: NDArray[np.bool_], tile: int) -> Cell | None:
    """Where the first such tile is locked."""
    found = np.argwhere(cells & (level == tile))
    return (int(found[0][0]), int(found[0][1])) if len(found) else None


def _walk(shut: NDArray[np.bool_], start: Cell | None, long: int, rng: np.random.Generator) -> list[Cell]:
    """A walk of `long` cells that touches itself nowhere, or the longest of a few attempts.

    It begins at random, half as long, and is then wound.
    """
    best: list[Cell] = []
    free = [(int(y), int(x)) for y, x in np.argwhere(~shut)]
    for _ in range(_TRIES):
        walk = [start or free[int(rng.integers(len(free)))]]
        taken = set(walk)
        while len(walk) < max(long // 2, min(long, 3)):
            near = [cell for cell in beside(walk[-1], shut) if cell not in taken]
            near = [cell for cell in near if sum(other in taken for other in beside(cell, shut)) == 1]
            if not near:
                break
            walk.append(near[int(rng.integers(len(near)))])
            taken.add(walk[-1])
        best = max(best, lengthen(walk, shut, long, rng), key=len)
        if len(best) == long:
            break
    return best


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
        for near in beside(queue.popleft(), shut):
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
        for near in beside(cell, shut):
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
