"""DQN on CartPole beside SB3's: time for equal updates, and time to a fixed return.

Network, rates, batch, replay, target copies and exploration are equal (`SHARED`); SB3 runs at the best of
1, 4, 16 and 32 environments. `ratio` is time for the same number of transitions and updates; the greedy
returns after them stand beside it, over more seeds than are timed, as one seed's say little. `goal_ratio` is
time until a greedy evaluation first reaches `GOAL`, evaluations not timed, on seeds of its own; a run that
does not get there within `LIMIT` transitions counts with the time of all of them, and is counted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks import cartpole
from benchmarks.peers import sb3
from benchmarks.timing import Ratio, clocked, fastest, of_ratio, paired, say

SHARED = {
    "buffer_size": 50_000,
    "learning_starts": 1_000,
    "batch_size": 64,
    "target_update_interval": 1_000,
    "exploration_fraction": 0.2,
    "exploration_final_eps": 0.05,
}
"""SB3's names; the rest follows from one update per four transitions."""
LEARNING_RATE = {64: 2.3e-3, 256: 5e-4}
"""By width: at the smaller one's rate the wider network of either engine hardly learned."""
PAIRS = {64: 30, 256: 12}
"""Seeds of the equal runs: returns differ much from seed to seed, and the small network is quick."""
GOAL, LIMIT, EVERY, EPISODES = 195.0, 50_000, 1_000, 10
"""Wanted return, transitions allowed, transitions between two evaluations, episodes of each."""


def dqn(hidden: int, quick: bool) -> dict[str, Any]:
    """All figures of one width of network."""
    settings = [16] if quick else [1, 4, 16, 32]
    steps, pairs = (3_000, 2) if quick else (20_000, PAIRS[hidden])
    shared = {**SHARED, "learning_rate": LEARNING_RATE[hidden]}
    jobs = {str(n): lambda seed, n=n: sb3.dqn(hidden, n, steps, seed, shared)[1] for n in settings}
    best = int(fastest(jobs, repeats=1)) if len(jobs) > 1 else settings[0]
    say(f"  SB3 is fastest with {best} environments")
    figures = _equal(Setting(hidden, best, shared), steps, pairs)
    return figures if quick else figures | _to_goal(Setting(hidden, best, shared))


@dataclass(frozen=True)
class Setting:
    """Width of the network, number of SB3's environments and what both engines share."""

    hidden: int
    envs: int
    shared: dict[str, Any]


def _equal(setting: Setting, steps: int, pairs: int) -> dict[str, Any]:
    """Time for equal transitions and updates, and the returns after them."""
    hidden, envs, shared = setting.hidden, setting.envs, setting.shared
    name = f"dqn{hidden}"
    returns: dict[str, list[float]] = {"ours": [], "peer": []}

    def ours(seed: int) -> float:
        learner = cartpole.dqn_equal(hidden, seed, shared)
        seconds = clocked(lambda: cartpole.train(learner, steps))
        returns["ours"].append(cartpole.evaluate(learner.policy(), 20, 10_000 + seed))
        return seconds

    def peer(seed: int) -> float:
        model, seconds = sb3.dqn(hidden, envs, steps, seed, shared)
        returns["peer"].append(sb3.evaluate(model, 20, 10_000 + seed))
        return seconds

    ratio = paired(ours, peer, pairs)
    return of_ratio(name, ratio) | {
        f"{name}_steps_per_s": round(steps / statistics.median(ratio.ours_s)),
        f"{name}_peer_envs": envs,
        f"{name}_return": _mean_and_error(returns["ours"][1:]),
        f"{name}_return_peer": _mean_and_error(returns["peer"][1:]),
    }


def _mean_and_error(values: list[float]) -> list[float]:
    """The mean and its standard error."""
    return [round(statistics.mean(values), 1), round(statistics.stdev(values) / len(values) ** 0.5, 1)]


def _to_goal(setting: Setting) -> dict[str, Any]:
    """Time to the goal on five seeds, SB3 with 1 environment and with its fastest number of them."""
    name, seeds = f"dqn{setting.hidden}", range(200, 205)
    runs = {
        "ours": [ours_to_goal(setting, seed) for seed in seeds],
        **{
            f"sb3-{n}": [sb3_to_goal(replace(setting, envs=n), seed) for seed in seeds]
            for n in sorted({1, setting.envs})
        },
    }
    peer = min((key for key in runs if key != "ours"), key=lambda key: statistics.median(_seconds(runs[key])))
    ratio = Ratio(_seconds(runs["ours"]), _seconds(runs[peer]))
    return of_ratio(f"{name}_goal", ratio) | {
        f"{name}_goal_peer": peer,
        f"{name}_goal_s": {key: round(statistics.median(_seconds(run)), 2) for key, run in runs.items()},
        f"{name}_goal_steps": {key: [done for _, done, _ in run] for key, run in runs.items()},
        f"{name}_goal_reached": {key: sum(met for *_, met in run) for key, run in runs.items()},
    }


def _seconds(runs: list[tuple[float, int, bool]]) -> tuple[float, ...]:
    return tuple(seconds for seconds, _, _ in runs)


class Stopwatch:
    """Seconds of training, without those of the evaluations, until the goal is met."""

    def __init__(self, score: Callable[[], float]) -> None:
        self.score = score
        self.seconds, self.met, self.since = 0.0, False, time.perf_counter()

    def look(self) -> bool:
        """Stop the clock, evaluate, and go on; returns whether the goal is met."""
        self.seconds += time.perf_counter() - self.since
        self.met = self.score() >= GOAL
        self.since = time.perf_counter()
        return self.met


def ours_to_goal(setting: Setting, seed: int) -> tuple[float, int, bool]:
    """Seconds, transitions and whether the goal was met."""
    learner = cartpole.dqn_equal(setting.hidden, seed, setting.shared)
    watch = Stopwatch(lambda: cartpole.evaluate(learner.policy(), EPISODES, 30_000 + seed))
    while learner.progress[0] < LIMIT:
        learner.share = learner.progress[0] / LIMIT
        learner.step()  # one chunk of EVERY transitions
        if watch.look():
            break
    return watch.seconds, learner.progress[0], watch.met


def sb3_to_goal(setting: Setting, seed: int) -> tuple[float, int, bool]:
    """The same of SB3."""
    model = sb3.make_dqn(setting.hidden, setting.envs, seed, setting.shared)
    watch = Stopwatch(lambda: sb3.evaluate(model, EPISODES, 30_000 + seed))
    model.learn(LIMIT, callback=sb3.every(EVERY, lambda: not watch.look()))
    return watch.seconds, model.num_timesteps, watch.met
