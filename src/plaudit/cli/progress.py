"""Progress on stderr: a bar with the time still to come on a terminal, else a line every 10 seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

SHOW_AFTER_S = 1.0
"""Work that is over sooner shows nothing."""
LINE_EVERY_S = 10.0
FORETELL_FROM = 0.05
"""Share done below which the pace so far says nothing."""
BAR_EVERY_S = 0.1


class Progress:
    """Shows how far one piece of work is; `with Progress("training") as show: show(done, asked)`."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._began = self._shown = time.monotonic()
        self._bar: Any = None
        self._row: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: float, asked: float, note: str = "", eta_s: float | None = None) -> None:
        """Tell that `done` of `asked` is done; without `eta_s` the pace so far foretells the rest."""
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        every = BAR_EVERY_S if terminal else LINE_EVERY_S
        if now - self._began < SHOW_AFTER_S or (now - self._shown < every and done < asked):
            return
        if not terminal and now - self._began < LINE_EVERY_S:
            return
        self._shown = now
        share = min(1.0, done / asked) if asked else 1.0
        if eta_s is None and share >= FORETELL_FROM:
            eta_s = (now - self._began) * (1 - share) / share
        text = f"{clock(eta_s)} left" if eta_s is not None else ""
        if terminal:
            self._draw(share, text, note)
        else:
            line = f"{self.what}: {share:4.0%} {text} {note}".rstrip()
            print(line, file=sys.stderr, flush=True)

    def _draw(self, share: float, text: str, note: str) -> None:
        if self._bar is None:
            self._begin()
        self._bar.update(self._row, completed=share, eta=text, note=note)

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bars

        self._bar = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[eta]}"),
            TextColumn("[dim]{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._row = self._bar.add_task(self.what, total=1.0, eta="", note="")
        self._bar.start()


def clock(seconds: float) -> str:
    """Write a duration as people do.

    >>> clock(75), clock(3700)
    ('1:15', '1:01:40')
    """
    whole = int(seconds + 0.5)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def say(text: str) -> None:
    """One line on stderr: what is going on."""
    print(text, file=sys.stderr, flush=True)
