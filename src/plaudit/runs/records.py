"""What a training writes between its steps: metrics, rewards, timings, and the score of a checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plaudit.engine.fit import Event
from plaudit.engine.learner import Metrics
from plaudit.runs.log import Log

EXACT = ("metrics.jsonl", "rewards.jsonl")
"""Logs that a resumed run continues byte for byte; timings only grow."""
_TIMING_S = 1.0


class Records:
    """The three logs of one training.

    Args:
        folder: the run folder.
        offsets: length to cut each exact log to, as `sync` returned it; empty = start them anew.
    """

    def __init__(self, folder: Path, offsets: Mapping[str, int]) -> None:
        self._exact = {name: Log(folder / name, int(offsets.get(name, 0))) for name in EXACT}
        self._timings = Log(folder / "timings.jsonl")
        self._scores: list[float] = []
        self._timed = time.monotonic()
        self._step = self._elapsed_s = -1.0

    @property
    def missing(self) -> list[str]:
        """Names of the logs that are shorter than the checkpoint says."""
        return [name for name, log in self._exact.items() if log.missing]

    def write(self, event: Event) -> None:
        """Log the row of a "metrics" event."""
        metrics = event.metrics or {}
        plain = {key: value for key, value in metrics.items() if key != "terms"}
        self._exact["metrics.jsonl"].write({"step": event.step, **plain})
        terms = metrics.get("terms")
        if terms:
            row = {"step": event.step, "terms": terms, "total": total(metrics)}
            self._exact["rewards.jsonl"].write(row)
        score = total(metrics)
        if score is not None and math.isfinite(score):
            self._scores.append(score)
        if time.monotonic() - self._timed > _TIMING_S:
            self.time(event)

    def time(self, event: Event, **spent_s: float) -> None:
        """Log how fast the training goes, and what else took time (`save_s`, `sample_s`)."""
        steps, seconds = event.step - self._step, event.elapsed_s - self._elapsed_s
        speed = steps / seconds if self._step >= 0 and seconds > 0 else None
        spent = {key: round(value, 6) for key, value in spent_s.items()}
        self._timings.write(
            {"step": event.step, "elapsed_s": round(event.elapsed_s, 6), "steps_per_s": speed, **spent}
        )
        self._step, self._elapsed_s, self._timed = event.step, event.elapsed_s, time.monotonic()

    def take_score(self) -> float | None:
        """Return the mean reward since the last call, None when there was none."""
        scores, self._scores = self._scores, []
        return sum(scores) / len(scores) if scores else None

    def sync(self) -> dict[str, int]:
        """Flush the exact logs to the disk and return their lengths."""
        return {name: log.sync() for name, log in self._exact.items()}

    def close(self) -> None:
        """Write what is held and close all."""
        for log in (*self._exact.values(), self._timings):
            log.close()


def total(metrics: Metrics) -> float | None:
    """Return the reward of a row: the sum of its weighted terms, else its "score", else None."""
    terms: Mapping[str, Any] = metrics.get("terms") or {}
    if terms:
        return float(sum(term["weighted"] for term in terms.values()))
    score = metrics.get("score")
    return None if score is None else float(score)
