"""Chorales below sopranos of Bach's that no training has seen, beside Bach's own and a harmoniser by rule.

All figures by the judge in plain Python (`chorale/judge.py`), pooled over the pieces: crossed chords among
all chords, notes out of range among all notes. The sopranos stand note for note; their fermatas tell where
phrases end, as they do for a user who gives a MusicXML file.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from benchmarks.timing import say
from plaudit.domains import get_task
from plaudit.domains.music.chorale.data import load_bach
from plaudit.domains.music.chorale.judge import judged
from plaudit.domains.music.chorale.request import ChoraleRequest, ends_of
from plaudit.domains.music.files.json_file import table as table_of
from plaudit.domains.music.score import Piece
from plaudit.runs import presets
from plaudit.task import Item

Figures = dict[str, Any]
SEED = 2_050_001


def chorale(draws: int, split: str = "test") -> Figures:
    """Every figure of the task, over `draws` chorales below each soprano."""
    task, bach = get_task("music/chorale"), load_bach()
    pieces = list(bach.chorales)
    own = [(pieces[i], tuple(bach.ends(i))) for i in bach.of(split)]
    asked = [below(piece, ends) for piece, ends in own]
    seeds = [SEED * 1_000_000 + i for i in range(len(asked) * draws)]
    policy = presets.policy_in(presets.find("music/chorale"))
    torch.set_num_threads(1)
    list(task.generate(policy, asked[:2], seeds[:2]))
    start = time.perf_counter()
    items = list(task.generate(policy, asked * draws, seeds))
    speed = len(items) / (time.perf_counter() - start)
    figures = {**table(task, items), "sopranos": len(own), "chorales_per_s": round(speed, 2)}
    say(f"  preset: {figures}")
    figures["bach"] = table(task, [Item(piece, below(piece, ends), 0) for piece, ends in own])
    for name, generator in task.baselines().items():
        figures[name] = table(task, list(generator(asked, seeds[: len(asked)])))
    return figures


def below(piece: Piece, ends: tuple[int, ...]) -> ChoraleRequest:
    """Three voices below the soprano of a piece."""
    soprano = replace(piece, voices=piece.voices[:1], chords=())
    return ChoraleRequest(soprano=table_of(soprano), ends=ends)


def table(task: Any, items: Sequence[Item]) -> Figures:
    found = [judged(item.content, ends_of(item.request, item.content)) for item in items]
    control = task.judge(items)

    def share(part: str, whole: str) -> float:
        counts = [sum(getattr(one, name) for one in found) for name in (part, whole)]
        return round(counts[0] / max(counts[1], 1), 5)

    return {
        "free_of_parallels": round(float(np.mean([one.parallels == 0 for one in found])), 4),
        "crossing": share("crossed", "chords"),
        "out_of_range": share("outside", "notes"),
        "kept": round(float(control["kept"].mean()), 4),
        "diversity": round(float(control["diversity"].mean()), 4),
        "cadences": share("cadences", "ends"),
        "chords_known": share("known", "beats"),
        "sevenths_left_well": round(1.0 - share("hanging", "sevenths"), 5),
        "leading_tones_resolved": round(1.0 - share("unresolved", "leading"), 5),
        "leaps": share("leaps", "moves"),
        "overlap": share("overlap", "changes"),
        "wide": share("wide", "chords"),
        "home": round(float(np.mean([one.home for one in found])), 4),
        "movement": round(float(np.mean(control["movement"])), 3),
    }
