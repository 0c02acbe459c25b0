"""Append-only logs of a run, one JSON object a line, cut back to a checkpoint's offset on resume.

Lines are held in memory and written about once a second; only a checkpoint flushes them to the
disk, and it records how long each log was. So a resumed run's log equals the uninterrupted one's,
byte for byte, and training never waits for the disk.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plaudit.runs import disk

FLUSH_S = 1.0
FLUSH_BYTES = 1 << 18


class Log:
    """One log file, opened for writing.

    Args:
        path: the file; made when it is not there.
        offset: bytes to keep of what is there; None = all of it.
    """

    def __init__(self, path: Path, offset: int | None = None) -> None:
        self.path = path
        with disk.plain_errors(path):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._handle = os.open(path, flags, 0o666)
            self.length = os.fstat(self._handle).st_size
            if offset is not None and offset < self.length:
                os.ftruncate(self._handle, offset)
                self.length = offset
        self.missing = max(0, (offset or 0) - self.length)
        self._lines: list[bytes] = []
        self._held = 0
        self._flushed = time.monotonic()

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one line; numbers that are not finite become null."""
        line = json.dumps(_plain(row), allow_nan=False, separators=(",", ":")).encode() + b"\n"
        self._lines.append(line)
        self._held += len(line)
        if self._held > FLUSH_BYTES or time.monotonic() - self._flushed > FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Hand the held lines to the system; raises `ResourceError`."""
        data, self._lines, self._held = b"".join(self._lines), [], 0
        self._flushed = time.monotonic()
        with disk.plain_errors(self.path, len(data)):
            disk.write_all(self._handle, data)
        self.length += len(data)

    def sync(self) -> int:
        """Flush to the disk and return the length of the file in bytes."""
        self.flush()
        with disk.plain_errors(self.path):
            os.fsync(self._handle)
        return self.length

    def close(self) -> None:
        """Write what is held and close; a second call does nothing."""
        if self._handle < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self._handle)
            self._handle = -1


def _plain(value: Any) -> Any:
    """Return `value` as JSON: NumPy and torch scalars as numbers, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
