"""Checkpoints that survive a kill, a power cut or a full disk: complete and verified, or ignored.

A checkpoint is a folder `checkpoints/000500/` with `model.safetensors` (the policy's weights),
`state.safetensors` and `state.json` (all else that the next step depends on) and, written last,
`manifest.json` with the SHA-256 of each. `latest.json` beside `checkpoints/` names the newest one.
A reader ignores a folder without a manifest, verifies what it reads, and falls back one on damage.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from plaudit.errors import InputError
from plaudit.runs import disk, tensors, tree

FORMAT = 1
MODEL, STATE, SKELETON, MANIFEST = "model.safetensors", "state.safetensors", "state.json", "manifest.json"
_JSON_LIMIT = 1 << 26
T = TypeVar("T")
_NAME = re.compile(r"\d{6,15}")


@dataclass(frozen=True)
class Snapshot:
    """What one checkpoint holds.

    Attributes:
        step: the learner's count.
        model: the policy's weights.
        state: nested state of everything else (see `tree`).
        record: JSON for readers: `unit`, `share`, `score` (higher is better, None = unknown),
            `policy` (its description), `learner`, ...
    """

    step: int
    model: Mapping[str, Tensor]
    state: Any
    record: Mapping[str, Any] = field(default_factory=dict)


class DamagedWarning(UserWarning):
    """A checkpoint was passed over because it is damaged or incomplete."""


def encode(snapshot: Snapshot) -> dict[str, bytes]:
    """Return the three data files of a checkpoint by name."""
    flat, skeleton = tree.flatten(snapshot.state)
    text = json.dumps(skeleton, allow_nan=False, separators=(",", ":"))
    return {MODEL: tensors.encode(snapshot.model), STATE: tensors.encode(flat), SKELETON: text.encode()}


def save(run: Path, snapshot: Snapshot, keep: int = 2) -> Path:
    """Write a checkpoint into the run folder `run` and return its folder; raises `ResourceError`.

    Whatever fails on the way, the checkpoints that were complete before stay complete. Afterwards
    the `keep` newest and the one of the best score remain.
    """
    files = encode(snapshot)
    folder = run / "checkpoints" / f"{snapshot.step:06d}"
    disk.make_folder(folder.parent)
    if folder.is_dir():
        disk.remove_folder(folder, first=MANIFEST)
    disk.make_folder(folder)
    for name, data in files.items():
        disk.write_atomic(folder / name, data)
    disk.write_atomic(folder / MANIFEST, _manifest(snapshot, files))
    point(run, folder, snapshot.step)
    prune(run, keep)
    return folder


def point(run: Path, folder: Path, step: int) -> None:
    """Make `latest.json` name the checkpoint `folder`."""
    latest = {"checkpoint": folder.name, "path": folder.relative_to(run).as_posix(), "step": step}
    disk.write_atomic(run / "latest.json", json.dumps(latest).encode() + b"\n")


def write_model(folder: Path, snapshot: Snapshot) -> None:
    """Write the weights and the manifest alone into a folder that exists: a preset or an export."""
    files = {MODEL: tensors.encode(snapshot.model)}
    disk.write_atomic(folder / MODEL, files[MODEL])
    disk.write_atomic(folder / MANIFEST, _manifest(snapshot, files))


def _manifest(snapshot: Snapshot, files: Mapping[str, bytes]) -> bytes:
    record = {
        **snapshot.record,
        "format": FORMAT,
        "step": snapshot.step,
        "tensors": tensors.listing(snapshot.model),
        "files": {n: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": len(d)} for n, d in files.items()},
    }
    body = json.loads(json.dumps(record))  # as a reader will see it: lists for tuples, keys as strings
    return json.dumps({**body, "seal": _seal(body)}, indent=1).encode() + b"\n"


def _seal(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the manifest itself, so that a flipped bit in it is noticed too."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def prune(run: Path, keep: int = 2) -> None:
    """Remove all but the `keep` newest complete checkpoints and the best; also what was left half written."""
    folders = complete(run)
    scores = {folder: _score(folder) for folder in folders}
    best = max((f for f in folders if scores[f] is not None), key=lambda f: scores[f] or 0.0, default=None)
    kept = {*folders[:keep], best}
    for folder in _numbered(run):
        if folder not in kept:
            disk.remove_folder(folder, first=MANIFEST)


def _score(folder: Path) -> float | None:
    try:
        score = read_manifest(folder).get("score")
    except InputError:
        return None
    return float(score) if isinstance(score, int | float) else None


def _numbered(run: Path) -> list[Path]:
    """Return the checkpoint folders of a run, complete or not, newest first."""
    place = run / "checkpoints"
    if not place.is_dir():
        return []
    found = [path for path in place.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def complete(run: Path) -> list[Path]:
    """Return the folders of a run's checkpoints that have a manifest, newest first."""
    return [folder for folder in _numbered(run) if (folder / MANIFEST).is_file()]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check `manifest.json`; raises `InputError`."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError("the checkpoint has no manifest.json: it was never completed.", place=str(folder))
    manifest = _read_json(path)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(f"not a checkpoint manifest of format {FORMAT}.", place=str(path))
    body = {key: value for key, value in manifest.items() if key != "seal"}
    if _seal(body) != manifest.get("seal"):
        raise InputError(
            "the manifest was changed after it was written (its seal is wrong).", place=str(path)
        )
    if type(manifest.get("step")) is not int or not isinstance(manifest.get("files"), dict):
        raise InputError("the manifest lists no step and files.", place=str(path))
    return manifest


