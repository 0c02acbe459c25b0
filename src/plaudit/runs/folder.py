"""The run folder: plain files that any process may watch; this class knows what each is called.

recipe.toml command.txt env.json inputs.json     how it was started
status.json                                      what it is doing, rewritten about once a second
metrics.jsonl rewards.jsonl timings.jsonl        its logs; wall-clock figures stand in timings alone
checkpoints/ latest.json samples/ stages/        what it made
"""

from __future__ import annotations

import datetime
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plaudit.errors import InputError
from plaudit.runs import checkpoint, disk, recipes
from plaudit.runs.index import is_run
from plaudit.runs.recipe import Recipe

__all__ = ["RunFolder", "is_run"]

_JSON_LIMIT = 1 << 26
_LOG_LIMIT = 1 << 30
_BIRTH = re.compile(r"status\.json|\.status\.json\.part|\.recipe\.toml\.part")


@dataclass(frozen=True)
class RunFolder:
    """One run on disk. Use `RunFolder.create` or `RunFolder.open`."""

    path: Path

    @classmethod
    def create(cls, recipe: Recipe, out: Path | None = None, root: Path = Path("runs")) -> RunFolder:
        """Make the folder of a new run: `out`, or a dated name below `root`; raises `InputError`."""
        path = fresh(root, recipe.task) if out is None else Path(out)
        if out is not None and path.exists() and not _is_empty(path):
            what = "a run" if is_run(path) else "something else"
            hint = f"Go on with it: plaudit resume {path}" if is_run(path) else ""
            raise InputError(
                f"there is {what} already.", place=str(path), hint=hint or "Choose another --out."
            )
        with disk.plain_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        folder = cls(path)
        folder.write_status({"state": "running", "task": recipe.task, "step": 0, "share": 0.0})
        disk.write_atomic(path / "recipe.toml", recipes.dump(recipe).encode())
        return folder

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """Return the run in an existing folder; raises `InputError`."""
        path = Path(path)
        if not is_run(path):
            what = "it holds no recipe.toml" if path.is_dir() else "there is no such folder"
            raise InputError(f"not a run: {what}.", place=str(path), hint="List: plaudit runs list")
        return cls(path)

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe of the run; raises `InputError`."""
        return recipes.load(self.path / "recipe.toml")

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Replace `status.json`, with this process and the time added."""
        row = {**status, "pid": os.getpid(), "heartbeat": round(_now().timestamp(), 1)}
        self.write_json("status.json", row, durable=False)

    def status(self) -> dict[str, Any]:
        """Read `status.json`; raises `InputError`."""
        return self.read_json("status.json")

    def write_json(self, name: str, data: Mapping[str, Any], *, durable: bool = True) -> None:
        """Replace a JSON file of the run."""
        disk.write_atomic(self.path / name, json.dumps(data, indent=1).encode() + b"\n", durable=durable)

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON object of the run; raises `InputError`."""
        try:
            data = json.loads(disk.read_limited(self.path / name, _JSON_LIMIT))
        except (ValueError, RecursionError) as error:
            raise InputError(f"not valid JSON: {error}.", place=str(self.path / name)) from error
        if not isinstance(data, dict):
            raise InputError("not a JSON object.", place=str(self.path / name))
        return data

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of a log ("metrics", "rewards" or "timings"); a torn last line is left out."""
        path = self.path / f"{name}.jsonl"
        if not path.is_file():
            return []
        text = disk.read_limited(path, _LOG_LIMIT)
        try:
            return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]
        except ValueError as error:
            raise InputError(f"not valid JSON lines: {error}.", place=str(path)) from error

    def stages(self) -> list[RunFolder]:
        """Return the stages that have begun, in order; empty for an ordinary run."""
        place = self.path / "stages"
        found = sorted(place.iterdir()) if place.is_dir() else []
        return [RunFolder(path) for path in found if is_run(path)]

    def result(self) -> RunFolder:
        """Return the run whose policy counts: itself, or the last stage that has a checkpoint."""
        done = [stage for stage in self.stages() if checkpoint.complete(stage.path)]
        return done[-1] if done else self

    def checkpoint(self) -> Path:
        """Return the folder of the newest checkpoint that verifies; raises `InputError` without one."""
        return checkpoint.newest_folder(self.result().path)

    def samples(self) -> list[Path]:
        """Return the complete sample folders, oldest first."""
        place = self.result().path / "samples"
        found = place.glob("step_*") if place.is_dir() else []
        return sorted((p for p in found if p.is_dir()), key=lambda p: int(re.sub(r"\D", "", p.name) or 0))


def _is_empty(path: Path) -> bool:
    """Return whether a folder holds nothing, or only what a run leaves that was killed at birth."""
    return path.is_dir() and all(_BIRTH.fullmatch(file.name) for file in path.iterdir())


def _now() -> datetime.datetime:
    return datetime.datetime.now().astimezone()


def fresh(root: Path, task: str) -> Path:
    """Return a name that is not taken: date, task and four random digits."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", task).strip("-")
    while True:
        path = root / f"{_now():%Y-%m-%d}_{slug}_{secrets.token_hex(2)}"
        if not path.exists():
            return path
