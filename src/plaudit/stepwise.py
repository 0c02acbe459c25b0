"""What domains of small integer arrays share: environment, learner, requests, rollout, files, figures.

A domain says in a `Canvas` how an item comes about (its cells, its actions, how an action changes them)
and calls the methods from its task. Every episode begins blank and takes the same number of actions,
so that all rows of a batch end together; a domain that needs masks, starts or ends of its own writes
its `VecEnv` itself. `docs/adding-a-domain.md` shows a whole domain made in this way.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine import algorithms
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError, did_you_mean
from plaudit.media.cells import FORMATS, Cells, draw_cells, load_cells, save_cells
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context, Term
from plaudit.task import Item, Request

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Learner, Policy
    from plaudit.runs.recipe import Recipe

ROWS = 64
"""Rows of every batch in generation: with a fixed number, an item does not depend on its neighbours."""
_SALT = 0x5EED
Actions = NDArray[np.int64]
Choose = Callable[[Tensor, RowRandom], Any]
"""From observations `(B, *O)` and the rows' generators to actions `(B,)`."""

Baseline = Callable[[Sequence[Request], Sequence[int]], Iterator[Item]]


@dataclass(frozen=True)
class CanvasConfig:
    """The `[env]` of a recipe."""

    copies: int = 64
    """Episodes side by side."""


