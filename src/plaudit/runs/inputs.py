"""What a run starts from (`[inputs]` of a recipe): found once, pinned by SHA-256, verified on resume.

A value is `stage:NAME` (an earlier stage of the same run), a run folder (its newest checkpoint), a
checkpoint folder, a file, or the name of a preset. `task.build` gets the path of each: a file, or a
folder that `checkpoint.load_model` reads.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from plaudit.errors import InputError, did_you_mean
from plaudit.runs import checkpoint
from plaudit.runs.folder import RunFolder, is_run

PINS = "inputs.json"
_STAGE = "stage:"
_SEALED = (checkpoint.MANIFEST, checkpoint.MODEL)


def resolve(inputs: Mapping[str, str], run: Path | None) -> dict[str, Path]:
    """Return the path that each input means now; `run` is the folder of the asking run, where it has one.

    Raises `InputError` for what cannot be found.
    """
    return {name: _find(name, given, run) for name, given in inputs.items()}


def pin(folder: RunFolder, inputs: Mapping[str, str], paths: Mapping[str, Path]) -> None:
    """Write down in the run folder what each input was; nothing for a run without inputs."""
    if not inputs:
        return
    pins = {
        name: {
            "given": given,
            "path": _stored(paths[name], given, folder.path),
            "sha256": digest(paths[name]),
        }
        for name, given in inputs.items()
    }
    folder.write_json(PINS, pins)


def pinned(folder: RunFolder, inputs: Mapping[str, str]) -> dict[str, Path]:
    """Return the paths that `pin` wrote down; raises `InputError` when one is gone or has changed."""
    if not inputs:
        return {}
    if not (folder.path / PINS).is_file():
        paths = resolve(inputs, folder.path)
        pin(folder, inputs, paths)
        return paths
    pins = folder.read_json(PINS)
    return {name: _check(name, given, pins.get(name), folder) for name, given in inputs.items()}


def _check(name: str, given: str, entry: object, folder: RunFolder) -> Path:
    place = f"{folder.path / PINS}: {name}"
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise InputError("the input is not pinned.", place=place)
    path = folder.path / entry["path"]
    path = path if path.exists() else _find(name, given, folder.path)
    if digest(path) != entry.get("sha256"):
        raise InputError(
            f'"{given}" ({path}) is not what the run started from: its SHA-256 has changed.',
            place=place,
            hint="Put the old one back, or train anew.",
        )
    return path


def _find(name: str, given: str, run: Path | None) -> Path:
    if given.startswith(_STAGE):
        return _stage(name, given.removeprefix(_STAGE), run)
    path = Path(given)
    if is_run(path):
        return RunFolder(path).checkpoint().resolve()
    if path.is_file() or (path / checkpoint.MANIFEST).is_file():
        return path.resolve()
    from plaudit.runs import presets

    try:
        return Path(presets.find(given))
    except InputError as error:
        message = f'"{given}" is no file, no run and no preset.'
        raise InputError(message, place=f"inputs.{name}", hint=error.hint) from error


def _stage(name: str, stage: str, run: Path | None) -> Path:
    """Return the newest checkpoint of an earlier stage, which lies beside `run` in `stages/`."""
    beside = run.parent if run is not None else Path("stages")
    found = {path.name.partition("-")[2]: path for path in beside.glob("[0-9][0-9]-*") if is_run(path)}
    if stage not in found or found[stage] == run:
        hint = did_you_mean(stage, [key for key, path in found.items() if path != run])
        raise InputError(f'no earlier stage is called "{stage}".', place=f"inputs.{name}", hint=hint)
    return RunFolder(found[stage]).checkpoint()


def _stored(path: Path, given: str, run: Path) -> str:
    """Return the path as it is pinned: relative inside a run of stages, which may be moved as a whole."""
    return os.path.relpath(path, run) if given.startswith(_STAGE) else str(path.resolve())


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's names and contents (a sealed one's weights and
    manifest); raises `InputError`."""
    total = hashlib.sha256()
    for file in _files(path):
        total.update(f"{file.name}\n".encode() if path.is_dir() else b"")
        try:
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}.", place=str(file)) from error
    return total.hexdigest()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    sealed = [path / name for name in _SEALED]
    if all(file.is_file() for file in sealed):
        return sealed
    return sorted(file for file in path.iterdir() if file.is_file() and not re.match(r"\.", file.name))
