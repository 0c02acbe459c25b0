"""One training in one run folder: restore, fit, log, sample, save, and an honest status at the end.

A run that diverges keeps its last good checkpoint and stops (exit code 4); it is not retried with
other settings, since a run is what its recipe says.
"""

from __future__ import annotations

import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from plaudit.engine.fit import Amount, Event, Pace, Plan, fit
from plaudit.engine.learner import Learner, Policy
from plaudit.errors import Diverged, InputError, PlauditError, ResourceError
from plaudit.runs import checkpoint, disk, environment, tensors
from plaudit.runs.checkpoint import Snapshot
from plaudit.runs.folder import RunFolder
from plaudit.runs.recipe import Recipe
from plaudit.runs.records import Records
from plaudit.runs.signals import Interrupted, Signals

if TYPE_CHECKING:
    from plaudit.task import Task

Sampler = Callable[["Task", Policy, Recipe, Path], None]
"""Writes samples of the policy as it is now into an empty folder."""

_HEARTBEAT_S = 1.0
_SPARE = 1 << 24
"""Bytes left for logs and samples beside three checkpoints."""


class InexactWarning(UserWarning):
    """The resumed run may differ in its bits from the uninterrupted one."""


@dataclass(frozen=True)
class Job:
    """What is trained and where.

    Attributes:
        home: the folder that the user resumes: `run`'s own, or that of the run it is a stage of.
        sampler: called at the start and at ten moments of the budget, at fewer of a short one; None = no
            samples.
    """

    run: RunFolder
    task: Task
    recipe: Recipe
    learner: Learner
    home: Path
    sampler: Sampler | None = None


