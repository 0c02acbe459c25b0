"""Optional sinks for the metrics of a training, beside the run's own files. TensorBoard is the one."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from plaudit.engine.fit import Event
from plaudit.errors import InputError, MissingExtra, did_you_mean

SINKS = ("tensorboard",)


def check(name: str) -> None:
    """Raise `InputError` for an unknown sink and `MissingExtra` for one that is not installed."""
    if name and name not in SINKS:
        raise InputError(f'there is no sink "{name}".', place="--track", hint=did_you_mean(name, SINKS))
    if name and importlib.util.find_spec("tensorboard") is None:
        raise MissingExtra("TensorBoard is not installed.", hint="Install it: pip install 'plaudit[track]'")


class Sink:
    """Writes the numbers of "metrics" events below the run folder; with the name "" it writes nothing."""

    def __init__(self, name: str, folder: Path) -> None:
        check(name)
        self._writer: Any = None
        if name:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / name))

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, event: Event) -> None:
        """Log every finite number of an event's metrics by its path of names."""
        if self._writer is None or event.metrics is None:
            return
        for name, value in _numbers(event.metrics, event.stage):
            self._writer.add_scalar(name, value, event.step)


def _numbers(values: Any, path: str) -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        name = f"{path}/{key}" if path else str(key)
        if isinstance(value, dict):
            yield from _numbers(value, name)
        elif isinstance(value, int | float) and math.isfinite(value):
            yield name, float(value)