def _read_json(path: Path) -> Any:
    try:
        return json.loads(disk.read_limited(path, _JSON_LIMIT))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}.", place=str(path)) from error


def _verified(folder: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """Read one data file and compare size and hash with the manifest."""
    path, limits = folder / name, tensors.Limits()
    entry = manifest["files"].get(name)
    if not isinstance(entry, dict) or not {"sha256", "bytes"} <= entry.keys():
        raise InputError(f"lists no {name}.", place=str(folder / MANIFEST))
    data = disk.read_limited(path, limits.file if path.suffix == ".safetensors" else _JSON_LIMIT)
    if path.suffix == ".safetensors":
        tensors.check_header(data, str(path), limits)
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise InputError(
            f"the file is damaged: wrong SHA-256 ({len(data):,} bytes, the manifest says {entry['bytes']}).",
            place=str(path),
        )
    return data


def load_model(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the policy's weights and the manifest of one checkpoint; raises `InputError`."""
    manifest = read_manifest(folder)
    model = tensors.decode(_verified(folder, MODEL, manifest), str(folder / MODEL))
    return model, manifest


def load(folder: Path) -> Snapshot:
    """Return all of one checkpoint, verified; raises `InputError` naming the file and the reason."""
    model, manifest = load_model(folder)
    flat = tensors.decode(_verified(folder, STATE, manifest), str(folder / STATE))
    try:
        state = tree.unflatten(json.loads(_verified(folder, SKELETON, manifest)), flat)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"does not fit state.safetensors: {error}.", place=str(folder / SKELETON)) from error
    return Snapshot(manifest["step"], model, state, manifest)


def newest(run: Path) -> Snapshot | None:
    """Return the newest checkpoint of a run that verifies; None when none was ever completed.

    Warns (`DamagedWarning`) for each one passed over; raises `InputError` when none is left.
    """
    return _first(run, load)


def newest_model(run: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Like `load_model` for the newest checkpoint of a run that verifies; raises `InputError`."""
    return load_model(newest_folder(run))


def newest_folder(run: Path) -> Path:
    """Return the folder of the newest checkpoint whose weights verify; raises `InputError`."""

    def verified(folder: Path) -> Path:
        load_model(folder)
        return folder

    found = _first(run, verified)
    if found is None:
        raise InputError("the run has no complete checkpoint yet.", place=str(run))
    return found


def _first(run: Path, read: Callable[[Path], T]) -> T | None:
    """Return what `read` makes of the newest checkpoint that it accepts."""
    faults = _unfinished(run)
    for folder in complete(run):
        try:
            found = read(folder)
        except InputError as error:
            faults.append(error)
            continue
        for fault in faults:
            warnings.warn(f"{fault} Going on from {folder.name}.", DamagedWarning, stacklevel=3)
        return found
    if faults:
        raise faults[0]
    return None


def _unfinished(run: Path) -> list[InputError]:
    """Return an error when `latest.json` names a checkpoint that has lost its manifest."""
    try:
        folder = run / str(_read_json(run / "latest.json")["path"])
    except (InputError, KeyError, TypeError):
        return []
    if (folder / MANIFEST).is_file():
        return []
    return [InputError("the newest checkpoint has no manifest.json.", place=str(folder))]


def set_aside(run: Path, step: int) -> None:
    """Rename what is newer than `step` (it is damaged, or it would have been used) out of the way."""
    for folder in _numbered(run):
        if int(folder.name) > step:
            with disk.plain_errors(folder):
                target = folder.with_name(f"{folder.name}.damaged")
                if target.is_dir():
                    disk.remove_folder(target, first=MANIFEST)
                folder.rename(target)