@dataclass(frozen=True)
class Canvas:
    """Items that are arrays of `shape` with whole numbers from 0 to `values - 1` in them.

    Attributes:
        shape: of an item, one or two sides.
        values: how many values a cell may have, at most 256.
        actions: how many actions there are.
        steps: actions of an episode.
        act: changes cells `(B, *shape)` in place by `(cells, step, actions (B,))`; step counts from 0.
        targets: lowest and highest value that may be asked of each statistic, both included.
        tolerance: how far off a target counts as met, where the request does not say.
    """

    shape: tuple[int, ...]
    values: int
    actions: int
    steps: int
    act: Callable[[Cells, int, Actions], None]
    targets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tolerance: float = 0.0

    formats = FORMATS
    config = CanvasConfig

    def check_request(self, request: Request) -> None:
        """Raise `InputError` for an unknown statistic or number, `Infeasible` for a target out of reach."""
        for name, value in (*request.target.items(), *request.tolerance.items()):
            if name not in self.targets:
                raise InputError(f'no statistic is called "{name}".', hint=did_you_mean(name, self.targets))
            if not math.isfinite(value):
                raise InputError(f"{name}={value} is not a finite number.")
        for name, value in request.target.items():
            low, high = self.targets[name]
            slack = request.tolerance.get(name, self.tolerance)
            if not low - slack <= value <= high + slack:
                nearest = low if value < low else high
                raise Infeasible(f"{name}={value:g} is out of reach; the nearest is {name}={nearest}.")

    def requests(self, n: int, seed: int, given: Request) -> list[Request]:
        """Draw n requests: targets that `given` leaves open are uniform over what may be asked."""
        self.check_request(given)
        return self.draw(RowRandom(np.arange(n) + seed * 1_000_003), given)

    def draw(self, random: RowRandom, given: Request) -> list[Request]:
        """Complete requests, one for each row of `random`."""
        bounds = np.array(list(self.targets.values()), float).reshape(-1, 2)
        drawn = np.floor(random.uniform(len(bounds)) * (bounds[:, 1] - bounds[:, 0] + 1) + bounds[:, 0])
        rows = [{**dict(zip(self.targets, row, strict=True)), **given.target} for row in drawn.tolist()]
        return [given.model_copy(update={"target": target}) for target in rows]

    @property
    def observation_space(self) -> spaces.Box:
        """Cells, the step as one-hot and the targets, each in [0, 1]."""
        width = math.prod(self.shape) + self.steps + len(self.targets)
        return spaces.Box(0.0, 1.0, (width,), np.float32)

    def observe(self, cells: Cells, step: int, requests: Sequence[Request]) -> Tensor:
        """Observations `(B, O)` before action number `step`; the one-hot is empty after the last."""
        clock, asked = np.zeros((len(cells), self.steps)), np.zeros((len(cells), len(self.targets)))
        clock[:, step : step + 1] = 1.0
        for column, (name, (low, high)) in enumerate(self.targets.items()):
            wanted = np.array([request.target[name] for request in requests])
            asked[:, column] = np.clip((wanted - low) / max(high - low, 1), 0.0, 1.0)
        parts = [cells.reshape(len(cells), -1) / max(1, self.values - 1), clock, asked]
        return torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32))

    def environment(self, terms: Sequence[Term], recipe: Recipe, num_envs: int) -> CanvasEnv:
        """The MDP of a recipe with `num_envs` rows, or with the recipe's own number when that is 0."""
        for key in recipe.env.keys() - {"copies"}:
            raise InputError(f'the environment has no "{key}".', place="env", hint="Known: copies.")
        config = CanvasConfig(**recipe.env)
        given = Request.model_validate(dict(recipe.request))
        self.check_request(given)
        composition = Composition(recipe.reward, terms, recipe.product_weight)
        return CanvasEnv(self, Stepwise(composition, recipe.form), given, num_envs or config.copies)

    def generate(self, policy: Policy, requests: Sequence[Request], seeds: Sequence[int]) -> Iterator[Item]:
        """Yield an item for each request and seed; raises `InputError` for a policy of another canvas."""
        trained = policy.describe().get("observation_space", {}).get("shape")
        if list(trained or ()) != list(self.observation_space.shape):
            raise InputError(f"the policy sees {trained}, this task shows {self.observation_space.shape}.")
        return self.rollout(lambda obs, random: policy.act(obs, None, None, random)[0], requests, seeds)

    def random(self, requests: Sequence[Request], seeds: Sequence[int]) -> Iterator[Item]:
        """The baseline that takes any action."""
        return self.rollout(lambda obs, random: random.integers(0, self.actions), requests, seeds)

    def by_hand(self, draw: Callable[[Request, np.random.Generator], Any]) -> Baseline:
        """The baseline of a function that makes the cells of one item."""

        def made(requests: Sequence[Request], seeds: Sequence[int]) -> Iterator[Item]:
            for request, seed in zip(requests, seeds, strict=True):
                cells = np.asarray(draw(request, np.random.default_rng(seed)), np.uint8)
                yield Item(cells.reshape(self.shape), request, int(seed))

        return made

    def rollout(self, choose: Choose, requests: Sequence[Request], seeds: Sequence[int]) -> Iterator[Item]:
        """Yield an item for each request and seed; an item depends on these two and on `choose` alone."""
        for start in range(0, len(seeds), ROWS):
            # Rows without an item repeat the last one.
            at = np.minimum(np.arange(start, start + ROWS), len(seeds) - 1)
            numbers = np.array(seeds, np.int64)[at]
            # The item's own generator starts from the seed itself: salted, the two streams never meet.
            full = [
                self.draw(RowRandom([n ^ _SALT]), requests[i])[0] for n, i in zip(numbers, at, strict=True)
            ]
            random, cells = RowRandom(numbers), np.zeros((ROWS, *self.shape), np.uint8)
            for step in range(self.steps):
                action = choose(self.observe(cells, step, full), random)
                self.act(cells, step, np.asarray(action, np.int64))
            for row in range(min(ROWS, len(seeds) - start)):
                yield Item(cells[row].copy(), full[row], int(numbers[row]), {"steps": self.steps})

    def batch(self, items: Sequence[Item]) -> tuple[Cells, Context]:
        """Cells `(B, *shape)` and the context in which terms score them."""
        return np.stack([item.content for item in items]), Context(requests=[i.request for i in items])

    def judge(
        self, items: Sequence[Item], good: Sequence[bool], **statistics: Sequence[float]
    ) -> dict[str, NDArray[np.float64]]:
        """What `Task.judge` returns, from whether each item is good and from its statistics.

        control: every target is within its tolerance. diversity: the item is unlike all before it.
        """
        met, seen, fresh = [], set(), []
        for row, item in enumerate(items):
            slack = {name: item.request.tolerance.get(name, self.tolerance) for name in statistics}
            asked = item.request.target.items()
            met.append(all(abs(statistics[name][row] - value) <= slack[name] for name, value in asked))
            fresh.append(item.content.tobytes() not in seen)
            seen.add(item.content.tobytes())
        figures = {"quality": good, "control": met, "diversity": fresh, **statistics}
        return {name: np.asarray(values, np.float64) for name, values in figures.items()}

    def save(self, item: Item, path: Path) -> None:
        """Write one item with its request and seed, as JSON or PNG."""
        about = {"seed": item.seed, "info": item.info}
        asked = item.request.model_dump(mode="json")
        save_cells(item.content, self.values, path, {"request": asked, "item": about})

    def load(self, path: Path) -> Item:
        """Read what `save` wrote; raises only `InputError`."""
        cells, about = load_cells(path, self.shape, self.values)
        try:
            request, seed = (
                Request.model_validate(about.get("request", {})),
                int(about["item"].get("seed", 0)),
            )
        except (ValueError, TypeError) as error:
            raise InputError("its request or seed cannot be read.", place=str(path)) from error
        return Item(cells, request, seed, {})

    def preview(self, item: Item) -> Image:
        return draw_cells(item.content, self.values)


