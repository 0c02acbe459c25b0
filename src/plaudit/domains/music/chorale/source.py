"""Where chorales to learn from come from: a few phrases on end, with what could have been asked for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale.asks import ChoraleAsks, lock, read_off
from plaudit.domains.music.chorale.conditions import SHAPE, prompts_of
from plaudit.domains.music.chorale.data import Bach
from plaudit.domains.music.chorale.fermatas import guessed_ends
from plaudit.domains.music.chorale.grid import Chorales, Flags, chorales_of, interleaved, tokens_of
from plaudit.domains.music.lines import BARS
from plaudit.engine.sequence.model import Prompts
from plaudit.errors import InputError

MOST_STEPS = 64
"""Steps of a stretch: eight bars of 4/4."""
GUESSED = 0.25
"""Share of the stretches whose phrase ends are guessed, as they are for a soprano without fermatas."""


class BachCorpus:
    """One split of the chorales as training sequences.

    Attributes:
        locks: share of the rows in which something stands; in nine of ten of them the soprano does.
    """

    shape = SHAPE

    def __init__(self, bach: Bach, split: str = "train", locks: float = 0.95) -> None:
        at = bach.of(split)
        if not at:
            raise InputError(f"there is no chorale in the split {split}.", place="env.split")
        pieces = bach.chorales
        self.locks = locks
        self.chorales = chorales_of([pieces[i] for i in at], [bach.ends(i) for i in at])
        self.guessed = chorales_of([pieces[i] for i in at], [guessed_ends(pieces[i]) for i in at]).ends
        self.starts = [_starts(self.chorales, row) for row in range(len(at))]
        # A long chorale is drawn more often, so that all of its phrases are heard as often as others.
        self.share = self.chorales.length / self.chorales.length.sum()

    def batch(self, n: int, random: np.random.Generator) -> tuple[Prompts, Tensor]:
        """n stretches; what could be asked is left out at random, and some of it stands."""
        stretches, first, last = self.cut(n, random)
        asks = read_off(stretches)
        asks.first, asks.last = first, last
        asks.movement = np.where(random.random(n) < 0.5, float(OPEN), asks.movement)
        lock(asks, stretches.pitch, stretches.begins, self._standing(asks, random))
        ids = interleaved(tokens_of(stretches.pitch, stretches.begins))
        return prompts_of(asks), torch.from_numpy(ids)

    def validation(self, n: int) -> tuple[Prompts, Tensor]:
        return self.batch(n, np.random.default_rng(20_240_101))

    def cut(self, n: int, random: np.random.Generator) -> tuple[Chorales, Flags, Flags]:
        """n stretches from the beginning of a phrase on; whether each begins and ends its chorale."""
        chosen = random.choice(len(self.chorales), n, p=self.share)
        begin = np.array([random.choice(self.starts[i]) for i in chosen], np.int64)
        whole = self.chorales
        end = np.array([self._end(i, at) for i, at in zip(chosen, begin, strict=True)], np.int64)
        steps = begin[:, None] + np.arange(int((end - begin).max()))
        inside = steps < end[:, None]
        rows, steps = chosen[:, None], np.minimum(steps, whole.pitch.shape[2] - 1)
        pitch = np.moveaxis(whole.pitch[rows, :, steps], 2, 1)
        begins = np.moveaxis(whole.begins[rows, :, steps], 2, 1) & inside[:, None]
        pitch = np.where(inside[:, None], pitch, -1)
        # A note that reaches in from before the cut begins anew.
        begins[:, :, 0] = pitch[:, :, 0] >= 0
        guess = (random.random(len(chosen)) < GUESSED)[:, None]
        ends = np.where(guess, self.guessed[rows, steps], whole.ends[rows, steps]) & inside
        bar = np.array(BARS)[whole.metre[chosen]]
        stretch = replace(
            whole,
            pitch=pitch,
            begins=begins,
            ends=ends,
            length=end - begin,
            metre=whole.metre[chosen],
            mode=whole.mode[chosen],
            shift=whole.shift[chosen],
            pickup=(whole.pickup[chosen] - begin * whole.step) % bar,
        )
        return stretch, begin == 0, end == whole.length[chosen]

    def _end(self, row: int, begin: int) -> int:
        """Where a stretch from `begin` ends: with the last phrase that fits, or where it must."""
        length = int(self.chorales.length[row])
        limit = min(begin + MOST_STEPS, length)
        within = [start for start in (*self.starts[row], length) if begin < start <= limit]
        return within[-1] if within else limit

    def _standing(self, asks: ChoraleAsks, random: np.random.Generator) -> Flags:
        """Steps that stand `(B, 4, T)`: mostly the soprano, at times others or some bars of all."""
        rows, voices, steps = asks.locked.shape
        whole = random.random((rows, voices)) < np.array([0.9, 0.12, 0.12, 0.2])
        bar = (np.arange(steps) * 2 + asks.bar[:, None] - asks.pickup[:, None]) // asks.bar[:, None]
        some = random.random((rows, voices, int(bar.max()) + 1)) < random.random((rows, 1, 1))
        some &= random.random((rows, 1, 1)) < 0.15
        index = np.broadcast_to(bar[:, None], (rows, voices, steps))
        stands = whole[..., None] | np.take_along_axis(some, index, axis=2)
        return stands & (random.random((rows, 1, 1)) < self.locks) & asks.valid[:, None]


def _starts(chorales: Chorales, row: int) -> list[int]:
    """Steps at which phrases begin: the soprano's next note after each end, if two bars and more follow."""
    length, bar = int(chorales.length[row]), int(chorales.bar[row]) // chorales.step
    onset = np.flatnonzero(chorales.begins[row, 0, :length])
    later = [onset[onset > end] for end in np.flatnonzero(chorales.ends[row, :length])]
    starts = [0, *(int(after[0]) for after in later if len(after))]
    return [start for start in starts if length - start >= 2 * bar] or [0]
