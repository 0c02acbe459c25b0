"""Pictures: painting by the shipped preset on MNIST's test pictures; tuning by reward, and its guards."""

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


def run(quick: bool = False, only: Sequence[str] | None = None) -> dict[str, Any]:
    parts = {"paint": paint, "reward": reward, "guards": guards}
    wanted = only or tuple(parts)
    for name in wanted:
        if name not in parts:
            raise SystemExit(f"no part is called {name}: {', '.join(parts)}")
    figures = {}
    for name in wanted:
        say(f"image: {name}")
        figures[name] = parts[name](quick)
    return figures


def reward(quick: bool) -> dict[str, Any]:
    """Tuning the shipped preset towards one class."""
    from benchmarks import image_reward
    from benchmarks.image_flow import Bench

    return image_reward.measure(quick, Bench.of(str(MNIST))) if _there() else {}


def guards(quick: bool) -> dict[str, Any]:
    """What stands between such a tuning and a reward that can be exploited."""
    from benchmarks import image_guards
    from benchmarks.image_flow import Bench

    return image_guards.measure(quick, Bench.of(str(MNIST))) if _there() else {}


def _there() -> bool:
    if not MNIST.is_dir():
        say(f"  {MNIST} is not there: set PLAUDIT_MNIST")
    return MNIST.is_dir()


def paint(quick: bool) -> dict[str, Any]:
    count = 200 if quick else 1_000
    if not _there():
        return speed_figures()
    return paint_figures({"model": presets.find("image/paint")}, MNIST, count)
