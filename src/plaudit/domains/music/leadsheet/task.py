"""The task `music/leadsheet`: chord symbols for a melody of yours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from plaudit.domains.music import render
from plaudit.domains.music.data import load_tunes
from plaudit.domains.music.leadsheet.baselines import lead_baselines
from plaudit.domains.music.leadsheet.judge import judge_leads
from plaudit.domains.music.leadsheet.request import STATISTICS, LeadRequest, check_lead, draw_leads, whole
from plaudit.domains.music.leadsheet.reward import lead_terms
from plaudit.domains.music.leadsheet.source import LeadCorpus, LeadSource
from plaudit.domains.music.recipes import lead_recipes
from plaudit.domains.music.training import CorpusConfig, learner_of
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import Recipe
from plaudit.stepwise import configured
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Learner, Policy


class Leadsheet:
    """Melodies with chords; see `plaudit.task.Task` for the methods."""

    name: ClassVar[str] = "music/leadsheet"
    summary: ClassVar[str] = "Chord symbols for a melody of yours."
    Request: ClassVar[type[LeadRequest]] = LeadRequest
    env_config: ClassVar[type[CorpusConfig]] = CorpusConfig
    formats: ClassVar[tuple[str, ...]] = render.FORMATS
    statistics: ClassVar[tuple[str, ...]] = STATISTICS
    recipes = staticmethod(lead_recipes)
    baselines = staticmethod(lead_baselines)
    check_request = staticmethod(check_lead)
    requests = staticmethod(draw_leads)
    judge = staticmethod(judge_leads)

    def terms(self) -> tuple[Term, ...]:
        return lead_terms()

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        env = configured(CorpusConfig, recipe.env, "env")
        corpus = LeadCorpus(load_tunes(env.corpus), env.split)
        if recipe.algorithm == "likelihood":
            return learner_of(recipe, corpus, None, inputs)
        if recipe.algorithm == "sequence":
            composition = Composition(recipe.reward, self.terms(), recipe.product_weight)
            return learner_of(recipe, LeadSource(composition, corpus), composition, inputs)
        raise InputError(
            f"lead sheets are not trained by {recipe.algorithm}.",
            place="algorithm",
            hint="Known: likelihood, sequence.",
        )

    def generate(
        self, policy: Policy, requests: Sequence[LeadRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        from plaudit.domains.music.leadsheet.generation import generate_leads

        return generate_leads(policy, requests, seeds)

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        pieces = [_in_bars(item) for item in items]
        return pieces, Context(requests=[item.request for item in items])

    def save(self, item: Item, path: Path) -> None:
        render.save_music(self.name, item, path)

    def load(self, path: Path) -> Item:
        return render.load_music(LeadRequest, path)

    def preview(self, item: Item) -> Image:
        return render.preview_music(item)


def _in_bars(item: Item) -> Any:
    """The melody in whole bars, with the chords moved along."""
    from dataclasses import replace

    piece = item.content
    early = piece.bar - piece.pickup if piece.pickup else 0
    chords = tuple(replace(chord, start=chord.start + early) for chord in piece.chords)
    return replace(whole(piece), chords=chords)
