"""A playthrough: a level and the moves that were made on it, and what they came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.board import GATHERED, HURT, LOST, UNDER_WAY, WON, Boards, Rules
from plaudit.domains.level.play.steps import NO_WAY

FIGURES = ("won", "lost", "steps", "progress", "gathered", "hurt")
"""Columns of the plain batch that terms score: a row is a playthrough, finished or under way."""
Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Playthrough:
    """The level `(H, W)` of a game and the numbers of the moves made on it `(T,)`."""

    game: str
    level: Maps
    moves: tuple[int, ...]


def ahead_of(rules: Rules, boards: Boards) -> NDArray[np.float64]:
    """About how many moves `(B,)` it is to the end of each game."""
    ahead = np.empty(len(boards), np.float32)
    rules.survey(boards, ahead, np.empty((len(boards), len(rules.carried)), np.int8))
    return ahead.astype(np.float64)


def figures(
    boards: Boards, taken: NDArray[np.int64], ahead: NDArray[np.float64], first: NDArray[np.float64]
) -> Figures:
    """The columns of `FIGURES` `(B, 6)`, from the moves made, those ahead, and those ahead at the start."""
    won = boards.outcome == WON
    left = np.where(won, 0.0, np.minimum(ahead, NO_WAY))
    progress = np.clip(1.0 - left / np.maximum(first, 1.0), -1.0, 1.0)
    lost = boards.outcome == LOST
    rest = (boards.body[:, GATHERED], boards.body[:, HURT])
    return np.stack([won, lost, taken, progress, *rest], axis=1).astype(np.float64)


def replayed(rules: Rules, played: Sequence[Playthrough]) -> Figures:
    """The columns of `FIGURES` of finished playthroughs, played again move by move."""
    rows = []
    for one in played:
        boards = rules.begin(one.level[None])
        first = ahead_of(rules, boards)
        taken = sum(1 for _ in stages(rules, one, boards))
        rows.append(figures(boards, np.array([taken]), ahead_of(rules, boards), first)[0])
    return np.array(rows).reshape(len(rows), len(FIGURES))


def stages(rules: Rules, played: Playthrough, boards: Boards) -> Iterator[int]:
    """Make the moves of a playthrough on a board of one row, in place, for as long as the game goes on.

    Yields each move after it was made.
    """
    for number in played.moves:
        if boards.outcome[0] != UNDER_WAY:
            return
        rules.step(boards, np.array([number]))
        yield number
