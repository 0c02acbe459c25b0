"""The task `music/chorale`: four voices from a soprano, or whatever voices and bars are given.

Start reading here; then `grid.py` (four voices as arrays), `request.py` (what is asked), `conditions.py`
(what the model is told), `rules.py` and `reward.py` (what good means).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music import render
from plaudit.domains.music.chorale import metrics
from plaudit.domains.music.chorale.baselines import Generator, chorale_baselines
from plaudit.domains.music.chorale.recipes import chorale_recipes
from plaudit.domains.music.chorale.request import ChoraleRequest, check_chorale, draw_chorales
from plaudit.domains.music.chorale.reward import as_chorales, chorale_terms
from plaudit.domains.music.chorale.training import BachConfig, build_chorale
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import Recipe
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Learner, Policy


class Chorale:
    """Chorales in four voices; see `plaudit.task.Task` for the methods."""

    name: ClassVar[str] = "music/chorale"
    summary: ClassVar[str] = (
        "Four-part chorales: alto, tenor and bass to your soprano, or what you leave open."
    )
    Request: ClassVar[type[ChoraleRequest]] = ChoraleRequest
    env_config: ClassVar[type[BachConfig]] = BachConfig
    formats: ClassVar[tuple[str, ...]] = render.FORMATS
    statistics: ClassVar[tuple[str, ...]] = metrics.STATISTICS

    def terms(self) -> tuple[Term, ...]:
        return chorale_terms()

    def recipes(self) -> Mapping[str, Recipe]:
        return chorale_recipes()

    def check_request(self, request: ChoraleRequest) -> None:
        check_chorale(request)

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        return build_chorale(self.terms(), recipe, inputs)

    def requests(self, n: int, seed: int, given: ChoraleRequest) -> list[ChoraleRequest]:
        return draw_chorales(n, seed, given)

    def generate(
        self, policy: Policy, requests: Sequence[ChoraleRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        from plaudit.domains.music.chorale.generation import generate_chorales

        return generate_chorales(policy, requests, seeds)

    def baselines(self) -> Mapping[str, Generator]:
        return chorale_baselines()

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        context = Context(requests=[item.request for item in items])
        return as_chorales([item.content for item in items], context), context

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        return metrics.judge_chorales(items)

    def save(self, item: Item, path: Path) -> None:
        render.save_music(self.name, item, path)

    def load(self, path: Path) -> Item:
        return render.load_music(ChoraleRequest, path)

    def preview(self, item: Item) -> Image:
        return render.preview_music(item)
