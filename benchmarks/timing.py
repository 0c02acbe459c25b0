"""Paired timing: A B, B A, A B ... in one run, so that a drifting machine cancels out."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Job = Callable[[int], float]
"""Does a fixed amount of work for one seed and returns the seconds it took."""


@dataclass(frozen=True)
class Ratio:
    """Seconds of the peer over seconds of ours, pair by pair: above 1 we are faster."""

    ours_s: tuple[float, ...]
    peer_s: tuple[float, ...]

    @property
    def pairs(self) -> np.ndarray:
        return np.asarray(self.peer_s) / np.asarray(self.ours_s)

    @property
    def median(self) -> float:
        return float(np.median(self.pairs))

    def interval(self, resamples: int = 2000) -> tuple[float, float]:
        """95 % bootstrap interval of the median ratio."""
        rng = np.random.default_rng(0)
        draws = rng.choice(self.pairs, (resamples, len(self.pairs)))
        low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
        return float(low), float(high)


def of_ratio(name: str, ratio: Ratio) -> dict[str, Any]:
    """A ratio with its interval, as keys of the JSON line."""
    low, high = ratio.interval()
    return {f"{name}_ratio": round(ratio.median, 2), f"{name}_ratio_95": [round(low, 2), round(high, 2)]}


def paired(ours: Job, peer: Job, pairs: int) -> Ratio:
    """Time both `pairs` times, alternating which goes first, after one discarded warm-up each."""
    ours(0)
    peer(0)
    ours_s, peer_s = [], []
    for seed in range(1, pairs + 1):
        order = (ours, peer) if seed % 2 else (peer, ours)
        seconds = {job: job(seed) for job in order}
        ours_s.append(seconds[ours])
        peer_s.append(seconds[peer])
    return Ratio(tuple(ours_s), tuple(peer_s))


def clocked(work: Callable[[], object]) -> float:
    """Seconds that `work()` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fastest(jobs: dict[str, Job], repeats: int = 2) -> str:
    """Name of the job with the lowest median time: a peer's best setting."""
    medians = {name: statistics.median(job(s) for s in range(repeats)) for name, job in jobs.items()}
    return min(medians, key=medians.__getitem__)


def say(text: str) -> None:
    """Progress for a person, on stderr."""
    print(text, file=sys.stderr, flush=True)
