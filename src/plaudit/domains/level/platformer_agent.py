"""An agent that plays platformers by pressing keys, in plain Python: what a way is, to the judge.

The physics are those that `platformer.py` writes down, quarter cell by quarter cell, and share no code with
the kernels. The agent finds the way with the fewest jumps and, of those, the fewest ticks (Dijkstra, 1959).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell

GROUND, PLAYER, EXIT, COIN, ENEMY, PIPE, BLOCK = 0, 2, 3, 4, 5, 6, 7
JUMP_SPEED, FASTEST_FALL = 5, 4


class Keys(NamedTuple):
    """What is held down for a tick: -1 left, 1 right, 0 neither; and whether the jump key."""

    run: int
    jump: bool


class Body(NamedTuple):
    """Left edge in half cells, lower edge in quarter cells above the map's, speed up in the latter a tick."""

    x: int
    y: int
    speed: int


JUMP = tuple(Keys(run, True) for run in (1, 0, -1))
RUN = tuple(Keys(run, False) for run in (1, 0, -1))


class Physics:
    """What happens to a player on one level `(H, W)`."""

    def __init__(self, level: Maps) -> None:
        self.height, self.width = level.shape
        self.cells = {(int(y), int(x)): int(level[y, x]) for y, x in np.ndindex(level.shape)}
        self._room: dict[tuple[int, int], bool] = {}

    def placed(self, cell: Cell) -> Body:
        """A player at rest in a cell."""
        return Body(2 * cell[1], 4 * (self.height - 1 - cell[0]), 0)

    def covered(self, x: int, y: int) -> Iterator[Cell]:
        """The cells, up to four, that a player there touches; some may lie outside of the map."""
        for up in {y // 4, (y + 3) // 4}:
            for column in {x // 2, (x + 1) // 2}:
                yield self.height - 1 - up, column

    def fits(self, x: int, y: int) -> bool:
        """Whether nothing solid and no border is where the player would be."""
        known = self._room.get((x, y))
        if known is None:
            inside = 0 <= x <= 2 * (self.width - 1) and y + 4 <= 4 * self.height
            solid = (GROUND, PIPE, BLOCK)
            known = inside and all(self.cells.get(cell) not in solid for cell in self.covered(x, y))
            self._room[x, y] = known
        return known

    def stands(self, body: Body) -> bool:
        """Whether a player is on the ground, and does not rise."""
        return body.y % 4 == 0 and body.speed <= 0 and not self.fits(body.x, body.y - 1)

    def touching(self, body: Body, tile: int) -> list[Cell]:
        """Cells of a kind that a player touches."""
        return [cell for cell in self.covered(body.x, body.y) if self.cells.get(cell) == tile]

    def step(self, body: Body, keys: Keys) -> Body | None:
        """The player after a tick with these keys held; None = dead."""
        x, y, speed = body
        if keys.jump and speed == 0 and self.stands(body):
            speed = JUMP_SPEED
        elif not keys.jump and speed > 0:
            speed = 0
        if self.fits(x + keys.run, y):
            x += keys.run
        after = self._risen(x, y, speed) if speed > 0 else self._fallen(x, y, speed)
        if after.y < 0 or self.touching(after, ENEMY):
            return None
        return after._replace(speed=0) if self.stands(after) else after

    def _risen(self, x: int, y: int, speed: int) -> Body:
        for _ in range(speed):
            if not self.fits(x, y + 1):
                return Body(x, y, 0)
            y += 1
        return Body(x, y, speed - 1)

    def _fallen(self, x: int, y: int, speed: int) -> Body:
        if self.stands(Body(x, y, speed)):
            return Body(x, y, 0)
        speed = max(speed - 1, -FASTEST_FALL)
        for _ in range(-speed):
            if not self.fits(x, y - 1):
                return Body(x, y, 0)
            y -= 1
        return Body(x, y, speed)


@dataclass
class Played:
    """What the agent found: its way tick by tick, the keys of each, jumps (-1 = no way), coins touched."""

    way: list[Body] = field(default_factory=list)
    keys: list[Keys] = field(default_factory=list)
    jumps: int = -1
    coins: set[Cell] = field(default_factory=set)


def play(level: Maps, start: Cell) -> Played:
    """Find the way to the exit and all coins that can be come to; goes on until there is nothing new."""
    physics, played = Physics(level), Played()
    begin = physics.placed(start)
    coins = int(np.count_nonzero(level == COIN))
    before: dict[Body, tuple[Body, Keys]] = {}
    costs = {begin: (0, 0)}
    heap = [(0, 0, begin)]
    while heap and (played.jumps < 0 or len(played.coins) < coins):
        jumps, ticks, body = heapq.heappop(heap)
        if costs[body] != (jumps, ticks):
            continue
        played.coins.update(physics.touching(body, COIN))
        if played.jumps < 0 and physics.touching(body, EXIT):
            played.jumps = jumps
            played.way, played.keys = _traced(before, body)
        leaps = body.speed == 0 and physics.stands(body)
        for keys in (*RUN, *JUMP) if leaps or body.speed > 0 else RUN:
            after = physics.step(body, keys)
            cost = jumps + (leaps and keys.jump), ticks + 1
            if after is not None and cost < costs.get(after, (1 << 30, 0)):
                costs[after], before[after] = cost, (body, keys)
                heapq.heappush(heap, (*cost, after))
    return played


def _traced(before: dict[Body, tuple[Body, Keys]], body: Body) -> tuple[list[Body], list[Keys]]:
    """The way that led to a state, and the keys."""
    way, pressed = [body], []
    while body in before:
        body, keys = before[body]
        way.append(body)
        pressed.append(keys)
    return way[::-1], pressed[::-1]


def replay(level: Maps, start: Cell, pressed: Sequence[Keys]) -> tuple[bool, int]:
    """Press the keys from the start on: whether that ends at the exit, alive, and after how many jumps."""
    physics, jumps = Physics(level), 0
    body: Body | None = physics.placed(start)
    for keys in pressed:
        if body is None:
            return False, jumps
        jumps += keys.jump and body.speed == 0 and physics.stands(body)
        body = physics.step(body, keys)
    return body is not None and bool(physics.touching(body, EXIT)), jumps
