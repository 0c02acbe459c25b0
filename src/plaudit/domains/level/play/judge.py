"""The judge of playthroughs, in plain Python: plays the moves again by code that no reward or kernel shares.

Dungeons, caves, platformers and runner levels are played by what judges their levels; the others here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level import cave_judge, dungeon_judge, platformer_agent, runner_agent
from plaudit.domains.level.game import Maps
from plaudit.domains.level.metrics import Cell, longest_path
from plaudit.domains.level.play.playthrough import Playthrough
from plaudit.domains.level.play.request import STATISTICS
from plaudit.task import Item

STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))
TOLERANCE = {"won": 0.0, "steps": 2.0, "gathered": 0.0, "hurt": 0.0}
Found = dict[str, float]


def judge_played(items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """Judged figures `(n,)`: quality = won, control = targets met, diversity = unlike all before it."""
    found = [survey(item.content) for item in items]
    met, seen, fresh = [], set(), []
    for item, one in zip(items, found, strict=True):
        slack = {**TOLERANCE, **item.request.tolerance}
        met.append(all(abs(one[name] - value) <= slack[name] for name, value in item.request.target.items()))
        played: Playthrough = item.content
        key = played.level.tobytes(), played.moves
        fresh.append(key not in seen)
        seen.add(key)
    figures = {"quality": [one["won"] for one in found], "control": met, "diversity": fresh}
    statistics = {name: [one[name] for one in found] for name in STATISTICS}
    return {name: np.asarray(values, np.float64) for name, values in {**figures, **statistics}.items()}


def survey(played: Playthrough) -> Found:
    """Whether the moves win, how many of them the game took, what was gathered and what hurt."""
    return PLAYERS[played.game](played.level, played.moves)


def _found(won: bool, steps: int, gathered: int = 0, hurt: int = 0) -> Found:
    return {"won": float(won), "steps": float(steps), "gathered": float(gathered), "hurt": float(hurt)}


def _place(level: Maps, tile: int) -> Cell:
    y, x = np.argwhere(level == tile)[0].tolist()
    return y, x


def _free(level: Maps, cell: Cell) -> bool:
    height, width = level.shape
    return 0 <= cell[0] < height and 0 <= cell[1] < width and level[cell] != 0


def _maze(level: Maps, moves: Sequence[int]) -> Found:
    path = longest_path(level != 0)
    # The walk back begins at the far end: the player stands where the second sweep began.
    here, flag = path[-1], path[0]
    for number, move in enumerate(moves, start=1):
        to = (here[0] + STEPS[move][0], here[1] + STEPS[move][1])
        here = to if _free(level, to) else here
        if here == flag:
            return _found(True, number)
    return _found(False, len(moves))


def _zelda(level: Maps, moves: Sequence[int]) -> Found:
    here, keys, enemies = _place(level, 2), set(), set()
    for number, move in enumerate(moves, start=1):
        to = (here[0] + STEPS[move][0], here[1] + STEPS[move][1])
        if not _free(level, to) or (level[to] == 4 and not keys):
            continue
        here = to
        if level[here] == 3:
            keys.add(here)
        if level[here] == 5:
            enemies.add(here)
        if level[here] == 4:
            return _found(True, number, 0, len(enemies))
        if len(enemies) == 3:
            return _found(False, number, 0, 3)
    return _found(False, len(moves), 0, len(enemies))


def _sokoban(level: Maps, moves: Sequence[int]) -> Found:
    here = _place(level, 2)
    crates = {(int(y), int(x)) for y, x in np.argwhere(level == 3)}
    targets = {(int(y), int(x)) for y, x in np.argwhere(level == 4)}
    for number, move in enumerate(moves, start=1):
        dy, dx = STEPS[move]
        to, beyond = (here[0] + dy, here[1] + dx), (here[0] + 2 * dy, here[1] + 2 * dx)
        if not _free(level, to) or (to in crates and (beyond in crates or not _free(level, beyond))):
            continue
        if to in crates:
            crates = (crates - {to}) | {beyond}
        here = to
        if crates == targets:
            return _found(True, number)
    return _found(False, len(moves))


def _dungeon(level: Maps, moves: Sequence[int]) -> Found:
    dungeon = dungeon_judge.Dungeon(level)
    node, hurt = dungeon.start, 0
    for number, move in enumerate(moves, start=1):
        before, node = node, next(islice(dungeon.after(node), move, None))
        gone = before.left - node.left
        hurt += sum(int(level[cell]) - 5 for cell in gone if level[cell] > 5)
        if node.health <= 0 or node.cell == dungeon.exit:
            return _found(node.health > 0, number, node.treasures, hurt)
    return _found(False, len(moves), node.treasures, hurt)


def _cave(level: Maps, moves: Sequence[int]) -> Found:
    cave = cave_judge.Cave(level)
    moment = cave.start
    for number, move in enumerate(moves, start=1):
        moment = next(islice(cave.after(moment), move, None))
        if not moment.alive or cave.won(moment):
            return _found(moment.alive, number, len(moment.taken), not moment.alive)
    return _found(False, len(moves), len(moment.taken))


def _platformer(level: Maps, moves: Sequence[int]) -> Found:
    physics = platformer_agent.Physics(level)
    body, coins = physics.placed(_place(level, platformer_agent.PLAYER)), set[Cell]()
    for number, move in enumerate(moves, start=1):
        after = physics.step(body, platformer_agent.Keys(move % 3 - 1, move >= 3))
        if after is None:
            return _found(False, number, len(coins), 1)
        body = after
        coins.update(physics.touching(body, platformer_agent.COIN))
        if physics.touching(body, platformer_agent.EXIT):
            return _found(True, number, len(coins))
    return _found(False, len(moves), len(coins))


def _runner(level: Maps, moves: Sequence[int]) -> Found:
    world = runner_agent.World(level)
    state = runner_agent.State(_place(level, runner_agent.PLAYER))
    left = {(int(y), int(x)) for y, x in np.argwhere(level == runner_agent.GOLD)}
    keys = (*runner_agent.STEPS, runner_agent.DIG_LEFT, runner_agent.DIG_RIGHT)
    for number, move in enumerate(moves, start=1):
        after = world.step(state, keys[move])
        if after is None:
            return _found(False, number, 0, 1)
        state = after
        left.discard(state.cell)
        if not left and level[state.cell] == runner_agent.EXIT:
            return _found(True, number)
    return _found(False, len(moves))


PLAYERS: Mapping[str, Callable[[Maps, Sequence[int]], Found]] = {
    "maze": _maze,
    "zelda": _zelda,
    "sokoban": _sokoban,
    "dungeon": _dungeon,
    "cave": _cave,
    "platformer": _platformer,
    "runner": _runner,
}
