"""The games that can be played: the one explicit list. To add one, add its rules here."""

from __future__ import annotations

from collections.abc import Mapping

from plaudit.domains.level.play.board import Rules
from plaudit.domains.level.play.climb_runner import RunnerRules
from plaudit.domains.level.play.jump_cave import CaveRules
from plaudit.domains.level.play.jump_platformer import PlatformerRules
from plaudit.domains.level.play.push_sokoban import SokobanRules
from plaudit.domains.level.play.walk_dungeon import DungeonRules
from plaudit.domains.level.play.walk_maze import MazeRules
from plaudit.domains.level.play.walk_zelda import ZeldaRules
from plaudit.errors import InputError, did_you_mean

RULES: tuple[Rules, ...] = (
    ZeldaRules(),
    MazeRules(),
    SokobanRules(),
    DungeonRules(),
    CaveRules(),
    PlatformerRules(),
    RunnerRules(),
)
"""The first is what is played where no game is named."""
BY_NAME: Mapping[str, Rules] = {rules.game.name: rules for rules in RULES}


def rules_of(name: str) -> Rules:
    """The rules of the game called `name`; raises `InputError` with the nearest name."""
    if name not in BY_NAME:
        hint = f"{did_you_mean(name, BY_NAME)} Games: {', '.join(BY_NAME)}."
        raise InputError(f'no player knows a game called "{name}".', place="env.game", hint=hint)
    return BY_NAME[name]
