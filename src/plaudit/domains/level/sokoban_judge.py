"""The judge of Sokoban levels, in plain Python: shares no code with the kernels that rewards use.

The definitions are those of the PCG Benchmark's `sokoban-v0` (Khalifa et al., 2025, arXiv 2503.21474): a
level is solved when one of four searches of 5,000 iterations each solves it, good when the solution has at
least width + height moves. Two levels are alike where their solutions, turned and mirrored to begin alike and
without repeated letters, read alike.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, number_of_regions

WALL, OPEN, PLAYER, CRATE, TARGET = range(5)
ITERATIONS = 5000
ALIKE = 0.5
"""Share of the letters that must differ before two levels are different."""
STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))
Place = tuple[Cell, tuple[Cell, ...]]
"""The player's cell and the crates', in the order of the level."""


@dataclass(frozen=True)
class Node:
    """A position of a search and how it was come to."""

    place: Place
    before: Node | None
    step: Cell
    depth: int


class Board:
    """Walls, targets and dead cells of a level."""

    def __init__(self, level: Maps) -> None:
        padded = np.pad(level, 1)
        self.size = padded.shape
        self.walls = {(int(y), int(x)) for y, x in np.argwhere(padded == WALL)}
        self.targets = [(int(y), int(x)) for y, x in np.argwhere(padded == TARGET)]
        crates = tuple((int(y), int(x)) for y, x in np.argwhere(padded == CRATE))
        player = np.argwhere(padded == PLAYER)
        self.start: Place = ((int(player[0][0]), int(player[0][1])), crates)
        self.dead = self._dead()

    def _dead(self) -> set[Cell]:
        """Corners without target, and cells along walls between two of them in a line without target."""
        height, width = self.size
        inside = [(y, x) for y in range(1, height - 1) for x in range(1, width - 1)]
        corners = {
            (y, x)
            for y, x in inside
            if (y, x) not in self.walls
            and (y, x) not in self.targets
            and ({(y - 1, x), (y + 1, x)} & self.walls)
            and ({(y, x - 1), (y, x + 1)} & self.walls)
        }
        dead = set(corners)
        for y, x in corners:
            for v, u in corners:
                if y == v and x < u:
                    line = [(y, i) for i in range(x + 1, u)]
                    dead.update(line if all(self._along(cell, (1, 0)) for cell in line) else ())
                if x == u and y < v:
                    line = [(i, x) for i in range(y + 1, v)]
                    dead.update(line if all(self._along(cell, (0, 1)) for cell in line) else ())
        return dead

    def _along(self, cell: Cell, side: Cell) -> bool:
        """Whether a cell is free, no target, and has a wall on one side."""
        (y, x), (dy, dx) = cell, side
        beside = (y - dy, x - dx) in self.walls or (y + dy, x + dx) in self.walls
        return cell not in self.walls and cell not in self.targets and beside

    def moves(self, node: Node) -> Iterator[Node]:
        """Positions one move on, those with a crate pushed where one is lost left out."""
        player, crates = node.place
        for dy, dx in STEPS:
            to, beyond = (player[0] + dy, player[1] + dx), (player[0] + 2 * dy, player[1] + 2 * dx)
            if to in self.walls:
                continue
            after = crates
            if to in crates:
                if beyond in self.walls or beyond in crates:
                    continue
                after = tuple(beyond if crate == to else crate for crate in crates)
                if self.dead.intersection(after):
                    continue
            yield Node((to, after), node, (dy, dx), node.depth + 1)

    def solved(self, node: Node) -> bool:
        return all(crate in self.targets for crate in node.place[1])

    def away(self, node: Node) -> int:
        """Sum of the crates' distances, each to the nearest target that is left."""
        left, total = list(self.targets), 0
        for y, x in node.place[1]:
            steps = [abs(y - v) + abs(x - u) for v, u in left]
            total += min(steps)
            del left[steps.index(min(steps))]
        return total


