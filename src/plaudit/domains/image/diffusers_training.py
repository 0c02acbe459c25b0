"""From a recipe to a learner that tunes a pipeline's low-rank weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from plaudit.domains.image.diffusers_request import DiffusersRequest, check_prompt
from plaudit.domains.image.picture_reference import Facts
from plaudit.domains.image.picture_reward import pixel_terms
from plaudit.domains.image.picture_source import PictureReward
from plaudit.engine import algorithms
from plaudit.engine.flow.pretrained.lora import LoraFlow
from plaudit.engine.flow.pretrained.pipeline import TINY, Parts, open_pipeline
from plaudit.engine.flow.pretrained.policy import LoraReward
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.stepwise import configured, read_weights

if TYPE_CHECKING:
    from plaudit.engine.learner import Learner
    from plaudit.runs.recipe import Recipe

_AT_ONCE = 4
"""Pictures that are decoded side by side."""


@dataclass(frozen=True)
class DiffusersConfig:
    """The `[env]` of a recipe: which pipeline, and for which prompts."""

    pipeline: str = TINY
    """A folder that `save_pretrained` wrote, a name on the hub (with `download`), or "tiny": random weights,
    for trying the machinery."""
    prompts: tuple[str, ...] = ("a red circle", "a blue square")
    """What is asked for while training, each as often as the others."""
    rank: int = 4
    """Of the low-rank weights beside each projection of the attention."""
    side: int = 0
    """Of the latents; 0 = what the pipeline was made for."""
    download: bool = False
    """Whether a pipeline may come from the hub."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompts", tuple(self.prompts))
        if len(self.prompts) > 4096 or not all(isinstance(p, str) and p.isprintable() for p in self.prompts):
            raise InputError("prompts are at most 4,096 lines of text.", place="env.prompts")
        if not 0 <= self.side <= 512:
            raise InputError(f"side = {self.side} is not in 0..512.", place="env.side")


def config_of(recipe: Recipe) -> DiffusersConfig:
    """The pipeline of a recipe."""
    config: DiffusersConfig = configured(DiffusersConfig, recipe.env, "env")
    return config


@lru_cache(maxsize=2)
def _parts(pipeline: str, rank: int, side: int, download: bool) -> Parts:
    # Adapters are put into the denoiser itself: one of another rank is another one.
    return open_pipeline(pipeline, side, download)


def parts_of(config: DiffusersConfig) -> Parts:
    """The opened pipeline; raises `InputError`, or `MissingExtra` without the library."""
    return _parts(config.pipeline, config.rank, config.side, config.download)


class PromptReward(PictureReward):
    """What a pipeline's pictures are worth: latents are decoded before they are scored."""

    asks: ClassVar[str] = "prompt"

    def __init__(
        self, recipe: Recipe, parts: Parts, given: DiffusersRequest, prompts: tuple[str, ...]
    ) -> None:
        channels, height, width = parts.pixels
        facts = Facts(parts.source, prompts if parts.takes_prompts else (), (height, width, channels), "")
        composition = Composition(recipe.reward, pixel_terms(), recipe.product_weight)
        super().__init__(composition, recipe.reward, facts, given)
        self.parts, self.shape = parts, parts.shape(len(prompts))

    def score(self, label: Tensor | None, images: Tensor) -> NDArray[np.float64]:
        """Columns `(B, K)` for latents `(B, *size)`; NaN = could not be scored."""
        with torch.no_grad():
            made = torch.cat([self.parts.decode(part) for part in images.split(_AT_ONCE)])
        return super().score(label, made)

    def value(self, label: Tensor | None, images: Tensor) -> Tensor:
        """The same columns `(B, K)`, differentiable through the decoder."""
        return super().value(label, self.parts.decode(images))


def make_learner(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """The recipe's learner; `inputs["init"]` holds first low-rank weights."""
    if recipe.algorithm != "flow":
        raise InputError(
            f"pipelines are not tuned by {recipe.algorithm}.", place="algorithm", hint='Take "flow".'
        )
    config, learner = config_of(recipe), algorithms.configure("flow", recipe.learner)
    if not config.prompts:
        raise InputError("there is nothing to ask for.", place="env.prompts", hint="Name a prompt or more.")
    parts, given = parts_of(config), request_of(recipe)
    check_prompt(given, parts.pixels[0])
    prompts = config.prompts if given.prompt is None else (given.prompt,)
    model = LoraFlow(parts, prompts, config.rank, learner.precision == "bf16")
    source = PromptReward(recipe, parts, given, prompts)
    made: Any = LoraReward(source, source.weighing, learner, model, recipe.seed)
    if "init" in inputs:
        made.begin_from(read_weights(inputs["init"]))
    found: Learner = made
    return found


def request_of(recipe: Recipe) -> DiffusersRequest:
    """What a recipe asks for while training."""
    try:
        return DiffusersRequest.model_validate(dict(recipe.request))
    except ValidationError as error:
        raise InputError(str(error.errors()[0]["msg"]), place="request") from error
