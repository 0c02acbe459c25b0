"""The terms of playing, over tables of `playthrough.FIGURES`: what a player is to be like."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from plaudit.domains.level.play.playthrough import FIGURES
from plaudit.reward.term import Context, Scores, Term

MOST = 65536.0
"""Where the ranges of counts end."""


def play_terms() -> tuple[Term, ...]:
    """Winning, and the ways in which one player differs from another."""
    return (
        Term("won", partial(_figure, "won"), "1 when the level was finished, else 0.", (0.0, 1.0)),
        Term(
            "progress",
            partial(_figure, "progress"),
            "Share of the way to the end that was made; below 0 = farther from it than at the start.",
            (-1.0, 1.0),
        ),
        Term(
            "steps",
            partial(_figure, "steps"),
            "Moves made; its weight is the cost of a move.",
            (0.0, MOST),
            direction="minimize",
        ),
        Term(
            "lost",
            partial(_figure, "lost"),
            "1 when the player died, or the level cannot be finished any more.",
            (0.0, 1.0),
            direction="minimize",
        ),
        Term(
            "gathered",
            partial(_figure, "gathered"),
            "Treasures, diamonds or coins taken.",
            (0.0, MOST),
        ),
        Term(
            "hurt",
            partial(_figure, "hurt"),
            "What enemies and spikes took, in hearts or points of health.",
            (0.0, MOST),
            direction="minimize",
        ),
    )


def _figure(name: str, items: Any, context: Context) -> Scores:
    del context
    return np.asarray(items, np.float64)[:, FIGURES.index(name)]
