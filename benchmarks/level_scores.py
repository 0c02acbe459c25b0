"""What every figure of the levels rests on: the seeds, the preset that made them, the judge's shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from plaudit.domains import get_task
from plaudit.runs import presets
from plaudit.task import Item

Figures = dict[str, Any]
SEED, BATCH = 880_001, 100
CRITERIA = ("quality", "control", "diversity")


def preset(name: str) -> tuple[Any, Any]:
    """The task of that name and the policy that is shipped with it."""
    task = get_task(f"level/{name}")
    return task, presets.load_policy(task.name)[0]


def numbered(count: int) -> list[int]:
    """Item seeds as `plaudit sample --seed` numbers them."""
    return [SEED * 1_000_000 + i for i in range(count)]


def judged(task: Any, items: Sequence[Item]) -> Figures:
    """Shares that pass, and that pass all three on the same item."""
    parts = [task.judge(items[i : i + BATCH]) for i in range(0, len(items), BATCH)]
    passed = {key: np.concatenate([p[key] for p in parts]) for key in CRITERIA}
    joint = np.prod(list(passed.values()), axis=0)
    return {key: round(float(v.mean()), 4) for key, v in {**passed, "joint": joint}.items()}


def made(work: Callable[[], Iterator[Item]]) -> tuple[list[Item], float]:
    """The items and how many were made in a second."""
    start = time.perf_counter()
    items = list(work())
    return items, len(items) / (time.perf_counter() - start)
