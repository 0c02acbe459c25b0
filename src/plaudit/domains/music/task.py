"""The tasks of this domain: melodies in any key, metre, length and range.

Start reading here; then `lines.py` (music as arrays), `request.py` (what is asked), `conditions.py` (what
the model is told), `reward.py` (what good means).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music import metrics, render
from plaudit.domains.music.asks import Asks
from plaudit.domains.music.baselines import Generator, melody_baselines
from plaudit.domains.music.lines import lines_of
from plaudit.domains.music.recipes import melody_recipes
from plaudit.domains.music.request import MelodyRequest, asks_of, check_melody, draw_requests
from plaudit.domains.music.reward import melody_terms
from plaudit.domains.music.training import CorpusConfig, build_melody
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import Recipe
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Learner, Policy


class Melody:
    """Melodies of one voice; see `plaudit.task.Task` for the methods."""

    name: ClassVar[str] = "music/melody"
    summary: ClassVar[str] = (
        "Melodies in the key, metre, length and range you ask for, with chords if you like."
    )
    Request: ClassVar[type[MelodyRequest]] = MelodyRequest
    env_config: ClassVar[type[CorpusConfig]] = CorpusConfig
    formats: ClassVar[tuple[str, ...]] = render.FORMATS
    statistics: ClassVar[tuple[str, ...]] = metrics.STATISTICS

    def terms(self) -> tuple[Term, ...]:
        return melody_terms()

    def recipes(self) -> Mapping[str, Recipe]:
        return melody_recipes()

    def check_request(self, request: MelodyRequest) -> None:
        check_melody(request)

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        return build_melody(self.terms(), recipe, inputs)

    def requests(self, n: int, seed: int, given: MelodyRequest) -> list[MelodyRequest]:
        return draw_requests(n, seed, given)

    def generate(
        self, policy: Policy, requests: Sequence[MelodyRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        from plaudit.domains.music.generation import generate_melodies

        return generate_melodies(policy, requests, seeds)

    def baselines(self) -> Mapping[str, Generator]:
        return melody_baselines()

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        lines = lines_of([item.content for item in items])
        asks: Asks = asks_of([_complete(item) for item in items])[0]
        return lines, Context(requests=[item.request for item in items], cache={"asks": asks})

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        return metrics.judge_melodies(items)

    def save(self, item: Item, path: Path) -> None:
        render.save_music(self.name, item, path)

    def load(self, path: Path) -> Item:
        return render.load_music(MelodyRequest, path)

    def preview(self, item: Item) -> Image:
        return render.preview_music(item)


def _complete(item: Item) -> MelodyRequest:
    """The request of an item, the length and metre as they are: a file from elsewhere was never asked for."""
    request, piece = item.request, item.content
    assert isinstance(request, MelodyRequest)
    metre = f"{piece.metre[0]}/{piece.metre[1]}"
    return request.model_copy(update={"metre": metre, "bars": max(piece.bars, 1)})
