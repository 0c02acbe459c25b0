"""The plain files of a run folder as the report sees them: any may be missing, torn or foreign.

Nothing here trusts a file: sizes are limited, values of a wrong type count as absent, and what could
not be read is named in `Run.unreadable` so that the report can say so.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError
from plaudit.media.limits import Limits, read_json, read_text

Values = NDArray[np.float64]
Row = dict[str, Any]

LIMITS = Limits(file_bytes=8 * 2**20)
MOST_ROWS = 4000
"""A longer log is thinned evenly: no chart shows more points."""
LINE_BYTES = 2**20


@dataclass(frozen=True)
class Snapshot:
    """The samples of one moment: `samples/step_000500/`."""

    step: int
    folder: Path
    items: list[Row]
    manifest: Row


@dataclass
class Run:
    """What a run folder holds; an absent file leaves its field empty."""

    folder: Path
    recipe: Row = field(default_factory=dict)
    recipe_text: str = ""
    command: str = ""
    machine: Row = field(default_factory=dict)
    status: Row = field(default_factory=dict)
    evaluation: Row = field(default_factory=dict)
    metrics: list[Row] = field(default_factory=list)
    rewards: list[Row] = field(default_factory=list)
    timings: list[Row] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    checkpoint: str = ""
    hashes: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    @property
    def task(self) -> str:
        return str(self.recipe.get("task") or self.status.get("task") or "unknown task")

    @property
    def unit(self) -> str:
        return str(self.status.get("unit") or "steps")

    @property
    def place(self) -> str:
        """The folder as commands name it, without what lies above `runs/`: a report is passed on."""
        parent = self.folder.parent.name
        return f"{parent}/{self.folder.name}" if parent == "runs" else self.folder.name


def read_run(folder: Path) -> Run:
    """Read a run folder; raises `InputError` only when there is no such folder."""
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise InputError("no run folder is here.", place=str(folder), hint="List: plaudit runs list")
    run = Run(folder)
    run.recipe_text = _text(run, "recipe.toml")
    run.recipe = _parse_toml(run)
    run.command = _text(run, "command.txt").strip()
    run.machine, run.status = _object(run, "env.json"), _object(run, "status.json")
    run.evaluation = _object(run, "evaluation.json")
    run.metrics, run.rewards = _rows(run, "metrics.jsonl"), _rows(run, "rewards.jsonl")
    run.timings = _rows(run, "timings.jsonl")
    run.snapshots = sorted(_snapshots(run), key=lambda snapshot: snapshot.step)
    run.checkpoint, run.hashes = _checkpoint(run)
    return run


def number(value: Any) -> float:
    """Return a float, NaN for anything that is no number.

    >>> number("3"), number(3), number(True)
    (nan, 3.0, nan)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def column(rows: Iterable[Row], *keys: str) -> tuple[Values, Values]:
    """Return `(N,)` steps and `(N,)` values at a path of keys, rows without a finite value left out."""
    points = []
    for row in rows:
        value: Any = row
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        points.append((number(row.get("step")), number(value)))
    table = np.array(points, dtype=np.float64).reshape(-1, 2)
    table = table[np.isfinite(table).all(axis=1)]
    return table[:, 0], table[:, 1]


def _text(run: Run, name: str) -> str:
    try:
        return read_text(run.folder / name, LIMITS) if (run.folder / name).exists() else ""
    except InputError as error:
        run.unreadable.append(f"{name} {error.message}")
        return ""


def _parse_toml(run: Run) -> Row:
    try:
        return tomllib.loads(run.recipe_text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        run.unreadable.append(f"recipe.toml is not TOML: {error}")
        return {}


def _object(run: Run, name: str) -> Row:
    if not (run.folder / name).exists():
        return {}
    try:
        value = read_json(run.folder / name, LIMITS)
    except InputError as error:
        run.unreadable.append(f"{name} {error.message}")
        return {}
    if isinstance(value, dict):
        return value
    run.unreadable.append(f"{name} holds no JSON object.")
    return {}


def _rows(run: Run, name: str) -> list[Row]:
    """Read a log of JSON objects; of a long one every k-th row, and always the last."""
    path = run.folder / name
    if not path.is_file():
        return []
    rows: list[Row] = []
    stride, broken, pending = 1, 0, b""
    try:
        for index, line in enumerate(_lines(path)):
            pending = b"" if index % stride == 0 else line
            if pending:
                continue
            broken += not _append(rows, line)
            if len(rows) > MOST_ROWS:
                rows, stride = rows[::2], stride * 2
    except OSError as error:
        run.unreadable.append(f"{name} cannot be read: {error.strerror}.")
    _append(rows, pending or b"{}")
    if broken:
        run.unreadable.append(f"{name}: {broken} lines are not JSON objects.")
    return rows


def _lines(path: Path) -> Iterator[bytes]:
    """Yield complete lines: a running training may be in the middle of the last one."""
    with path.open("rb") as file:
        while line := file.readline(LINE_BYTES):
            if line.endswith(b"\n"):
                yield line


def _append(rows: list[Row], line: bytes) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if isinstance(value, dict) and value:
        rows.append(value)
    return isinstance(value, dict)


def _snapshots(run: Run) -> Iterator[Snapshot]:
    for folder in sorted((run.folder / "samples").glob("step_*")):
        match = re.fullmatch(r"step_(\d{1,15})", folder.name)
        if not match:
            continue
        manifest = _object(run, f"samples/{folder.name}/manifest.json")
        items = manifest.get("items")
        items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        yield Snapshot(int(match[1]), folder, items, manifest)


def _checkpoint(run: Run) -> tuple[str, dict[str, str]]:
    """Return the newest complete checkpoint's folder name and the SHA-256 of its files."""
    complete = sorted(path.parent.name for path in (run.folder / "checkpoints").glob("*/manifest.json"))
    latest = [Path(str(v)).name for v in _object(run, "latest.json").values() if isinstance(v, str)]
    name = next((n for n in latest if n in complete), complete[-1] if complete else "")
    if not name:
        return "", {}
    return name, dict(_hashes(_object(run, f"checkpoints/{name}/manifest.json"), ""))


def _hashes(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield `(file, hash)` for every SHA-256 in a manifest, whichever level it stands on."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _hashes(inner, name if key == "sha256" else key)
    elif isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        yield name, value
