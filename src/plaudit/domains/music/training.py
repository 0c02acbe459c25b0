"""From a recipe to a learner: a prior on a corpus, or tuning near it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from plaudit.domains.music.data import load_tunes
from plaudit.domains.music.env import InfillSource, MelodySource
from plaudit.domains.music.likeness import shipped_prior
from plaudit.domains.music.melody_env import MelodyEnv
from plaudit.domains.music.request import MelodyRequest, check_melody
from plaudit.domains.music.source import TuneCorpus
from plaudit.engine import algorithms
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Term
from plaudit.stepwise import build_learner, configured, read_weights

if TYPE_CHECKING:
    from plaudit.engine.learner import Learner
    from plaudit.runs.recipe import Recipe


@dataclass(frozen=True)
class CorpusConfig:
    """The `[env]` of a recipe: what a prior is learned from."""

    corpus: str = "folk"
    """"folk" (three books of tunes that music21 brings), or a folder of MIDI, MusicXML or ABC files."""
    split: str = "train"
    """Part of the corpus: "train" for what makes music, "judge" for what judges it."""
    locks: float = 0.5
    """Share of the stretches in which bars stand and the rest is filled in."""
    copies: int = 32
    """Melodies side by side, of methods that write token by token."""
    sight: Literal["prior", "table"] = "prior"
    """What such methods see: the prior's state and all that is asked, or the step and the note alone."""


def build_infill(terms: tuple[Term, ...], recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """Make the learner that tunes a prior on stretches of tunes with open bars."""
    env = configured(CorpusConfig, recipe.env, "env")
    composition = Composition(recipe.reward, terms, recipe.product_weight)
    source = InfillSource(composition, TuneCorpus(load_tunes(env.corpus), env.split, 0.0))
    return learner_of(recipe, source, composition, inputs)


def build_melody(terms: tuple[Term, ...], recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """Make the learner of a recipe; `inputs["init"]` or `["prior"]` holds the weights it begins from."""
    if recipe.algorithm == "likelihood":
        env = configured(CorpusConfig, recipe.env, "env")
        return learner_of(recipe, TuneCorpus(load_tunes(env.corpus), env.split, env.locks), None, inputs)
    if recipe.algorithm == "sequence":
        given = MelodyRequest.model_validate(dict(recipe.request))
        check_melody(given)
        composition = Composition(recipe.reward, terms, recipe.product_weight)
        return learner_of(recipe, MelodySource(composition, given), composition, inputs)
    return build_learner(melody_environment(terms, recipe, 0), recipe, inputs)


def melody_environment(terms: tuple[Term, ...], recipe: Recipe, num_envs: int) -> MelodyEnv:
    """The MDP of a recipe with `num_envs` rows, or with the recipe's own number when that is 0."""
    env = configured(CorpusConfig, recipe.env, "env")
    given = MelodyRequest.model_validate(dict(recipe.request))
    check_melody(given)
    composition = Composition(recipe.reward, terms, recipe.product_weight)
    pays = Stepwise(composition, recipe.form)
    return MelodyEnv(shipped_prior(), pays, given, num_envs or env.copies, env.sight)


def learner_of(
    recipe: Recipe, source: Any, composition: Composition | None, inputs: Mapping[str, Path]
) -> Learner:
    """Make the recipe's learner on a source; `inputs["prior"]` is what it begins from and stays near.

    With `inputs["init"]` too it begins from that, and stays near the prior all the same.
    """
    config = algorithms.configure(recipe.algorithm, recipe.learner)
    make = algorithms.learner_class(recipe.algorithm)
    learner: Any = make(source, composition, config, {"kind": "gru", **recipe.network}, recipe.seed)
    if "prior" in inputs:
        learner.load_weights(read_weights(inputs["prior"]))
    if "init" in inputs:
        # What has been tuned already goes on from there, and stays near its prior.
        load = learner.begin_from if "prior" in inputs else learner.load_weights
        load(read_weights(inputs["init"]))
    found: Learner = learner
    return found
