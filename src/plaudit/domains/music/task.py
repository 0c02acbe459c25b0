"""The tasks of this domain: melodies in any key, metre, length and range.

Start reading here; then `lines.py` (music as arrays), `request.py` (what is asked), `conditions.py` (what
the model is told), `reward.py` (what good means).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from plaudit.domains.music import metrics, render
from plaudit.domains.music.baselines import infill_baselines, melody_baselines
from plaudit.domains.music.infill import InfillRequest, check_infill, draw_infills
from plaudit.domains.music.lines import lines_of
from plaudit.domains.music.recipes import infill_recipes, melody_recipes
from plaudit.domains.music.request import MelodyRequest, asks_of, check_melody, draw_requests
from plaudit.domains.music.reward import melody_terms
from plaudit.domains.music.training import CorpusConfig, build_infill, build_melody, melody_environment
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import Recipe
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.domains.music.melody_env import MelodyEnv
    from plaudit.engine.learner import Learner, Policy


class LineTask:
    """What tasks of one voice share; see `plaudit.task.Task` for the methods."""

    env_config: ClassVar[type[CorpusConfig]] = CorpusConfig
    formats: ClassVar[tuple[str, ...]] = render.FORMATS
    statistics: ClassVar[tuple[str, ...]] = metrics.STATISTICS
    name: ClassVar[str]
    Request: ClassVar[type[MelodyRequest]]

    def terms(self) -> tuple[Term, ...]:
        return melody_terms()

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        lines = lines_of([item.content for item in items])
        asks = asks_of([_complete(item) for item in items])[0]
        return lines, Context(requests=[item.request for item in items], cache={"asks": asks})

    def save(self, item: Item, path: Path) -> None:
        render.save_music(self.name, item, path)

    def load(self, path: Path) -> Item:
        return render.load_music(self.Request, path)

    def preview(self, item: Item) -> Image:
        return render.preview_music(item)


class Melody(LineTask):
    """Melodies of one voice."""

    name: ClassVar[str] = "music/melody"
    summary: ClassVar[str] = (
        "Melodies in the key, metre, length and range you ask for, with chords if you like."
    )
    Request: ClassVar[type[MelodyRequest]] = MelodyRequest
    recipes = staticmethod(melody_recipes)
    baselines = staticmethod(melody_baselines)
    check_request = staticmethod(check_melody)
    requests = staticmethod(draw_requests)
    judge = staticmethod(metrics.judge_melodies)

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        return build_melody(self.terms(), recipe, inputs)

    def environment(self, num_envs: int, recipe: Recipe | None = None) -> MelodyEnv:
        """The MDP of the recipe, of RL Tuner's where none is given; 0 = the recipe's number of copies."""
        chosen = recipe or melody_recipes()["dqn"]
        if chosen.algorithm in ("likelihood", "sequence") or chosen.stages:
            chosen = melody_recipes()["dqn"]
        return melody_environment(self.terms(), chosen, num_envs)

    def generate(
        self, policy: Policy, requests: Sequence[MelodyRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        from plaudit.domains.music.generation import generate_melodies

        return generate_melodies(policy, requests, seeds)


class Infill(LineTask):
    """Bars of a given piece written anew, or more of it."""

    name: ClassVar[str] = "music/infill"
    summary: ClassVar[str] = "Open bars of your own piece filled in, or the piece gone on with."
    Request: ClassVar[type[MelodyRequest]] = InfillRequest
    recipes = staticmethod(infill_recipes)
    baselines = staticmethod(infill_baselines)
    check_request = staticmethod(check_infill)
    requests = staticmethod(draw_infills)
    judge = staticmethod(metrics.judge_infills)

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        return build_infill(self.terms(), recipe, inputs)

    def generate(
        self, policy: Policy, requests: Sequence[InfillRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        from plaudit.domains.music.generation import generate_infills

        return generate_infills(policy, requests, seeds)


def _complete(item: Item) -> MelodyRequest:
    """The request of an item, the length and metre as they are: a file from elsewhere was never asked for."""
    request, piece = item.request, item.content
    assert isinstance(request, MelodyRequest)
    metre = f"{piece.metre[0]}/{piece.metre[1]}"
    return request.model_copy(update={"metre": metre, "bars": max(piece.bars, 1)})
