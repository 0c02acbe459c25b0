"""Levels that can be played in a report: what a sample embeds of its rules, checked, and the button for it.

A picture whose `item` has a `play` brings the level and its rules as data (`Playable`); `play.js` plays it
and knows no game. Nothing that comes from a file is trusted: what is not of this form gets no button.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from plaudit.runs.report.text import esc

_MOST = 36
"""Tiles, as a character stands for each."""
_Number = Annotated[int, Field(ge=-1, lt=4096)]
_Tile = Annotated[int, Field(ge=0, lt=_MOST)]
_Row = Annotated[str, StringConstraints(pattern="^[0-9a-z]{1,256}$")]
_Colour = Annotated[str, StringConstraints(pattern="^#[0-9a-f]{6}$")]
_Ground = Annotated[list[_Number], Field(min_length=16, max_length=16)]
_Text = Annotated[str, StringConstraints(max_length=300)]


class Physics(BaseModel):
    """Moments of a hop; parts of a cell, and speeds; or ticks that a hole is open for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    air: int = Field(0, ge=0, le=64)
    across: int = Field(1, ge=1, le=64)
    up: int = Field(1, ge=1, le=64)
    jump: int = Field(0, ge=0, le=64)
    fall: int = Field(1, ge=1, le=64)
    open: int = Field(0, ge=0, le=64)


class Playable(BaseModel):
    """A level, its rules and its pictures; tiles and pictures are numbers, -1 = none.

    Attributes:
        cells: rows, a character from 0 to z for each tile. `start`: the player's column and row.
        kinds: of each tile the group that it joins, its ground by the neighbours that join (bits: north,
            east, south, west), and what stands on it. `border`: the tile around the map; -1 = it goes on.
        atlas: the pictures in a row, `side` pixels each, a PNG in base64.
        move: how keys are read. `quest`: tiles to come to in turn, each with those closed until then.
        pushed, places, taken, deadly, worth: tiles, and what `worth` gives or costs of `health`.
        climbed, hung, dug: tiles of ladders, of ropes, and those that can be dug open.
    """

    model_config = ConfigDict(extra="forbid")

    cells: list[_Row] = Field(min_length=1, max_length=256)
    start: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
    kinds: list[tuple[int, _Ground, _Number]] = Field(min_length=2, max_length=_MOST)
    player: _Number
    stored: _Number = -1
    border: Annotated[int, Field(ge=-1, lt=_MOST)] = -1
    sky: list[_Colour] = Field(default=[], max_length=8)
    atlas: str = Field(max_length=100_000, pattern="^[A-Za-z0-9+/]+={0,2}$")
    side: int = Field(ge=1, le=64)
    solid: list[_Tile] = Field(max_length=_MOST)
    move: Literal["walk", "hop", "run", "climb"]
    hint: _Text
    names: list[_Text] = Field(max_length=_MOST)
    quest: list[tuple[_Tile, list[_Tile]]] = Field(max_length=64)
    pushed: Annotated[int, Field(ge=-1, lt=_MOST)] = -1
    places: Annotated[int, Field(ge=-1, lt=_MOST)] = -1
    climbed: Annotated[int, Field(ge=-1, lt=_MOST)] = -1
    hung: Annotated[int, Field(ge=-1, lt=_MOST)] = -1
    dug: Annotated[int, Field(ge=-1, lt=_MOST)] = -1
    taken: list[_Tile] = Field(max_length=_MOST)
    deadly: list[_Tile] = Field(max_length=_MOST)
    health: int = Field(0, ge=0, le=99)
    worth: list[tuple[_Tile, Annotated[int, Field(ge=-99, le=99)]]] = Field(max_length=_MOST)
    physics: Physics

    @model_validator(mode="after")
    def _whole(self) -> Playable:
        """A rectangle of known tiles, with the start on it."""
        width, kinds = len(self.cells[0]), len(self.kinds)
        if any(len(row) != width or any(int(digit, 36) >= kinds for digit in row) for row in self.cells):
            raise ValueError("its cells are no rectangle of known tiles")
        if self.start[0] >= width or self.start[1] >= len(self.cells) or self.border >= kinds:
            raise ValueError("its start lies outside, or its border is no tile")
        if self.pushed >= kinds:
            raise ValueError("what is pushed is no tile")
        return self


def level_button(about: dict[str, Any]) -> str:
    """A button that opens the level that a picture embeds; "" where there is none, or it is not whole."""
    item = about.get("item")
    given = item.get("play") if isinstance(item, dict) else None
    if not isinstance(given, dict):
        return ""
    try:
        level = Playable.model_validate(given)
    except (ValidationError, RecursionError):
        return ""
    return f'<button class="play" hidden data-play="{esc(level.model_dump_json(), 200_000)}">Play</button>'
