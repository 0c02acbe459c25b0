"""The judge of caves, in plain Python: shares no code with the kernels that rewards use.

The definitions are those of the PCG Benchmark's `ddave-v0` (Khalifa et al., 2025, arXiv 2503.21474): what
is not connected with the player is rock; a player who runs and jumps looks for the key and then the exit, and
for each diamond, by up to four searches of 5,000 iterations. A level is good when player and exit stand on
rock, the way found takes two jumps on 11 x 7, and every diamond can be had. Two levels are alike where their
ways, mirrored at will, pass the same places. Departs from the benchmark where a level has two players or two
exits, which no good one has: their places then meet no request.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, distances

WALL, OPEN, PLAYER, EXIT, DIAMOND, KEY, SPIKE = range(7)
ITERATIONS, AIR = 5000, 3
ACTIONS = ("wait", "left", "right", "jump")


@dataclass(frozen=True)
class Moment:
    """A moment of the game: where, how long in the air yet, what was done, and what came before."""

    cell: Cell
    air: int
    alive: bool
    key: bool
    taken: frozenset[Cell]
    jumps: int
    before: Moment | None
    depth: int

    @property
    def seen_as(self) -> tuple[Any, ...]:
        """What makes two moments the same to the search: all but the air and the jumps."""
        return self.cell, self.alive, self.key, self.taken


class Cave:
    """A level with one player, key and exit; `goal` is a diamond to come to, in place of key and exit."""

    def __init__(self, level: Maps, goal: Cell | None = None) -> None:
        self.level, self.goal = level, goal
        places = {tile: [(int(y), int(x)) for y, x in np.argwhere(level == tile)] for tile in range(7)}
        self.key, self.exit = places[KEY][0], places[EXIT][0]
        self.start = Moment(places[PLAYER][0], 0, True, False, frozenset(), 0, None, 0)

    def solid(self, cell: Cell) -> bool:
        height, width = self.level.shape
        inside = 0 <= cell[0] < height and 0 <= cell[1] < width
        return not inside or self.level[cell] == WALL

    def won(self, moment: Moment) -> bool:
        if self.goal is not None:
            return moment.cell == self.goal
        return moment.key and moment.cell == self.exit

    def after(self, moment: Moment) -> Iterator[Moment]:
        """The four moments that may follow."""
        for action in ACTIONS:
            yield self._entered(self._fallen(self._acted(moment, action)))

    def _acted(self, moment: Moment, action: str) -> Moment:
        y, x = moment.cell
        after = replace(moment, before=moment, depth=moment.depth + 1)
        if action in ("left", "right"):
            to = (y, x - 1 if action == "left" else x + 1)
            return after if self.solid(to) else replace(after, cell=to)
        if action == "jump" and self.solid((y + 1, x)) and not self.solid((y - 1, x)):
            return replace(after, air=AIR, jumps=moment.jumps + 1)
        return after

    def _fallen(self, moment: Moment) -> Moment:
        """A tick of the air: up, hang for one tick, then down."""
        y, x = moment.cell
        if moment.air > 1:
            if self.solid((y - 1, x)):
                return replace(moment, air=1)
            return replace(moment, cell=(y - 1, x), air=moment.air - 1)
        if moment.air == 1:
            return replace(moment, air=0)
        return moment if self.solid((y + 1, x)) else replace(moment, cell=(y + 1, x))

    def _entered(self, moment: Moment) -> Moment:
        tile = int(self.level[moment.cell])
        if tile == SPIKE:
            return replace(moment, alive=False)
        if tile == KEY:
            return replace(moment, key=True)
        return replace(moment, taken=moment.taken | {moment.cell}) if tile == DIAMOND else moment

    def ahead(self, moment: Moment) -> int:
        """What the search holds to lie ahead of a moment."""
        more, goal = 0, self.goal or self.exit
        if self.goal is None and not moment.key:
            goal, more = self.key, sum(self.level.shape) + 4
        return abs(moment.cell[0] - goal[0]) + abs(moment.cell[1] - goal[1]) + more


class Entry:
    """A moment in a heap: less is what comes first, and nothing but its cost counts."""

    def __init__(self, moment: Moment, cost: float) -> None:
        self.moment, self.cost = moment, cost

    def __lt__(self, other: Entry) -> bool:
        return self.cost < other.cost


def play(cave: Cave) -> Moment | None:
    """The winning moment of the first search that finds one."""
    for balance in (1.0, 0.5, 0.0):
        heap = [Entry(cave.start, 0.0)]

        def add(moment: Moment, heap: list[Entry] = heap, balance: float = balance) -> None:
            heapq.heappush(heap, Entry(moment, cave.ahead(moment) + balance * moment.depth))

        found = _search(cave, lambda heap=heap: heapq.heappop(heap).moment if heap else None, add)
        if found is not None:
            return found
    line = deque([cave.start])
    return _search(cave, lambda: line.popleft() if line else None, line.append)


def _search(
    cave: Cave, following: Callable[[], Moment | None], add: Callable[[Moment], None]
) -> Moment | None:
    seen = set()
    for _ in range(ITERATIONS):
        moment = following()
        if moment is None:
            return None
        if not moment.alive:
            continue
        if cave.won(moment):
            return moment
        if moment.seen_as not in seen:
            seen.add(moment.seen_as)
            for after in cave.after(moment):
                add(after)
    return None


def connected(level: Maps) -> Maps:
    """The level with rock in place of all that is not connected with the player.

    Of several players one counts: that whose number is the number of the largest region with a player.
    """
    players = [(int(y), int(x)) for y, x in np.argwhere(level == PLAYER)]
    regions: list[set[Cell]] = []
    for player in players:
        if not any(player in region for region in regions):
            regions.append(set(distances(level != WALL, player)))
    if not regions:
        return level
    largest = max(range(len(regions)), key=lambda i: (len(regions[i]), -i))
    kept = distances(level != WALL, players[largest])
    mask = np.zeros(level.shape, bool)
    mask[tuple(np.array(list(kept)).T)] = True
    return np.where(mask, level, WALL).astype(np.uint8)


def survey(level: Maps) -> dict[str, Any]:
    """What the judge sees in a level `(H, W)`: counts, places, and the way where the level is whole."""
    level = connected(level)
    count = Counter(level.ravel().tolist())
    whole = count[PLAYER] == count[EXIT] == count[KEY] == 1
    last = play(Cave(level)) if whole else None
    diamonds = [(int(y), int(x)) for y, x in np.argwhere(level == DIAMOND)]
    missed = sum(play(Cave(level, diamond)) is None for diamond in diamonds) if last is not None else 0
    way = []
    while last is not None:
        way.append(last)
        last = last.before
    places = {tile: np.argwhere(level == tile).tolist() for tile in (PLAYER, EXIT)}
    (sy, sx), (ey, ex) = (places[t][0] if len(places[t]) == 1 else (-1, -1) for t in (PLAYER, EXIT))
    return {
        "players": count[PLAYER],
        "exits": count[EXIT],
        "diamonds": count[DIAMOND],
        "keys": count[KEY],
        "spikes": count[SPIKE],
        "sx": sx,
        "sy": sy,
        "ex": ex,
        "ey": ey,
        "num_jumps": way[0].jumps if way else 0,
        "solution_length": len(way),
        "missed": missed,
        "afloat": sum(_afloat(level, cell) for cells in places.values() for cell in cells),
        "way": [moment.cell for moment in way],
    }


def _afloat(level: Maps, cell: Sequence[int]) -> bool:
    y, x = cell
    return y + 1 < level.shape[0] and level[y + 1, x] != WALL


def passes(level: Maps, found: Mapping[str, Any]) -> bool:
    """Whole, on firm ground, few spikes and diamonds, all of them within reach, and enough jumps."""
    height, width = level.shape
    single = found["players"] == found["exits"] == found["keys"] == 1 and found["afloat"] == 0
    few = found["spikes"] <= 2 * max(height, width) and found["diamonds"] <= min(height, width)
    jumps = max(1, (2 * level.size + 38) // 77)
    played = found["solution_length"] > 0 and jumps <= found["num_jumps"] <= max(height, width)
    return bool(single and few and played and found["missed"] == 0)


def similarity(levels: Sequence[Maps], figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return `(n, n)` in [0, 1]: 0 from 40 % of width + height on, counted in moments at different places."""
    alike = np.eye(len(levels))
    for i, first in enumerate(figures):
        for j, second in enumerate(figures):
            if i != j and levels[i].shape == levels[j].shape:
                shape = levels[i].shape
                apart = _apart(first["way"], second["way"], shape)
                alike[i, j] = 1.0 - min(apart / (0.4 * sum(shape)), 1.0)
    return alike


def _apart(one: Sequence[Cell], other: Sequence[Cell], shape: tuple[int, ...]) -> float:
    """Moments at different places, both ways moved up and left together, the first mirrored or not."""
    cells = [*one, *other]
    top, left = (min(cell[axis] for cell in cells) if cells else 0 for axis in (0, 1))
    counts = np.zeros((2, *shape))
    for row, way in enumerate((one, other)):
        for y, x in way:
            counts[row, y - top, x - left] += 1
    return float(min(np.abs(first - counts[1]).sum() for first in (counts[0], counts[0, :, ::-1])))
