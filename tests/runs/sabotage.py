"""A disk that fails, or a machine that dies, at the k-th system call of a save."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

COUNTED = ("open", "write", "fsync", "replace", "mkdir", "unlink")


class PowerCut(BaseException):
    """The machine is gone: nothing that follows runs, so no handler of `Exception` may see it."""


class Sabotaged:
    """Stands in for the module `os` inside `plaudit.runs.disk`.

    Args:
        at: number of the call that fails, from 1.
        fail: called instead of it with the call's name.
        torn: of a failing write, half of the bytes are written first.
        lossy: at the failure, every file that was written but not flushed loses its second half.
    """

    def __init__(self, at: int, fail: Callable[[str], None], torn: bool = False, lossy: bool = False) -> None:
        self.at, self.fail, self.torn, self.lossy = at, fail, torn, lossy
        self.calls = 0
        self._paths: dict[int, str] = {}
        self._unflushed: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return real if name not in COUNTED else lambda *args, **kwargs: self._call(name, real, args, kwargs)

    def _call(
        self, name: str, real: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        self.calls += 1
        if self.calls == self.at:
            if name == "write" and self.torn:
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            self._lose()
            self.fail(name)
        result = real(*args, **kwargs)
        self._follow(name, args, result)
        return result

    def _follow(self, name: str, args: tuple[Any, ...], result: Any) -> None:
        if name == "open":
            self._paths[result] = str(args[0])
        elif name == "write":
            self._unflushed.add(self._paths.get(args[0], ""))
        elif name == "fsync":
            self._unflushed.discard(self._paths.get(args[0], ""))
        elif name == "replace" and str(args[0]) in self._unflushed:
            self._unflushed.remove(str(args[0]))
            self._unflushed.add(str(args[1]))

    def _lose(self) -> None:
        for path in self._unflushed if self.lossy else ():
            if os.path.isfile(path):
                os.truncate(path, os.path.getsize(path) // 2)


def power_cut(name: str) -> None:
    """Fail by losing power."""
    raise PowerCut(name)


def refuse(number: int) -> Callable[[str], None]:
    """Fail by an error of the system, such as `errno.ENOSPC`."""

    def fail(name: str) -> None:
        raise OSError(number, os.strerror(number))

    return fail
