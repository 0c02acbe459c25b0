"""Playthroughs as files: JSON (the trace), GIF (the film) and PNG (the way), each with the trace inside.

Reading raises only `InputError`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plaudit.domains.level import render
from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.film import draw_played, film_of
from plaudit.domains.level.play.games import BY_NAME
from plaudit.domains.level.play.playthrough import FIGURES, Playthrough, replayed
from plaudit.domains.level.play.request import PlayRequest, as_rows, described
from plaudit.errors import InputError
from plaudit.media.gif import read_gif_about, write_gif
from plaudit.media.limits import read_json
from plaudit.media.png import read_about, write_png
from plaudit.task import Item

FORMATS = ("json", "gif", "png")
LONGEST = 65_536
"""Moves of a trace that is read."""


def save_played(item: Item, path: Path) -> None:
    """Write one playthrough in the format of the suffix; raises `InputError` for another suffix."""
    suffix = render.check_suffix(path, FORMATS)
    trace = {**trace_of(item.content), "seed": item.seed}
    about = {"request": described(item.request), "item": trace}
    if "recipe" in item.info:
        about["recipe"] = item.info["recipe"]
    if suffix == "json":
        render.write_text(path, json.dumps({**trace, "request": about["request"]}, indent=1) + "\n")
    elif suffix == "gif":
        write_gif(*film_of(item.content), path, about)
    else:
        write_png(draw_played(item.content), path, about)


def trace_of(played: Playthrough) -> dict[str, Any]:
    """A playthrough as plain values: its level, its moves as letters, and what they came to."""
    rules = BY_NAME[played.game]
    found = dict(zip(FIGURES, replayed(rules, [played])[0].tolist(), strict=True))
    return {
        "game": played.game,
        "level": as_rows(rules, played.level),
        "moves": "".join(rules.keys[move] for move in played.moves),
        "won": bool(found["won"]),
        **{name: int(found[name]) for name in ("steps", "gathered", "hurt")},
    }


def load_played(path: Path) -> Item:
    """Read what `save_played` wrote."""
    suffix, place = render.check_suffix(path, FORMATS), str(path)
    if suffix == "json":
        trace: Any = read_json(path)
        request = trace.get("request", {}) if isinstance(trace, dict) else {}
    else:
        about = {"gif": read_gif_about, "png": read_about}[suffix](path)
        trace, request = about.get("item"), about.get("request", {})
    if not isinstance(trace, dict) or trace.get("game") not in BY_NAME:
        raise InputError("holds no playthrough of a game that is known.", place=place)
    seed = trace.get("seed", 0)
    if type(seed) is not int or not -(2**63) <= seed < 2**63:
        raise InputError(f"its seed is {str(seed)[:40]}.", place=place)
    return Item(_played(trace, place), render.validated(PlayRequest, request, f"{place} (request)"), seed, {})


def _played(trace: dict[str, Any], place: str) -> Playthrough:
    rules, rows, moves = BY_NAME[trace["game"]], trace.get("level"), trace.get("moves")
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise InputError("holds no level.", place=place)
    level: Maps = render.parse_rows(rows, render.glyphs(rules.game), place, rules.game.widest)
    if not isinstance(moves, str) or len(moves) > LONGEST or not set(moves) <= set(rules.keys):
        raise InputError(f"its moves are not made of {rules.keys}.", place=place)
    return Playthrough(rules.game.name, level, tuple(rules.keys.index(letter) for letter in moves))
