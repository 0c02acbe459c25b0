"""Where each value of a recipe was given, and how a mistake in it is told.

Pydantic knows what is wrong and at which key; the file knows the line, the command line the option.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from plaudit.errors import InputError, did_you_mean
from plaudit.runs import toml


class Places:
    """Where each value of a recipe was given, for messages: option, file and line, or key."""

    def __init__(self, file: str = "", text: str = "") -> None:
        self._file, self._text = file, text
        self._options: dict[toml.Keys, str] = {}
        self._files: dict[toml.Keys, Places] = {}

    def option(self, where: toml.Keys, option: str) -> None:
        """Note that `where` was set by a command line option."""
        self._options[where] = option

    def file(self, where: toml.Keys, path: Path, text: str) -> None:
        """Note that what stands at `where` was read from a file of its own."""
        self._files[where] = Places(str(path), text)

    def of(self, where: toml.Keys) -> str:
        """Name the place of `where`."""
        for end in range(len(where), 0, -1):
            if where[:end] in self._files:
                inner = self._files[where[:end]]
                found = inner.of(where[end:])
                known = found.startswith(f"{inner._file}:")
                return found if known else ": ".join(filter(None, [inner._file, found]))
        for end in range(len(where), 0, -1):
            if where[:end] in self._options:
                return self._options[where[:end]]
        within = [option for keys, option in self._options.items() if where and keys[: len(where)] == where]
        if len(within) == 1:
            return within[0]
        line = toml.line_of(self._text, where) if self._file else None
        return f"{self._file}:{line}: {dotted(where)}" if line else dotted(where)


def dotted(where: toml.Keys) -> str:
    """Write a path of keys as people do.

    >>> dotted(("reward", 1, "term"))
    'reward[1].term'
    """
    parts = [f"[{key}]" if isinstance(key, int) else f".{key}" for key in where]
    return "".join(parts).lstrip(".")


def keys_of(place: str) -> toml.Keys:
    """Read a path of keys as `dotted` writes it.

    >>> keys_of("reward[1].term")
    ('reward', 1, 'term')
    """
    return tuple(int(index) if index else key for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place))


def explain(error: ValidationError, model: type[Any], places: Places, above: toml.Keys = ()) -> InputError:
    """Turn the first finding of pydantic into an `InputError` with place and nearest word."""
    findings = error.errors(include_url=False, include_context=False)
    # A misspelt key is missing under its right name as well: the misspelling is what is told.
    finding = next((each for each in findings if each["type"] == "extra_forbidden"), findings[0])
    where = (*above, *finding["loc"])
    if finding["type"] == "extra_forbidden":
        known = _fields_at(model, finding["loc"][:-1])
        return InputError(
            "is not a known key.", place=places.of(where), hint=did_you_mean(str(where[-1]), known)
        )
    if finding["type"] == "missing":
        return InputError(f'the key "{where[-1]}" is missing.', place=places.of(where[:-1]) or "recipe")
    message = finding["msg"].removeprefix("Value error, ")
    got = repr(finding["input"])
    return InputError(
        f"{message}; got {got if len(got) <= 60 else got[:57] + '...'}.", place=places.of(where)
    )


def _fields_at(model: type[Any], where: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the model that stands at `where` inside `model`, as they are written."""
    for key in where:
        hint = typing.get_type_hints(model).get(str(key)) if isinstance(key, str) else None
        model = next((part for part in _parts(hint) if _has_fields(part)), model)
    if issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return [field.name for field in dataclasses.fields(model)]


def _parts(hint: Any) -> Iterator[Any]:
    """A type and the types inside of it."""
    yield hint
    for part in typing.get_args(hint):
        yield from _parts(part)


def _has_fields(part: Any) -> bool:
    return isinstance(part, type) and (issubclass(part, BaseModel) or dataclasses.is_dataclass(part))
