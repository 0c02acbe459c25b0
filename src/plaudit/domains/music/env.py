"""Melodies as a sequence problem: requests drawn, and what is written scored by the composition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.music.asks import Asks, lock
from plaudit.domains.music.conditions import SHAPE, prompts_of
from plaudit.domains.music.files.notation import chord_name
from plaudit.domains.music.harmony import KINDS, triads
from plaudit.domains.music.request import MelodyRequest, asks_of, draw_requests, key_of, lines_from
from plaudit.domains.music.source import TuneCorpus, hidden, veiled
from plaudit.engine.sequence.model import Prompts
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context

BARS = (4, 8, 8, 8, 16)
"""Lengths that tuning draws from where none is asked; all rows of a step have one."""
CHORDS = 0.3
"""Share of the requests that name chords, where none are asked."""
PROGRESSIONS = (
    (1, 4, 5, 1),
    (1, 6, 4, 5),
    (1, 5, 6, 4),
    (1, 1, 4, 5),
    (1, 4, 1, 5),
    (1, 2, 5, 1),
    (1, 5, 1, 5),
)
"""Degrees of chords, one a bar."""


class InfillSource:
    """Stretches of tunes with bars left open, and scores of the whole lines that come of them."""

    shape = SHAPE
    narrowing = None

    def __init__(self, composition: Composition, corpus: TuneCorpus) -> None:
        self.weighing, self.corpus = composition, corpus
        self.asks: Asks

    def draw(self, n: int, random: np.random.Generator) -> Prompts:
        stretches = self.corpus.stretches(n, random)
        self.asks = veiled(stretches.asks(), random)
        lock(self.asks, stretches.tokens, hidden(self.asks, 1.0, random))
        return prompts_of(self.asks)

    def score(self, prompts: Prompts, ids: Tensor) -> NDArray[np.float64]:
        row = np.repeat(np.arange(len(self.asks)), len(ids) // len(self.asks))
        asks = self.asks.rows(row)
        lines = lines_from(asks, ids.numpy(), np.zeros(len(row), np.int64))
        context = Context(requests=[MelodyRequest()] * len(row), cache={"asks": asks})
        return self.weighing.score(lines, context)


class MelodySource:
    """Requests like those of `draw_requests`, and scores of the melodies written for them.

    Attributes:
        weighing: the composition that the scores are columns of.
    """

    shape = SHAPE
    narrowing = None

    def __init__(self, composition: Composition, given: MelodyRequest) -> None:
        self.weighing, self.given = composition, given
        self.requests: list[MelodyRequest] = []
        self.asks: Asks
        self.shift: NDArray[np.int64]

    def draw(self, n: int, random: np.random.Generator) -> Prompts:
        given = self.given
        if given.bars is None:
            given = given.model_copy(update={"bars": int(random.choice(BARS))})
        self.requests = draw_requests(n, int(random.integers(2**31)), given)
        if given.chords is None:
            self.requests = [self._with_chords(request, random) for request in self.requests]
        self.asks, self.shift = asks_of(self.requests)
        return prompts_of(self.asks)

    def _with_chords(self, request: MelodyRequest, random: np.random.Generator) -> MelodyRequest:
        """Some requests come with a progression of the key's own triads."""
        if random.random() > CHORDS:
            return request
        tonic, mode = key_of(request)
        own, degrees = triads(mode), PROGRESSIONS[int(random.integers(len(PROGRESSIONS)))]
        names = [chord_name((own[d - 1][0] + tonic) % 12, KINDS[own[d - 1][1]], 0) for d in degrees]
        return request.model_copy(update={"chords": " ".join(names)})

    def score(self, prompts: Prompts, ids: Tensor) -> NDArray[np.float64]:
        row = np.repeat(np.arange(len(self.asks)), len(ids) // len(self.asks))
        asks = self.asks.rows(row)
        lines = lines_from(asks, ids.numpy(), self.shift[row])
        context = Context(requests=[self.requests[i] for i in row], cache={"asks": asks})
        return self.weighing.score(lines, context)
