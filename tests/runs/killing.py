"""The kill harness: a warmed parent forks a training, kills it at a random moment, resumes, compares.

    python killing.py KILLS SEED FOLDER CASE...

Half of the kills come from outside after a random time; the other half come from inside, at a random
system call of a save. Prints one JSON line per case: kills,
kills inside a save, runs finished, runs that differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from chain import ChainTask, chain_recipe
from sabotage import Sabotaged
from toy import Toy, recipe, sample, staged

from plaudit.runs import disk
from plaudit.runs.folder import RunFolder, is_run
from plaudit.runs.trainer import Trainer

CASES: dict[str, Any] = {
    "density": (Toy, recipe),
    "pair": (Toy, lambda: recipe(algorithm="pair")),
    "staged": (Toy, staged),
    "tabular-q": (ChainTask, lambda: chain_recipe("tabular-q")),
    "dqn": (ChainTask, lambda: chain_recipe("dqn")),
    "ppo": (ChainTask, lambda: chain_recipe("ppo")),
}


def train(case: str, out: Path) -> None:
    """Begin the run, or go on with it."""
    kind, make = CASES[case]
    if is_run(out):
        Trainer.resume(out, kind(), sampler=sample).run()
    else:
        Trainer(make(), out, kind(), sampler=sample).run()


def fingerprint(out: Path) -> dict[str, str]:
    """Hash the final weights, the exact logs and the samples, of all stages."""
    run = RunFolder.open(out)
    parts = run.stages() or [run]
    files = [file for part in parts for file in sorted((part.path / "samples").rglob("*.json"))]
    for part in parts:
        files += [
            part.checkpoint() / "model.safetensors",
            part.path / "metrics.jsonl",
            part.path / "rewards.jsonl",
        ]
    return {str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def die(name: str) -> None:
    """End this process as SIGKILL does: no handler, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)


def attempt(case: str, out: Path, chance: random.Random, usual_s: float) -> tuple[bool, bool]:
    """Train in a fork that is killed; returns whether it was killed, and from inside a save."""
    inside = chance.random() < 0.5
    at, delay_s = chance.randrange(1, 150), chance.uniform(0.0, usual_s)
    child = os.fork()
    if child == 0:
        if inside:
            disk.os = Sabotaged(at, die, torn=chance.random() < 0.5)  # type: ignore[assignment]
        code = 1
        try:
            train(case, out)
            code = 0
        finally:
            os._exit(code)
    if not inside:
        time.sleep(delay_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit(f"the training failed with {os.WEXITSTATUS(status)} in {out}")
    return os.WIFSIGNALED(status), inside and os.WIFSIGNALED(status)


def main(kills: int, seed: int, case: str, folder: Path) -> None:
    torch.set_num_threads(1)
    folder.mkdir()
    chance = random.Random(seed)
    train(case, folder / "whole")
    expected = fingerprint(folder / "whole")
    start = time.monotonic()
    train(case, folder / "warm")
    usual_s = time.monotonic() - start
    count = {"kills": 0, "inside": 0, "finished": 0, "different": 0}
    while count["kills"] < kills:
        out = folder / "run"
        while not (is_run(out) and RunFolder(out).status()["state"] == "done"):
            killed, inside = attempt(case, out, chance, usual_s)
            count["kills"] += killed
            count["inside"] += inside
        count["finished"] += 1
        count["different"] += fingerprint(out) != expected
        shutil.rmtree(out)
    print(json.dumps({"case": case, **count}), flush=True)


if __name__ == "__main__":
    for name in sys.argv[4:]:
        main(int(sys.argv[1]), int(sys.argv[2]), name, Path(sys.argv[3]) / name)
