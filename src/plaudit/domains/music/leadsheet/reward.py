"""The reward terms of chords for melodies: over tokens `(B, T)` with the melodies in the context's cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.data import KINDS
from plaudit.domains.music.leadsheet.grid import (
    BEATS,
    CHORD_TOKENS,
    FIRST_CHORD,
    GOES_ON,
    Melodies,
    melodies_of,
    spread,
    tokens_at,
)
from plaudit.domains.music.lines import lines_of
from plaudit.domains.music.score import CHORDS
from plaudit.reward.term import Context, Scores, Term


def _tones() -> NDArray[np.float64]:
    """`(CHORD_TOKENS, 12)`: the pitch classes of each token; none for no chord."""
    table = np.zeros((CHORD_TOKENS, 12))
    for kind, name in enumerate(KINDS):
        for root in range(12):
            table[FIRST_CHORD + 12 * kind + root, [(root + step) % 12 for step in CHORDS[name]]] = 1.0
    return table


TONES = _tones()
_BEAT = np.array(BEATS)


def lead_terms() -> tuple[Term, ...]:
    """Every term of lead sheets."""
    return (
        Term(
            "note_in_chord", _note_in_chord, "Share of the melody's time on a tone of the chord.", (0.0, 1.0)
        ),
        Term(
            "strong_beats",
            _strong_beats,
            "Share of notes that begin a bar on a tone of its chord.",
            (0.0, 1.0),
        ),
        Term("covered", _covered, "Share of beats that have a chord.", (0.0, 1.0)),
        Term("chord_rhythm", _chord_rhythm, "New chords a bar.", (0.0, 4.0)),
        Term("on_the_bar", _on_the_bar, "Share of new chords that come with a bar.", (0.0, 1.0)),
        Term("close", _close, "Whether the last chord is the tonic's.", (0.0, 1.0)),
        Term(
            "falling_fifths", _falling_fifths, "Share of chord changes whose root falls a fifth.", (0.0, 1.0)
        ),
        Term("chord_entropy", _entropy, "Entropy of a sheet's chords, over ln 12.", (0.0, 2.0)),
        Term(
            "chord_variety",
            _variety,
            "Share of its chord changes that few others of the batch have.",
            (0, 1),
            scope="batch",
        ),
        Term(
            "chords_apart",
            _apart,
            "How unlike its shares of chords are to those of the rest of the batch.",
            (0.0, 1.0),
            scope="batch",
        ),
    )


def sheets(items: Any, context: Context) -> tuple[NDArray[np.int64], Melodies]:
    """Tokens and melodies: from the cache of a learner, or from pieces with chords."""
    if "melodies" in context.cache:
        return np.asarray(items), context.cache["melodies"]
    if "sheets" not in context.cache:
        context.cache["sheets"] = sheets_of(list(items))
    found: tuple[NDArray[np.int64], Melodies] = context.cache["sheets"]
    return found


def sheets_of(pieces: list[Any]) -> tuple[NDArray[np.int64], Melodies]:
    """Tokens and melodies of pieces; what is finer than a beat counts by the beat that it begins on."""
    lines = lines_of(pieces)
    melodies = melodies_of(lines.tokens, lines.length, lines.metre, lines.mode)
    tokens = np.zeros(melodies.onset.shape, np.int64)
    for row, beat in enumerate(_BEAT[melodies.metre]):
        count = int(melodies.length[row])
        root, kind = np.full(count, -1), np.full(count, -1)
        for chord in lines.chords[row]:
            span = slice(chord.start // beat, -(-chord.end // beat))
            root[span], kind[span] = chord.root, KINDS.index(chord.kind)
        tokens[row, :count] = tokens_at(root, kind)
    return tokens, melodies


def _note_in_chord(items: Any, context: Context) -> Scores:
    """Time in which a note sounds over no chord counts as off; NaN for a silent melody."""
    tokens, melodies = sheets(items, context)
    weight = melodies.dwelt * melodies.valid[..., None]
    inside = (weight * TONES[spread(tokens)]).sum((1, 2))
    whole = weight.sum((1, 2))
    return np.where(whole > 0, inside / np.maximum(whole, 1e-9), np.nan)


def _strong_beats(items: Any, context: Context) -> Scores:
    tokens, melodies = sheets(items, context)
    strong = (
        (np.arange(tokens.shape[1]) % melodies.beats[:, None] == 0) & (melodies.onset >= 0) & melodies.valid
    )
    inside = np.take_along_axis(TONES[spread(tokens)], np.maximum(melodies.onset, 0)[..., None], 2)[..., 0]
    return np.where(strong.any(1), (inside * strong).sum(1) / np.maximum(strong.sum(1), 1), 1.0)


def _covered(items: Any, context: Context) -> Scores:
    tokens, melodies = sheets(items, context)
    return ((spread(tokens) >= FIRST_CHORD) & melodies.valid).sum(1) / np.maximum(melodies.length, 1)


def _new(tokens: NDArray[np.int64], melodies: Melodies) -> NDArray[np.bool_]:
    return (tokens != GOES_ON) & melodies.valid


def _chord_rhythm(items: Any, context: Context) -> Scores:
    tokens, melodies = sheets(items, context)
    return _new(tokens, melodies).sum(1) / np.maximum(melodies.length / melodies.beats, 1)


def _on_the_bar(items: Any, context: Context) -> Scores:
    tokens, melodies = sheets(items, context)
    new = _new(tokens, melodies)
    there = np.arange(tokens.shape[1]) % melodies.beats[:, None] == 0
    return (new & there).sum(1) / np.maximum(new.sum(1), 1)


def _close(items: Any, context: Context) -> Scores:
    tokens, melodies = sheets(items, context)
    last = spread(tokens)[np.arange(len(tokens)), np.maximum(melodies.length - 1, 0)]
    return ((last >= FIRST_CHORD) & ((last - FIRST_CHORD) % 12 == 0)).astype(np.float64)


def _falling_fifths(items: Any, context: Context) -> Scores:
    tokens, melodies = sheets(items, context)
    held = spread(tokens)
    change = _new(tokens, melodies)[:, 1:] & (held[:, :-1] >= FIRST_CHORD) & (held[:, 1:] >= FIRST_CHORD)
    falls = (held[:, :-1] - held[:, 1:]) % 12 == 7
    return (change & falls).sum(1) / np.maximum(change.sum(1), 1)


def _entropy(items: Any, context: Context) -> Scores:
    tokens, melodies = sheets(items, context)
    held = spread(tokens)
    scores = []
    for row, length in enumerate(melodies.length):
        share = np.bincount(held[row, :length]) / max(int(length), 1)
        scores.append(float(-(share * np.log(np.maximum(share, 1e-12))).sum() / np.log(12.0)))
    return np.array(scores)


def _variety(items: Any, context: Context) -> Scores:
    """One less the share of the batch that has each change, over the sheet's changes; 0 without changes."""
    tokens, melodies = sheets(items, context)
    own = [changes(tokens[row, :length]) for row, length in enumerate(melodies.length)]
    every, count = np.unique(np.concatenate([np.unique(c) for c in own]), return_counts=True)
    rare = dict(zip(every.tolist(), (1.0 - count / len(own)).tolist(), strict=True))
    return np.array(
        [float(np.mean([rare[c] for c in codes.tolist()])) if len(codes) else 0.0 for codes in own]
    )


def _apart(items: Any, context: Context) -> Scores:
    """One less the mean cosine to the other sheets' beats on each chord; 0 for a batch of one."""
    tokens, melodies = sheets(items, context)
    held = spread(tokens)
    shares = np.zeros((len(tokens), CHORD_TOKENS))
    for row, length in enumerate(melodies.length):
        shares[row] = np.bincount(held[row, :length], minlength=CHORD_TOKENS)
    shares[:, :FIRST_CHORD] = 0.0
    unit = shares / np.maximum(np.linalg.norm(shares, axis=1, keepdims=True), 1e-9)
    own = (unit * unit).sum(1)
    others = (unit @ unit.sum(0) - own) / max(len(unit) - 1, 1)
    return 1.0 - others if len(unit) > 1 else np.zeros(1)


def changes(tokens: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each change from a chord to the next of one line."""
    chords = tokens[tokens != GOES_ON]
    return chords[:-1] * CHORD_TOKENS + chords[1:]
