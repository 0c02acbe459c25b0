"""Trained policies by name: a preset of the package, a run, a checkpoint or an exported `.plaudit` file.

All four hold the same files: `model.safetensors`, `manifest.json` (which describes the policy and pins
the weights by SHA-256) and `recipe.toml`; a preset also has `scores.json`. An exported file is a plain
zip of them. Loading runs no code: no pickle, nothing imported that a file names.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

import plaudit
from plaudit.domains import TASKS
from plaudit.engine.learner import Policy
from plaudit.errors import InputError, did_you_mean
from plaudit.runs import checkpoint, disk, toml
from plaudit.runs.folder import RunFolder, is_run
from plaudit.runs.recipe import Recipe
from plaudit.runs.recipes import load

SUFFIX = ".plaudit"
RECIPE, SCORES = "recipe.toml", "scores.json"
_ENTRIES = {checkpoint.MODEL: 1 << 31, checkpoint.MANIFEST: 1 << 26, RECIPE: 1 << 20, SCORES: 1 << 20}
"""What an exported file may hold, with the most bytes of each."""
_LATEST = "runs/latest"


def folders() -> dict[str, Path]:
    """Every preset of the package by name: `level/maze`, or `level/maze-dqn` for a named recipe."""
    domains = Path(plaudit.__file__).parent / "domains"
    found = sorted(domains.glob(f"*/presets/*/{checkpoint.MODEL}"))
    return {f"{path.parents[2].name}/{path.parent.name}": path.parent for path in found}


def find(name: str) -> Path:
    """Return the folder of the preset called `name`; raises `InputError`."""
    known = folders()
    if name in known:
        return known[name]
    tasks = [info.name for info in TASKS]
    if name in tasks:
        raise InputError(f"{name} ships no preset.", hint=f"Train one: plaudit train {name}")
    raise InputError(
        f'there is no preset, run or file called "{name}".', hint=did_you_mean(name, {*known, *tasks})
    )


def load_policy(source: str | Path) -> tuple[Policy, Recipe]:
    """Return the policy and its recipe from a preset name, run, checkpoint folder or exported file.

    Of a run it is the newest complete checkpoint. Raises `InputError`.
    """
    path = Path(source)
    if path.suffix == SUFFIX:
        return _load_exported(path)
    folder, recipe = locate(source)
    return policy_in(folder), load(recipe)


def locate(source: str | Path) -> tuple[Path, Path]:
    """Return the folder of the weights and the recipe file that `source` means; raises `InputError`."""
    path = latest() if str(source) == _LATEST else Path(source)
    if is_run(path):
        result = RunFolder.open(path).result()
        folders = checkpoint.complete(result.path)
        newest = folders[0] if folders else result.checkpoint()
        return newest, result.path / RECIPE
    if (path / checkpoint.MODEL).is_file():
        return path, path / RECIPE if (path / RECIPE).is_file() else path.parents[1] / RECIPE
    if path.exists():
        raise InputError("is not a run, a checkpoint or an exported file.", place=str(path))
    folder = find(str(source))
    return folder, folder / RECIPE


def latest(root: Path = Path("runs")) -> Path:
    """Return the run below `root` that was at work last; raises `InputError` when there is none."""
    runs = [path for path in root.iterdir() if is_run(path)] if root.is_dir() else []
    if not runs:
        raise InputError("there is no run yet.", place=str(root), hint="Make one: plaudit train level/maze")
    return max(runs, key=lambda path: (path / "status.json").stat().st_mtime)


def policy_in(folder: Path) -> Policy:
    """Rebuild the policy of one checkpoint, preset or unpacked export; raises `InputError`."""
    tensors, manifest = checkpoint.load_model(folder)
    return build(manifest.get("policy"), tensors, str(folder))


def build(description: Any, tensors: dict[str, Tensor], place: str) -> Policy:
    """Make the policy of a description; tensors that do not fit it are an `InputError`."""
    from plaudit.engine import policies

    if not isinstance(description, dict):
        raise InputError("the manifest describes no policy.", place=place)
    try:
        return policies.build(description, tensors)
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError, AssertionError) as error:
        raise InputError(
            f"its tensors or its description are of another kind of policy: {error}.", place=place
        ) from error


def write(folder: Path, policy: Policy, recipe: Recipe, scores: Mapping[str, Any] | None = None) -> Path:
    """Write a preset: weights, manifest, recipe and measured scores; raises `ResourceError`."""
    with disk.plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    record = {"policy": policy.describe(), "task": recipe.task}
    checkpoint.write_model(folder, checkpoint.Snapshot(0, policy.tensors(), {}, record))
    disk.write_atomic(folder / RECIPE, toml.dumps(without_paths(recipe).model_dump()).encode())
    if scores is not None:
        disk.write_atomic(folder / SCORES, json.dumps(scores, indent=1).encode() + b"\n")
    return folder


def without_paths(recipe: Recipe) -> Recipe:
    """The recipe without the folders of the user's machine: of an input file only its name stays."""
    inputs = {
        key: Path(value).name if os.path.isabs(value) else value for key, value in recipe.inputs.items()
    }
    return recipe.model_copy(update={"inputs": inputs, "stages": tuple(map(without_paths, recipe.stages))})


def export(source: str | Path, out: Path) -> Path:
    """Write the policy of a run or preset as one `.plaudit` file; equal policies give equal bytes."""
    if out.suffix != SUFFIX:
        raise InputError(f"an exported policy ends in {SUFFIX}.", place=str(out))
    policy, recipe = load_policy(source)
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), policy, recipe)
        with disk.plain_errors(out):
            part = out.with_name(f".{out.name}.part")
            with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
                for entry in sorted(path for path in folder.iterdir() if path.name in _ENTRIES):
                    # A fixed date keeps the bytes equal.
                    archive.writestr(zipfile.ZipInfo(entry.name), entry.read_bytes())
            os.replace(part, out)
    return out


def _load_exported(path: Path) -> tuple[Policy, Recipe]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for entry, data in _read_archive(path).items():
            (folder / entry).write_bytes(data)
        try:
            recipe = load(folder / RECIPE)
            policy = policy_in(folder)
        except InputError as error:
            inner = error.place.replace(name, str(path))
            raise InputError(error.message, place=inner or str(path), hint=error.hint) from error
    if recipe.task not in {info.name for info in TASKS}:
        raise InputError(f'holds a policy for the unknown task "{recipe.task}".', place=str(path))
    return policy, recipe


def _read_archive(path: Path) -> dict[str, bytes]:
    """Read the known entries of an exported file under their limits; raises only `InputError`."""
    if not path.is_file():
        raise InputError("there is no such file.", place=str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            return {info.filename: _read_entry(archive, info, path) for info in archive.infolist()}
    # zipfile raises many kinds for damaged archives: RuntimeError, zlib.error, struct.error, EOFError ...
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"is not an exported policy: {error}.", place=str(path)) from error


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    limit = _ENTRIES.get(info.filename)
    if limit is None:
        raise InputError(f'holds the foreign entry "{info.filename[:80]}".', place=str(path))
    with archive.open(info) as file:
        data = file.read(limit + 1)
    if len(data) > limit or info.file_size > limit:
        raise InputError(f"its {info.filename} is larger than {limit:,} bytes.", place=str(path))
    return data
