"""Levels that others should be like: read from a folder into a recipe, and from a recipe into a game."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

from plaudit.domains.level.game import Game
from plaudit.domains.level.render import formats_of, glyphs, level_text, load_level, parse_rows
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.similarity import WINDOWS, patterns
from plaudit.errors import InputError

MOST, MOST_CELLS = 200, 2**18
_OTHERS = ("wall.png",)
"""A sample folder's file that is no level."""


def read_examples(game: Game, kind: type[LevelRequest], folder: Path) -> list[str]:
    """The levels of a folder as text, one glyph a cell; raises `InputError` for what is none."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower()[1:] in formats_of(game))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}.", place=str(folder)) from error
    files = [f for f in files if f.name not in _OTHERS and not f.stem.endswith((".tiles", ".film"))]
    if not 0 < len(files) <= MOST:
        hint = "A folder that `plaudit sample` wrote will do."
        raise InputError(f"holds {len(files)} levels; 1 to {MOST} are read.", place=str(folder), hint=hint)
    return [level_text(game, load_level(game, kind, path).content) for path in files]


def with_examples(game: Game, texts: Sequence[str]) -> Game:
    """The game with example levels, given as text; raises `InputError` with place of what is wrong."""
    levels = [
        parse_rows(text.splitlines(), glyphs(game), f"env.examples[{at}]", game.widest)
        for at, text in enumerate(texts)
    ]
    if sum(level.size for level in levels) > MOST_CELLS:
        raise InputError(f"have more than {MOST_CELLS:,} cells.", place="env.examples")
    own = copy(game)
    own.examples = [patterns(levels, window, len(game.tiles)) for window in WINDOWS]
    return own
