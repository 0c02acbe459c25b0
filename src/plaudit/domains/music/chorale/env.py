"""Chorales as a sequence problem: sopranos to harmonise, and scores of what is written below them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale.asks import ChoraleAsks, chorales_from, lock, read_off
from plaudit.domains.music.chorale.conditions import SHAPE, prompts_of
from plaudit.domains.music.chorale.grid import RANGES, SILENT, by_voice
from plaudit.domains.music.chorale.request import USUAL_MOVEMENT, ChoraleRequest, chorale_asks, draw_chorales
from plaudit.domains.music.chorale.source import BachCorpus
from plaudit.domains.music.chorale.strict import strictly
from plaudit.engine.sequence.model import Prompts
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context

MADE_UP = 0.25
"""Share of the steps whose sopranos are made up; those of the others are the corpus's own."""


class ChoraleSource:
    """Sopranos of the corpus and of `draw_chorales`, and scores of the chorales written below them.

    Attributes:
        corpus: sopranos to draw from; without it, and where a piece or its key is given, requests are drawn.
        weighing: the composition that the scores are columns of.
    """

    shape = SHAPE

    def __init__(self, composition: Composition, given: ChoraleRequest, corpus: BachCorpus | None) -> None:
        self.weighing, self.given, self.corpus = composition, given, corpus
        self.narrowing = strictly if given.strict else None
        self.requests: list[ChoraleRequest] = []
        self.asks: ChoraleAsks

    def draw(self, n: int, random: np.random.Generator) -> Prompts:
        if self.corpus is None or self.given != ChoraleRequest() or random.random() < MADE_UP:
            self.requests = draw_chorales(n, int(random.integers(2**31)), self.given)
            self.asks = chorale_asks(self.requests)
        else:
            self.requests, self.asks = sopranos(self.corpus, n, random)
        return prompts_of(self.asks)

    def score(self, prompts: Prompts, ids: Tensor) -> NDArray[np.float64]:
        row = np.repeat(np.arange(len(self.asks)), len(ids) // len(self.asks))
        chorales = chorales_from(self.asks.rows(row), by_voice(ids.numpy()))
        return self.weighing.score(chorales, Context(requests=[self.requests[i] for i in row]))


def sopranos(
    corpus: BachCorpus, n: int, random: np.random.Generator
) -> tuple[list[ChoraleRequest], ChoraleAsks]:
    """n stretches of the corpus of which the soprano stands, asked for as requests ask."""
    stretches, first, last = corpus.cut(n, random)
    asks = read_off(stretches)
    low, high = np.array(RANGES).T
    asks.low, asks.high = low - asks.shift[:, None], high - asks.shift[:, None]
    asks.first, asks.last = first, last
    asks.movement = np.round(random.uniform(*USUAL_MOVEMENT, n), 2)
    stands = np.zeros(asks.locked.shape, bool)
    stands[:, 0] = asks.valid
    lock(asks, stretches.pitch, stretches.begins, stands)
    asks.rests = (stretches.pitch[:, 0] == SILENT) & (asks.locked[:, 0] != OPEN)
    requests = [ChoraleRequest(target={"movement": float(m)}) for m in asks.movement]
    return requests, asks
