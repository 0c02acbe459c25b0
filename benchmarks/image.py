"""Pictures: painting by the shipped presets on MNIST's test pictures; how fast flows are tuned and judged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.image_paint import paint_figures, speed_figures
from benchmarks.image_speed import distance_figures, tuning_figures
from benchmarks.timing import say
from plaudit.runs import presets

MNIST = Path(os.environ.get("PLAUDIT_MNIST", Path(__file__).parents[2] / "shared/data/mnist"))
"""A folder with MNIST's four idx files."""


PRESETS = {"dqn": "image/paint-dqn", "ppo": "image/paint-ppo", "model": "image/paint"}


def run(quick: bool = False, only: Sequence[str] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in only or PARTS:
        if name not in PARTS:
            raise SystemExit(f"no part is called {name}: {', '.join(PARTS)}")
        say(f"image: {name}")
        found[name] = PARTS[name](quick)
    return found


def speed(quick: bool) -> dict[str, Any]:
    return {**tuning_figures(3 if quick else 9), **distance_figures()}


def paint(quick: bool) -> dict[str, Any]:
    if not MNIST.is_dir():
        say(f"  {MNIST} is not there: set PLAUDIT_MNIST")
        return speed_figures()
    found = {name: presets.find(preset) for name, preset in PRESETS.items()}
    return paint_figures(found, MNIST, 200 if quick else 1_000)


PARTS = {"paint": paint, "speed": speed}