class CanvasEnv(VecEnv):
    """B episodes on a canvas, in step with each other; built by `Canvas.environment`.

    Attributes:
        weighing: the composition that the terms are columns of.
    """

    def __init__(self, canvas: Canvas, pays: Stepwise, given: Request, num_envs: int) -> None:
        self.canvas, self.pays, self.given, self.num_envs = canvas, pays, given, num_envs
        self.weighing = pays.composition
        self.term_names = self.weighing.names
        self.observation_space, self.action_space = canvas.observation_space, spaces.Discrete(canvas.actions)
        self.random = RowRandom(np.arange(num_envs))
        self._begin()

    def reset(self, seed: int) -> Tensor:
        self.random = RowRandom(np.arange(self.num_envs) + seed * 1_000_003)
        return self._begin()

    def _begin(self) -> Tensor:
        self.cells = np.zeros((self.num_envs, *self.canvas.shape), np.uint8)
        self.time, self.requests = 0, self.canvas.draw(self.random, self.given)
        self.pays.start(slice(None), self._score())
        return self._observe()

    def _score(self) -> NDArray[np.float64]:
        return self.weighing.score(self.cells, Context(requests=self.requests))

    def _observe(self) -> Tensor:
        return self.canvas.observe(self.cells, self.time, self.requests)

    def step(self, action: Tensor) -> StepResult:
        self.canvas.act(self.cells, self.time, action.numpy().astype(np.int64))
        self.time += 1
        done = np.full(self.num_envs, self.time == self.canvas.steps)
        terms = torch.from_numpy(self.pays.advance(self._score(), done))
        obs = final_obs = self._observe()
        if done.all():
            obs = self._begin()
        ended = torch.from_numpy(done)
        return obs, terms, ended, torch.zeros_like(ended), {"final_obs": final_obs}

    def state_dict(self) -> State:
        asked = [dict(request.target) for request in self.requests]
        state: State = {"cells": self.cells.copy(), "time": self.time, "asked": asked}
        return {**state, "random": self.random.state_dict(), "pays": self.pays.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.cells, self.time = np.array(state["cells"]), int(state["time"])
        self.requests = [self.given.model_copy(update={"target": target}) for target in state["asked"]]
        self.random.load_state_dict(state["random"])
        self.pays.load_state_dict(state["pays"])


def build_learner(env: Any, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """Make the recipe's learner on `env`, which has a `weighing`; `inputs["init"]` holds first weights."""
    config = algorithms.configure(recipe.algorithm, recipe.learner)
    network = [dict(recipe.network)] * algorithms.get_algorithm(recipe.algorithm).has_network
    learner: Learner = algorithms.learner_class(recipe.algorithm)(
        env, env.weighing, config, *network, recipe.seed
    )
    if "init" in inputs:
        weights = read_weights(inputs["init"])
        begin = getattr(learner, "load_weights", None)
        begin(weights) if begin else learner.load_state_dict(learner.state_dict(), weights)
    return learner


def configured(kind: type[Any], values: Mapping[str, Any], place: str) -> Any:
    """Fill a config dataclass; raises `InputError` with the nearest name for an unknown key."""
    known = [field.name for field in dataclasses.fields(kind)]
    for key in values:
        if key not in known:
            raise InputError(
                f'{place} has no "{key}".', place=f"{place}.{key}", hint=did_you_mean(key, known)
            )
    return kind(**values)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a checkpoint or preset folder, or of a safetensors file; raises `InputError`."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = path / "model.safetensors" if path.is_dir() else path
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise InputError(f"holds no weights: {error}.", place=str(file)) from error
