"""Solving one level: rounds of the compiled search under limits, and the moves of what it found."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np

from plaudit.domains.level.solver import kernels
from plaudit.domains.level.solver.board import FAR, Board, make_board
from plaudit.domains.level.solver.xsb import Level

LETTERS = {"u": (-1, 0), "d": (1, 0), "l": (0, -1), "r": (0, 1)}
Verdict = Literal["solved", "unsolvable", "unknown"]
_ROUNDS = 500


@dataclass(frozen=True)
class Limits:
    """When the search gives up, and how greedy it is."""

    seconds: float = 10.0
    nodes: int = 2_000_000
    """Positions kept; about 40 bytes and two a crate each."""
    weight: float = 3.0
    """How much the estimate counts against the pushes made; 1 = fewest pushes, with patience."""


@dataclass(frozen=True)
class Answer:
    """What was found out about a level.

    Attributes:
        moves: in LURD notation: `udlr` walk, `UDLR` push; empty unless solved.
        expanded: positions looked at; kept: positions made.
        nearest: least number of pushes that were still estimated to be missing.
    """

    verdict: Verdict
    moves: str = ""
    expanded: int = 0
    kept: int = 0
    seconds: float = 0.0
    nearest: int = FAR

    @property
    def pushes(self) -> int:
        return sum(letter.isupper() for letter in self.moves)


def solve(level: Level, limits: Limits = Limits()) -> Answer:
    """Find pushes that bring every crate onto a target; "unsolvable" is proved, "unknown" a limit reached."""
    start, board = time.perf_counter(), make_board(level)
    if board.dead[board.crates].any() or board.solid[board.goals].all():
        return Answer("unsolvable", seconds=time.perf_counter() - start)
    fixed, nodes, scratch = _rooms(board, limits)
    made, size, estimate = kernels.begin(fixed, board.player, board.crates, limits.weight, nodes, scratch)
    if estimate == 0:
        return Answer("solved", seconds=time.perf_counter() - start, nearest=0)
    if estimate >= FAR:
        return Answer("unsolvable", seconds=time.perf_counter() - start)
    state, verdict, last, full = (made, size, 0), kernels.UNKNOWN, -1, False
    while verdict == kernels.UNKNOWN and not full and time.perf_counter() - start < limits.seconds:
        before = state[2]
        verdict, last, state = kernels.advance(fixed, state, limits.weight, _ROUNDS, nodes, scratch)
        full = verdict == kernels.UNKNOWN and state[2] == before and state[1] > 0 and _is_full(state, nodes)
    names: tuple[Verdict, ...] = ("solved", "unsolvable", "unknown")
    moves = _moves(board, nodes, last) if verdict == kernels.SOLVED else ""
    costs = nodes.costs[: state[1]] if state[1] else np.zeros(1)
    nearest = 0 if moves else int(costs.min() / limits.weight)
    spent = time.perf_counter() - start
    return Answer(names[verdict], moves, state[2], state[0], spent, nearest)


def _is_full(state: tuple[int, int, int], nodes: kernels.Nodes) -> bool:
    """Whether there is no room for another expansion."""
    made, _, done = state
    return made + 4 * nodes.crates.shape[1] > len(nodes.player) or 2 * (done + 1) > len(nodes.table)


def _rooms(board: Board, limits: Limits) -> tuple[kernels.Map, kernels.Nodes, kernels.Scratch]:
    cells, count = len(board.solid), len(board.goals)
    rng = np.random.default_rng(20)  # any fixed numbers serve as fingerprints
    hashes = rng.integers(1, 2**63, (2, cells), dtype=np.uint64)
    is_goal = np.isin(np.arange(cells), board.goals).astype(np.uint8)
    fixed = kernels.Map(board.width, board.solid, board.goals, is_goal, board.pushes, board.dead, hashes)
    room, table = max(limits.nodes, 8 * count + 8), 1
    while table < 2 * room // 3:
        table *= 2
    nodes = kernels.Nodes(
        np.empty((room, count), np.int16),
        np.empty(room, np.int16),
        np.empty(room, np.int32),
        np.empty(room, np.int16),
        np.empty(room, np.int32),
        np.empty(room, np.float64),
        np.empty(room, np.int64),
        np.zeros(table, np.uint64),
    )
    bits, numbers = (
        [np.zeros(cells, np.uint8) for _ in range(2)],
        [np.zeros(cells + 4, np.int32) for _ in range(3)],
    )
    rows = [np.zeros(count + 1, np.int64) for _ in range(6)]
    scratch = kernels.Scratch(bits[0], numbers[0], numbers[1], bits[1], numbers[2], *rows)
    return fixed, nodes, scratch


def _moves(board: Board, nodes: kernels.Nodes, last: int) -> str:
    """The walks and pushes that lead to a node, in LURD notation."""
    chain = []
    while nodes.parent[last] >= 0:
        chain.append(last)
        last = int(nodes.parent[last])
    steps = {dy * board.width + dx: letter for letter, (dy, dx) in LETTERS.items()}
    player, crates, text = board.player, set(board.crates.tolist()), []
    for node in reversed(chain):
        cell, step = int(nodes.player[node]), int(nodes.pushed[node])
        text.append(_walk(board, crates, player, cell - step, steps) + steps[step].upper())
        crates = (crates - {cell}) | {cell + step}
        player = cell
    return "".join(text)


def _walk(board: Board, crates: set[int], start: int, goal: int, steps: dict[int, str]) -> str:
    """A shortest walk between two cells around the crates."""
    came: dict[int, tuple[int, str]] = {start: (start, "")}
    queue = deque([start])
    while goal not in came:
        cell = queue.popleft()
        for step, letter in steps.items():
            near = cell + step
            if near not in came and not board.solid[near] and near not in crates:
                came[near] = (cell, letter)
                queue.append(near)
    text = ""
    while goal != start:
        goal, letter = came[goal]
        text = letter + text
    return text
