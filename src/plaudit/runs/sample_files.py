"""A folder of samples: one file per item, a wall of pictures, and the manifest that lists them all."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plaudit.errors import InputError, did_you_mean
from plaudit.media.limits import read_json
from plaudit.media.png import thumbnail, wall, write_png
from plaudit.runs import disk
from plaudit.runs.recipe import Recipe
from plaudit.runs.sampling import LARGEST_SEED, Batch, Order, draw

if TYPE_CHECKING:
    from plaudit.engine.learner import Policy
    from plaudit.task import Item, Task

WALL_ITEMS, WALL_SIDE = 64, 96
FILMS = 3
"""Items of a training's moment that are shown moving, where the task can."""
MANIFEST, WALL = "manifest.json", "wall.png"
_ITEM_FILE = re.compile(r"\d{4,}(\.film)?\.[A-Za-z0-9]+")


def check_format(task: Task, format: str) -> str:
    """Return the suffix to write; raises `InputError` with the list for an unknown one."""
    suffix = format.lower().lstrip(".") or task.formats[0]
    if suffix not in task.formats:
        raise InputError(
            f'{task.name} cannot be written as "{format}".',
            place="--format",
            hint=f"{did_you_mean(suffix, task.formats)} Formats: {', '.join(task.formats)}.",
        )
    return suffix


def write(
    task: Task,
    batch: Batch,
    folder: Path,
    about: Mapping[str, Any],
    format: str = "",
    films: Sequence[tuple[bytes, str]] = (),
) -> Path:
    """Write one file per item, `wall.png` and, last, `manifest.json`; returns the manifest's path.

    `about` is added to the manifest: task, policy, seed. `films`: of each item, if there are some, the bytes
    and the suffix of a film, which lies beside it. Files of an earlier manifest there are
    replaced; nothing else in the folder is touched. Raises `InputError` or `ResourceError`.
    """
    suffix = check_format(task, format)
    with disk.plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        names = [f"{number:04d}.{suffix}" for number in range(1, len(batch.items) + 1)]
        for item, name in zip(batch.items, names, strict=True):
            task.save(item, folder / name)
        pictures = [thumbnail(task.preview(item), WALL_SIDE) for item in batch.items[:WALL_ITEMS]]
        write_png(wall(pictures), folder / WALL)
        shown = [f"{number:04d}.film.{suffix}" for number, (_, suffix) in enumerate(films, start=1)]
        for (content, _), name in zip(films, shown, strict=True):
            (folder / name).write_bytes(content)
    rows = [_row(task, batch, row, name) for row, name in enumerate(names)]
    for entry, name in zip(rows, shown, strict=False):
        entry["film"] = name
    twins = {term.name: term.direction for term in task.terms() if term.eval_only}
    counts = {"asked": len(rows), "rejected": batch.rejected}
    manifest = {**about, **counts, "twins": twins, "items": rows}
    text = json.dumps(manifest, indent=1, allow_nan=False)
    disk.write_atomic(folder / MANIFEST, text.encode() + b"\n")
    return folder / MANIFEST


def _clear(folder: Path) -> None:
    """Remove the items that an earlier manifest here lists: a smaller batch would leave strangers."""
    if not (folder / MANIFEST).is_file():
        return
    try:
        items = read_json(folder / MANIFEST)["items"]
        listed = [str(item[key]) for item in items for key in ("file", "film") if key in item]
    except (InputError, KeyError, TypeError):
        return
    for name in listed:
        if _ITEM_FILE.fullmatch(name):
            (folder / name).unlink(missing_ok=True)


def _row(task: Task, batch: Batch, row: int, name: str) -> dict[str, Any]:
    """What the manifest says of one item."""
    item = batch.items[row]
    statistics = {key: number_or_none(batch.figures[key][row]) for key in task.statistics}
    return {
        "file": name,
        "seed": item.seed,
        "request": item.request.model_dump(mode="json"),
        "terms": batch.terms[row],
        "met": bool(batch.figures["control"][row] > 0),
        "quality": number_or_none(batch.figures["quality"][row]),
        "statistics": statistics,
        "info": item.info,
    }


def number_or_none(value: Any) -> float | None:
    """A JSON number; None for what is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None


def snapshot(task: Task, policy: Policy, recipe: Recipe, folder: Path) -> None:
    """Write the samples of a training's moment: always the same 16 seeds, so that they can be compared."""
    # Pictures where there are some: the live wall and the report show these files.
    suffix = "png" if "png" in task.formats else task.formats[0]
    batch = draw(task, policy, recipe, Order(n=16, seed=recipe.seed % LARGEST_SEED))
    write(task, batch, folder, {"task": task.name, "policy": "training"}, suffix)
    write_replays(task, batch.items[:FILMS], folder)


def write_replays(task: Task, items: Sequence[Item], folder: Path) -> None:
    """Write `replay_0001.gif` and so on where `task.replay` makes one; raises `ResourceError`."""
    make = getattr(task, "replay", None)
    for number, item in enumerate(items if make else (), start=1):
        film = make(item)  # type: ignore[misc]
        if film is not None:
            disk.write_atomic(folder / f"replay_{number:04d}.gif", film, durable=False)
