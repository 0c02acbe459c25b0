"""Terms that users write: `@plaudit.reward` and `file.py:function`.

A function takes `(items, context)` and returns one number for each item; NaN where it cannot tell. It
runs in a child process (`child.py`) on copies of the items: arrays stay arrays, other items and the
requests arrive as plain data. A request there has its fields as attributes, with lists for tuples and
dicts for mappings (`request.target["path"]`); references that cannot travel are left out. A pathwise
function needs the gradient and runs in process, without limits.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypedDict, Unpack, overload

from plaudit.errors import InputError, did_you_mean
from plaudit.reward.answer import Loaded, UserFunction, describe, origin
from plaudit.reward.child import Child, Limits
from plaudit.reward.term import Context, Term


class Declared(TypedDict, total=False):
    """What `@plaudit.reward(...)` accepts: fields of `Term`, and the limits of a call."""

    name: str
    summary: str
    range: tuple[float, float]
    direction: Literal["maximize", "minimize"]
    scope: Literal["item", "group", "batch"]
    when: Literal["end", "step"]
    grad: Literal["none", "pathwise"]
    eval_only: bool
    limit_s: float
    memory_gb: float


_CHOICES = {
    "direction": ("maximize", "minimize"),
    "scope": ("item", "group", "batch"),
    "when": ("end", "step"),
    "grad": ("none", "pathwise"),
}

_decorated: dict[str, Term] = {}
"""Decorated functions of this process by `file.py:function`: a script need not be imported twice."""


@dataclass(frozen=True)
class Isolated:
    """A score that runs in a child process."""

    child: Child
    loaded: Loaded | None = None

    def __call__(self, items: Any, context: Context) -> Any:
        return self.child.call(items, context)


@dataclass(frozen=True)
class InProcess:
    """A pathwise score: called here, as its gradient has to flow."""

    loaded: Loaded

    def __call__(self, items: Any, context: Context) -> Any:
        try:
            return self.loaded.function(items, context)
        except Exception as error:
            name = self.loaded.declared["name"]
            message = f'the reward function "{name}" raised {describe(error)}'
            raise InputError(message, place=origin(error, self.loaded.file)) from error


@overload
def reward(function: UserFunction, /) -> Term: ...
@overload
def reward(**declared: Unpack[Declared]) -> Callable[[UserFunction], Term]: ...
def reward(function: UserFunction | None = None, /, **declared: Any) -> Any:
    """Turn a function `(items, context) -> (B,)` into a `Term`; raises `InputError` when it cannot be one.

    >>> @reward(range=(0, 1))
    ... def half(items, context):
    ...     return [0.5] * len(items)
    >>> half.name, half.range
    ('half', (0.0, 1.0))
    """
    if function is None:
        return partial(_decorate, declared=declared)
    return _decorate(function, declared)


def load_user_term(spec: str, limits: Limits | None = None) -> Term:
    """Return the term of `file.py:function`, whose name is `spec` as given.

    The file is imported in the child process, so that an endless loop in it is caught as well. Raises
    `InputError` for a missing file or function, an import that fails, and a wrong signature.
    """
    path_text, _, name = spec.rpartition(":")
    path = Path(path_text).expanduser()
    known = _decorated.get(f"{path.resolve()}:{name}")
    if known is not None:
        return replace(known, name=spec)
    if path.suffix != ".py" or not name.isidentifier():
        raise InputError(f'"{spec}" is not file.py:function.', hint="For instance: rewards.py:few_dead_ends")
    if not path.is_file():
        raise InputError("no such file.", place=str(path), hint=f"It was asked for by {spec}.")
    load = partial(_load_function, path.resolve(), name)
    child = Child(name, load, limits or Limits())
    declared = child.start()
    if limits is None:
        child.limits = _limits(declared)
    if declared["grad"] == "pathwise":
        child.stop()
        return _term(InProcess(load()), declared, spec)
    return _term(Isolated(child), declared, spec)


def spec_of(term: Term) -> str:
    """Return `file.py:function` for a decorated function: how a recipe names it."""
    for spec, known in _decorated.items():
        if known.score is term.score:
            return spec
    return term.name


def _decorate(function: UserFunction, declared: dict[str, Any]) -> Term:
    loaded = _declare(function, declared)
    fields = loaded.declared
    if fields["grad"] == "pathwise":
        term = _term(InProcess(loaded), fields, fields["name"])
    else:
        child = Child(fields["name"], lambda: loaded, _limits(fields))
        term = _term(Isolated(child, loaded), fields, fields["name"])
    _decorated[f"{Path(loaded.file).resolve()}:{function.__name__}"] = term
    return term


def _declare(function: UserFunction, declared: dict[str, Any]) -> Loaded:
    """Check a function and what it declares; raises `InputError` at its file and line."""
    code = getattr(function, "__code__", None)
    file = code.co_filename if code else inspect.getsourcefile(type(function)) or ""
    name = getattr(function, "__name__", type(function).__name__)
    place = f"{file}:{code.co_firstlineno}" if code else file
    try:
        inspect.signature(function).bind(None, None)
    except TypeError as error:
        got = str(inspect.signature(function))
        raise InputError(f"{name} takes {got}, a reward takes (items, context).", place=place) from error
    unknown = sorted(set(declared) - set(Declared.__annotations__))
    if unknown:
        hint = did_you_mean(unknown[0], Declared.__annotations__)
        raise InputError(f'@plaudit.reward knows no "{unknown[0]}".', place=place, hint=hint)
    for key, choices in _CHOICES.items():
        if declared.get(key, choices[0]) not in choices:
            raise InputError(f"{key} is {declared[key]!r}, not one of {choices}.", place=place)
    fields: dict[str, Any] = {key: choices[0] for key, choices in _CHOICES.items()}
    fields |= {"name": name, "summary": _first_line(function), "eval_only": False}
    fields |= {"limit_s": Limits.call_s, "memory_gb": Limits.memory_gb} | declared
    fields["range"] = _range(declared.get("range", (-math.inf, math.inf)), place)
    return Loaded(function, file, fields)


def _range(declared: Any, place: str) -> tuple[float, float]:
    try:
        low, high = (float(bound) for bound in declared)
    except (TypeError, ValueError) as error:
        raise InputError(f"range is {declared!r}, expected (low, high).", place=place) from error
    if not low < high:
        raise InputError(f"range is ({low:g}, {high:g}); low must be below high.", place=place)
    return low, high


def _first_line(function: UserFunction) -> str:
    return (inspect.getdoc(function) or "A reward of your own.").splitlines()[0]


def _limits(fields: dict[str, Any]) -> Limits:
    return Limits(call_s=float(fields["limit_s"]), memory_gb=float(fields["memory_gb"]))


def _term(score: Callable[[Any, Context], Any], fields: dict[str, Any], name: str) -> Term:
    low, high = fields["range"]
    return Term(
        name=name,
        score=score,
        summary=fields["summary"],
        range=(low, high),
        direction=fields["direction"],
        scope=fields["scope"],
        when=fields["when"],
        grad=fields["grad"],
        eval_only=fields["eval_only"],
        user=True,
    )


def _load_function(path: Path, name: str) -> Loaded:
    """Import the file and return the function in it, decorated or plain. Runs in the child."""
    module = _import(path)
    found = vars(module).get(name)
    if isinstance(found, Term) and isinstance(found.score, Isolated | InProcess) and found.score.loaded:
        return found.score.loaded
    if callable(found):
        return _declare(found, {})
    names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    raise InputError(f'no function "{name}".', place=str(path), hint=did_you_mean(name, names))


def _import(path: Path) -> ModuleType:
    """Import a file under a name of its own; its folder is importable from then on."""
    spec = importlib.util.spec_from_file_location(f"plaudit_user_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        message = f"cannot be imported: {describe(error)}"
        raise InputError(message, place=origin(error, str(path))) from error
    return module
