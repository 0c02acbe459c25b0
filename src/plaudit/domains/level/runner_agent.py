"""An agent that plays runner levels by pressing keys, in plain Python: what a play is, to the judge.

The rules are those that `runner.py` writes down, with every open hole and the ticks that it has left, and
share no code with the kernels. The agent looks where each piece of gold leads to (breadth-first), puts the
gold into an order in which one leads to the next, and goes from one to the next by the fewest keys. After it
dug, it goes for the hole and does nothing else. A play counts once `replay` has won by its keys.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell

WALL, PLAYER, EXIT, GOLD, GUARD, LADDER, ROPE, BRICK = 0, 2, 3, 4, 5, 6, 7, 8
LEFT, RIGHT, UP, DOWN, WAIT, DIG_LEFT, DIG_RIGHT = "<>^v.[]"
STEPS = {LEFT: (0, -1), RIGHT: (0, 1), UP: (-1, 0), DOWN: (1, 0)}
OPEN_FOR = 2
"""Ticks after that of digging in which one can get into a hole."""
LIMIT = 200_000
"""Positions that the agent looks at before it gives a level up as unknown."""


class State(NamedTuple):
    """Where the player is, and each open hole with the ticks that it is still open for."""

    cell: Cell
    holes: tuple[tuple[Cell, int], ...] = ()


class World:
    """What the keys do on one level `(H, W)`."""

    def __init__(self, level: Maps) -> None:
        self.height, self.width = level.shape
        self.tiles = {(int(y), int(x)): int(level[y, x]) for y, x in np.ndindex(level.shape)}

    def solid(self, cell: Cell, state: State) -> bool:
        """Whether one cannot be in a cell: a border, a wall, or a brick that is not open."""
        tile = self.tiles.get(cell, WALL)
        return tile == WALL or (tile == BRICK and all(cell != hole for hole, _ in state.holes))

    def holds(self, state: State) -> bool:
        """Whether the player does not fall."""
        y, x = state.cell
        below = y + 1, x
        if self.tiles[state.cell] in (LADDER, ROPE) or self.tiles.get(below) == LADDER:
            return True
        return self.solid(below, state)

    def digs(self, state: State, key: str) -> Cell | None:
        """The brick that a key opens; None = it opens none."""
        y, x = state.cell
        aside = x - 1 if key == DIG_LEFT else x + 1
        beside, brick = self.tiles.get((y, aside), WALL), (y + 1, aside)
        below = (y + 1, x)
        stands = self.tiles.get(below) == LADDER or self.solid(below, state)
        free = beside not in (WALL, BRICK, GUARD) and self.tiles[state.cell] != BRICK and stands
        return brick if free and self.tiles.get(brick) == BRICK and self.solid(brick, state) else None

    def step(self, state: State, key: str) -> State | None:
        """The state after a tick with this key; None = dead."""
        (y, x), holes = state
        if not self.holds(state):
            y += 1
        elif key in STEPS:
            dy, dx = STEPS[key]
            climbs = key != UP or self.tiles[state.cell] == LADDER
            if climbs and not self.solid((y + dy, x + dx), state):
                y, x = y + dy, x + dx
        elif key in (DIG_LEFT, DIG_RIGHT):
            brick = self.digs(state, key)
            if brick is not None:
                holes = (*holes, (brick, OPEN_FOR + 1))
        if self.tiles[y, x] == GUARD:
            return None
        left = ((hole, max(ticks - 1, 0)) for hole, ticks in holes)
        return State((y, x), tuple((hole, ticks) for hole, ticks in left if ticks or hole == (y, x)))


@dataclass
class Played:
    """What the agent found: cells come to, ticks of the shortest way to the exit (-1 = none), the most gold
    that one play takes to the exit, the keys of a play that takes it, and gold come to without digging."""

    cells: dict[Cell, bool] = field(default_factory=dict)
    """Whether the player is held in them."""
    moves: int = -1
    taken: int = 0
    keys: str = ""
    undug: int = 0
    won: bool = False
    """Whether the keys, pressed again, win with all the gold."""


class Agent:
    """Searches on one level, that share what each key does in each state."""

    def __init__(self, level: Maps) -> None:
        self.world = World(level)
        self.known: dict[State, list[tuple[str, State]]] = {}
        self.looks = 0
        self.gold = [cell for cell, tile in self.world.tiles.items() if tile == GOLD]
        self.exit = next(cell for cell, tile in self.world.tiles.items() if tile == EXIT)

    def options(self, state: State) -> list[tuple[str, State]]:
        """Keys worth pressing, and where they lead to."""
        if state not in self.known:
            pressed = ((key, self.world.step(state, key)) for key in self._keys(state))
            self.known[state] = [(key, after) for key, after in pressed if after not in (None, state)]  # type: ignore[misc]
            self.looks += len(self.known[state])
        return self.known[state]

    def _keys(self, state: State) -> str:
        if not self.world.holds(state):
            return WAIT
        waiting = [hole for hole, _ in state.holes if hole != state.cell]
        if not waiting:
            return LEFT + RIGHT + UP + DOWN + DIG_LEFT + DIG_RIGHT
        (_, x), (_, goal) = state.cell, waiting[-1]
        return DOWN if x == goal else (LEFT if goal < x else RIGHT)

    def search(self, start: State, digs: bool = True) -> dict[State, tuple[State, str]]:
        """Every state that can be come to, in the order of ticks: the state before, and the key."""
        before = {start: (start, "")}
        queue = deque([start])
        while queue and self.looks < LIMIT:
            state = queue.popleft()
            for key, after in self.options(state):
                if after not in before and (digs or key not in (DIG_LEFT, DIG_RIGHT)):
                    before[after] = state, key
                    queue.append(after)
        return before

    def route(self, start: State, goal: Cell) -> tuple[State, str] | None:
        """The state in which a cell is come to soonest, and the keys; None = it is not."""
        before = self.search(start)
        end = next((state for state in before if state.cell == goal), None)
        if end is None:
            return None
        keys, state = "", end
        while state != start:
            state, key = before[state]
            keys = key + keys
        return end, keys

    def order(self, start: Cell) -> list[Cell]:
        """The most gold that leads, each to the next, from the start to the exit: in that order."""
        leads = {cell: {state.cell for state in self.search(State(cell))} for cell in (start, *self.gold)}
        useful = [gold for gold in self.gold if gold in leads[start] and self.exit in leads[gold]]
        after: dict[Cell, list[Cell]] = {}
        # What leads to less gold comes later; gold that leads to one another leads to the same gold.
        for one in sorted(useful, key=lambda gold: (sum(other in leads[gold] for other in useful), gold)):
            equal = [other for other in useful if one in leads[other] and other in leads[one]]
            later = [after[other] for other in after if other in leads[one] and other not in equal]
            after[one] = equal + max(later, key=len, default=[])
        return max(after.values(), key=len, default=[])


def play(level: Maps, start: Cell) -> Played:
    """Explore a level with one player and one exit, and look for the play that takes the most gold."""
    agent, played = Agent(level), Played()
    begin = State(start)
    found = agent.search(begin)
    for state in found:
        held = agent.world.holds(state)
        played.cells[state.cell] = played.cells.get(state.cell, False) or held
    undug = {state.cell for state in agent.search(begin, digs=False)}
    played.undug = sum(gold in undug for gold in agent.gold)
    way = agent.route(begin, agent.exit)
    if way is None:
        return played
    played.moves = len(way[1])
    order = agent.order(start)
    played.taken = len(order)
    for goal in [*order, agent.exit]:
        leg = agent.route(begin, goal)
        if leg is None:  # unknown: the agent gave up
            return played
        begin, played.keys = leg[0], played.keys + leg[1]
    played.won = replay(level, start, played.keys)
    return played


def replay(level: Maps, start: Cell, keys: Sequence[str]) -> bool:
    """Press the keys from the start on: whether that ends at the exit, alive and with all the gold."""
    world, state = World(level), State(start)
    left = {cell for cell, tile in world.tiles.items() if tile == GOLD}
    for key in keys:
        after = world.step(state, key)
        if after is None:
            return False
        state = after
        left.discard(state.cell)
    return not left and world.tiles[state.cell] == EXIT
