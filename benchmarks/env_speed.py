"""Steps of the wide maze environment a second: statistics, reward terms, observation and mask included.

The environment is the one that `level/maze` trains its `ppo` recipe in, on 14 x 14 cells and two threads;
the actions are random and allowed. The median of equal parts counts.
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import cast

import torch

from plaudit.domains.level.env import LevelEnv
from plaudit.domains.level.task import Maze

COPIES, THREADS = 512, 2
PART_S = 0.1
"""Length of one timed part; long enough for some hundred vector steps."""


def maze_env() -> LevelEnv:
    """The environment of the default recipe, with more copies than that trains with."""
    task = Maze()
    recipe = task.recipes()["ppo"].model_copy(update={"threads": THREADS})
    return cast(LevelEnv, task.environment(COPIES, recipe))


def env_steps_per_s(quick: bool) -> float:
    """Transitions a second over about 3 s of vector steps (1 s when `quick`), after a warm-up."""
    env = maze_env()
    env.reset(0)
    generator = torch.Generator().manual_seed(0)
    cells = env.action_space.n
    # As many steps as an episode has, so that beginnings are paid for, and drawn ahead: not the env's work.
    drawn = [torch.randint(cells, (COPIES,), generator=generator) for _ in range(env.budget)]
    _steps(env, drawn)
    until = time.perf_counter() + (1.0 if quick else 3.0)
    parts: list[float] = []
    for _ in itertools.takewhile(lambda _: time.perf_counter() < until, itertools.count()):
        start, rounds = time.perf_counter(), 0
        while time.perf_counter() - start < PART_S:
            _steps(env, drawn)
            rounds += 1
        parts.append(rounds * len(drawn) * COPIES / (time.perf_counter() - start))
    env.close()
    return statistics.median(parts)


def _steps(env: LevelEnv, drawn: list[torch.Tensor]) -> None:
    for action in drawn:
        env.step(action)
        env.action_mask()


if __name__ == "__main__":
    print(round(env_steps_per_s(quick=False)))
