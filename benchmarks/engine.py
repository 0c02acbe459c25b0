"""The engine beside its peers: tabular Q, DQN, PPO, start-up and the cost of checkpoints.

How it is measured: one thread each, interleaved pairs, medians, equal transitions and equal updates,
the peer at its best number of environments. A speed-up counts only beside a return that is not
inferior: the greedy returns of both stand in the same line, and the margin is 5 % of the best return.
DQN has a file of its own, `dqn.py`.
Every ratio is class C1 (same algorithm, numerically equivalent), except `tabular_ratio`, which is C0
for the same random numbers as our own plain path.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import cartpole, gridworld
from benchmarks.dqn import dqn
from benchmarks.peers import cleanrl, sb3
from benchmarks.timing import fastest, of_ratio, paired, say

Figures = dict[str, Any]


def tabular(quick: bool) -> Figures:
    """The fused kernel against the tutorial loop on the same deterministic FrozenLake 8x8."""
    steps, pairs = (20_000, 3) if quick else (200_000, 7)
    more = 200  # our kernel does 200 times the work per timing, else the clock is too coarse
    ratio = paired(
        lambda seed: gridworld.ours(steps * more, seed)[1] / more,
        lambda seed: gridworld.peer(steps, seed)[1],
        pairs,
    )
    figures = of_ratio("tabular", ratio)
    figures["tabular_ns_per_step"] = round(1e9 * statistics.median(ratio.ours_s) / steps, 1)
    figures["tabular_return"] = gridworld.greedy_return(gridworld.ours(400_000, 1)[0])
    figures["tabular_return_peer"] = gridworld.greedy_return(gridworld.peer(400_000, 1)[0])
    return figures


def ppo(quick: bool) -> Figures:
    """PPO on CartPole, 8 and 16 environments, against the faster of SB3 and CleanRL's script."""
    steps, pairs = (16_384, 2) if quick else (65_536, 7)
    jobs: dict[str, Callable[[int], float]] = {}
    for envs in [8] if quick else [8, 16]:
        settings = {"n_steps": 2048 // envs, "n_epochs": 4, "batch_size": 256}
        jobs[f"sb3-{envs}"] = lambda seed, n=envs, s=settings: sb3.ppo(n, steps, seed, s)[1]
        script = cleanrl.script()
        if script is not None:
            jobs[f"cleanrl-{envs}"] = lambda seed, n=envs, p=script: cleanrl.ppo_seconds(
                p, n, 2048 // n, steps, seed
            )
    best = fastest(jobs, repeats=1) if len(jobs) > 1 else next(iter(jobs))
    envs = int(best.split("-")[1])
    ratio = paired(lambda seed: cartpole.ppo_equal(envs, steps, seed)[1], jobs[best], pairs)
    return of_ratio("ppo", ratio) | {
        "ppo_steps_per_s": round(steps / statistics.median(ratio.ours_s)),
        "ppo_peer": best,
        "ppo_peers_tried": sorted(jobs),
    }


def returns(quick: bool) -> Figures:
    """Greedy CartPole return after 50k (DQN) and 100k (PPO) steps, mean over seeds."""
    seeds = range(100, 101 if quick else 105)  # the settings were tuned on seeds below 20
    figures: Figures = {}
    for name, train in (("dqn", cartpole.dqn_tuned), ("ppo", cartpole.ppo_tuned)):
        scores = [cartpole.evaluate(train(seed), 100, 20_000 + 1_000 * seed) for seed in seeds]
        figures[f"{name}_cartpole_return"] = round(statistics.mean(scores), 1)
        figures[f"{name}_cartpole_returns"] = scores
    return figures


def start_up(quick: bool) -> Figures:
    """A fresh process to the first DQN update, against `import torch` alone, in turn."""
    first = "from benchmarks.cartpole import first_update; first_update()"
    commands = {"ours": first, "torch": "import torch"}
    seconds: dict[str, list[float]] = {"ours": [], "torch": []}
    for _ in range(3 if quick else 11):
        for name, code in commands.items():
            seconds[name].append(process_seconds(code))
    ours, bare = (statistics.median(seconds[name][1:]) for name in ("ours", "torch"))
    return {
        "import_first_update_s": round(ours, 2),
        "import_torch_s": round(bare, 2),
        "import_ratio": round(ours / bare, 2),
    }


def process_seconds(code: str) -> float:
    """Seconds of a whole Python process that runs `code`."""
    from benchmarks.timing import clocked

    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    return clocked(lambda: subprocess.run([sys.executable, "-c", code], check=True, env=environ))


def checkpoints(quick: bool) -> Figures:
    """Share of training time spent on checkpoints at one every 30 s, for `level/maze`."""
    from benchmarks.saving import save_seconds

    with tempfile.TemporaryDirectory() as folder:
        seconds = save_seconds(Path(folder), 5 if quick else 30)
    return {
        "save_overhead": round(statistics.median(seconds) / 30.0, 4),
        "save_s": statistics.median(seconds),
    }


def run(quick: bool, only: list[str] | None) -> Figures:
    """Every figure of the engine, or only the named parts."""
    torch.set_num_threads(1)
    parts: dict[str, Callable[[], Figures]] = {
        "tabular": lambda: tabular(quick),
        "dqn64": lambda: dqn(64, quick),
        "dqn256": lambda: dqn(256, quick),
        "ppo": lambda: ppo(quick),
        "returns": lambda: returns(quick),
        "start_up": lambda: start_up(quick),
        "checkpoints": lambda: checkpoints(quick),
    }
    figures: Figures = {"benchmark": "engine", "quick": quick}
    beside = _returns_beside() if quick and only is None else None
    for name in only or [part for part in parts if part != "returns" or beside is None]:
        say(f"{name} ...")
        figures |= parts[name]()
        say(f"  {figures}")
    if beside is not None:
        last = beside.communicate()[0].splitlines()[-1]
        figures |= {key: value for key, value in json.loads(last).items() if key not in figures}
    return figures


def _returns_beside() -> subprocess.Popen[str]:
    """The slow returns on the other core, so that `--quick` is quick; its timings are rough anyway."""
    command = [sys.executable, "-m", "benchmarks", "engine", "--quick", "--only", "returns"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
