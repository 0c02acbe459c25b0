"""What is asked of one playthrough: the level, of which size where it is made, and how much may go astray."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, create_model

from plaudit.domains.level import render
from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.board import Rules
from plaudit.domains.level.play.levels import make_levels, usual_size
from plaudit.domains.level.request import GridSize, LevelRequest, check_size, check_statistics
from plaudit.errors import InputError
from plaudit.task import Request

STATISTICS = ("won", "steps", "gathered", "hurt")


class PlayRequest(Request):
    """One game of one level. `target` may name won (0 or 1), steps, gathered and hurt."""

    level: str | tuple[str, ...] = ""
    """The level: a file in any format of its game, or its rows, a glyph a cell; "" = one is made."""
    size: GridSize = (11, 7)
    """Width x height of a level that is made."""
    slips: float = Field(0.0, ge=0, le=1)
    """Share of moves that go astray: any move in place of the player's own."""


def request_for(rules: Rules) -> type[PlayRequest]:
    """The request of one game, whose levels have its usual size."""
    return create_model(
        "PlayRequest", __base__=PlayRequest, size=(GridSize, usual_size(rules.game)), __module__=__name__
    )


def check_play(rules: Rules, request: PlayRequest) -> None:
    """Raise `InputError` for what cannot be played or asked."""
    check_size(request.size, rules.game.widest)
    check_statistics(STATISTICS, request)
    if request.level:
        given_level(rules, request)


def given_level(rules: Rules, request: PlayRequest) -> Maps:
    """The level `(H, W)` that a request holds or names; raises `InputError` for one that cannot be played."""
    if isinstance(request.level, str):
        place = request.level
        level: Maps = render.load_level(rules.game, LevelRequest, Path(request.level)).content
    else:
        place = "level"
        known = render.glyphs(rules.game)
        level = render.parse_rows(request.level, known, place, rules.game.widest)
    if rules.begin(level[None]).outcome[0] < 0:
        raise InputError(
            f"is no {rules.game.name} that can be played: a player, or what it has to reach, is missing.",
            place=place,
        )
    return level


def levels_for(rules: Rules, requests: Sequence[PlayRequest], seeds: Sequence[int]) -> list[Maps]:
    """The level of each request, made from the item's seed where none is given."""
    return [
        given_level(rules, request)
        if request.level
        else make_levels(rules.game.name, request.size, [seed])[0]
        for request, seed in zip(requests, seeds, strict=True)
    ]


def draw_requests(rules: Rules, n: int, given: PlayRequest) -> list[PlayRequest]:
    """The same request n times: what it leaves open, the level, is the item's seed's."""
    check_play(rules, given)
    return [given] * n


def described(request: Request) -> dict[str, Any]:
    """The request as JSON, without what was left at its default."""
    return request.model_dump(mode="json", exclude_defaults=True)


def as_rows(rules: Rules, level: Maps) -> list[str]:
    """The rows of a level, a glyph a cell."""
    return render.level_text(rules.game, np.asarray(level)).splitlines()
