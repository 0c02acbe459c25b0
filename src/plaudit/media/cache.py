"""Corpora that were read once: arrays and names in the user's cache folder, made anew after a change."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def folder(kind: str) -> Path:
    """Where a kind of content keeps its cache: below `PLAUDIT_CACHE`, or the user's cache folder."""
    home = os.environ.get("PLAUDIT_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "plaudit" / kind


def place_of(files: Sequence[Path], version: str, kind: str) -> Path:
    """The file that holds what was read from `files`; another version, size or date is another file."""
    seen = hashlib.sha256(version.encode())
    for path in files:
        try:
            status = path.stat()
        except OSError:
            # A link that leads nowhere: whoever reads it will say so.
            continue
        # A name need not be UTF-8.
        seen.update(os.fsencode(path) + f":{status.st_size}:{status.st_mtime_ns};".encode())
    return folder(kind) / f"{seen.hexdigest()[:24]}.npz"


def keep(path: Path, names: Sequence[str], arrays: Mapping[str, Any]) -> None:
    """Write arrays and names; a cache that cannot be written is no error."""
    text = np.frombuffer(json.dumps(list(names)).encode(), np.uint8)
    part = path.with_name(f".{path.name}.{os.getpid()}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(part, name=text, **arrays)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)


def kept(path: Path) -> dict[str, Any] | None:
    """The arrays by name, and the names under "name"; None for a missing or damaged file."""
    try:
        with np.load(path, allow_pickle=False) as held:
            arrays: dict[str, Any] = {name: held[name] for name in held.files}
        arrays["name"] = json.loads(arrays["name"].tobytes().decode())
        return arrays
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def to_stderr(line: str) -> None:
    """Progress for a person."""
    print(line, file=sys.stderr, flush=True)
