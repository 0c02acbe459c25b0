"""The list of runs is the folders themselves: each `status.json` is read, nothing else is kept.

Listing ten thousand runs takes less than a second, and imports no torch.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plaudit.errors import InputError, ResourceError, did_you_mean
from plaudit.runs import disk, lock

LATEST = "latest"
_STATUS_LIMIT = 1 << 16


@dataclass(frozen=True)
class RunInfo:
    """One line of `plaudit runs list`.

    Attributes:
        place: the run folder; a `Path` for each of ten thousand would take as long as reading them.
        state: as in `status.json`; "killed" for a run that says it is running while nobody writes to it.
        heartbeat: when the status was last written, in seconds since 1970.
    """

    place: str
    state: str
    task: str
    step: int
    unit: str
    share: float
    heartbeat: float
    error: str

    @property
    def path(self) -> Path:
        """The run folder."""
        return Path(self.place)


def is_run(path: Path) -> bool:
    """Return whether a folder holds a run."""
    return (path / "recipe.toml").is_file() and (path / "status.json").is_file()


def list_runs(root: Path) -> list[RunInfo]:
    """Return the runs directly below `root`, newest heartbeat first; no folder, no runs."""
    if not root.is_dir():
        return []
    with os.scandir(root) as entries:
        found = [_read(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted((info for info in found if info is not None), key=lambda info: -info.heartbeat)


def _read(path: str) -> RunInfo | None:
    """Return what `status.json` says; None where there is none that can be read."""
    try:
        handle = os.open(f"{path}/status.json", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return _info(path, json.loads(os.read(handle, _STATUS_LIMIT)))
        finally:
            os.close(handle)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def _info(path: str, status: dict[str, Any]) -> RunInfo:
    state = str(status["state"] if "state" in status else "unknown")
    return RunInfo(
        place=path,
        state="killed" if state == "running" and not lock.is_held(Path(path)) else state,
        task=str(status.get("task", "")),
        step=int(status.get("step") or 0),
        unit=str(status.get("unit", "steps")),
        share=float(status.get("share") or 0.0),
        heartbeat=float(status.get("heartbeat") or 0.0),
        error=str(status.get("error") or ""),
    )


def find(name: str | Path, root: Path = Path("runs")) -> Path:
    """Return the run folder that `name` means: a path, `latest`, a name below `root` or the end of one.

    Raises `InputError` when it means none, or more than one.
    """
    path = Path(name)
    if is_run(path):
        return path
    if path.name == LATEST and path.parent in (Path(), root, path.parent):
        return _latest(root if path.parent == Path() else path.parent)
    names = [info.path.name for info in list_runs(root)]
    ends = [known for known in names if known == str(name) or known.endswith(f"_{name}")]
    if len(ends) == 1:
        return root / ends[0]
    problem = f"means {len(ends)} runs" if ends else "is not a run"
    hint = f"They are {', '.join(sorted(ends)[:5])}." if ends else did_you_mean(str(name), names[:100])
    raise InputError(f'"{name}" {problem}.', hint=f"{hint} List: plaudit runs list".strip())


def _latest(root: Path) -> Path:
    runs = list_runs(root)
    if not runs:
        raise InputError("there are no runs.", place=str(root), hint="Make one: plaudit train level/maze")
    return runs[0].path


def remove(folder: Path) -> None:
    """Delete a run folder; refuses (`InputError`, `ResourceError`) whatever is not one, or is in use."""
    if folder.is_symlink() or not is_run(folder):
        raise InputError("not a run folder, nothing was deleted.", place=str(folder))
    if lock.is_held(folder):
        raise ResourceError("the run is being written to, nothing was deleted.", place=str(folder))
    with disk.plain_errors(folder):
        shutil.rmtree(folder)
