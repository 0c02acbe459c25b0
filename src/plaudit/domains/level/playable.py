"""Levels as something to play: a game's rules as plain data, with the pictures that it takes to show them.

`Rules` says what the keys do, what must be come to, what is pushed, taken or deadly; `playable` adds the
level and its pictures. What comes out is JSON that a page plays (`runs/report/play.js`): that script knows
these rules and no game. The rules are those of the searches that find a game's levels playable, so that a way
that they find wins. Zelda's enemies, which those searches walk through, take a heart each and are gone; there
is one heart more than the shortest way takes.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from plaudit.domains.level.look import EDGES, OPEN
from plaudit.domains.level.metrics import Cell, distances, neighbours
from plaudit.domains.level.things import SIDE

if TYPE_CHECKING:
    from plaudit.domains.level.game import Game, Maps

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""Which character stands for a tile in the rows of a level."""
_COLOURS = 64
"""Of the pictures' palette."""


@dataclass(frozen=True)
class Leg:
    """Part of what must be done: come to a tile, with others closed until then."""

    to: str
    closed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """How one level is played. Tiles are named; `start` is the cell (row, column) of the player.

    Attributes:
        move: "walk" = a cell for each key; "hop" = a cell for each key, and gravity; "run" = gravity in time;
            "climb" = a cell for each key, with ladders, ropes, holes and gravity.
        hint: one line about keys and aim.
        quest: what must be come to, in this order; done with the last, the level is won.
        pushed, places: tiles that a step pushes, and where all of them must stand: that wins, too.
        taken: tiles that are gone once they are come to.
        deadly: tiles that end the game.
        health: points that the player has at first and at most; 0 = none are counted.
        worth: points that a tile gives or costs; it is gone then. Without points left the game is lost.
        physics: "hop": `air`, moments of a jump. "run": `across` and `up`, parts of a cell; `jump` and
            `fall`, first and last speed. "climb": `open`, ticks in which one can get into a hole.
        climbed, hung, dug: tiles of ladders, of ropes, and those that can be dug open.
        added: things that are on the map beside its tiles: name and cell.
    """

    move: Literal["walk", "hop", "run", "climb"]
    hint: str
    start: Cell
    player: str = "player"
    quest: tuple[Leg, ...] = ()
    pushed: str = ""
    places: str = ""
    taken: tuple[str, ...] = ()
    deadly: tuple[str, ...] = ()
    health: int = 0
    worth: Mapping[str, int] = field(default_factory=dict)
    physics: Mapping[str, int] = field(default_factory=dict)
    climbed: str = ""
    hung: str = ""
    dug: str = ""
    added: tuple[tuple[str, Cell], ...] = ()


def only(level: Maps, number: int) -> Cell | None:
    """The cell of a tile that is on the level once; None = it is not."""
    places = np.argwhere(level == number).tolist()
    return (places[0][0], places[0][1]) if len(places) == 1 else None


def walk(free: Any, start: Cell, goal: Cell) -> list[Cell]:
    """Cells of a shortest way over free ones `(H, W)`, both ends included; [] = none."""
    steps = distances(free, goal)
    if start not in steps:
        return []
    way = [start]
    while steps[way[-1]]:
        way.append(min(neighbours(free, way[-1]), key=lambda cell: steps[cell]))
    return way


def playable(game: Game, level: Maps) -> dict[str, Any] | None:
    """A level `(H, W)` with rules and pictures as JSON; None where it cannot be played."""
    rules = game.play(level)
    if rules is None:
        return None
    names = [*(tile.name for tile in game.tiles), *dict.fromkeys(name for name, _ in rules.added)]
    cells = level.copy()
    for name, cell in rules.added:
        cells[cell] = names.index(name)
    sheet = _Sheet()
    y, x = rules.start
    return {
        "cells": ["".join(_DIGITS[number] for number in row) for row in cells.tolist()],
        "start": [x, y],
        **_pictures(game, names, rules, sheet),
        "atlas": sheet.encoded(),
        "side": SIDE,
        "solid": [at for at, tile in enumerate(game.tiles) if not tile.passable],
        **_told(rules, names),
    }


def _told(rules: Rules, names: Sequence[str]) -> dict[str, Any]:
    """The rules with numbers in place of names; -1 = none."""
    number = {name: at for at, name in enumerate(names)}
    return {
        "move": rules.move,
        "hint": rules.hint,
        "names": list(names),
        "quest": [[number[leg.to], [number[name] for name in leg.closed]] for leg in rules.quest],
        "pushed": number.get(rules.pushed, -1),
        "places": number.get(rules.places, -1),
        "climbed": number.get(rules.climbed, -1),
        "hung": number.get(rules.hung, -1),
        "dug": number.get(rules.dug, -1),
        "taken": [number[name] for name in rules.taken],
        "deadly": [number[name] for name in rules.deadly],
        "health": rules.health,
        "worth": [[number[name], points] for name, points in rules.worth.items()],
        "physics": dict(rules.physics),
    }


def _pictures(game: Game, names: Sequence[str], rules: Rules, sheet: _Sheet) -> dict[str, Any]:
    """For each tile which pictures of the sheet it is made of, and what joins with what."""
    look, tiles = game.look, game.tiles
    kinds = []
    for number, name in enumerate(names):
        at = number if number < len(tiles) else OPEN  # what was added stands on the floor
        ground = [sheet.add(look.ground(tiles, at, joined)) for joined in range(1 << len(EDGES))]
        kinds.append([look.group(tiles, at), ground, sheet.add(look.thing(tiles, name))])
    return {
        "kinds": kinds,
        "player": sheet.add(look.thing(tiles, rules.player)),
        "stored": sheet.add(look.thing(tiles, "stored") if rules.pushed else None),
        "border": -1 if look.border is None else look.border,
        "sky": list(look.sky),
    }


class _Sheet:
    """Pictures of one cell, each once."""

    def __init__(self) -> None:
        self.pictures: dict[bytes, Image.Image] = {}

    def add(self, picture: Image.Image | None) -> int:
        """The number of a picture; -1 for None."""
        if picture is None:
            return -1
        whole = picture.convert("RGBA")
        self.pictures.setdefault(whole.tobytes(), whole)
        return list(self.pictures).index(whole.tobytes())

    def encoded(self) -> str:
        """All of them in a row, as a PNG in base64."""
        sheet = Image.new("RGBA", (SIDE * len(self.pictures), SIDE))
        for at, picture in enumerate(self.pictures.values()):
            sheet.paste(picture, (SIDE * at, 0))
        stream = io.BytesIO()
        few = sheet.quantize(_COLOURS, Image.Quantize.FASTOCTREE)
        few.save(stream, format="PNG", optimize=True)
        return base64.b64encode(stream.getvalue()).decode()
