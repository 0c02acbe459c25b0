"""Where melodies to learn from come from: stretches of tunes with what could have been asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.asks import OPEN, Asks, lock, read_off
from plaudit.domains.music.conditions import SHAPE, prompts_of
from plaudit.domains.music.data import SPLITS, Tunes
from plaudit.domains.music.harmony import implied
from plaudit.domains.music.lines import BARS, FIRST, MODE_NAMES, TOKENS, Ints
from plaudit.engine.sequence.model import Prompts
from plaudit.errors import InputError

LENGTHS = {2: 0.05, 4: 0.2, 8: 0.45, 12: 0.05, 16: 0.2, 24: 0.03, 32: 0.02}
"""How often a stretch of so many bars is drawn, where there are tunes of that length."""


@dataclass
class Stretches:
    """Lines cut from tunes: tokens and chords `(B, T)`, length, metre, mode, and where they lie."""

    tokens: Ints
    root: Ints
    kind: Ints
    length: Ints
    metre: Ints
    mode: Ints
    first: Any
    last: Any

    def asks(self) -> Asks:
        """What could have been asked; chords that the tune does not name are those that it implies."""
        root, kind = implied(self.tokens, np.array(BARS)[self.metre], self.mode)
        named = (self.root != OPEN).any(1)
        root[named], kind[named] = self.root[named], self.kind[named]
        beyond = np.arange(root.shape[1]) >= self.length[:, None]
        root[beyond], kind[beyond] = OPEN, OPEN
        self.root, self.kind = root, kind
        found = read_off(self.tokens, self.length, self.metre, self.mode, (self.root, self.kind))
        found.first, found.last = self.first, self.last
        return found


class TuneCorpus:
    """One split of a corpus as training sequences. Bars asked are 2 to 32.

    Attributes:
        locks: share of the rows in which bars stand and the rest is to be filled in.
    """

    shape = SHAPE

    def __init__(self, tunes: Tunes, split: str = "train", locks: float = 0.5) -> None:
        self.tunes, self.locks = tunes, locks
        self.at = np.flatnonzero(tunes.split == SPLITS.index(split))
        if not len(self.at):
            raise InputError(f"the corpus has no tune in its split {split}.", place="env.corpus")
        self.bars = np.array([tunes.bars(i) for i in self.at])

    def batch(self, n: int, random: np.random.Generator) -> tuple[Prompts, Tensor]:
        """n stretches of one number of bars; what could be asked is left out at random."""
        stretches = recast(self.stretches(n, random), random)
        asks = veiled(stretches.asks(), random)
        if self.locks:
            where = hidden(asks, self.locks, random)
            lock(asks, stretches.tokens, where)
        return prompts_of(asks), torch.from_numpy(stretches.tokens)

    def validation(self, n: int) -> tuple[Prompts, Tensor]:
        return self.batch(n, np.random.default_rng(20_240_101))

    def stretches(self, n: int, random: np.random.Generator, bars: int = 0) -> Stretches:
        """Draw n stretches of `bars`, or of a number drawn by `LENGTHS`."""
        if not bars:
            known = [k for k in LENGTHS if (self.bars >= k).any()]
            weights = np.array([LENGTHS[k] for k in known])
            bars = int(random.choice(known, p=weights / weights.sum()))
        fits = np.flatnonzero(self.bars >= bars)
        if not len(fits):
            raise InputError(f"no tune of the corpus has {bars} bars.", place="env.corpus")
        chosen = fits[random.integers(0, len(fits), n)]
        return self._cut(chosen, bars, random)

    def _cut(self, chosen: Ints, bars: int, random: np.random.Generator) -> Stretches:
        tunes, index = self.tunes, self.at[chosen]
        bar = np.array(BARS)[tunes.metre[index]]
        spare = self.bars[chosen] - bars
        # Phrases begin every fourth bar; the tune's own end is as likely as all other places.
        begin = np.where(random.random(len(index)) < 0.4, spare, random.integers(0, spare // 4 + 1) * 4)
        steps = int(bar.max()) * bars
        tokens = np.zeros((len(index), steps), np.int64)
        root, kind = (np.full((len(index), steps), OPEN) for _ in range(2))
        for row, (i, at) in enumerate(zip(index, begin, strict=True)):
            span = slice(tunes.start[i] + at * bar[row], tunes.start[i] + (at + bars) * bar[row])
            tokens[row, : bars * bar[row]] = tunes.tokens[span]
            root[row, : bars * bar[row]] = tunes.root[span]
            kind[row, : bars * bar[row]] = tunes.kind[span]
        # A note that reaches in from before the cut begins anew.
        silent = tokens[:, 0] == 0
        tokens[silent, 0] = 1
        last = begin == spare
        return Stretches(
            tokens, root, kind, bars * bar, tunes.metre[index], tunes.mode[index], begin == 0, last
        )


RARE = {"major": (("lydian", 5, 6), ("mixolydian", 11, 10)), "minor": (("dorian", 8, 9), ("phrygian", 2, 1))}
"""Modes that lie one degree from a common one, and how that degree moves."""
RECAST = 0.12
"""Share of the tunes in common modes that are also heard in a rare one, which the books have few of."""


def recast(stretches: Stretches, random: np.random.Generator) -> Stretches:
    """Move one degree of some tunes, so that they are in a rare mode."""
    for row in np.flatnonzero(random.random(len(stretches.mode)) < RECAST):
        rare = RARE.get(MODE_NAMES[stretches.mode[row]])
        if rare is None:
            continue
        name, before, after = rare[int(random.integers(2))]
        line = stretches.tokens[row]
        line[(line >= FIRST) & ((line - FIRST) % 12 == before)] += after - before
        stretches.mode[row] = MODE_NAMES.index(name)
        stretches.root[row], stretches.kind[row] = OPEN, OPEN
    return stretches


def veiled(asks: Asks, random: np.random.Generator) -> Asks:
    """Leave out what could be asked, each thing for half of the rows, and widen the range."""
    rows = len(asks)
    for name in ("opening", "cadence", "contour"):
        hide = random.random(rows) < 0.5
        setattr(asks, name, np.where(hide, OPEN, getattr(asks, name)))
    asks.density = np.where(random.random(rows) < 0.5, float(OPEN), asks.density)
    chords = random.random(rows) < 0.5
    asks.root[chords], asks.kind[chords] = OPEN, OPEN
    asks.low = np.maximum(asks.low - random.integers(0, 6, rows), FIRST)
    asks.high = np.minimum(asks.high + random.integers(0, 6, rows), TOKENS - 1)
    return asks


def hidden(asks: Asks, share: float, random: np.random.Generator) -> np.ndarray:
    """Steps that are locked `(B, T)`: in a `share` of the rows some bars, or all notes of a bar's part."""
    rows, steps = asks.locked.shape
    bar = np.arange(steps) // asks.bar[:, None]
    bars = int(asks.length[0] // asks.bar[0])
    kept = random.random((rows, bars + 1)) < random.random((rows, 1))
    # Half of the rows: everything up to some bar stands, which is continuation.
    upto = np.arange(bars + 1) < random.integers(0, bars + 1, rows)[:, None]
    kept = np.where(random.random((rows, 1)) < 0.4, upto, kept)
    kept &= random.random((rows, 1)) < share
    valid = np.arange(steps) < asks.length[:, None]
    return np.take_along_axis(kept, np.minimum(bar, bars), axis=1) & valid