class Ahead:
    """A position in a heap: less is what comes first, and nothing but its cost counts."""

    def __init__(self, node: Node, cost: float) -> None:
        self.node, self.cost = node, cost

    def __lt__(self, other: Ahead) -> bool:
        return self.cost < other.cost


def find_solution(level: Maps) -> list[tuple[Cell, bool]]:
    """Steps of the first solution found and whether each pushes; empty where no search finds one."""
    board = Board(level)
    for balance in (None, 1.0, 0.5, 0.0):
        node = _breadth_first(board) if balance is None else _best_first(board, balance)
        if node is not None:
            return _steps(node)
    return []


def _breadth_first(board: Board) -> Node | None:
    queue, seen = deque([Node(board.start, None, (0, 0), 0)]), set[Place]()
    for _ in range(ITERATIONS):
        if not queue:
            return None
        node = queue.popleft()
        if board.solved(node):
            return node
        if node.place not in seen:
            seen.add(node.place)
            queue.extend(board.moves(node))
    return None


def _best_first(board: Board, balance: float) -> Node | None:
    first = Node(board.start, None, (0, 0), 0)
    heap, seen = [Ahead(first, 0.0)], set[Place]()
    for _ in range(ITERATIONS):
        if not heap:
            return None
        node = heapq.heappop(heap).node
        if board.solved(node):
            return node
        if node.place not in seen:
            seen.add(node.place)
            for after in board.moves(node):
                heapq.heappush(heap, Ahead(after, board.away(after) + balance * after.depth))
    return None


def _steps(node: Node) -> list[tuple[Cell, bool]]:
    steps = []
    while node.before is not None:
        steps.append((node.step, node.place[1] != node.before.place[1]))
        node = node.before
    return steps[::-1]


def survey(level: Maps) -> dict[str, Any]:
    """What the judge sees in a level `(H, W)`: counts, and the solution where there may be one."""
    count = Counter(level.ravel().tolist())
    complete = count[PLAYER] == 1 and count[CRATE] == count[TARGET] > 0
    solution = find_solution(level) if complete else []
    return {
        "players": count[PLAYER],
        "crates": count[CRATE],
        "targets": count[TARGET],
        "regions": number_of_regions(level != WALL),
        "solution": len(solution),
        "pushes": sum(pushes for _, pushes in solution),
        "open": float((level != WALL).mean()),
        "steps": solution,
    }


def passes(level: Maps, found: Mapping[str, Any]) -> bool:
    """One player, as many targets as crates, and a solution of at least width + height moves."""
    return bool(found["players"] == 1 and found["crates"] == found["targets"] > 0) and found[
        "solution"
    ] >= sum(level.shape)


def similarity(levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 1 for equal solutions, 0 from half of the letters different on."""
    texts = [read_solution(found["steps"]) for found in figures]
    alike = np.eye(len(levels))
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            if i != j:
                different = 1.0 - SequenceMatcher(None, one, other).ratio()
                alike[i, j] = 1.0 - min(different / ALIKE, 1.0)
    return alike


def read_solution(steps: Sequence[tuple[Cell, bool]]) -> str:
    """A solution as letters for walks and pushes, turned to begin to the right and to turn down first.

    >>> read_solution([((-1, 0), False), ((-1, 0), True), ((0, 1), False)])
    'red'
    """
    if not steps:
        return ""
    turned = [((dx, dy) if steps[0][0][1] == 0 else (dy, dx), pushes) for (dy, dx), pushes in steps]
    left = turned[0][0][1] < 0
    first_down = next((dy for (dy, _), _ in turned if dy), 1)
    letters = ""
    for (dy, dx), pushes in turned:
        y, x = (-dy if first_down < 0 else dy), (-dx if left else dx)
        letter = {(0, 1): "re", (0, -1): "lk", (1, 0): "ds", (-1, 0): "uy"}[y, x][pushes]
        letters += letter if not letters.endswith(letter) else ""
    return letters
