"""From a recipe to a learner: a prior of Bach's chorales, or tuning near it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plaudit.domains.music.chorale.data import load_bach
from plaudit.domains.music.chorale.env import ChoraleSource
from plaudit.domains.music.chorale.request import ChoraleRequest, check_chorale
from plaudit.domains.music.chorale.source import BachCorpus
from plaudit.engine import algorithms
from plaudit.errors import InputError, MissingExtra, did_you_mean
from plaudit.reward.compose import Composition
from plaudit.reward.term import Term
from plaudit.stepwise import read_weights

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


def build_chorale(terms: tuple[Term, ...], recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """Make the learner of a recipe; `inputs["init"]` or `["prior"]` holds the weights it begins from."""
    network = {**NETWORK, **recipe.network}
    config = algorithms.configure(recipe.algorithm, recipe.learner)
    make = algorithms.learner_class(recipe.algorithm)
    learner: Any
    if recipe.algorithm == "likelihood":
        env = configured(recipe.env)
        learner = make(BachCorpus(load_bach(), env.split, env.locks), None, config, network, recipe.seed)
    elif recipe.algorithm == "sequence":
        given = ChoraleRequest.model_validate(dict(recipe.request))
        check_chorale(given)
        composition = Composition(recipe.reward, terms, recipe.product_weight)
        source = ChoraleSource(composition, given, _sopranos())
        learner = make(source, composition, config, network, recipe.seed)
    else:
        raise InputError(
            f"chorales are not trained by {recipe.algorithm}.",
            place="algorithm",
            hint="Known: likelihood, sequence.",
        )
    start = inputs.get("init") or inputs.get("prior")
    if start is not None:
        learner.load_weights(read_weights(start))
    return learner


def _sopranos() -> BachCorpus | None:
    """Those of the chorales that are learned from; None where music21 is not there."""
    try:
        return BachCorpus(load_bach())
    except MissingExtra:
        return None


def configured(values: Mapping[str, Any]) -> BachConfig:
    known = [field.name for field in dataclasses.fields(BachConfig)]
    for key in values:
        if key not in known:
            raise InputError(f'env has no "{key}".', place=f"env.{key}", hint=did_you_mean(key, known))
    config = BachConfig(**values)
    if config.split not in ("train", "judge"):
        raise InputError(f'split "{config.split}" is not learned from.', place="env.split")
    return config
