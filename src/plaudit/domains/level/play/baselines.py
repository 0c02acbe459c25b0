"""What stands beside a learned player: one that moves at random, and one that goes the shortest way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from plaudit.domains.level.play.board import Actions, Boards, Rules
from plaudit.domains.level.play.generation import Choose, generate_games
from plaudit.domains.level.play.playthrough import ahead_of
from plaudit.engine.random import RowRandom
from plaudit.task import Item

Generator = Callable[[Sequence[Any], Sequence[int]], Iterator[Item]]


def play_baselines(rules: Rules) -> Mapping[str, Generator]:
    """Players by name; see `plaudit.task.Task.baselines`."""
    return {
        "random": lambda requests, seeds: generate_games(rules, at_random(rules), requests, seeds),
        "heuristic": lambda requests, seeds: generate_games(rules, greedy(rules), requests, seeds),
    }


def at_random(rules: Rules) -> Choose:
    """Any move, with equal chances."""

    def choose(boards: Boards, obs: Any, random: RowRandom) -> Actions:
        del boards, obs
        return random.integers(0, len(rules.moves))

    return choose


def greedy(rules: Rules) -> Choose:
    """The move after which the end is nearest, by the whole map; of equals any, one in eight at random.

    It looks one move ahead and minds neither health nor spikes. In Sokoban it counts pushes, in platformers
    columns, in the other games the moves of the shortest way.
    """

    def choose(boards: Boards, obs: Any, random: RowRandom) -> Actions:
        del obs
        worth = np.empty((len(boards), len(rules.moves)))
        for move in range(len(rules.moves)):
            after = boards.take(slice(None))
            rules.step(after, np.full(len(boards), move))
            worth[:, move] = -ahead_of(rules, after) + 8.0 * after.outcome
        drawn = random.uniform(2 + len(rules.moves))
        best = (worth + drawn[:, 2:] * 1e-3).argmax(1)
        astray = (drawn[:, 1] * len(rules.moves)).astype(np.int64)
        return np.where(drawn[:, 0] < _RESTLESS, astray, best)

    return choose


_RESTLESS = 1 / 8
"""Share of moves at random, without which it stands before the first obstacle for good."""
