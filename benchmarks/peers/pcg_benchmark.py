"""The PCG Benchmark's own judge, from a checkout named by `PCG_BENCHMARK_HOME` (MIT; not copied here)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plaudit.task import Item


def home() -> Path | None:
    """The checkout, or None where the variable names none."""
    given = os.environ.get("PCG_BENCHMARK_HOME", "")
    path = Path(given)
    return path if given and (path / "pcg_benchmark" / "pcg_env.py").is_file() else None


def judge_binary(items: Sequence[Item]) -> dict[str, float]:
    """Shares of 14 x 14 mazes that `binary-v0` passes; their control is the requested path."""
    place = home()
    assert place is not None
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    import pcg_benchmark as peer  # type: ignore[import-not-found]

    env: Any = peer.make("binary-v0")
    contents = [np.asarray(item.content, dtype=int) for item in items]
    controls = [{"path": int(item.request.target["path"])} for item in items]
    infos = env.info(contents)
    return {
        "quality": float(env.quality(infos)[0]),
        "control": float(env.controlability(infos, controls)[0]),
        "diversity": float(env.diversity(infos)[0]),
    }
