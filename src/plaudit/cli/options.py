"""Options that several verbs share, and the reading of their `key=value` words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from plaudit.errors import InputError

Source = Annotated[str, typer.Argument(help="Preset (level/maze), run folder, runs/latest or .plaudit file.")]
RunName = Annotated[str, typer.Argument(help="Run folder, its name below runs/, or latest.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder or file to write.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the batch; item i has the seed S*1000000+i.")]
Targets = Annotated[
    list[str], typer.Option("--target", metavar="STATISTIC=VALUE", help="Wanted statistic, e.g. path=40.")
]

NONE: list[str] = []
"""Default of an option that may be repeated; Typer hands every call a list of its own."""


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """Split `key=value` words; a word without "=" is an `InputError`."""
    found = {}
    for word in words:
        # The last "=": a term may be `file=name.py:function`, a value holds none.
        key, equals, value = word.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(f'"{word}" is not of the form key=value.', place=option)
        found[key.strip()] = value.strip()
    return found


def numbers(words: Sequence[str], option: str) -> dict[str, float]:
    """Split `key=number` words; a value that is no finite number is an `InputError`."""
    return {key: number(value, f"{option} {key}") for key, value in pairs(words, option).items()}


def number(text: str, place: str) -> float:
    """Read one finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f'"{text}" is not a number.', place=place)
    return value


def weights(words: Sequence[str]) -> dict[str, float]:
    """Read `--reward term=weight` words; a term alone weighs 1."""
    found = {}
    for word in words:
        term, equals, weight = word.rpartition("=")
        found[term if equals else word] = number(weight, f"--reward {term}") if equals else 1.0
    return found


def fields(words: Sequence[str]) -> dict[str, Any]:
    """Read `--ask field=value` words; values are TOML or plain text."""
    from plaudit.runs.toml import parse_value

    return {key: parse_value(value) for key, value in pairs(words, "--ask").items()}
