"""Pictures, on MNIST: painting by the shipped presets; tuning by reward, its guards and its speed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.image_paint import paint_figures, speed_figures
from benchmarks.image_picture import picture_figures
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


def picture(quick: bool) -> dict[str, Any]:
    """Pictures of the shipped presets beside real ones."""
    return picture_figures(MNIST, quick) if _there() else {}


def gan(quick: bool) -> dict[str, Any]:
    """GANs with a reward term beside GANs without."""
    from benchmarks import image_gan

    return image_gan.measure(quick) if _there() else {}


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


def six(quick: bool) -> dict[str, Any]:
    """Six rewards, one model each, beside the best of 16."""
    from benchmarks import image_six
    from benchmarks.image_flow import Bench

    return image_six.measure(quick, Bench.of(str(MNIST)), str(MNIST)) if _there() else {}


def speed(quick: bool) -> dict[str, Any]:
    """How fast flows are tuned and judged."""
    return {**tuning_figures(3 if quick else 9), **distance_figures()}


def paint(quick: bool) -> dict[str, Any]:
    """Paintings of the shipped presets."""
    if not _there():
        return speed_figures()
    found = {name: presets.find(preset) for name, preset in PRESETS.items()}
    return paint_figures(found, MNIST, 200 if quick else 1_000)


def _there() -> bool:
    if not MNIST.is_dir():
        say(f"  {MNIST} is not there: set PLAUDIT_MNIST")
    return MNIST.is_dir()


PARTS = {
    "picture": picture,
    "paint": paint,
    "reward": reward,
    "guards": guards,
    "six": six,
    "gan": gan,
    "speed": speed,
}
