"""One writer for a run folder: an advisory lock that the system drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path
from types import TracebackType

from plaudit.errors import ResourceError
from plaudit.runs import disk

NAME = ".lock"
_WAIT_S = 2.0
_held: weakref.WeakSet[Lock] = weakref.WeakSet()


class Lock:
    """Hold the lock of `folder` inside a `with`; raises `ResourceError` naming the holder's process.

    It waits two seconds first: a killed holder's own children may keep it for a moment.
    """

    def __init__(self, folder: Path, wait_s: float = _WAIT_S) -> None:
        self.path = folder / NAME
        self.wait_s = wait_s
        self._handle = -1

    def __enter__(self) -> Lock:
        with disk.plain_errors(self.path):
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        deadline = time.monotonic() + self.wait_s
        while not _try(self._handle):
            if time.monotonic() > deadline:
                holder = _read_pid(self._handle)
                self._drop()
                raise ResourceError(
                    f"another process ({holder}) is writing to this run.",
                    place=str(self.path.parent),
                    hint="Wait for it, or stop it, then try again.",
                )
            time.sleep(0.05)
        with disk.plain_errors(self.path):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)
        _held.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_pid(handle: int) -> str:
    text = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
    return f"pid {text}" if text.isdigit() else "pid unknown"


def is_held(folder: Path) -> bool:
    """Return whether some process is writing to the run in `folder`."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _forget_in_child() -> None:
    # A forked child shares the lock; closing its copy lets the lock end with the parent.
    for lock in list(_held):
        lock._drop()


os.register_at_fork(after_in_child=_forget_in_child)
