"""How hard a level is for the shipped player of its game: terms for those who make levels.

The player plays a level a few times, and some of its moves go astray: `difficulty` is the share of these
playthroughs that it does not win, `effort` how many moves the others took. The same level always gives the
same numbers, whatever stands beside it. A level that its game does not hold to be good is worth 0 of both:
it is not hard, it is broken, and not played at all, so that the terms cost little until levels are good.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import Game, Maps, stack_sizes
from plaudit.domains.level.play.board import WON, Rules
from plaudit.domains.level.play.games import BY_NAME
from plaudit.domains.level.play.generation import Outing, check_fit, play_on
from plaudit.domains.level.play.playthrough import Playthrough
from plaudit.domains.level.play.quick import QuickPlayer
from plaudit.engine import policies
from plaudit.engine.q_policy import QPolicy
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.media.limits import read_json
from plaudit.reward.term import Context, Scores, Term
from plaudit.stepwise import read_weights

PLAYS = 8
"""Playthroughs of a level."""
SLIPS = 0.15
"""Share of their moves that go astray."""
MOST_EFFORT = 65536.0
_ROWS = 512
"""Games played side by side."""
_REMEMBERED = 20_000
"""Levels whose outcome is kept: search and training come to the same ones again and again."""
_FIRST_SEED = 7_700_000


def level_terms(game: Game) -> tuple[Term, ...]:
    """The terms of a game, and how hard its levels are where a player of it is shipped."""
    return (*game.terms(), *difficulty_terms(game))


def difficulty_terms(game: Game) -> tuple[Term, ...]:
    """Terms of the shipped player; none for a game without one."""
    if game.name not in BY_NAME or not preset_of(game.name).is_dir():
        return ()
    return (
        Term(
            "difficulty",
            partial(_column, game, 0),
            f"Share of {PLAYS} playthroughs that the shipped player does not win; "
            "0 for a level that is not good at all.",
            (0.0, 1.0),
        ),
        Term(
            "effort",
            partial(_column, game, 1),
            "Moves of the playthroughs that it wins, in the mean, or all it may make when it wins none; "
            "0 for a level that is not good at all.",
            (0.0, MOST_EFFORT),
        ),
    )


def preset_of(game: str) -> Path:
    """Where the shipped player of a game lies."""
    return Path(__file__).parent / "presets" / f"player-{game}"


@lru_cache(maxsize=8)
def shipped_player(game: str) -> tuple[Rules, QuickPlayer]:
    """The player of a game; raises `InputError` where none is shipped or it is another game's."""
    folder, rules = preset_of(game), BY_NAME.get(game)
    if rules is None or not folder.is_dir():
        raise InputError(f"no player of {game} is shipped.", hint="Train one: plaudit train level/player")
    policy = policies.build(read_json(folder / "manifest.json")["policy"], read_weights(folder))
    check_fit(rules, policy)
    assert isinstance(policy, QPolicy)
    return rules, QuickPlayer(policy)


def play_often(game: str, maps: Maps, plays: int = PLAYS, slips: float = SLIPS) -> Outing:
    """`plays` playthroughs of each level `(B, H, W)`, one after the other: rows `B * plays`."""
    rules, player = shipped_player(game)
    seeds = np.tile(_FIRST_SEED + np.arange(plays, dtype=np.int64), len(maps))
    rows = np.repeat(maps, plays, axis=0)
    return play_on(rules, rows, player, RowRandom(seeds), np.full(len(rows), slips))


def measured(game: str, maps: Maps) -> NDArray[np.float64]:
    """Difficulty and effort `(B, 2)` of levels of one size."""
    out = np.empty((len(maps), 2))
    for start in range(0, len(maps), _ROWS // PLAYS):
        part = slice(start, start + _ROWS // PLAYS)
        outing = play_often(game, maps[part])
        won = (outing.boards.outcome == WON).reshape(-1, PLAYS)
        taken = np.where(won, outing.taken.reshape(-1, PLAYS), 0).sum(1)
        out[part, 0] = 1.0 - won.mean(1)
        out[part, 1] = np.where(won.any(1), taken / np.maximum(won.sum(1), 1), outing.moves.shape[1])
    return out


def film_level(game: Game, level: Maps) -> bytes | None:
    """The first playthrough of a level `(H, W)` that is won, or the first, as an animated GIF.

    None for a game without a shipped player, and for a level that is not good.
    """
    from plaudit.domains.level.play.film import gif_of

    if not difficulty_terms(game) or not _good(game, level[None], Context())[0]:
        return None
    outing = play_often(game.name, level[None])
    row = int((outing.boards.outcome == WON).argmax())
    moves = tuple(outing.moves[row, : outing.taken[row]].tolist())
    return gif_of(Playthrough(game.name, level, moves))


class _Memory:
    """Outcomes by level, the oldest forgotten first."""

    def __init__(self) -> None:
        self.known: OrderedDict[tuple[Any, ...], NDArray[np.float64]] = OrderedDict()

    def measured(self, game: str, maps: Maps) -> NDArray[np.float64]:
        """Difficulty and effort `(B, 2)`, each level played once."""
        keys = [(game, one.shape, one.tobytes()) for one in maps]
        new = {key: row for row, key in enumerate(keys) if key not in self.known}
        if new:
            found = measured(game, maps[list(new.values())])
            self.known.update(zip(new, found, strict=True))
        out = np.array([self.known[key] for key in keys]).reshape(-1, 2)
        while len(self.known) > _REMEMBERED:
            self.known.popitem(last=False)
        return out


_MEMORY = _Memory()


def _column(game: Game, column: int, items: Any, context: Context) -> Scores:
    """Difficulty (0) or effort (1) of levels `(B,)`."""
    played = context.cache.get("played")
    if played is None:
        played = np.zeros((len(items), 2))
        good = _good(game, items, context)
        for rows, maps in stack_sizes(items):
            chosen = np.flatnonzero(good[rows])
            if len(chosen):
                played[rows[chosen]] = _MEMORY.measured(game.name, maps[chosen])
        context.cache["played"] = played
    return np.asarray(played[:, column], np.float64)


def _good(game: Game, items: Any, context: Context) -> NDArray[np.bool_]:
    """Whether each level keeps its game's rules `(B,)`, from statistics that are there or measured here."""
    known = context.cache.get("statistics")
    if known is None:
        table = np.empty((len(items), len(game.statistics)), np.int32)
        for rows, maps in stack_sizes(items):
            table[rows] = game.measure(maps)
        known = {name: table[:, i] for i, name in enumerate(game.statistics)}
        context.cache["statistics"] = known
    if "faults" in known:
        return np.asarray(known["faults"] == 0)
    return np.asarray((known["regions"] == 1) & (known["path"] > 0))
