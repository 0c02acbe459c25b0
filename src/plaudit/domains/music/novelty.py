"""What a melody has copied: runs of two bars and more, note for note, that a tune of the corpus has too."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.data import SPLITS, Tunes, load_tunes
from plaudit.domains.music.lines import BARS, FIRST, Lines
from plaudit.domains.music.reward import run_codes
from plaudit.domains.music.score import METRES


def spelled(line: NDArray[np.int64]) -> NDArray[np.int64]:
    """A line with every note counted from its lowest octave's C, so that octaves do not hide a copy."""
    notes = line[line >= FIRST]
    if not len(notes):
        return line
    octave = (int(notes.min()) - FIRST) // 12 * 12
    return np.where(line >= FIRST, line - octave, line)


class Known:
    """Every run of two bars of the tunes that were learned from, at every offset."""

    def __init__(self, tunes: Tunes) -> None:
        self.codes = [self._codes(tunes, metre) for metre in range(len(METRES))]

    @staticmethod
    def _codes(tunes: Tunes, metre: int) -> NDArray[np.uint64]:
        rows = np.flatnonzero((tunes.metre == metre) & (tunes.split == SPLITS.index("train")))
        size = 2 * BARS[metre]
        found = [
            run_codes(spelled(tunes.tune(i).astype(np.int64)), size) for i in rows if tunes.bars(int(i)) >= 2
        ]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint64)

    def copied(self, lines: Lines) -> NDArray[np.float64]:
        """Share `(B,)` of the runs of two bars that the corpus has; 0 = no run of two bars is copied."""
        return np.array([self._share(lines, row) for row in range(len(lines.length))])

    def _share(self, lines: Lines, row: int) -> float:
        metre, length = int(lines.metre[row]), int(lines.length[row])
        if length < 2 * BARS[metre]:
            return 0.0
        own = run_codes(spelled(lines.tokens[row, :length]), 2 * BARS[metre])
        codes = self.codes[metre]
        if not len(codes):
            return 0.0
        # A search in what is sorted: `isin` would sort all of it again for every melody.
        at = np.minimum(np.searchsorted(codes, own), len(codes) - 1)
        return float((codes[at] == own).mean())


@lru_cache(maxsize=2)
def known(place: str = "folk") -> Known:
    """The runs of a corpus, gathered once; raises `InputError` or `MissingExtra`."""
    return Known(load_tunes(place))
