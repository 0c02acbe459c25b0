"""The reward terms of chorales: what the rules count (`rules.py`) as shares, over `Chorales` or pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.chorale.asks import movement_of
from plaudit.domains.music.chorale.grid import VOICES, Chorales, chorales_of
from plaudit.domains.music.chorale.request import ChoraleRequest, ends_of
from plaudit.domains.music.chorale.rules import COLUMN, measure
from plaudit.errors import InputError
from plaudit.reward.term import Context, Scores, Term


def chorale_terms() -> tuple[Term, ...]:
    """Every term of chorales."""
    return (
        Term("clean", _clean, "Whether there is no parallel fifth or octave at all.", (0.0, 1.0)),
        *_faults(),
        Term("leading_tone", _kept("unresolved", "leading"), "Share of leading tones resolved.", (0.0, 1.0)),
        Term("sevenths", _kept("hanging", "sevenths"), "Share of sevenths left by a step down.", (0.0, 1.0)),
        Term("chords", _share("known", "beats"), "Share of beats on a triad or seventh chord.", (0.0, 1.0)),
        Term("cadence", _cadence, "Share of phrases that end on a triad over its root.", (0.0, 1.0)),
        Term("close", _home, "Whether it ends on the tonic's triad over its root.", (0.0, 1.0)),
        Term("movement_target", _movement, "Minus notes in a quarter off the requested.", (-8.0, 0.0)),
        Term("parallels_target", _parallels, "Minus parallels more or fewer than requested.", (-1e4, 0.0)),
    )


def _faults() -> tuple[Term, ...]:
    """What there should be little of."""
    shares = (
        ("parallels", _rate, "Parallel fifths and octaves a change, at most 1."),
        ("direct", _share("direct", "changes"), "Share of changes with a direct fifth or octave outside."),
        ("overlap", _share("overlap", "changes"), "Share of changes in which neighbours overlap."),
        ("crossing", _share("crossed", "chords"), "Share of chords with crossed voices."),
        ("spacing", _share("wide", "chords"), "Share of chords with upper voices over an octave apart."),
        ("doubled_leading_tone", _share("doubled", "chords"), "Share of chords that double it."),
        ("range", _share("outside", "notes"), "Share of notes outside of their voice's range."),
        ("leaps", _share("leaps", "moves"), "Share of inner moves over a fifth, or by a tritone."),
    )
    return tuple(Term(name, score, text, (0.0, 1.0), "minimize") for name, score, text in shares)


def as_chorales(items: Any, context: Context) -> Chorales:
    """Chorales as they are, or from pieces; raises `InputError` for a piece without four voices."""
    if isinstance(items, Chorales):
        return items
    pieces = list(items)
    if any(len(piece.voices) != len(VOICES) for piece in pieces):
        raise InputError("a chorale has four voices: soprano, alto, tenor and bass.")
    asked = [*context.requests, *[ChoraleRequest()] * (len(pieces) - len(context.requests))]
    ends = [ends_of(request, piece) for request, piece in zip(asked, pieces, strict=False)]
    return chorales_of(pieces, ends, 1)


def counts(items: Any, context: Context) -> tuple[Chorales, NDArray[np.float64]]:
    """The chorales and what the rules count, counted once a batch."""
    if "rules" not in context.cache:
        chorales = as_chorales(items, context)
        context.cache["rules"] = (chorales, measure(chorales))
    found: tuple[Chorales, NDArray[np.float64]] = context.cache["rules"]
    return found


def column(items: Any, context: Context, name: str) -> NDArray[np.float64]:
    return counts(items, context)[1][:, COLUMN[name]]


def _share(part: str, whole: str) -> Callable[[Any, Context], Scores]:
    return lambda items, context: (
        column(items, context, part) / np.maximum(column(items, context, whole), 1.0)
    )


def _kept(wrong: str, whole: str) -> Callable[[Any, Context], Scores]:
    """1 where the occasion never comes."""
    share = _share(wrong, whole)
    return lambda items, context: 1.0 - share(items, context)


def _both(items: Any, context: Context) -> NDArray[np.float64]:
    return column(items, context, "fifths") + column(items, context, "octaves")


def _clean(items: Any, context: Context) -> Scores:
    return (_both(items, context) == 0).astype(np.float64)


def _rate(items: Any, context: Context) -> Scores:
    return np.minimum(_both(items, context) / np.maximum(column(items, context, "changes"), 1.0), 1.0)


def _cadence(items: Any, context: Context) -> Scores:
    """1 without a phrase end."""
    ends = column(items, context, "ends")
    return np.where(ends > 0, column(items, context, "cadences") / np.maximum(ends, 1.0), 1.0)


def _home(items: Any, context: Context) -> Scores:
    return column(items, context, "home")


def _asked(context: Context, name: str, rows: int) -> NDArray[np.float64]:
    """What was asked of a statistic `(B,)`; NaN = nothing."""
    asked = [request.target.get(name, np.nan) for request in context.requests]
    return np.array([*asked, *[np.nan] * (rows - len(asked))], np.float64)


def _movement(items: Any, context: Context) -> Scores:
    """0 where nothing is asked."""
    chorales, _ = counts(items, context)
    away = np.abs(movement_of(chorales) - _asked(context, "movement", len(chorales)))
    return -np.minimum(np.nan_to_num(away, nan=0.0), 8.0)


def _parallels(items: Any, context: Context) -> Scores:
    """0 where nothing is asked."""
    away = np.abs(_both(items, context) - _asked(context, "parallels", len(_both(items, context))))
    return -np.minimum(np.nan_to_num(away, nan=0.0), 1e4)
