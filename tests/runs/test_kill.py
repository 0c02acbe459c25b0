"""Killed at random moments, also inside a save, and resumed, a run ends with the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from killing import CASES

HARNESS = Path(__file__).with_name("killing.py")


def kill(kills: int, seed: int, folder: Path, limit_s: float) -> list[dict[str, int]]:
    """Run the harness over all cases, one process for all: importing torch takes longer than the kills."""
    command = [sys.executable, str(HARNESS), str(kills), str(seed), str(folder), *CASES]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, env=env, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_thirty_kills_change_nothing(tmp_path: Path) -> None:
    counts = kill(5, 1, tmp_path, limit_s=600)
    assert [count["case"] for count in counts] == list(CASES)
    assert sum(count["kills"] for count in counts) >= 30
    assert all(count["finished"] >= 1 and count["different"] == 0 for count in counts)


@pytest.mark.slow
def test_two_hundred_kills_of_each_learner_change_nothing(tmp_path: Path) -> None:
    for count in kill(200, 2, tmp_path, limit_s=7200):
        assert count["kills"] >= 200 and count["inside"] >= 40 and count["different"] == 0
