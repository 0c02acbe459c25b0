"""Pictures: so far painting, by the shipped presets on MNIST's test pictures, and its environment's speed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.image_paint import paint_figures, speed_figures
from benchmarks.timing import say
from plaudit.runs import presets

MNIST = Path(os.environ.get("PLAUDIT_MNIST", Path(__file__).parents[2] / "shared/data/mnist"))
"""A folder with MNIST's four idx files."""


PRESETS = {"dqn": "image/paint-dqn", "ppo": "image/paint-ppo", "model": "image/paint"}


def run(quick: bool = False, only: Sequence[str] | None = None) -> dict[str, Any]:
    for name in only or ("paint",):
        if name != "paint":
            raise SystemExit(f"no part is called {name}: paint")
    say("image/paint")
    return {"paint": paint(200 if quick else 1_000)}


def paint(count: int) -> dict[str, Any]:
    if not MNIST.is_dir():
        say(f"  {MNIST} is not there: set PLAUDIT_MNIST")
        return speed_figures()
    return paint_figures({name: presets.find(preset) for name, preset in PRESETS.items()}, MNIST, count)
