"""Tunes with chord symbols to learn from, and melodies to be harmonised with what their chords are worth."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.music.data import SPLITS, Tunes
from plaudit.domains.music.harmony import implied
from plaudit.domains.music.leadsheet.conditions import SHAPE, prompts_of
from plaudit.domains.music.leadsheet.grid import BEATS, Melodies, melodies_of, tokens_at
from plaudit.domains.music.lines import BARS, Ints
from plaudit.engine.sequence.model import Prompts
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context
from plaudit.task import Request

LONGEST = 16
"""Bars of a stretch; shorter tunes are whole."""


class LeadCorpus:
    """One split of a corpus as melodies with chords. Tunes without symbols get those that they imply."""

    shape = SHAPE

    def __init__(self, tunes: Tunes, split: str) -> None:
        self.tunes = tunes
        own = tunes.split == SPLITS.index(split)
        named = np.array([self._named(i) for i in range(len(tunes))])
        # A book that names chords here and there teaches by the tunes that have them.
        self.implied = not (own & named).any()
        self.at = np.flatnonzero(own & (named | self.implied))
        if not len(self.at):
            raise InputError(f"the corpus has no tune in its split {split}.", place="env.corpus")

    def _named(self, at: int) -> bool:
        """Whether chords stand at a third of the steps or more."""
        root = self.tunes.root[self.tunes.start[at] : self.tunes.start[at + 1]]
        return bool((root >= 0).mean() > 1 / 3)

    def stretches(self, n: int, random: np.random.Generator) -> tuple[Melodies, Ints]:
        """n stretches from bar lines: melodies and chord tokens `(n, T)`, 0 in padding."""
        chosen = self.at[random.integers(0, len(self.at), n)]
        return self.cut(chosen, random)

    def cut(self, chosen: Ints, random: np.random.Generator | None) -> tuple[Melodies, Ints]:
        """Stretches of given tunes; from the beginning without `random`."""
        tunes, spans = self.tunes, []
        for i in chosen:
            bars, bar = tunes.bars(int(i)), BARS[tunes.metre[i]]
            size = min(bars, LONGEST)
            begin = 0 if random is None else int(random.integers(0, (bars - size) // 4 + 1)) * 4
            at = int(tunes.start[i]) + begin * bar
            spans.append(slice(at, at + size * bar))
        length = np.array([span.stop - span.start for span in spans])
        lines = np.zeros((len(spans), int(length.max())), np.int64)
        root, kind = (np.full(lines.shape, -1) for _ in range(2))
        for row, span in enumerate(spans):
            lines[row, : length[row]] = tunes.tokens[span]
            root[row, : length[row]], kind[row, : length[row]] = tunes.root[span], tunes.kind[span]
        silent = lines[:, 0] == 0
        lines[silent, 0] = 1
        metre, mode = tunes.metre[chosen], tunes.mode[chosen]
        if self.implied:
            root, kind = implied(lines, np.array(BARS)[metre], mode)
        melodies = melodies_of(lines, length, metre, mode)
        return melodies, self._chords(melodies, root, kind)

    @staticmethod
    def _chords(melodies: Melodies, root: Ints, kind: Ints) -> Ints:
        tokens = np.zeros(melodies.onset.shape, np.int64)
        for row, beat in enumerate(np.array(BEATS)[melodies.metre]):
            count = int(melodies.length[row])
            at = np.arange(count) * int(beat)
            tokens[row, :count] = tokens_at(root[row, at], kind[row, at])
        return tokens

    def batch(self, n: int, random: np.random.Generator) -> tuple[Prompts, Tensor]:
        melodies, tokens = self.stretches(n, random)
        return prompts_of(melodies), torch.from_numpy(tokens)

    def validation(self, n: int) -> tuple[Prompts, Tensor]:
        return self.batch(n, np.random.default_rng(20_240_101))


class LeadSource:
    """Melodies of a corpus to be harmonised, and scores of the chords written for them."""

    shape = SHAPE
    narrowing = None

    def __init__(self, composition: Composition, corpus: LeadCorpus) -> None:
        self.weighing, self.corpus = composition, corpus
        self.melodies: Melodies
        self.real: Ints

    def draw(self, n: int, random: np.random.Generator) -> Prompts:
        self.melodies, self.real = self.corpus.stretches(n, random)
        return prompts_of(self.melodies)

    def score(self, prompts: Prompts, ids: Tensor) -> NDArray[np.float64]:
        row = np.repeat(np.arange(len(self.melodies)), len(ids) // len(self.melodies))
        melodies = self.melodies.rows(row)
        context = Context(requests=[Request()] * len(row), cache={"melodies": melodies})
        return self.weighing.score(ids.numpy(), context)
