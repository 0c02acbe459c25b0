"""The PCG Benchmark's own judge, from a checkout named by `PCG_BENCHMARK_HOME` (MIT; not copied here)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plaudit.task import Item

PROBLEMS = {
    "maze": "binary-v0",
    "zelda": "zelda-v0",
    "sokoban": "sokoban-v0",
    "dungeon": "mdungeons-v0",
    "cave": "ddave-v0",
}
"""Which of its problems a task of ours is; targets have the names of its controls."""
BATCH = 100


def home() -> Path | None:
    """The checkout, or None where the variable names none."""
    given = os.environ.get("PCG_BENCHMARK_HOME", "")
    path = Path(given)
    return path if given and (path / "pcg_benchmark" / "pcg_env.py").is_file() else None


def judge(name: str, items: Sequence[Item]) -> dict[str, float]:
    """Shares of levels that the benchmark passes, diversity within each hundred; {} without a checkout."""
    place = home()
    if place is None or name not in PROBLEMS:
        return {}
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    import pcg_benchmark as peer  # type: ignore[import-not-found]

    env: Any = peer.make(PROBLEMS[name])
    parts = [_judge_batch(env, items[i : i + BATCH]) for i in range(0, len(items), BATCH)]
    return {f"peer_{key}": round(float(np.mean([part[key] for part in parts])), 4) for key in parts[0]}


def _judge_batch(env: Any, items: Sequence[Item]) -> dict[str, float]:
    controls = [{key: int(value) for key, value in item.request.target.items()} for item in items]
    infos = env.info([np.asarray(item.content, dtype=int) for item in items])
    return {
        "quality": float(env.quality(infos)[0]),
        "control": float(env.controlability(infos, controls)[0]),
        "diversity": float(env.diversity(infos)[0]),
    }
