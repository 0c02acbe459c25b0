"""The child's side: load the user's function, answer calls, say where an error came from."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from plaudit.engine.random import RowRandom
from plaudit.errors import PlauditError
from plaudit.reward import wire
from plaudit.reward.term import Context

UserFunction = Callable[[Any, Context], Any]


@dataclass(frozen=True, eq=False)
class Loaded:
    """A user's function, the file it stands in, and its declaration (fields of `Term`, as JSON)."""

    function: UserFunction
    file: str
    declared: dict[str, Any]


@dataclass
class _Kept:
    """What stays between calls until the training sends another: requests and references."""

    requests: list[Any] = field(default_factory=list)
    references: Any = field(default_factory=list)


def serve(stream: wire.Stream, load: Callable[[], Loaded], call_s: float, load_s: float) -> None:
    """Announce the function, then answer calls until the stream ends."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _end_alone_after(load_s)
    try:
        loaded = load()
    except PlauditError as error:
        stream.send(wire.Frame({"refused": error.message, "place": error.place, "hint": error.hint}))
        return
    _end_alone_after(0.0)
    stream.send(wire.Frame(loaded.declared))
    kept = _Kept()
    while True:
        try:
            frame = stream.receive()
        except (EOFError, OSError):
            return
        _end_alone_after(call_s)
        reply = _answer(loaded, frame, kept)
        _end_alone_after(0.0)
        stream.send(reply)


def _end_alone_after(seconds: float) -> None:
    """Bound a call by an alarm of the child's own, in case the training is no longer there to do it."""
    signal.setitimer(signal.ITIMER_REAL, seconds + 2.0 if seconds else 0.0)


def _answer(loaded: Loaded, frame: wire.Frame, kept: _Kept) -> wire.Frame:
    context = _context(frame, kept)
    items = wire.unpack(frame.head["items"], frame.arrays)
    try:
        returned = loaded.function(items, context)
    except BaseException as error:
        return wire.Frame({"error": f"raised {describe(error)}", "place": origin(error, loaded.file)})
    try:
        values = as_numbers(returned)
    except (TypeError, ValueError):
        expected = f"expected {len(items)} numbers, one for each item."
        message = f"returned {type(returned).__name__}, {expected}"
        return wire.Frame({"error": message, "place": loaded.file})
    arrays = [values] if context.generator is None else [values, context.generator.counter]
    return wire.Frame({}, arrays)


def _context(frame: wire.Frame, kept: _Kept) -> Context:
    head, arrays = frame.head, frame.arrays
    if "requests" in head:
        _take_requests(head["requests"], arrays, kept)
    if "references" in head:
        kept.references = wire.unpack(head["references"], arrays)
    context = Context(requests=kept.requests, references=kept.references)
    if "groups" in head:
        context.groups = wire.unpack(head["groups"], arrays)
    if "key" in head:
        context.generator = RowRandom(())
        context.generator.key = wire.unpack(head["key"], arrays)
        context.generator.counter = wire.unpack(head["counter"], arrays)
    return context


def _take_requests(sent: dict[str, Any], arrays: list[Any], kept: _Kept) -> None:
    if sent["count"] != len(kept.requests):
        kept.requests = [None] * sent["count"]
    for at, value in zip(sent["at"], wire.unpack(sent["values"], arrays), strict=True):
        kept.requests[at] = SimpleNamespace(**value) if isinstance(value, dict) else value


def as_numbers(returned: Any) -> Any:
    """Return an array or tensor of numbers as float64; raises TypeError or ValueError for others."""
    if hasattr(returned, "detach"):
        returned = returned.detach().cpu().numpy()
    if returned is None:
        raise TypeError("None is no array of numbers")
    return np.array(returned, dtype=np.float64)


def describe(error: BaseException) -> str:
    """Return `ValueError: message` in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}." if text else f"{type(error).__name__}."


def origin(error: BaseException, file: str) -> str:
    """Return `file:line` of the innermost frame in the user's file, or of the error itself."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file]
    inner = (own or list(frames))[-1:]
    return f"{inner[0].filename}:{inner[0].lineno}" if inner else file
