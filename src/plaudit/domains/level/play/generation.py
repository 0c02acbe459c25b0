"""From a policy to playthroughs: rows of a fixed number, so that an item depends on its seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.board import UNDER_WAY, Actions, Boards, Rules
from plaudit.domains.level.play.env import Eyes, observation_space
from plaudit.domains.level.play.playthrough import Playthrough
from plaudit.domains.level.play.request import PlayRequest, levels_for
from plaudit.engine.learner import Policy
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.task import Item

ROWS = 64
Choose = Callable[[Boards, Tensor, RowRandom], Actions]
"""From boards, what their players see `(B, N)`, and the rows' generators to moves `(B,)`."""


@dataclass(frozen=True)
class Outing:
    """What came of B games: the boards at their end, moves made `(B,)`, and the moves themselves `(B, T)`."""

    boards: Boards
    taken: NDArray[np.int64]
    moves: Actions


def play_on(
    rules: Rules, maps: Maps, choose: Choose, random: RowRandom, slips: NDArray[np.float64]
) -> Outing:
    """Play levels `(B, H, W)` to their ends; a share `slips (B,)` of the moves is any move."""
    boards, eyes = rules.begin(maps), Eyes(rules, len(maps))
    limit = rules.limit((maps.shape[2], maps.shape[1]))
    taken, moves = np.zeros(len(maps), np.int64), np.zeros((len(maps), limit), np.int64)
    for step in range(limit):
        under_way = boards.outcome == UNDER_WAY
        if not under_way.any():
            break
        obs = torch.from_numpy(eyes.look(boards, 1.0 - taken / limit))
        drawn = random.uniform(2)
        astray = (drawn[:, 1] * len(rules.moves)).astype(np.int64)
        chosen = np.where(drawn[:, 0] < slips, astray, choose(boards, obs, random))
        moves[:, step] = chosen
        rules.step(boards, chosen)
        taken += under_way
    return Outing(boards, taken, moves)


def by_policy(policy: Policy, chance: bool = True) -> Choose:
    """The choices of a learned policy; without `chance` always those that it holds to be best."""

    def choose(boards: Boards, obs: Tensor, random: RowRandom) -> Actions:
        del boards
        action: Actions = policy.act(obs, None, None, random if chance else None)[0].numpy()
        return action

    return choose


def generate_games(
    rules: Rules, choose: Choose, requests: Sequence[PlayRequest], seeds: Sequence[int]
) -> Iterator[Item]:
    """Yield one playthrough for each request and seed, in their order."""
    for start in range(0, len(seeds), ROWS):
        part = slice(start, start + ROWS)
        asked, numbers = requests[part], list(seeds[part])
        levels = levels_for(rules, asked, numbers)
        made: dict[int, Item] = {}
        for shape in sorted({level.shape for level in levels}):
            members = [i for i, level in enumerate(levels) if level.shape == shape]
            # Rows without an item repeat the last one: the batch is always as large.
            at = np.array([members[min(i, len(members) - 1)] for i in range(ROWS)])
            random = RowRandom(np.array(numbers, np.int64)[at])
            slips = np.array([asked[i].slips for i in at])
            outing = play_on(rules, np.stack([levels[i] for i in at]), choose, random, slips)
            for row, i in enumerate(members):
                moves = tuple(outing.moves[row, : outing.taken[row]].tolist())
                trace = Playthrough(rules.game.name, levels[i], moves)
                made[i] = Item(trace, asked[i], int(numbers[i]), {"steps": len(moves)})
        for i in range(len(levels)):
            yield made[i]


def check_fit(rules: Rules, policy: Policy) -> None:
    """Raise `InputError` for a policy that plays another game."""
    trained, shown = policy.describe().get("observation_space", {}).get("shape"), observation_space(rules)
    if list(trained or ()) != list(shown.shape):
        raise InputError(
            f"the policy sees {trained}, a player of {rules.game.name} {list(shown.shape)}: "
            "it was trained on another game."
        )
