"""The reward terms of melodies: batched measures over `Lines`, or any list of pieces of one voice.

RL Tuner's rules (`rules.py`) as shares, so that a weight means the same for 4 and for 32 bars; form,
variety, and what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.asks import OPEN, Asks, cadence_of, contour_of, density_of, opening_of
from plaudit.domains.music.lines import FIRST, Lines, lines_of, sounding
from plaudit.domains.music.request import asks_of
from plaudit.domains.music.rules import COLUMN, measure
from plaudit.domains.music.score import CHORDS
from plaudit.errors import MissingExtra
from plaudit.reward.term import Context, Scores, Term

_TONES = np.array([[(pc in tones) for pc in range(12)] for tones in CHORDS.values()])
Shares = Callable[[Lines, NDArray[np.float64]], NDArray[np.float64]]


def melody_terms() -> tuple[Term, ...]:
    """Every term of melodies."""
    return (
        *_rules(),
        Term("intervals", _of(_intervals), "RL Tuner's preferences among intervals, a step.", (-5.0, 1.5)),
        Term("rl_tuner", _rl_tuner, "RL Tuner's ten rules with the paper's weights, a step.", (-110.0, 20.0)),
        Term("density_target", _density, "Minus notes a bar off the requested density.", (-16.0, 0.0)),
        Term("opening", _opening, "Whether it begins on the requested degree.", (0.0, 1.0)),
        Term("cadence", _cadence, "Whether it ends as requested, and long enough to be an end.", (0.0, 1.0)),
        Term("contour", _contour, "Whether its thirds move as requested.", (0.0, 1.0)),
        Term("chord_tones", _chord_tones, "Share of sounding steps on a tone of the chord.", (0.0, 1.0)),
        Term("form", _form, "Share of bars whose rhythm or notes an earlier bar has.", (0.0, 1.0)),
        Term("groove", _groove, "How alike the onsets of neighbouring bars are.", (0.0, 1.0)),
        Term("pitch_entropy", _pitch_entropy, "Entropy of the pitch classes, over ln 12.", (0.0, 1.0)),
        Term(
            "variety",
            _variety,
            "Share of its runs of eight sixteenths that no other melody of the batch has.",
            (0.0, 1.0),
            scope="batch",
        ),
        Term(
            "interval_likeness",
            _likeness("intervals"),
            "How like the corpus's its intervals are: one less the distance of the histograms.",
            (0.0, 1.0),
        ),
        Term(
            "rhythm_likeness",
            _likeness("lengths"),
            "How like the corpus's its note lengths are, in its metre.",
            (0.0, 1.0),
        ),
        Term("likelihood", _likelihood, "Nats a sixteenth under the shipped prior.", (-1e3, 0.0)),
        Term(
            "novelty",
            _novelty,
            "Share of its runs of two bars that no tune learned from has, note for note.",
            (0.0, 1.0),
        ),
    )


def _rules() -> tuple[Term, ...]:
    less: dict[str, Any] = {"direction": "minimize"}
    return (
        Term("repetition", _share("repeated", "steps"), "Share of steps repeated too often.", (0, 1), **less),
        Term("out_of_key", _share("out_of_key", "notes"), "Share of notes outside the key.", (0, 1), **less),
        Term("leaps", _of(_leaps), "Share of leaps resolved; 1 without leaps.", (0.0, 1.0)),
        Term(
            "doubled_leaps",
            _share("doubled", "windows"),
            "Leaps that follow another in its direction, a window.",
            (0.0, 32.0),
            **less,
        ),
        Term("unique_high", _share("high", "windows"), "Share of windows with one highest note.", (0, 1)),
        Term("unique_low", _share("low", "windows"), "Share of windows with one lowest note.", (0, 1)),
        Term("motif", _share("motif", "steps"), "Share of steps in a motif of three notes.", (0.0, 1.0)),
        Term(
            "repeated_motif",
            _share("repeated_motif", "steps"),
            "Share of steps in a motif that came before in its window.",
            (0.0, 1.0),
        ),
        Term(
            "autocorrelation",
            _share("loud_rho", "windows"),
            "Sum of correlations above .15 with itself 1 to 3 steps on.",
            (0.0, 3.0),
            **less,
        ),
        Term("tonic", _of(_tonic), "Begins on the tonic and sounds it at the end.", (0.0, 1.0)),
    )


def as_lines(items: Any) -> Lines:
    """Lines as they are, or from pieces."""
    return items if isinstance(items, Lines) else lines_of(list(items))


def asked(items: Any, context: Context) -> Asks:
    """What was asked, from the cache of the environment or from the requests."""
    if "asks" not in context.cache:
        context.cache["asks"] = asks_of(context.requests)[0]
    found: Asks = context.cache["asks"]
    return found


def sums(items: Any, context: Context) -> tuple[Lines, NDArray[np.float64]]:
    """The lines and their measured rules, measured once a batch."""
    if "rules" not in context.cache:
        lines = as_lines(items)
        context.cache["rules"] = (lines, measure(lines))
    found: tuple[Lines, NDArray[np.float64]] = context.cache["rules"]
    return found


def _of(score: Shares) -> Callable[[Any, Context], Scores]:
    return lambda items, context: score(*sums(items, context))


def _share(part: str, whole: str) -> Callable[[Any, Context], Scores]:
    def score(lines: Lines, found: NDArray[np.float64]) -> Scores:
        return found[:, COLUMN[part]] / np.maximum(found[:, COLUMN[whole]], 1.0)

    return _of(score)


def _leaps(lines: Lines, found: NDArray[np.float64]) -> Scores:
    resolved, doubled = found[:, COLUMN["resolved"]], found[:, COLUMN["doubled"]]
    return np.where(resolved + doubled > 0, resolved / np.maximum(resolved + doubled, 1.0), 1.0)


def _tonic(lines: Lines, found: NDArray[np.float64]) -> Scores:
    return 0.5 * (found[:, COLUMN["tonic_start"]] + found[:, COLUMN["tonic_end"]])


def _intervals(lines: Lines, found: NDArray[np.float64]) -> Scores:
    return found[:, COLUMN["intervals"]] / found[:, COLUMN["steps"]]


def _rl_tuner(items: Any, context: Context) -> Scores:
    """Section 4.2 of the paper, summed over the windows and divided by the steps."""
    _, found = sums(items, context)
    weights = {
        "repeated": -100.0,
        "out_of_key": -1.0,
        "motif": 3.0,
        "motif_notes": 0.3,
        "repeated_motif": 4.0,
        "repeated_motif_notes": 1.0,
        "resolved": 5.0,
        "doubled": -5.0,
        "high": 3.0,
        "low": 3.0,
        # The paper subtracts it at every step; here once for the whole of each window, times its steps.
        "intervals": 1.0,
        "tonic_start": 3.0,
        "tonic_end": 12.0,
    }
    total = sum(weight * found[:, COLUMN[name]] for name, weight in weights.items())
    steps = found[:, COLUMN["steps"]]
    return np.asarray(total / steps - 3.0 * found[:, COLUMN["loud_rho"]] / found[:, COLUMN["windows"]])


def _density(items: Any, context: Context) -> Scores:
    lines, asks = as_lines(items), asked(items, context)
    found = density_of(lines.tokens, lines.length, lines.bar)
    return np.where(asks.density >= 0, -np.minimum(np.abs(found - asks.density), 16.0), 0.0)


def _opening(items: Any, context: Context) -> Scores:
    lines, asks = as_lines(items), asked(items, context)
    met = opening_of(lines.tokens, lines.mode) == asks.opening
    return np.where(asks.opening == OPEN, 1.0, met)


def _cadence(items: Any, context: Context) -> Scores:
    """Half for the right note, half for a last note that lasts a beat or more, and longest of its bar."""
    lines, asks = as_lines(items), asked(items, context)
    met = (cadence_of(lines.tokens, lines.length) == asks.cadence) | (asks.cadence == OPEN)
    long = last_length(lines) >= np.where(lines.bar == 12, 6, 4)
    return 0.5 * met + 0.5 * (met & long)


def last_length(lines: Lines) -> NDArray[np.int64]:
    """Sixteenths `(B,)` of the last note, silence after it included."""
    at = np.arange(lines.tokens.shape[1])
    begins = np.where((lines.tokens >= FIRST) & lines.valid, at, -1).max(1)
    return lines.length - begins


def _contour(items: Any, context: Context) -> Scores:
    lines, asks = as_lines(items), asked(items, context)
    return np.where(asks.contour == OPEN, 1.0, contour_of(lines.tokens, lines.length) == asks.contour)


def _chord_tones(items: Any, context: Context) -> Scores:
    """1 where no chords were asked."""
    lines, asks = as_lines(items), asked(items, context)
    held = sounding(lines.tokens)
    there = (asks.root != OPEN) & (held >= FIRST) & lines.valid
    fits = _TONES[np.maximum(asks.kind, 0), (held - FIRST - asks.root) % 12] & there
    return np.where(there.any(1), fits.sum(1) / np.maximum(there.sum(1), 1), 1.0)


def _form(items: Any, context: Context) -> Scores:
    """Bars that repeat an earlier one: half for its rhythm, half for its notes too."""
    lines = as_lines(items)
    return np.array([_repeats(line, bar) for line, bar in _rows(lines)])


def _repeats(line: NDArray[np.int64], bar: int) -> float:
    bars = line.reshape(-1, bar)
    rhythm = np.minimum(bars, FIRST)
    again = [(rhythm[:i] == rhythm[i]).all(1).any() for i in range(1, len(bars))]
    same = [(bars[:i] == bars[i]).all(1).any() for i in range(1, len(bars))]
    return float(np.mean([0.5 * a + 0.5 * b for a, b in zip(again, same, strict=True)])) if again else 0.0


def _groove(items: Any, context: Context) -> Scores:
    """Mean likeness of the onsets of a bar and the next. Wu and Yang, 2020."""
    scores = []
    for line, bar in _rows(as_lines(items)):
        onsets = line.reshape(-1, bar) >= FIRST
        scores.append(float((onsets[1:] == onsets[:-1]).mean()) if len(onsets) > 1 else 1.0)
    return np.array(scores)


def _pitch_entropy(items: Any, context: Context) -> Scores:
    lines = as_lines(items)
    notes = (lines.tokens >= FIRST) & lines.valid
    counts = np.stack([(notes & ((lines.tokens - FIRST) % 12 == pc)).sum(1) for pc in range(12)], 1)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return -(share * np.log(np.maximum(share, 1e-12))).sum(1) / np.log(12.0)


def _variety(items: Any, context: Context) -> Scores:
    runs = [np.unique(run_codes(line)) for line, _ in _rows(as_lines(items))]
    every, count = np.unique(np.concatenate(runs), return_counts=True)
    lonely = every[count == 1]
    return np.array([float(np.isin(own, lonely, assume_unique=True).mean()) for own in runs])


def _likeness(name: str) -> Callable[[Any, Context], Scores]:
    """NaN where the corpus is not there."""

    def score(items: Any, context: Context) -> Scores:
        from plaudit.domains.music import likeness

        lines = as_lines(items)
        try:
            return likeness.likeness(lines, getattr(likeness, name))
        except MissingExtra:
            return np.full(len(lines), np.nan)

    return score


def _likelihood(items: Any, context: Context) -> Scores:
    from plaudit.domains.music.likeness import log_likelihood, shipped_prior

    lines = as_lines(items)
    return log_likelihood(shipped_prior(), lines) / lines.length


def _novelty(items: Any, context: Context) -> Scores:
    """NaN where the corpus is not there."""
    from plaudit.domains.music.novelty import known

    lines = as_lines(items)
    try:
        return 1.0 - known().copied(lines)
    except MissingExtra:
        return np.full(len(lines), np.nan)


def run_codes(line: NDArray[np.int64], size: int = 8) -> NDArray[np.uint64]:
    """A number for each run of `size` tokens of a line, equal for equal runs."""
    windows = np.lib.stride_tricks.sliding_window_view(line, min(size, len(line)))
    code = np.zeros(len(windows), np.uint64)
    for column in windows.T.astype(np.uint64):
        code = code * np.uint64(0x9E3779B97F4A7C15) + column + np.uint64(1)
        code ^= code >> np.uint64(29)
    return code


def _rows(lines: Lines) -> Sequence[tuple[NDArray[np.int64], int]]:
    """Each line without its padding, and its bar."""
    return [(lines.tokens[row, : lines.length[row]], int(lines.bar[row])) for row in range(len(lines.length))]