class Session:
    """The work of one process on a run; the caller holds the run's lock."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.pace = Pace()
        budget, every = (
            Amount.parse(getattr(job.recipe, key), place=f"{job.run.path}/recipe.toml: {key}")
            for key in ("budget", "checkpoint")
        )
        self.plan = Plan(budget, every, samples=_moments(budget) if job.sampler else 0)
        self._records: Records | None = None
        self._last: Event | None = None
        self._beat = 0.0
        self._trial = True

    def events(self, signals: Signals) -> Iterator[Event]:
        """Train to the end of the budget; raises `Interrupted`, `Diverged` or what else stopped it."""
        try:
            self._restore()
            yield from self._train(signals)
        except GeneratorExit:
            self._leave()
            raise
        except BaseException as error:
            told = self._failure(error)
            if told is error:
                raise
            raise told from error
        finally:
            if self._records is not None:
                with suppress(PlauditError):
                    self._records.close()

    def _train(self, signals: Signals) -> Iterator[Event]:
        for event in fit(self.job.learner, self.plan, self.pace, signals.stop):
            self._last = event
            self._handle(event)
            yield event
        if self._last is not None and self._last.finished:
            self._status("done")
            return
        raise Interrupted(f"Saved at step {self.job.learner.progress[0]:,}.", signals.caught or 130)

    def _handle(self, event: Event) -> None:
        assert self._records is not None
        if event.kind == "metrics":
            self._records.write(event)
        elif event.kind == "sample":
            self._sample(event)
        elif event.kind == "checkpoint":
            self._save(event)
        if time.monotonic() - self._beat > _HEARTBEAT_S:
            self._status("running")

    def _restore(self) -> None:
        """Continue from the newest checkpoint, or begin."""
        job, here = self.job, environment.describe(self.job.learner.describe())
        snapshot = checkpoint.newest(job.run.path)
        offsets = {} if snapshot is None else snapshot.record.get("logs", {})
        if snapshot is None:
            job.run.write_json("env.json", here)
        else:
            self._load(snapshot)
            checkpoint.set_aside(job.run.path, snapshot.step)
            checkpoint.point(job.run.path, _place(job.run, snapshot.step), snapshot.step)
            _drop_later_samples(job.run, snapshot.step)
            _compare(job.run, here)
        self._records = Records(job.run.path, offsets)
        for name in self._records.missing:
            warnings.warn(f"{job.run.path / name} was cut: its older lines are missing.", stacklevel=2)
        self._status("running")

    def _load(self, snapshot: Snapshot) -> None:
        place = _place(self.job.run, snapshot.step)
        wanted = self.job.learner.policy().tensors()
        tensors.check_match(snapshot.model, wanted, f"{place}/{checkpoint.MODEL}")
        try:
            self.job.learner.load_state_dict(snapshot.state["learner"], dict(snapshot.model))
            self.pace.load_state_dict(snapshot.state["pace"])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            reason = f"the state does not fit this recipe ({type(error).__name__}: {error})."
            raise InputError(reason, place=f"{place}/{checkpoint.STATE}") from error

    def _snapshot(self, event: Event, offsets: dict[str, int]) -> Snapshot:
        assert self._records is not None
        policy = self.job.learner.policy()
        record = {
            "task": self.job.recipe.task,
            "unit": event.unit,
            "share": event.share,
            "score": self._records.take_score(),
            "threads": torch.get_num_threads(),
            "policy": policy.describe(),
            "learner": self.job.learner.describe(),
            "logs": offsets,
        }
        state = {"learner": self.job.learner.state_dict(), "pace": self.pace.state_dict()}
        return Snapshot(event.step, policy.tensors(), state, record)

    def _save(self, event: Event) -> None:
        assert self._records is not None
        start = time.perf_counter()
        folder = checkpoint.save(self.job.run.path, self._snapshot(event, self._records.sync()))
        self._records.time(event, save_s=time.perf_counter() - start)
        if self._trial:
            # The first save is the trial: from its size follows what the run will need.
            size = sum(file.stat().st_size for file in folder.iterdir())
            disk.check_space(folder, 2 * size + _SPARE)
            self._trial = False
        self._status("running")

    def _sample(self, event: Event) -> None:
        assert self._records is not None and self.job.sampler is not None
        start, place = time.perf_counter(), self.job.run.path / "samples"
        disk.make_folder(place)
        part, target = place / ".part", place / f"step_{event.step:06d}"
        with disk.plain_errors(target):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            self.job.sampler(self.job.task, self.job.learner.policy(), self.job.recipe, part)
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
        self._records.time(event, sample_s=time.perf_counter() - start)

    def _leave(self) -> None:
        """The caller of the generator went away between two steps: save what there is."""
        if self._last is None or self._records is None or self._last.kind == "done":
            return
        step = self.job.learner.progress[0]
        if self.pace.saved_count != step:
            self.pace.saved_count, self.pace.saved_s = step, self.pace.elapsed_s
            self._save(self._last)
        self._status("interrupted")

    def _failure(self, error: BaseException) -> BaseException:
        """Write down why the training ended, and return the error to raise for it."""
        home = self.job.home
        go_on = f"Go on with: plaudit resume {home}"
        state, told = "failed", error
        if isinstance(error, Interrupted):
            state, told = "interrupted", Interrupted(error.message, error.exit_code, hint=go_on)
        elif isinstance(error, KeyboardInterrupt):
            state, told = (
                "interrupted",
                Interrupted("Stopped at once; the last step is lost.", 130, hint=go_on),
            )
        elif isinstance(error, Diverged):
            state, told = (
                "diverged",
                Diverged(error.message, place=error.place, hint=self._last_good(error.hint)),
            )
        elif isinstance(error, MemoryError | torch.OutOfMemoryError):
            told = ResourceError("out of memory.", place=str(home), hint="Use a smaller batch or network.")
        with suppress(PlauditError):
            self._status(state, error=None if state == "interrupted" else str(told) or type(told).__name__)
        return told

    def _last_good(self, hint: str) -> str:
        folders = checkpoint.complete(self.job.run.path)
        kept = f"The last good checkpoint is {folders[0]}." if folders else ""
        return f"{hint} {kept}".strip()

    def _status(self, state: str, error: str | None = None) -> None:
        count, unit = self.job.learner.progress
        share = self.plan.budget.share(count, self.pace.elapsed_s)
        status: dict[str, Any] = {"state": state, "task": self.job.recipe.task, "step": count, "unit": unit}
        eta_s = self.pace.elapsed_s * (1.0 - share) / share if share > 0 else None
        status.update(share=share, elapsed_s=self.pace.elapsed_s, eta_s=eta_s, error=error)
        self.job.run.write_status(status)
        self._beat = time.monotonic()


def _place(run: RunFolder, step: int) -> Path:
    return run.path / "checkpoints" / f"{step:06d}"


def _moments(budget: Amount) -> int:
    """How often to sample: ten times, but at most every 15 seconds, as sampling takes a few itself.

    >>> _moments(Amount(45.0, "seconds")), _moments(Amount(600.0, "seconds")), _moments(Amount(90, "steps"))
    (3, 10, 10)
    """
    return 10 if budget.unit == "steps" else int(min(10, max(1, budget.value // 15)))


def _drop_later_samples(run: RunFolder, step: int) -> None:
    """Remove samples of steps that the resumed run has yet to take: it will make them again."""
    for folder in run.samples():
        if int(folder.name.removeprefix("step_")) > step:
            with disk.plain_errors(folder):
                shutil.rmtree(folder)


def _compare(run: RunFolder, here: dict[str, Any]) -> None:
    try:
        found = environment.differences(run.read_json("env.json"), here)
    except InputError:
        found = ["env.json is missing"]
    if found:
        warnings.warn(
            f"The resumed run is not bit-identical: {'; '.join(found)}.", InexactWarning, stacklevel=2
        )
