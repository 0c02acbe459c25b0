"""The tasks of this domain: pictures in one shot, and paintings stroke by stroke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image import diffusers_files, paint_files, picture_files
from plaudit.domains.image.diffusers_generation import generate_prompted, pipeline_baselines
from plaudit.domains.image.diffusers_judge import judge_prompted
from plaudit.domains.image.diffusers_recipes import diffusers_recipes
from plaudit.domains.image.diffusers_request import DiffusersRequest, check_prompt, draw_prompts
from plaudit.domains.image.diffusers_training import DiffusersConfig
from plaudit.domains.image.diffusers_training import config_of as diffusers_config_of
from plaudit.domains.image.diffusers_training import make_learner as make_diffusers_learner
from plaudit.domains.image.env import PaintConfig, PaintEnv
from plaudit.domains.image.learned_terms import KEY
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
from plaudit.domains.image.picture_baselines import picture_baselines
from plaudit.domains.image.picture_figures import set_figures
from plaudit.domains.image.picture_generation import generate_pictures
from plaudit.domains.image.picture_judge import judge_pictures
from plaudit.domains.image.picture_recipes import picture_recipes
from plaudit.domains.image.picture_reference import Facts, Reference, facts_of, reference_of
from plaudit.domains.image.picture_request import ANY, PictureRequest, check_picture, draw_pictures, labels_of
from plaudit.domains.image.picture_request import STATISTICS as PICTURE_STATISTICS
from plaudit.domains.image.picture_reward import pixel_terms
from plaudit.domains.image.picture_training import PictureConfig, config_of
from plaudit.domains.image.picture_training import make_learner as make_picture_learner
from plaudit.domains.image.reward import paint_terms, picture_terms
from plaudit.reward.term import Context, Term
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Drawer, Learner, Policy
    from plaudit.media.film import Film
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

    def films(self, policy: Policy, items: Sequence[Item]) -> list[Film]:
        """The paintings in the making, stroke by stroke."""
        from plaudit.domains.image.paint_film import film_painting

        return [film_painting(item.content) for item in items]


class Picture:
    """Small pictures in one shot; those of a set that a recipe names in `env.pictures`."""

    name: ClassVar[str] = "image/picture"
    summary: ClassVar[str] = "Small pictures of the class you ask for, learned from a set of yours."
    Request: ClassVar[type[PictureRequest]] = PictureRequest
    env_config: ClassVar[type[PictureConfig]] = PictureConfig
    formats: ClassVar[tuple[str, ...]] = picture_files.FORMATS
    statistics: ClassVar[tuple[str, ...]] = tuple(PICTURE_STATISTICS)
    recipes = staticmethod(picture_recipes)
    terms = staticmethod(picture_terms)
    build = staticmethod(make_picture_learner)

    def __init__(self, config: PictureConfig | None = None, learned: str = "") -> None:
        """`learned` is the file of a reward learned from two folders, for terms that ask it."""
        self.config, self.learned = config or PictureConfig(), learned

    def bound(self, recipe: Recipe) -> Picture:
        """The task of the recipe's set of pictures."""
        last = recipe.stages[-1].inputs if recipe.stages else {}
        return Picture(config_of(recipe), recipe.inputs.get("reward", last.get("reward", "")))

    @cached_property
    def facts(self) -> Facts:
        """Classes and size of the pictures; raises `InputError` for a set that is not there."""
        return facts_of(*self.config.place)

    @property
    def reference(self) -> Reference:
        """All that is known of the set; learned at the first call where it has to be."""
        return reference_of(*self.config.place)

    def check_request(self, request: PictureRequest) -> None:
        check_picture(request, self.facts)

    def requests(self, n: int, seed: int, given: PictureRequest) -> list[PictureRequest]:
        return draw_pictures(n, seed, given, self.facts, "" if self.config.classes else ANY)

    def generate(
        self, policy: Drawer, requests: Sequence[PictureRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        return generate_pictures(policy, requests, seeds, self.facts)

    def baselines(self) -> Mapping[str, Any]:
        return picture_baselines(lambda: self.reference)

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        """Pictures `(B, H, W, C)` uint8; a group is what was asked to be of one class."""
        requests = [item.request for item in items]
        groups = labels_of(requests, self.facts.names)
        cache: dict[str, Any] = {"pictures": self.config.place}
        if self.learned:
            cache[KEY] = Path(self.learned)
        return np.stack([item.content for item in items]), Context(requests, groups=groups, cache=cache)

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        return judge_pictures(items, self.reference)

    def set_figures(self, items: Sequence[Item]) -> dict[str, float | None]:
        """Figures of all items together: what `plaudit eval` shows beside those of single items."""
        return set_figures(items, self.reference)

    def save(self, item: Item, path: Path) -> None:
        picture_files.save_picture(item, path)

    def load(self, path: Path) -> Item:
        return picture_files.load_picture(path, self.facts.shape)

    def preview(self, item: Item) -> Image:
        return picture_files.preview_picture(item)


class Diffusers:
    """Pictures of a pipeline of the library diffusers; that of a recipe's `env.pipeline`."""

    name: ClassVar[str] = "image/diffusers"
    summary: ClassVar[str] = "A diffusers pipeline of yours, its LoRA weights tuned by your reward."
    Request: ClassVar[type[DiffusersRequest]] = DiffusersRequest
    env_config: ClassVar[type[DiffusersConfig]] = DiffusersConfig
    formats: ClassVar[tuple[str, ...]] = diffusers_files.FORMATS
    statistics: ClassVar[tuple[str, ...]] = tuple(PICTURE_STATISTICS)
    recipes = staticmethod(diffusers_recipes)
    terms = staticmethod(pixel_terms)
    build = staticmethod(make_diffusers_learner)
    judge = staticmethod(judge_prompted)
    save = staticmethod(diffusers_files.save_prompted)
    load = staticmethod(diffusers_files.load_prompted)
    preview = staticmethod(diffusers_files.preview_prompted)

    def __init__(self, config: DiffusersConfig | None = None) -> None:
        self.config = config or DiffusersConfig()

    def bound(self, recipe: Recipe) -> Diffusers:
        """The task of the recipe's pipeline."""
        return Diffusers(diffusers_config_of(recipe))

    def check_request(self, request: DiffusersRequest) -> None:
        check_prompt(request, 3)

    def requests(self, n: int, seed: int, given: DiffusersRequest) -> list[DiffusersRequest]:
        self.check_request(given)
        return draw_prompts(n, seed, given, self.config.prompts)

    def generate(
        self, policy: Drawer, requests: Sequence[DiffusersRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        return generate_prompted(policy, requests, seeds)

    def baselines(self) -> Mapping[str, Any]:
        return pipeline_baselines(self.config)

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        """Pictures `(B, H, W, C)` uint8; a group is what one prompt asked for."""
        requests = [item.request for item in items]
        _, groups = np.unique([request.prompt or "" for request in requests], return_inverse=True)
        return np.stack([item.content for item in items]), Context(requests, groups=groups)
