"""The Sokoban solver on Boxoban: a fixed random sample of `medium/valid`, and one of `hard`, 10 s a level.

Every solution is replayed by a simulator of its own before it counts. The levels are Apache-2.0
(google-deepmind/boxoban-levels); `PLAUDIT_DATA` names the folder of `boxoban/`, else it is `../shared/data`.
"""

from __future__ import annotations

import os
import random
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from plaudit.domains.level.solver import Level, Limits, read_levels, solve

SECONDS = 10.0
SAMPLES = {"medium/valid": ("solver", 200), "hard": ("solver_hard", 100)}
STEPS = {"u": (-1, 0), "d": (1, 0), "l": (0, -1), "r": (0, 1)}


def home() -> Path:
    return Path(os.environ.get("PLAUDIT_DATA", "../shared/data")) / "boxoban"


def sample(folder: str, count: int) -> list[Level]:
    """Levels drawn from the files of a folder, the same ones every time."""
    rng = random.Random(2026)
    files = sorted((home() / folder).glob("*.txt"))
    drawn = [(rng.randrange(len(files)), rng.randrange(1000)) for _ in range(count)]
    read = {at: read_levels(files[at]) for at in {at for at, _ in drawn}}
    return [read[at][number] for at, number in drawn]


def holds(level: Level, moves: str) -> bool:
    """Whether the moves are legal and leave every crate on a target."""
    player, crates = level.player, {tuple(cell) for cell in np.argwhere(level.crates).tolist()}
    for move in moves:
        dy, dx = STEPS[move.lower()]
        to, beyond = (player[0] + dy, player[1] + dx), (player[0] + 2 * dy, player[1] + 2 * dx)
        if level.walls[to] or (to in crates and (level.walls[beyond] or beyond in crates)):
            return False
        crates = (crates - {to}) | {beyond} if to in crates else crates
        player = to
    return all(level.targets[crate] for crate in crates)


def run(quick: bool, only: list[str] | None) -> dict[str, Any]:
    """Share solved and median seconds of both samples."""
    figures: dict[str, Any] = {"benchmark": "solver", "quick": quick}
    if not home().is_dir():
        return figures | {"skipped": f"{home()} is not there"}
    solve(sample("hard", 1)[0], Limits(1.0))  # compile
    for folder, (key, count) in SAMPLES.items():
        levels = sample(folder, 40 if quick else count)
        answers = [solve(level, Limits(SECONDS)) for level in levels]
        good = [
            answer.verdict == "solved" and holds(level, answer.moves)
            for level, answer in zip(levels, answers, strict=True)
        ]
        seconds = [answer.seconds for answer in answers]
        figures |= {
            f"{key}_share": round(sum(good) / len(good), 4),
            f"{key}_median_s": round(statistics.median(seconds), 4),
            f"{key}_worst_s": round(max(seconds), 3),
        }
    return figures
