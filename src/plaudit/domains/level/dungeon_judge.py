"""The judge of dungeons, in plain Python: shares no code with the kernels that rewards use.

The definitions are those of the PCG Benchmark's `mdungeons-v0` (Khalifa et al., 2025, arXiv 2503.21474): a
player with five points of health looks for the exit, hurt by enemies and healed by potions, by up to four
searches of 5,000 iterations. A level is good when the way found meets eight enemies on 8 x 12. Two levels are
alike where what happens along their ways reads alike and their cells agree.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, number_of_regions

WALL, OPEN, PLAYER, EXIT, POTION, TREASURE, GOBLIN, OGRE = range(8)
ITERATIONS, HEALTH = 5000, 5
ALIKE = 0.4
STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))
LETTERS = {POTION: "p", TREASURE: "$", GOBLIN: "1", OGRE: "2"}


@dataclass(frozen=True)
class Node:
    """A moment of the game: where, how healthy, what is left on the map, and what came before."""

    cell: Cell
    health: int
    left: frozenset[Cell]
    treasures: int
    before: Node | None
    depth: int


class Dungeon:
    """A level that has one player, one exit and one region."""

    def __init__(self, level: Maps) -> None:
        self.level = level
        places = {tile: [(int(y), int(x)) for y, x in np.argwhere(level == tile)] for tile in range(8)}
        self.exit = places[EXIT][0]
        things = frozenset(cell for tile in LETTERS for cell in places[tile])
        self.start = Node(places[PLAYER][0], HEALTH, things, 0, None, 0)

    def free(self, cell: Cell) -> bool:
        height, width = self.level.shape
        return 0 <= cell[0] < height and 0 <= cell[1] < width and self.level[cell] != WALL

    def after(self, node: Node) -> Iterator[Node]:
        """The four moments that may follow; a bump into a wall passes time."""
        for dy, dx in STEPS:
            to = (node.cell[0] + dy, node.cell[1] + dx)
            to = to if self.free(to) else node.cell
            health, treasures, left = node.health, node.treasures, node.left
            if to in left and to != node.cell:
                left = left - {to}
                tile = int(self.level[to])
                treasures += tile == TREASURE
                health = {POTION: min(health + 2, HEALTH), TREASURE: health}.get(
                    tile, max(health - tile + 5, 0)
                )
            yield Node(to, health, left, treasures, node, node.depth + 1)

    def ahead(self, node: Node) -> int:
        """What the search holds to lie ahead of a moment."""
        steps = abs(node.cell[0] - self.exit[0]) + abs(node.cell[1] - self.exit[1])
        return steps + 4 * (HEALTH - node.health) - 2 * node.treasures


class Ahead:
    """A moment in a heap: less is what comes first, and nothing but its cost counts."""

    def __init__(self, node: Node, cost: float) -> None:
        self.node, self.cost = node, cost

    def __lt__(self, other: Ahead) -> bool:
        return self.cost < other.cost


class Heap:
    """Moments by what lies ahead of them plus a share of what lies behind."""

    def __init__(self, dungeon: Dungeon, balance: float) -> None:
        self.dungeon, self.balance = dungeon, balance
        self.entries = [Ahead(dungeon.start, 0.0)]

    def add(self, nodes: Iterator[Node]) -> None:
        for node in nodes:
            cost = self.dungeon.ahead(node) + self.balance * node.depth
            heapq.heappush(self.entries, Ahead(node, cost))

    def next(self) -> Node | None:
        return heapq.heappop(self.entries).node if self.entries else None


class Line:
    """Moments in the order in which they were come to."""

    def __init__(self, dungeon: Dungeon) -> None:
        self.entries = deque([dungeon.start])

    def add(self, nodes: Iterator[Node]) -> None:
        self.entries.extend(nodes)

    def next(self) -> Node | None:
        return self.entries.popleft() if self.entries else None


def play(level: Maps) -> Node | None:
    """The moment at the exit of the first search that finds one."""
    dungeon = Dungeon(level)
    for waiting in (*(Heap(dungeon, balance) for balance in (1.0, 0.5, 0.0)), Line(dungeon)):
        seen = set()
        for _ in range(ITERATIONS):
            node = waiting.next()
            if node is None:
                break
            if node.health <= 0:
                continue
            if node.cell == dungeon.exit:
                return node
            key = (node.cell, node.health, node.left)
            if key not in seen:
                seen.add(key)
                waiting.add(dungeon.after(node))
    return None


def survey(level: Maps) -> dict[str, Any]:
    """What the judge sees in a level `(H, W)`: counts, and the way found where the level is whole."""
    count = Counter(level.ravel().tolist())
    regions = number_of_regions(level != WALL)
    whole = regions == 1 and count[PLAYER] == count[EXIT] == 1
    chain = _chain(play(level)) if whole else []
    cells = [node.cell for node in chain]
    enemies = [(int(y), int(x)) for y, x in np.argwhere(level >= GOBLIN)]
    near = [min((abs(y - v) + abs(x - u) for v, u in cells), default=10_000) for y, x in enemies]
    must_meet = max(1, (8 * level.size + 48) // 96)
    return {
        "players": count[PLAYER],
        "exits": count[EXIT],
        "potions": count[POTION],
        "treasures": count[TREASURE],
        "enemies": len(enemies),
        "regions": regions,
        "layout": count[WALL] + count[OPEN],
        "solution_length": len(cells),
        "col_treasures": chain[-1].treasures if chain else 0,
        "avoided": sum(sorted(near)[:must_meet]) if chain else 0,
        "open": float((level != WALL).mean()),
        "story": _story(level, chain),
    }


def _chain(node: Node | None) -> list[Node]:
    chain = []
    while node is not None:
        chain.append(node)
        node = node.before
    return chain[::-1]


def _story(level: Maps, chain: Sequence[Node]) -> str:
    """A letter for everything that is taken or fought along a way."""
    gone = [next(iter(a.left - b.left), None) for a, b in pairwise(chain)]
    return "".join(LETTERS[int(level[cell])] for cell in gone if cell is not None)


def passes(level: Maps, found: Mapping[str, Any]) -> bool:
    """Whole, with half of the cells wall or floor, and a way that meets enough enemies."""
    must_meet = max(1, (8 * level.size + 48) // 96)
    single = found["players"] == found["exits"] == found["regions"] == 1
    roomy = found["layout"] >= level.size / 2 and found["enemies"] >= must_meet
    return bool(single and roomy and found["solution_length"] >= must_meet + 2 and found["avoided"] == 0)


def similarity(levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 0 where 0.8 of the stories' and 0.2 of the cells' difference is 0.4."""
    alike = np.eye(len(levels))
    for i, (one, first) in enumerate(zip(levels, figures, strict=True)):
        for j, (other, second) in enumerate(zip(levels, figures, strict=True)):
            if i != j:
                cells = float((one != other).mean()) if one.shape == other.shape else 1.0
                stories = 1.0 - SequenceMatcher(None, first["story"], second["story"]).ratio()
                alike[i, j] = 1.0 - min((0.8 * stories + 0.2 * cells) / ALIKE, 1.0)
    return alike
