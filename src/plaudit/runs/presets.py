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
from plaudit.runs import checkpoint, disk, index, toml
from plaudit.runs.folder import RunFolder, is_run
from plaudit.runs.recipe import Recipe
from plaudit.runs.recipes import load

SUFFIX = ".plaudit"
RECIPE, SCORES = "recipe.toml", "scores.json"
_ENTRIES = {checkpoint.MODEL: 1 << 31, checkpoint.MANIFEST: 1 << 26, RECIPE: 1 << 20, SCORES: 1 << 20}
"""What an exported file may hold, with the most bytes of each."""


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
    tasks = {info.name: info.no_preset or f"Train one: plaudit train {info.name}" for info in TASKS}
    if name in tasks:
        raise InputError(f"{name} ships no preset.", hint=tasks[name])
    hint = did_you_mean(name, {*known, *tasks})
    if not hint.startswith("Did"):
        hint = f"Presets: {', '.join(known) or 'none'}. List: plaudit tasks, plaudit runs list"
    raise InputError(f'there is no preset, run or file called "{name}".', hint=hint)


def load_policy(source: str | Path, task: str = "") -> tuple[Policy, Recipe]:
    """Return the policy and its recipe from a preset name, run, checkpoint folder or exported file.

    Of a run it is the newest checkpoint that verifies. `task` names a task outside the package that an
    exported file may be of: the file alone is not trusted to say what is imported. Raises `InputError`.
    """
    path = Path(source)
    if path.suffix == SUFFIX:
        return _load_exported(path, task)
    if (path / checkpoint.MODEL).is_file():
        recipe = path / RECIPE if (path / RECIPE).is_file() else path.resolve().parents[1] / RECIPE
        return policy_in(path), load(recipe)
    if str(source) in folders():
        folder = find(str(source))
        return policy_in(folder), load(folder / RECIPE)
    run = RunFolder.open(_run(source)).result()
    tensors, manifest = checkpoint.newest_model(run.path)
    return build(manifest.get("policy"), tensors, str(run.path)), load(run.path / RECIPE)


def _run(source: str | Path) -> Path:
    """The run folder that `source` means; raises `InputError` with the nearest preset or run."""
    path = Path(source)
    if is_run(path) or path.name == index.LATEST:
        return index.find(source)
    if path.exists():
        raise InputError("is not a run, a checkpoint or an exported file.", place=str(path))
    try:
        return index.find(source)
    except InputError:
        return find(str(source))


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
    except InputError as error:
        raise InputError(error.message, place=error.place or place, hint=error.hint) from error
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


def _load_exported(path: Path, task: str) -> tuple[Policy, Recipe]:
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
    if recipe.task not in {*(info.name for info in TASKS), task}:
        raise InputError(f'holds a policy for the unknown task "{recipe.task}".', place=str(path))
    return policy, _without_files(recipe)


def _without_files(recipe: Recipe) -> Recipe:
    """The recipe without terms of the form `file.py:function`: a foreign file names no code to run."""
    reward = tuple(entry for entry in recipe.reward if ".py:" not in entry.term)
    return recipe.model_copy(update={"reward": reward, "stages": tuple(map(_without_files, recipe.stages))})


def _read_archive(path: Path) -> dict[str, bytes]:
    """Read the known entries of an exported file under their limits; raises only `InputError`."""
    if not path.is_file():
        raise InputError("there is no such file.", place=str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > len(_ENTRIES):
                raise InputError(f"holds {len(entries)} entries.", place=str(path))
            return {info.filename: _read_entry(archive, info, path) for info in entries}
    # zipfile raises many kinds for damaged archives: RuntimeError, zlib.error, struct.error, EOFError ...
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"is not an exported policy: {error}.", place=str(path)) from error


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    limit = _ENTRIES.get(info.filename)
    if limit is None:
        raise InputError(f'holds the foreign entry "{info.filename[:80]}".', place=str(path))
    # Stored, not compressed: what is read is never larger than the file.
    if info.compress_type != zipfile.ZIP_STORED:
        raise InputError(f"its {info.filename} is compressed.", place=str(path))
    with archive.open(info) as file:
        data = file.read(limit + 1)
    if len(data) > limit or info.file_size > limit:
        raise InputError(f"its {info.filename} is larger than {limit:,} bytes.", place=str(path))
    return data
