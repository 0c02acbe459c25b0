"""`plaudit algorithms`: how can be learned, and with which settings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from typing import Annotated, Any

import typer

from plaudit.cli.answer import Answer, columns
from plaudit.engine.algorithms import ALGORITHMS, config_class, get_algorithm


def command(
    name: Annotated[str, typer.Argument(help="An algorithm; its settings are listed.")] = "",
) -> Answer:
    """List the learning algorithms, or every setting of one with its default."""
    if not name:
        rows = [{"name": key, "summary": known.summary} for key, known in ALGORITHMS.items()]
        text = columns([[row["name"], row["summary"]] for row in rows])
        return Answer(f"{text}\n\nSettings of one: plaudit algorithms ppo", {"algorithms": rows})
    algorithm = get_algorithm(name)
    settings = describe(config_class(name))
    table = [[s["name"], s["default"], s["summary"]] for s in settings]
    text = f"{name}: {algorithm.summary}\n\n{columns(table, ('setting', 'default', 'what it does'))}"
    hint = f"\n\nSet one: plaudit train TASK --set learner.{settings[0]['name']}=VALUE"
    return Answer(text + hint, {"name": name, "summary": algorithm.summary, "settings": settings})


def describe(config: type[Any]) -> list[dict[str, Any]]:
    """Name, default and meaning of every field of a config dataclass; the meaning is the string below it."""
    meanings = _strings_below(config)
    return [
        {"name": field.name, "default": _default(field), "summary": meanings.get(field.name, "")}
        for field in dataclasses.fields(config)
    ]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        value = None if field.default is dataclasses.MISSING else field.default
    return value if isinstance(value, int | float | str | None) else str(value)


def _strings_below(config: type[Any]) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[field.target.id] = " ".join(str(below.value.value).split())
    return found
