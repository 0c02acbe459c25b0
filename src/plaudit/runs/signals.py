"""Signals of a training: the first asks it to finish its step and save, a second Ctrl-C stops it now."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from plaudit.errors import PlauditError


class Interrupted(PlauditError):
    """The training was stopped by a signal; `exit_code` is 130 (Ctrl-C) or 143 (SIGTERM)."""

    def __init__(self, message: str, exit_code: int, **details: str) -> None:
        super().__init__(message, **details)
        self.exit_code = exit_code


class Signals:
    """Catch SIGINT and SIGTERM inside a `with`; does nothing outside of the main thread.

    Attributes:
        caught: the exit code of the first signal (130 or 143), None while there was none.
    """

    def __init__(self) -> None:
        self.caught: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.caught is not None:
            raise KeyboardInterrupt
        self.caught = self.caught or 128 + number

    def stop(self) -> bool:
        """Return whether the training should end after this step."""
        return self.caught is not None
