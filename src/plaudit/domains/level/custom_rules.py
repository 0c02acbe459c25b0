"""A game of one's own as plain data: tiles, counts, regions, walks and targets, read strictly.

The models below are the file's form (pydantic refuses unknown keys and wrong types); `check_rules` refuses
what contradicts itself. Every error names the key, `env.game.paths[0].to`, so that whoever read the file can
name its line. A game is data alone: nothing in it is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from plaudit.domains.level.request import FREE, LARGEST, SMALLEST, GridSize
from plaudit.errors import InputError, did_you_mean

PLACE = "env.game"
"""Where a recipe holds its game."""
MOST_TILES, MOST_REGIONS, MOST_PATHS, MOST_STOPS, MOST_TARGETS = 16, 4, 6, 3, 8
_MOST = LARGEST * LARGEST
_TAKEN = (
    *("rules", "playable", "goals", "satisfied", "edits", "symmetry", "novelty", "open_share", "dead_ends"),
    *("density", "openness", "choke_points", "similarity"),
    *("faults", "quality", "control", "diversity"),
)
"""Names of terms and figures that every game has."""


def _like(pattern: str, what: str) -> AfterValidator:
    """A text of this form; `what` says it in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(what)
        return text

    return AfterValidator(check)


Name = Annotated[str, _like("[a-z][a-z0-9_]{0,23}", "a name has small letters, digits and _, at most 24")]
Glyph = Annotated[str, _like("[!-~]", "a glyph is one visible ASCII character")]
Colour = Annotated[str, _like("#[0-9a-fA-F]{6}", 'a colour is written as in "#d9822b"')]
Names = tuple[Name, ...]
Count = Annotated[int, Field(strict=True, ge=0, le=_MOST)]


