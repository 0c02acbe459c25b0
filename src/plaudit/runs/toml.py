"""TOML both ways: writing, which the standard library lacks, and reading with the line of each key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plaudit.errors import InputError
from plaudit.runs import disk

_HEADER = re.compile(r"\s*\[(?P<double>\[?)\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?")
_ASSIGNED = re.compile(r"""\s*(?P<name>[\w\-."' ]+?)\s*=""")


def dumps(data: Mapping[str, Any]) -> str:
    """Return `data` as TOML: scalars first, then tables; None is left out; raises `InputError`.

    >>> print(dumps({"task": "level/maze", "learner": {"rows": 64}}), end="")
    task = "level/maze"
    <BLANKLINE>
    [learner]
    rows = 64
    """
    lines: list[str] = []
    _table(data, (), lines)
    return "\n".join(lines).strip() + "\n"


def _table(data: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    later = []
    for key, value in data.items():
        if isinstance(value, Mapping) or _is_tables(value):
            later.append((key, value))
        elif value is not None:
            lines.append(f"{_key(key)} = {_inline(value)}")
    for key, value in later:
        name = ".".join(_key(part) for part in (*path, key))
        entries = [value] if isinstance(value, Mapping) else value
        for entry in entries:
            lines += ["", f"[{name}]" if isinstance(value, Mapping) else f"[[{name}]]"]
            _table(entry, (*path, key), lines)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(v, Mapping) for v in value)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _string(key)


def _string(text: str) -> str:
    # JSON's escapes are all valid in TOML; DEL is the one character that only TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_inline(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_inline(v)}' for k, v in value.items())} }}"
    raise InputError(f"a recipe cannot hold a {type(value).__name__} ({value!r}).")


Keys = tuple[int | str, ...]
"""The way to a value: `("reward", 1, "term")`."""

_FILE_LIMIT = 1 << 20
_DEEPEST = 32
_NO_NUMBER = re.compile(r"0[xob]|\d+[-:]")
"""Hexadecimal numbers, dates and times: TOML has them, a recipe does not, and "0x4" may be a size."""
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Return the values of a TOML file and its text; raises `InputError` naming file and line."""
    data = disk.read_limited(path, _FILE_LIMIT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"not a text file: byte {error.start} is not UTF-8.", place=str(path)) from error
    return parse(text, str(path)), text


def parse(text: str, place: str) -> dict[str, Any]:
    """Return the values of a TOML text; raises `InputError` with `place` and the line."""
    try:
        values = tomllib.loads(text)
        _check_plain(values, 0)
    except (ValueError, RecursionError) as error:
        line = _AT_LINE.search(str(error))
        reason = _AT_LINE.sub("", str(error))
        where = f"{place}:{line[1]}" if line else place
        raise InputError(f"not valid TOML: {reason}.", place=where) from error
    return values


def _check_plain(value: Any, depth: int) -> None:
    """Refuse nesting that would exhaust the stack of whoever walks it, and integers beyond 64 bits."""
    if depth > _DEEPEST:
        raise ValueError(f"nested more than {_DEEPEST} deep")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer has more than 64 bits")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _check_plain(item, depth + 1)


def parse_value(text: str) -> Any:
    """Read one value as TOML writes it; what is no TOML value is plain text, and so are sizes and dates.

    >>> parse_value("[1, 2]"), parse_value("0.5"), parse_value("wide"), parse_value("0x4")
    ([1, 2], 0.5, 'wide', '0x4')
    """
    if _NO_NUMBER.match(text.strip()):
        return text.strip()
    try:
        return parse(f"value = {text.strip()}", "")["value"] if "\n" not in text else text
    except InputError:
        return text.strip()


def line_of(text: str, where: Keys) -> int | None:
    """Return the line, from 1, on which the value at `where` is set; the nearest table above it else."""
    table: list[int | str] = []
    counts: dict[tuple[int | str, ...], int] = {}
    nearest: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.fullmatch(line)
        if header:
            table = [part.strip().strip("\"'") for part in header["name"].split(".")]
            if header["double"]:
                counts[tuple(table)] = counts.get(tuple(table), -1) + 1
                table.append(counts[tuple(table)])
            keys: Keys = tuple(table)
        else:
            key = _ASSIGNED.match(line)
            if not key:
                continue
            keys = (*table, *(part.strip().strip("\"'") for part in key["name"].split(".")))
        if keys == where[: len(keys)] and (nearest is None or len(keys) > nearest[0]):
            nearest = (len(keys), number)
    return nearest[1] if nearest else None
