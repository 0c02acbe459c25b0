"""Steps a second of the narrow maze environment beside a plain port of gym-pcgrl's, on one core in one run.

Both take random actions, step by step, on 14 x 14 cells with the cursor at random; ours counts statistics,
reward, mask and the window of observation, the port (`peers/pcgrl_narrow.py`) statistics, reward and its
plain observation. Parts of both alternate, and the median of the ratios of neighbouring parts is the figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.peers.pcgrl_narrow import NarrowBinary
from benchmarks.timing import say
from plaudit.domains import get_task

COPIES = 256
PART_S = 0.6
"""Length of one timed part; processor seconds, so that others on the machine count for neither."""


def our_steps() -> Callable[[], int]:
    """A function that takes a step of all copies and says how many that are."""
    task = get_task("level/maze")
    recipe = task.recipes()["ppo"]
    env: Any = task.environment(
        COPIES,
        recipe.model_copy(update={"env": {"representation": "narrow", "order": "random"}, "threads": 1}),
    )
    env.reset(0)
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randint(env.action_space.n, (COPIES,), generator=generator) for _ in range(64)]
    at = 0

    def step() -> int:
        nonlocal at
        at += 1
        env.step(drawn[at % len(drawn)])
        env.action_mask()
        return COPIES

    return step


def their_steps() -> Callable[[], int]:
    """The same for the port."""
    env, random = NarrowBinary(0), np.random.default_rng(0)
    drawn = random.integers(0, 3, 4096).tolist()
    env.reset()
    at = 0

    def step() -> int:
        nonlocal at
        at += 1
        if env.step(drawn[at % len(drawn)])[2]:
            env.reset()
        return 1

    return step


def pace(step: Callable[[], int], seconds: float) -> float:
    """Transitions a processor second."""
    begun, count = time.process_time(), 0
    while (spent := time.process_time() - begun) < seconds:
        count += step()
    return count / spent


def env_ratio(quick: bool) -> dict[str, float]:
    """`env_ratio`, with both paces; about 12 s of work, 4 s when quick."""
    torch.set_num_threads(1)
    ours, theirs = our_steps(), their_steps()
    pace(ours, 0.5), pace(theirs, 0.2)  # warm-up: kernels are loaded
    found = np.array([[pace(ours, PART_S), pace(theirs, PART_S)] for _ in range(3 if quick else 10)])
    figures = {
        "env_ratio": round(float(np.median(found[:, 0] / found[:, 1])), 1),
        "env_steps_per_s": round(float(np.median(found[:, 0]))),
        "env_peer_steps_per_s": round(float(np.median(found[:, 1]))),
    }
    say(f"  {figures}")
    return figures


if __name__ == "__main__":
    print(env_ratio(quick=False))
