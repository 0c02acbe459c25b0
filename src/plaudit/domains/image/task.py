"""The tasks of this domain: paintings, stroke by stroke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image import paint_files
from plaudit.domains.image.env import PaintConfig, PaintEnv
from plaudit.domains.image.paint_baselines import Baseline, paint_baselines
from plaudit.domains.image.paint_judge import judge_paintings
from plaudit.domains.image.paint_recipes import paint_recipes
from plaudit.domains.image.paint_request import (
    STATISTICS,
    PaintRequest,
    check_paint,
    draw_requests,
    targets_of,
)
from plaudit.domains.image.paint_training import make_environment, make_learner
from plaudit.domains.image.reward import paint_terms
from plaudit.reward.term import Context, Term
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Learner, Policy
    from plaudit.runs.recipe import Recipe


class Paint:
    """Pictures painted with a few strokes."""

    name: ClassVar[str] = "image/paint"
    summary: ClassVar[str] = "A picture of yours painted with a few strokes, as SVG and as a film."
    Request: ClassVar[type[PaintRequest]] = PaintRequest
    env_config: ClassVar[type[PaintConfig]] = PaintConfig
    formats: ClassVar[tuple[str, ...]] = paint_files.FORMATS
    statistics: ClassVar[tuple[str, ...]] = tuple(STATISTICS)

    def terms(self) -> tuple[Term, ...]:
        return paint_terms()

    def recipes(self) -> Mapping[str, Recipe]:
        return paint_recipes()

    def check_request(self, request: PaintRequest) -> None:
        check_paint(request)

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        return make_learner(recipe, inputs)

    def environment(self, num_envs: int, recipe: Recipe | None = None) -> PaintEnv:
        """Make the MDP of the recipe; `num_envs` 0 takes the recipe's own number of copies."""
        return make_environment(recipe or next(iter(self.recipes().values())), num_envs)

    def requests(self, n: int, seed: int, given: PaintRequest) -> list[PaintRequest]:
        return draw_requests(n, seed, given)

    def generate(
        self, policy: Policy, requests: Sequence[PaintRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        from plaudit.domains.image.paint_generation import paint

        return paint(policy, requests, seeds)

    def baselines(self) -> Mapping[str, Baseline]:
        return paint_baselines()

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        """Rasters `(B, H, W)` uint8, for items of one size, and what terms share of them."""
        requests = [item.request for item in items]
        target = targets_of(requests)
        free = np.array([request.label is not None for request in requests])
        if free.any():
            # There is nothing to compare with: terms that compare are NaN.
            target = np.where(free[:, None, None], np.nan, target)
        cache = {
            "target": target,
            "strokes": np.array([len(item.content.strokes) for item in items], np.float64),
        }
        return np.stack([item.content.raster for item in items]), Context(requests=requests, cache=cache)

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        return judge_paintings(items)

    def save(self, item: Item, path: Path) -> None:
        paint_files.save_painting(item, path)

    def load(self, path: Path) -> Item:
        return paint_files.load_painting(path)

    def preview(self, item: Item) -> Image:
        return paint_files.preview_painting(item)
