"""A recipe of several stages: each is an ordinary run in `stages/01-prior/`, one after another."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from plaudit.engine.fit import Event
from plaudit.errors import Diverged, InputError, PlauditError
from plaudit.runs import checkpoint, disk
from plaudit.runs.folder import RunFolder, is_run
from plaudit.runs.lock import Lock
from plaudit.runs.recipe import Recipe
from plaudit.runs.signals import Interrupted, Signals

if TYPE_CHECKING:
    from plaudit.runs.trainer import Trainer

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def check(recipe: Recipe) -> None:
    """Raise `InputError` for stages that cannot be told apart, or that hold stages themselves."""
    names = [stage.name for stage in recipe.stages]
    for number, stage in enumerate(recipe.stages):
        place = f"stages[{number}]"
        if not _NAME.fullmatch(stage.name):
            raise InputError(
                f'"{stage.name}" is no name for a stage.', place=place, hint="Use letters and digits."
            )
        if names.count(stage.name) > 1:
            raise InputError(f'two stages are called "{stage.name}".', place=place)
        if stage.stages:
            raise InputError("a stage cannot have stages.", place=place)


def events(trainer: Trainer, signals: Signals) -> Iterator[Event]:
    """Run the stages that are not done; yields their events, each with the name of its stage."""
    folder = trainer.begin()
    with Lock(folder.path):
        disk.make_folder(folder.path / "stages")
        progress = _Progress(folder, trainer.recipe)
        try:
            yield from _run_all(trainer, folder, progress, signals)
        except GeneratorExit:
            progress.write("interrupted")
            raise
        except BaseException as error:
            with suppress(PlauditError):
                progress.write(_state(error), error=str(error))
            raise
        progress.write("done")


def _run_all(trainer: Trainer, folder: RunFolder, progress: _Progress, signals: Signals) -> Iterator[Event]:
    for number, recipe in enumerate(trainer.recipe.stages):
        path = folder.path / "stages" / f"{number + 1:02d}-{recipe.name}"
        progress.stage = number
        if _is_done(path):
            continue
        last = number == len(trainer.recipe.stages) - 1
        for event in _trainer(trainer, path, recipe, folder).events(signals):
            progress.see(path, event)
            if event.kind != "done" or last:
                yield replace(event, stage=recipe.name)


def _trainer(outer: Trainer, path: Path, recipe: Recipe, folder: RunFolder) -> Trainer:
    task = outer.task if recipe.task == outer.recipe.task else None
    kind = type(outer)
    if is_run(path):
        return kind.resume(path, task, sampler=outer.sampler, home=folder.path)
    return kind(recipe, path, task, sampler=outer.sampler, home=folder.path)


def _is_done(path: Path) -> bool:
    return is_run(path) and RunFolder(path).status().get("state") == "done"


def _state(error: BaseException) -> str:
    if isinstance(error, Interrupted | KeyboardInterrupt):
        return "interrupted"
    return "diverged" if isinstance(error, Diverged) else "failed"


class _Progress:
    """Keeps `status.json` and `latest.json` of the run of stages in step with the stage at work."""

    def __init__(self, folder: RunFolder, recipe: Recipe) -> None:
        self.folder, self.recipe, self.stage = folder, recipe, 0
        self._event: Event | None = None
        self._beat = 0.0

    def see(self, path: Path, event: Event) -> None:
        """Take note of an event of the stage in `path`."""
        self._event = event
        if event.kind == "checkpoint":
            newest = checkpoint.complete(path)[0]
            checkpoint.point(self.folder.path, newest, event.step)
        if event.kind in ("checkpoint", "done") or time.monotonic() - self._beat > 1.0:
            self.write("running")

    def write(self, state: str, error: str | None = None) -> None:
        """Write the status; `share` is over all stages, the other figures are the stage's."""
        event, count = self._event, len(self.recipe.stages)
        inner = event.share if event else 0.0
        self.folder.write_status(
            {
                "state": state,
                "task": self.recipe.task,
                "stage": self.recipe.stages[self.stage].name,
                "step": event.step if event else 0,
                "unit": event.unit if event else "steps",
                "share": 1.0 if state == "done" else (self.stage + inner) / count,
                "eta_s": event.eta_s if event else None,
                "error": None if state == "interrupted" else error,
            }
        )
        self._beat = time.monotonic()
