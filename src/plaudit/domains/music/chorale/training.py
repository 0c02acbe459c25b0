"""From a recipe to a learner: a prior of Bach's chorales, or tuning near it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plaudit.domains.music.chorale.data import load_bach
from plaudit.domains.music.chorale.env import ChoraleSource
from plaudit.domains.music.chorale.request import ChoraleRequest, check_chorale
from plaudit.domains.music.chorale.source import BachCorpus
from plaudit.domains.music.training import learner_of
from plaudit.errors import InputError, MissingExtra
from plaudit.reward.compose import Composition
from plaudit.reward.term import Term
from plaudit.stepwise import configured

if TYPE_CHECKING:
    from plaudit.engine.learner import Learner
    from plaudit.runs.recipe import Recipe

NETWORK = {"kind": "gru", "hidden": 256, "embed": 32, "encoder": 64}


@dataclass(frozen=True)
class BachConfig:
    """The `[env]` of a recipe: what a prior is learned from."""

    split: str = "train"
    """Part of the chorales: "train" for what makes music, "judge" for what judges it."""
    locks: float = 0.95
    """Share of the stretches in which something stands, mostly the soprano."""

    def __post_init__(self) -> None:
        if self.split not in ("train", "judge"):
            raise InputError(f'split "{self.split}" is not learned from.', place="env.split")


def build_chorale(terms: tuple[Term, ...], recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """Make the learner of a recipe; `inputs["init"]` or `["prior"]` holds the weights it begins from."""
    recipe = recipe.model_copy(update={"network": {**NETWORK, **recipe.network}})
    if recipe.algorithm == "likelihood":
        env: BachConfig = configured(BachConfig, recipe.env, "env")
        return learner_of(recipe, BachCorpus(load_bach(), env.split, env.locks), None, inputs)
    if recipe.algorithm == "sequence":
        given = ChoraleRequest.model_validate(dict(recipe.request))
        check_chorale(given)
        composition = Composition(recipe.reward, terms, recipe.product_weight)
        return learner_of(recipe, ChoraleSource(composition, given, _sopranos()), composition, inputs)
    raise InputError(
        f"chorales are not trained by {recipe.algorithm}.",
        place="algorithm",
        hint="Known: likelihood, sequence.",
    )


def _sopranos() -> BachCorpus | None:
    """Those of the chorales that are learned from; None where music21 is not there."""
    try:
        return BachCorpus(load_bach())
    except MissingExtra:
        return None
