"""The chords that a melody implies: for each bar the triad of the key that its notes dwell on most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.asks import OPEN, SCALES
from plaudit.domains.music.lines import FIRST, MODE_NAMES, Ints, sounding
from plaudit.domains.music.score import CHORDS

KINDS = tuple(CHORDS)
_DOWNBEAT = 2.0
"""How much more the first quarter of a bar counts."""
_LIKING = np.array([0.30, 0.05, 0.0, 0.18, 0.25, 0.10, 0.0])
"""What a degree's chord has in its favour: tonic, dominant and subdominant come more often."""


def triads(mode: int) -> list[tuple[int, int]]:
    """Root and kind of the triad on each degree of a mode; in minor the dominant is major."""
    scale = np.flatnonzero(SCALES[mode])
    found = []
    for degree in range(7):
        root, third, fifth = (int(scale[(degree + step) % 7]) for step in (0, 2, 4))
        steps = ((third - root) % 12, (fifth - root) % 12)
        kind = {(4, 7): "maj", (3, 7): "min", (3, 6): "dim", (4, 8): "aug"}.get(steps, "maj")
        if MODE_NAMES[mode] == "minor" and degree == 4:
            kind = "maj"
        found.append((root, KINDS.index(kind)))
    return found


def _tables() -> NDArray[np.float64]:
    table = np.zeros((len(MODE_NAMES), 7, 12))
    for mode in range(len(MODE_NAMES)):
        for degree, (root, kind) in enumerate(triads(mode)):
            table[mode, degree, [(root + step) % 12 for step in CHORDS[KINDS[kind]]]] = 1.0
    return table


_TONES = _tables()
_ROOTS = np.array([[chord for chord in triads(mode)] for mode in range(len(MODE_NAMES))])


def implied(tokens: Ints, bar: Ints, mode: Ints) -> tuple[Ints, Ints]:
    """Root and kind of the chord at each step `(B, T)`, one a bar; `OPEN` in silent bars."""
    held = sounding(tokens)
    steps = np.arange(tokens.shape[1])
    number = steps // bar[:, None]
    weight = np.where(steps % bar[:, None] < 4, _DOWNBEAT, 1.0) * (held >= FIRST)
    rows = np.arange(len(tokens))[:, None]
    dwelt = np.zeros((len(tokens), int(number.max()) + 1, 12))
    np.add.at(dwelt, (rows, number, (held - FIRST) % 12), weight)
    total = dwelt.sum(2)
    fit = np.einsum("bnp,bdp->bnd", dwelt, _TONES[mode]) + _LIKING * np.maximum(total, 1.0)[..., None]
    chosen = _ROOTS[mode[:, None], fit.argmax(2)]
    chosen[total == 0] = OPEN
    spread = np.take_along_axis(chosen, number[..., None], axis=1)
    return spread[..., 0], spread[..., 1]