class _Part(BaseModel):
    """One table of the file; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TileRule(_Part):
    """One kind of cell, and how many of it a good level has."""

    name: Name
    glyph: Glyph
    """In text files, and drawn on the tile."""
    colour: Colour
    solid: Annotated[bool, Field(strict=True)] = False
    """Whether nobody can walk on it."""
    min: Count = 0
    max: Count | None = None


class RegionRule(_Part):
    """How many connected regions some tiles make together."""

    name: Name = "regions"
    tiles: Annotated[Names, Field(max_length=MOST_TILES)] = ()
    """The tiles; none named = all that are not solid."""
    min: Count = 1
    max: Count | None = 1


class PathRule(_Part):
    """There is a walk from one tile to another, through others in their order, of so many steps.

    It is the shortest such walk, from any tile of the first kind to any of the last.
    """

    name: Name
    start: Name = Field(alias="from")
    to: Name
    through: Annotated[Names, Field(max_length=MOST_STOPS)] = ()
    closed: Annotated[Names, Field(max_length=MOST_TILES)] = ()
    """Tiles that this walk may not enter, beside the solid ones."""
    min: Count = 1
    max: Count | None = None

    @property
    def points(self) -> Names:
        """Tiles that the walk comes to, in their order."""
        return (self.start, *self.through, self.to)


class TargetRule(_Part):
    """A count, a number of regions or the length of a walk that requests may ask for."""

    statistic: Name
    low: Count
    high: Count
    tolerance: Annotated[float, Field(ge=0, le=_MOST)] = 0.0


class GameRules(_Part):
    """A whole game."""

    title: Annotated[str, Field(max_length=60)] = ""
    size: GridSize
    """Width x height of its levels, where a request says nothing: `"12x8"`."""
    tiles: Annotated[tuple[TileRule, ...], Field(min_length=3, max_length=MOST_TILES)]
    regions: Annotated[tuple[RegionRule, ...], Field(max_length=MOST_REGIONS)] = ()
    paths: Annotated[tuple[PathRule, ...], Field(max_length=MOST_PATHS)] = ()
    targets: Annotated[tuple[TargetRule, ...], Field(min_length=1, max_length=MOST_TARGETS)]

    def number(self, name: str) -> int:
        """The number of a tile in maps and CSV files."""
        return next(number for number, tile in enumerate(self.tiles) if tile.name == name)

    @property
    def walkable(self) -> Names:
        """Tiles that are not solid."""
        return tuple(tile.name for tile in self.tiles if not tile.solid)

    @property
    def statistics(self) -> Names:
        """Everything that is counted, in the order of the columns; faults come after."""
        return tuple(part.name for part in (*self.tiles, *self.regions, *self.paths))

    @property
    def least(self) -> int:
        """Cells that the things of a level take at least."""
        return sum(tile.min for tile in self.tiles)


Key = tuple[int | str, ...]


def check_rules(rules: GameRules) -> GameRules:
    """Return the rules; raises `InputError` for the first thing in which they contradict themselves."""
    if not all(SMALLEST <= side <= LARGEST for side in rules.size):
        raise _error(("size",), f"width and height go from {SMALLEST} to {LARGEST}, got {rules.size}.")
    _check_names(rules)
    _check_tiles(rules)
    for kind, parts in (("tiles", rules.tiles), ("regions", rules.regions), ("paths", rules.paths)):
        for at, part in enumerate(parts):
            if part.max is not None and part.min > part.max:
                raise _error((kind, at, "min"), f"{part.name}: min {part.min} is more than max {part.max}.")
    for at, region in enumerate(rules.regions):
        for name, key in _named(("regions", at), tiles=region.tiles):
            _known(rules, name, key)
    for at, path in enumerate(rules.paths):
        _check_path(rules, path, ("paths", at))
    _check_targets(rules)
    return rules


def _error(keys: Key, message: str, hint: str = "") -> InputError:
    parts = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return InputError(message, place=PLACE + parts, hint=hint)


def _check_names(rules: GameRules) -> None:
    seen: set[str] = set()
    for kind, parts in (("tiles", rules.tiles), ("regions", rules.regions), ("paths", rules.paths)):
        for at, part in enumerate(parts):
            if part.name in seen:
                raise _error((kind, at, "name"), f'two parts of the game are called "{part.name}".')
            if part.name in _TAKEN or part.name.endswith("_target"):
                raise _error((kind, at, "name"), f'"{part.name}" is the name of a term that every game has.')
            seen.add(part.name)


def _check_tiles(rules: GameRules) -> None:
    wall, floor = rules.tiles[:2]
    plain = all(tile.min == 0 and tile.max is None for tile in (wall, floor))
    if not (wall.solid and not floor.solid and plain):
        raise _error(
            ("tiles",),
            "the first tile is what walls are made of (solid), the second what the floor is made of (not "
            "solid), and neither has min or max.",
            "Levels begin as a map of these two with the other tiles strewn over it.",
        )
    glyphs: dict[str, str] = {FREE: ""}
    for at, tile in enumerate(rules.tiles):
        if tile.glyph in glyphs:
            other = glyphs[tile.glyph]
            what = f'already stands for "{other}"' if other else "stands for any tile in a partial map"
            raise _error(("tiles", at, "glyph"), f'the glyph "{tile.glyph}" {what}.')
        glyphs[tile.glyph] = tile.name
    cells = rules.size[0] * rules.size[1]
    if rules.least > cells:
        raise _error(
            ("tiles",), f"a level has {cells} cells, and {rules.least} things must stand on them at least."
        )


def _named(above: Key, **fields: Sequence[str]) -> Iterator[tuple[str, Key]]:
    for field, names in fields.items():
        yield from ((name, (*above, field)) for name in names)


def _known(rules: GameRules, name: str, keys: Key) -> TileRule:
    """The tile of that name; raises `InputError` with the nearest."""
    known = {tile.name: tile for tile in rules.tiles}
    if name not in known:
        raise _error(keys, f'no tile is called "{name}".', did_you_mean(name, known))
    return known[name]


def _check_path(rules: GameRules, path: PathRule, above: Key) -> None:
    points = [*_named(above, **{"from": [path.start], "through": path.through, "to": [path.to]})]
    for name, keys in points:
        tile = _known(rules, name, keys)
        if tile.solid:
            raise _error(keys, f'a walk cannot come to "{name}", which is solid.')
        if tile.min == 0:
            raise _error(
                keys, f'there may be no "{name}" to walk to.', f'Give the tile "{name}" a min of 1 or more.'
            )
    if len({name for name, _ in points}) < len(points):
        raise _error(above, f'the walk "{path.name}" comes to the same tile twice.')
    for name, keys in _named(above, closed=path.closed):
        _known(rules, name, keys)
        if name in path.points:
            raise _error(keys, f'"{name}" is closed to the walk "{path.name}", which must come to it.')
    longest = longest_walk(path, rules.size)
    if path.min > longest:
        raise _error(
            (*above, "min"), f"no walk on {rules.size[0]}x{rules.size[1]} has more than {longest} steps."
        )


def longest_walk(path: PathRule, size: Sequence[int]) -> int:
    """Steps that no shortest walk exceeds: it comes to no cell twice between two of its points."""
    return (size[0] * size[1] - 1) * (len(path.points) - 1)


def _check_targets(rules: GameRules) -> None:
    limits: dict[str, Any] = {p.name: p for p in (*rules.tiles, *rules.regions, *rules.paths)}
    seen: set[str] = set()
    for at, target in enumerate(rules.targets):
        keys = ("targets", at)
        if target.statistic not in limits:
            hint = did_you_mean(target.statistic, limits)
            raise _error(
                (*keys, "statistic"), f'no tile, region or path is called "{target.statistic}".', hint
            )
        if target.statistic in seen:
            raise _error((*keys, "statistic"), f'"{target.statistic}" is a target already.')
        seen.add(target.statistic)
        rule = limits[target.statistic]
        if target.low > target.high:
            raise _error((*keys, "low"), f"low {target.low} is more than high {target.high}.")
        if target.low < rule.min or (rule.max is not None and target.high > rule.max):
            most = "any number" if rule.max is None else rule.max
            asked = f'{target.low} to {target.high} of "{target.statistic}"'
            raise _error(keys, f"{asked} leave its rule: {rule.min} to {most}.")
