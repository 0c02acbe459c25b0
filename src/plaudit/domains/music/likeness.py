"""How like a corpus a melody is: its intervals, its note lengths, its likelihood under the shipped prior."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.music.asks import OPEN, Asks, read_off
from plaudit.domains.music.conditions import prompts_of
from plaudit.domains.music.data import SPLITS, load_tunes
from plaudit.domains.music.lines import FIRST, TOKENS, Lines
from plaudit.engine.sequence.model import GRUConfig, SequenceModel, Shape
from plaudit.errors import InputError

WIDEST, LONGEST = 12, 16
"""Semitones and sixteenths beyond which intervals and lengths are counted together."""
FLOOR = -30.0
"""Least log-probability of a token: a line that begins by holding nothing is unlikely, not impossible."""
Histogram = NDArray[np.float64]


def intervals(line: NDArray[np.int64]) -> Histogram:
    """Shares of intervals between notes in a row, from an octave down to an octave up."""
    notes = line[line >= FIRST]
    steps = np.clip(np.diff(notes), -WIDEST, WIDEST) + WIDEST
    return _shares(steps, 2 * WIDEST + 1)


def lengths(line: NDArray[np.int64]) -> Histogram:
    """Shares of the sixteenths from one note to the next."""
    begins = np.append(np.flatnonzero(line >= FIRST), len(line))
    return _shares(np.minimum(np.diff(begins), LONGEST) - 1, LONGEST)


def _shares(values: NDArray[np.int64], count: int) -> Histogram:
    found = np.bincount(values, minlength=count).astype(np.float64)
    return found / max(found.sum(), 1.0)


def likeness(lines: Lines, of: Any) -> NDArray[np.float64]:
    """One less the total variation distance of each line's histogram from the corpus's, in its own metre."""
    real = corpus_histograms(of)
    own = [of(lines.tokens[row, : lines.length[row]]) for row in range(len(lines.length))]
    return np.array([1.0 - 0.5 * np.abs(h - real[m]).sum() for h, m in zip(own, lines.metre, strict=True)])


@lru_cache(maxsize=4)
def corpus_histograms(of: Any) -> NDArray[np.float64]:
    """Mean histogram of the tunes learned from, `(metres, bins)`; raises `MissingExtra` without them."""
    tunes = load_tunes()
    rows = []
    for metre in range(4):
        at = np.flatnonzero((tunes.metre == metre) & (tunes.split == SPLITS.index("train")))
        rows.append(np.mean([of(tunes.tune(int(i)).astype(np.int64)) for i in at], 0))
    return np.array(rows)


def shipped_prior() -> SequenceModel:
    """The prior of the package; raises `InputError` where there is none."""
    return shipped("melody-prior")


@lru_cache(maxsize=2)
def shipped(name: str) -> SequenceModel:
    """The model of a preset of melodies; raises `InputError` where it is not there."""
    from safetensors.torch import load_file

    from plaudit.media.limits import read_json

    folder = Path(__file__).parent / "presets" / name
    if not (folder / "model.safetensors").is_file():
        raise InputError(f"the preset music/{name} is not there.", place=str(folder))
    described = read_json(folder / "manifest.json")["policy"]
    model = SequenceModel(Shape(**described["shape"]), GRUConfig(**described["network"]))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval()


def unasked(lines: Lines) -> Asks:
    """The lines' length, metre, mode and a range around their own; nothing else is told."""
    nothing = np.full(lines.tokens.shape, OPEN)
    asks = read_off(lines.tokens, lines.length, lines.metre, lines.mode, (nothing, nothing.copy()))
    for name in ("opening", "cadence", "contour", "density"):
        getattr(asks, name)[:] = OPEN
    asks.low = np.maximum(asks.low - 2, FIRST)
    asks.high = np.minimum(asks.high + 2, TOKENS - 1)
    return asks


@torch.no_grad()
def log_likelihood(model: SequenceModel, lines: Lines) -> NDArray[np.float64]:
    """Log-probability `(B,)` of each line, in nats."""
    parts = []
    for rows in np.array_split(np.arange(len(lines.length)), max(1, len(lines.length) // 128)):
        part = Lines(
            lines.tokens[rows], lines.length[rows], lines.metre[rows], lines.mode[rows], lines.shift[rows]
        )
        prompts = prompts_of(unasked(part))
        taken = model.of(prompts, torch.from_numpy(part.tokens))[0].clamp(min=FLOOR)
        parts.append(taken.sum(1).double().numpy())
    return np.concatenate(parts)
