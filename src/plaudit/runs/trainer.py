"""Train a recipe in a run folder, from the start or from where it stopped."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from plaudit.engine.fit import Event
from plaudit.errors import InputError
from plaudit.runs import disk, inputs, stages
from plaudit.runs.checking import bound
from plaudit.runs.folder import RunFolder
from plaudit.runs.lock import Lock
from plaudit.runs.recipe import Recipe
from plaudit.runs.session import Job, Sampler, Session
from plaudit.runs.signals import Signals

if TYPE_CHECKING:
    from plaudit.task import Task


class Trainer:
    """A training that is iterated or run; `folder` is its run folder once it has begun.

    Args:
        recipe: how to train, or the name of a task (its default recipe).
        out: the run folder; None = a dated folder below `root`.
        task: the task object; None = the one the recipe names.
        sampler: writes samples of the policy into a folder, at the start and at up to ten moments.
        root: where dated run folders go.
        home: the folder that the user resumes, for a stage of another run.

    >>> for event in Trainer("level/path").iter():  # doctest: +SKIP
    ...     print(event.step, event.metrics)
    """

    def __init__(
        self,
        recipe: Recipe | str,
        out: Path | str | None = None,
        task: Task | None = None,
        *,
        sampler: Sampler | None = None,
        root: Path = Path("runs"),
        home: Path | None = None,
    ) -> None:
        name = recipe if isinstance(recipe, str) else recipe.task
        self.task: Task = task if task is not None else _task(name)
        self.recipe = next(iter(self.task.recipes().values())) if isinstance(recipe, str) else recipe
        self.task = bound(self.task, self.recipe)
        self.out = None if out is None else Path(out)
        self.root, self.home, self.sampler = Path(root), home, sampler
        self.folder: RunFolder | None = None
        stages.check(self.recipe)

    @classmethod
    def resume(
        cls,
        folder: Path | str,
        task: Task | None = None,
        *,
        sampler: Sampler | None = None,
        home: Path | None = None,
    ) -> Trainer:
        """Return a trainer that goes on in an existing run folder, to the same budget."""
        run = RunFolder.open(folder)
        trainer = cls(run.recipe, run.path, task, sampler=sampler, home=home)
        trainer.folder = run
        return trainer

    def run(self) -> RunFolder:
        """Train to the end and return the run folder; raises `PlauditError`."""
        for _ in self.iter():
            pass
        assert self.folder is not None
        return self.folder

    def iter(self) -> Iterator[Event]:
        """Yield what happens, step by step; leaving the loop early saves and ends the training."""
        with Signals() as signals:
            yield from self.events(signals)

    def events(self, signals: Signals) -> Iterator[Event]:
        """Like `iter`, under signals that the caller has caught."""
        if self.recipe.stages:
            yield from stages.events(self, signals)
            return
        with _threads(self.recipe.threads):
            job = self._prepare()
            with Lock(job.run.path):
                yield from Session(job).events(signals)

    def begin(self) -> RunFolder:
        """Return the run folder, made now if the training is new."""
        if self.folder is None:
            self.folder = RunFolder.create(self.recipe, self.out, self.root)
            disk.write_atomic(self.folder.path / "command.txt", _command().encode())
        return self.folder

    def _prepare(self) -> Job:
        """Build the learner before there is a folder: what cannot be built leaves nothing behind."""
        if self.folder is None:
            found = inputs.resolve(self.recipe.inputs, self.out)
            learner = self.task.build(self.recipe, found)
            inputs.pin(self.begin(), self.recipe.inputs, found)
        else:
            learner = self.task.build(self.recipe, inputs.pinned(self.folder, self.recipe.inputs))
        run = self.begin()
        return Job(run, self.task, self.recipe, learner, self.home or run.path, self.sampler)


def _task(name: str) -> Task:
    from plaudit.domains import get_task

    return get_task(name)


def _command() -> str:
    """Return the command line that started this process, without the path of the program."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return shlex.join([program, *sys.argv[1:]]) + "\n"


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads inside: sums depend on it in their last digits."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(count)
    except RuntimeError as error:
        raise InputError(f"torch cannot use {count} threads: {error}.", place="threads") from error
    try:
        yield
    finally:
        torch.set_num_threads(before)
