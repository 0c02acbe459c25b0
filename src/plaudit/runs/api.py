"""The Python face: train, resume and load; what they return samples, evaluates, reports and exports.

The command line calls these same functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plaudit.domains import get_task
from plaudit.engine.learner import Policy
from plaudit.errors import InputError
from plaudit.media.film import SUFFIXES, Film
from plaudit.reward.term import Term
from plaudit.reward.user import spec_of
from plaudit.runs import evaluation, presets, sample_files, sampling
from plaudit.runs.checking import bound, check_request, request_of
from plaudit.runs.folder import RunFolder
from plaudit.runs.places import Places
from plaudit.runs.recipe import Recipe
from plaudit.runs.recipes import Changes, resolve
from plaudit.runs.sampling import Order, Tick
from plaudit.runs.trainer import Trainer

if TYPE_CHECKING:
    from plaudit.task import Item, Task

EVALUATED = 100
EVALUATION_SEED = 1_000_003
"""Far from the small seeds that people type, so that evaluation and samples are other items."""


def _silent(done: int, asked: int) -> None:
    """The tick of whoever shows no progress."""


@dataclass(frozen=True)
class Samples(Sequence["Item"]):
    """Generated items with their scores: a sequence of `Item` that can be saved."""

    task: Task
    batch: sampling.Batch
    about: Mapping[str, Any]
    policy: Policy | None = None
    """What made the items."""

    def __len__(self) -> int:
        return len(self.batch.items)

    def __getitem__(self, at: Any) -> Any:
        return self.batch.items[at]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.batch.items)

    @property
    def met(self) -> int:
        """How many items met every target."""
        return int(np.sum(self.batch.figures["control"] > 0))

    @property
    def nearest_miss(self) -> str:
        """What the item that missed its targets by least came to, and what was asked; "" = none missed."""
        figures, best, least = self.batch.figures, "", np.inf
        for at, item in enumerate(self.batch.items):
            asked = {k: v for k, v in getattr(item.request, "target", {}).items() if k in figures}
            off = sum(abs(float(figures[name][at]) - value) for name, value in asked.items())
            if asked and figures["control"][at] <= 0 and off < least:
                parts = (f"{name} {figures[name][at]:g}, asked {value:g}" for name, value in asked.items())
                best, least = f"item {at + 1}: " + "; ".join(parts), off
        return best

    def save(self, folder: str | Path, format: str = "", animate: str = "") -> Path:
        """Write one file per item, `wall.png` and `manifest.json`; returns the manifest's path.

        `animate` = "gif" or "apng" adds a film of each item in the making: see `films`.
        """
        films = [(film.encoded(animate), SUFFIXES[animate]) for film in self.films()] if animate else []
        return sample_files.write(self.task, self.batch, Path(folder), self.about, format, films)

    def films(self) -> list[Film]:
        """The items in the making, which takes about as long as making them.

        Raises `InputError` for a task that shows none.
        """
        show = getattr(self.task, "films", None)
        if show is None or self.policy is None:
            raise InputError(
                f"{self.task.name} shows no items in the making.", hint="Sampled tile games and paintings do."
            )
        made: list[Film] = show(self.policy, self.batch.items)
        return made


class Model:
    """A trained policy with its task and recipe: `plaudit.load("level/maze")`."""

    def __init__(self, policy: Policy, recipe: Recipe, task: Task | None = None, name: str = "") -> None:
        self.policy, self.recipe = policy, recipe
        self.task: Task = bound(task or get_task(recipe.task), recipe)
        self.name = name or recipe.task

    def sample(
        self,
        n: int | None = None,
        target: Mapping[str, float] | None = None,
        seed: int = 0,
        order: Order | None = None,
        tick: Tick = _silent,
        **ask: Any,
    ) -> Samples:
        """Generate n items (16 by default); `ask` sets request fields: `model.sample(8, size=(22, 14))`.

        `order` says everything at once and overrides the rest. Raises `InputError` or `Infeasible`.
        """
        given = {**ask, "target": dict(target)} if target else ask
        order = order or Order(n=n, seed=seed, given=given)
        batch = sampling.draw(self.task, self.policy, self.recipe, order, tick)
        about = {"task": self.recipe.task, "policy": self.name, "seed": order.seed, "best_of": order.best_of}
        return Samples(self.task, batch, about, self.policy)

    def repair(self, file: str | Path, target: Mapping[str, float] | None = None, **ask: Any) -> Samples:
        """Make the item of a file good, and as asked, in few edits; `info["repair"]` lists them.

        Raises `InputError` for a task that repairs nothing, `Infeasible` where no few edits are enough.
        """
        mend = getattr(self.task, "repair", None)
        if mend is None:
            raise InputError(f"{self.recipe.task} has no repair.", hint="Levels made of tiles have one.")
        item = self.task.load(Path(file))
        wanted = {**ask, "target": dict(target)} if target else ask
        changed = {**item.request.model_dump(mode="json"), **wanted}
        item.request = request_of(self.task, changed, Places(), ("request",))
        check_request(self.task, item.request, "request")
        batch = sampling.Batch([mend(item)])
        sampling.describe(self.task, sampling.composition_of(self.task, self.recipe), batch)
        return Samples(self.task, batch, {"task": self.recipe.task, "policy": "repair", "source": str(file)})

    def predict(self, obs: Any, state: Any = None, mask: Any = None) -> tuple[np.ndarray, Any]:
        """Return the greedy action for one observation `(*O)` or a batch `(B, *O)`, and the state.

        `mask` holds the allowed actions, `(A,)` or `(B, A)`.
        """
        given = np.asarray(obs)
        shape = self._observation_shape()
        if given.shape not in (shape, (len(given) if given.ndim else 0, *shape)):
            raise InputError(f"the policy sees observations of shape {shape}, got {given.shape}.")
        single = given.shape == shape
        batch = torch.as_tensor(given[None] if single else given)
        allowed = None if mask is None else torch.as_tensor(np.atleast_2d(mask), dtype=torch.bool)
        action, state, _ = self.policy.act(batch, state, allowed, None)
        plain = action.detach().cpu().numpy()
        return (plain[0] if single else plain), state

    def _observation_shape(self) -> tuple[int, ...]:
        from plaudit.engine import spaces

        space = spaces.rebuild(self.policy.describe()["observation_space"])
        return tuple(space.shape or ())

    def evaluate(
        self, n: int = EVALUATED, seed: int = EVALUATION_SEED, tick: Tick = _silent
    ) -> tuple[dict[str, Any], list[Item]]:
        """Judge n items beside the baselines; returns the figures and the items that failed."""
        return evaluation.evaluate(self.task, self.policy, self.recipe, Order(n=n, seed=seed), tick)


class Run:
    """A run folder and what can be done with it."""

    def __init__(self, folder: str | Path, task: Task | None = None) -> None:
        self.folder = RunFolder.open(folder).path
        self._task = task

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    @property
    def recipe(self) -> Recipe:
        """The recipe as it was resolved when the run began."""
        return RunFolder.open(self.folder).recipe

    @property
    def model(self) -> Model:
        """The policy of the newest complete checkpoint."""
        policy, recipe = presets.load_policy(self.folder)
        return Model(policy, recipe, self._task, name=self.folder.name)

    def sample(self, n: int | None = None, target: Mapping[str, float] | None = None, **ask: Any) -> Samples:
        """Generate items with the newest policy: see `Model.sample`."""
        return self.model.sample(n, target, **ask)

    def evaluate(
        self, n: int = EVALUATED, seed: int = EVALUATION_SEED, tick: Tick = _silent
    ) -> dict[str, Any]:
        """Judge the policy beside the baselines and write `evaluation.json`; returns its content."""
        model = self.model
        figures, failed = model.evaluate(n, seed, tick)
        evaluation.write(model.task, figures, failed, self.folder)
        return figures

    def films(self, n: int = 4) -> list[Path]:
        """Write films of the first few samples in the making into `films/`; [] for a task that shows none."""
        if getattr(self.model.task, "films", None) is None:
            return []
        seed = self.recipe.seed % sampling.LARGEST_SEED
        films = self.model.sample(order=Order(n=n, seed=seed)).films()
        (self.folder / "films").mkdir(exist_ok=True)
        paths = [self.folder / "films" / f"{number:04d}.gif" for number in range(1, len(films) + 1)]
        for film, path in zip(films, paths, strict=True):
            film.save(path)
        return paths

    def report(self) -> Path:
        """Write `report.html` and return its path."""
        from plaudit.runs.report import write_report

        return write_report(self.folder)

    def export(self, out: str | Path) -> Path:
        """Write the newest policy as one `.plaudit` file."""
        return presets.export(self.folder, Path(out))


def train(
    source: str | Path,
    reward: Mapping[str | Term, float] | None = None,
    budget: str | int | None = None,
    seed: int | None = None,
    *,
    recipe: str = "",
    target: Mapping[str, float] | None = None,
    out: str | Path | None = None,
    **values: Any,
) -> Run:
    """Train a task or recipe file to the end of its budget and return the run.

    `reward` replaces the weights of the recipe's terms, or adds terms; further keywords are keys of
    the recipe: `plaudit.train("level/maze", learner={"gamma": 0.99}, threads=2)`. Raises `PlauditError`.
    """
    weights = {spec_of(k) if isinstance(k, Term) else k: w for k, w in (reward or {}).items()}
    changes = Changes(reward=weights, target=target or {}, budget=budget, seed=seed, values=values)
    task, resolved = resolve(source, recipe, changes)
    return Run(trainer(task, resolved, out).run().path, task)


def trainer(task: Task, recipe: Recipe, out: str | Path | None = None) -> Trainer:
    """The training of a resolved recipe, with samples at up to ten moments."""
    return Trainer(recipe, out, task, sampler=sample_files.snapshot)


def resume(folder: str | Path) -> Run:
    """Go on with a run to the same budget; a finished one is returned as it is. Raises `PlauditError`."""
    from plaudit.runs import index

    path = index.find(folder)
    Trainer.resume(path, sampler=sample_files.snapshot).run()
    return Run(path)


def load(source: str | Path, task: str = "") -> Model:
    """Load a preset, run, checkpoint or exported file: `plaudit.load("level/maze")`. Raises `InputError`.

    An exported file of a task outside the package needs that task's name: `task="module:Class"`.
    """
    policy, recipe = presets.load_policy(source, task)
    return Model(policy, recipe, name=str(source))
