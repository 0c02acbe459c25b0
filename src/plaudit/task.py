"""The task contract: what is made. A domain's `task.py` holds one class per task with these methods.

Sameness is kept by the contract test (`tests/domains/test_contract.py`, `plaudit check`), not by
inherited behaviour: the class below only names the methods and their meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from plaudit.reward.term import Context, Term

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.env import VecEnv
    from plaudit.engine.learner import Drawer, Learner, Policy
    from plaudit.runs.recipe import Recipe


class Request(BaseModel):
    """What one item should be. Tasks add their own fields (sizes, locks, prompt, input file).

    `target` maps statistics to wanted values, `tolerance` overrides the task's default tolerances.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Mapping[str, float] = {}
    tolerance: Mapping[str, float] = {}


@dataclass
class Item:
    """One generated thing: its content (the plain object that terms see) and how it came to be.

    `info` holds JSON figures of the generation: `evaluations`, `steps`, `rejected`, ...
    """

    content: Any
    request: Request
    seed: int
    info: dict[str, Any] = field(default_factory=dict)


class Task(Protocol):
    """A kind of content: its request, terms, recipes, learner, generation, files and figures."""

    name: ClassVar[str]
    """`domain/task`, as typed on the command line."""
    summary: ClassVar[str]
    Request: ClassVar[type[Request]]
    formats: ClassVar[tuple[str, ...]]
    """File suffixes that `save` writes and `load` reads, without the dot; the first is the default."""
    statistics: ClassVar[tuple[str, ...]]
    """Names that `target` accepts."""

    def terms(self) -> tuple[Term, ...]:
        """Every reward term of the task, twins (`eval_only`) included."""
        ...

    def recipes(self) -> Mapping[str, Recipe]:
        """Named recipes; the first is the default."""
        ...

    def check_request(self, request: Request) -> None:
        """Raise `InputError` for an impossible request, `Infeasible` (with the nearest) for an
        unreachable target."""
        ...

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        """Make the learner that the recipe describes, from nothing or from `inputs["init"]`."""
        ...

    def environment(self, num_envs: int, recipe: Recipe | None = None) -> VecEnv:
        """The task's MDP as the default recipe (or the given one) sees it; stepwise tasks only."""
        ...

    def requests(self, n: int, seed: int, given: Request) -> list[Request]:
        """Draw n requests: what `given` leaves open is sampled over the reachable range."""
        ...

    def generate(
        self, policy: Policy | Drawer, requests: Sequence[Request], seeds: Sequence[int]
    ) -> Iterator[Item]:
        """Make one item for each request and seed; an item depends on its own seed alone.

        Stepwise and sequence tasks are handed a `Policy`, one-shot ones a `Drawer`.
        """
        ...

    def baselines(self) -> Mapping[str, Any]:
        """Generators to stand beside the policy: `name -> f(requests, seeds) -> Iterator[Item]`;
        at least "random" and "heuristic"."""
        ...

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        """The plain batch and the context in which terms score these items."""
        ...

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        """Per-item judged figures `(n,)` by code that no reward term uses: at least "quality" (0/1),
        "control" (0/1, every target within tolerance) and the statistics by name; and "diversity"
        (0/1 per item within this batch)."""
        ...

    # A task whose items have figures as a set (distance to real ones, variety) also has
    # `set_figures(items) -> dict[str, float | None]`: `plaudit eval` shows them for every generator.

    def save(self, item: Item, path: Path) -> None:
        """Write one item; the suffix decides the format; the recipe is embedded where it can be."""
        ...

    def load(self, path: Path) -> Item:
        """Read one item; raises only `InputError`."""
        ...

    def preview(self, item: Item) -> Image:
        """A picture of one item for walls and reports."""
        ...
