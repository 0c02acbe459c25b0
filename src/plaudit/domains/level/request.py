"""What is asked of one level: size, targets with tolerances, the density of the start."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, create_model

from plaudit.domains.level.game import UNASKED, Game, Goals, Maps, Size
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError, did_you_mean
from plaudit.task import Request

SMALLEST, LARGEST = 3, 64
WIDEST = 200
"""Columns of the widest level, in games whose levels are strips."""
_SALT = 0x51AB1E5
FREE = "?"
"""Stands in a partial map where anything may come."""


def parse_size(value: Any) -> Any:
    """Turn "14x10" (width x height) into (14, 10); leave anything else to the type check."""
    if not isinstance(value, str):
        return value
    parts = value.lower().split("x")
    if len(parts) != 2 or not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise ValueError(f'a size is width x height, as in "14x10"; got "{value}"')
    return tuple(int(part) for part in parts)


GridSize = Annotated[Size, BeforeValidator(parse_size)]


class LevelRequest(Request):
    """One level. `target` may name the statistics of the task; what it leaves open is drawn."""

    size: GridSize = (14, 14)
    """Width x height in cells, each from 3 to 64 (platformers: up to 200 wide): `14x10`."""
    density: float | None = Field(None, ge=0, le=1)
    """Share of open cells in the start map; by default starts are half open and far from each other."""
    changes: float = Field(1.0, gt=0, le=1)
    """Share of the cells that may differ from the start map; reaching it ends the episode."""
    steps: int = Field(0, ge=0, le=2**20)
    """Steps of an episode; 0 = a third of the cells (wide, patch), twice the cells (narrow, turtle)."""
    locked: tuple[str, ...] = ()
    """A partial map, a line a row: glyphs of tiles that must stay, `?` where anything may come."""


def sized(name: str, size: Size, aliases: Mapping[str, str] | None = None) -> type[LevelRequest]:
    """A request whose size, where none is given, is another game's; `aliases` are other names of targets."""
    known = dict(aliases or {})

    def renamed(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        twice = [alias for alias, own in known.items() if alias in value and own in value]
        if twice:
            raise ValueError(f'"{twice[0]}" is another name of "{known[twice[0]]}"; give one of them')
        return {known.get(key, key): inner for key, inner in value.items()}

    named = Annotated[Mapping[str, float], BeforeValidator(renamed)]
    return create_model(
        name, __base__=LevelRequest, size=(GridSize, size), target=(named, {}), tolerance=(named, {})
    )


def check_size(size: Size, widest: int = LARGEST, place: str = "") -> None:
    """Raise `InputError` for a size that no level can have; `place` is the file that has it, if one has."""
    if SMALLEST <= size[0] <= widest and SMALLEST <= size[1] <= LARGEST:
        return
    sides = f"idth and height go from {SMALLEST} to {LARGEST}"
    sides += "." if widest == LARGEST else f", width up to {widest}."
    if place:
        raise InputError(f"is {size[0]} x {size[1]} cells; w{sides}", place=place)
    raise InputError(f"the size {size[0]}x{size[1]} is not possible.", hint=f"W{sides}")


def check_level(game: Game, request: LevelRequest) -> None:
    """Raise `InputError` for what cannot be asked, `Infeasible` for a target that nothing reaches."""
    check_size(request.size, game.widest)
    check_statistics(game.targets, request)
    locks_of(game, request)
    for name, value, (low, high), tolerance in zip(
        game.targets,
        (request.target.get(name) for name in game.targets),
        game.reach(request.size),
        tolerances(game, request),
        strict=True,
    ):
        if value is not None and not low - tolerance <= value <= high + tolerance:
            nearest = low if value < low else high
            raise Infeasible(
                f"no {request.size[0]}x{request.size[1]} {game.name} has {name}={value:g}; "
                f"the nearest possible is {name}={nearest}.",
                hint="Ask for less, or for a larger size.",
            )


def check_statistics(known: Sequence[str], request: Request) -> None:
    """Raise `InputError` unless every target and tolerance names a known statistic with a fit number."""
    for kind, values in (("target", request.target), ("tolerance", request.tolerance)):
        for name, value in values.items():
            if name not in known:
                raise InputError(f'no {kind} is called "{name}".', hint=did_you_mean(name, known))
            if not math.isfinite(value) or value < 0 or (kind == "target" and value != int(value)):
                what = "a whole number" if kind == "target" else "a finite number"
                raise InputError(f"the {kind} {name}={value:g} is not possible: {what}, 0 or more, is.")


def tolerances(game: Game, request: LevelRequest) -> tuple[float, ...]:
    """The request's own tolerances where it has some, else the game's, in the order of the targets."""
    defaults = game.tolerance(request.size)
    pairs = zip(game.targets, defaults, strict=True)
    return tuple(float(request.tolerance.get(name, default)) for name, default in pairs)


def draw_requests(game: Game, n: int, seed: int, given: LevelRequest) -> list[LevelRequest]:
    """Draw `n` requests: targets that `given` leaves open are uniform over the game's span."""
    check_level(game, given)
    seeds = np.arange(n, dtype=np.int64) + np.int64(seed) * 1_000_003
    return [complete(game, given, int(one)) for one in seeds]


def complete(game: Game, request: LevelRequest, seed: int) -> LevelRequest:
    """Return the request with every open target drawn from the seed; itself when none is open."""
    asked = asked_together(game, request)
    if all(name in request.target for name in asked):
        return request
    # The item's own generator starts from the seed itself: salted, the two streams never meet.
    random = RowRandom([seed ^ _SALT])
    target = dict(request.target)
    for name, (low, high) in zip(game.targets, game.span(request.size), strict=True):
        drawn = int(random.integers(low, high + 1)[0])
        if name in asked:
            target.setdefault(name, drawn)
    return request.model_copy(update={"target": target})


def goals_of(game: Game, requests: Sequence[LevelRequest]) -> Goals:
    """Wanted values `(B, G)` of complete requests; `UNASKED` where a request names none."""
    rows = [[int(request.target.get(name, UNASKED)) for name in game.targets] for request in requests]
    return np.array(rows, dtype=np.int64).reshape(len(requests), len(game.targets))


def asked_together(game: Game, request: Request) -> tuple[str, ...]:
    """Targets that a complete request names: its own, in the first mode of the game that has them all.

    Where no mode has them all, its own alone.
    """
    own = set(request.target)
    return next((mode for mode in game.modes if own <= set(mode)), tuple(request.target))


def locks_of(game: Game, request: LevelRequest) -> tuple[NDArray[np.bool_], Maps]:
    """Which cells are locked `(H, W)`, and the tiles they hold; raises `InputError` for a bad partial map."""
    width, height = request.size
    cells, tiles = np.zeros((height, width), bool), np.zeros((height, width), np.uint8)
    if not request.locked:
        return cells, tiles
    known = {tile.glyph: number for number, tile in enumerate(game.tiles)}
    if len(request.locked) != height or any(len(row) != width for row in request.locked):
        wide = max(map(len, request.locked))
        raise InputError(
            f"the locked cells are a map of {wide}x{len(request.locked)}, the level is {width}x{height}.",
            place="locked",
            hint="Give one line a row, with ? where anything may come.",
        )
    for y, row in enumerate(request.locked):
        for x, glyph in enumerate(row):
            if glyph != FREE and glyph not in known:
                raise InputError(
                    f"the locked cells hold the unknown tile {glyph!r}.",
                    place=f"locked, line {y + 1}, column {x + 1}",
                    hint=f"Known: {' '.join(known)}, and {FREE} for any.",
                )
            cells[y, x], tiles[y, x] = glyph != FREE, known.get(glyph, 0)
    _check_single(game, cells, tiles)
    return cells, tiles


def _check_single(game: Game, cells: NDArray[np.bool_], tiles: Maps) -> None:
    """Raise `InputError` where a tile that a level has once is locked in two places."""
    for number, tile in enumerate(game.tiles):
        places = np.argwhere(cells & (tiles == number))
        if tile.single and len(places) > 1:
            (y, x), (v, u) = places[:2].tolist()
            raise InputError(
                f"two cells are locked as {tile.name}, and a level has one.",
                place=f"locked, line {y + 1}, column {x + 1} and line {v + 1}, column {u + 1}",
            )


def described(request: Request) -> Mapping[str, Any]:
    """The request as JSON, without what was left at its default."""
    return request.model_dump(mode="json", exclude_defaults=True)
