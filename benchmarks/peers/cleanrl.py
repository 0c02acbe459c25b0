"""CleanRL's PPO script, run as it is from a checkout named by `CLEANRL_HOME` (MIT; not copied here)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def script() -> Path | None:
    """The checkout's `cleanrl/ppo.py`, or None where `CLEANRL_HOME` names none."""
    home = os.environ.get("CLEANRL_HOME", "")
    path = Path(home) / "cleanrl" / "ppo.py"
    return path if home and path.is_file() else None


def ppo_seconds(path: Path, num_envs: int, num_steps: int, steps: int, seed: int) -> float:
    """Seconds of training for `steps` transitions, from the script's own steps per second."""
    command = [
        *(sys.executable, str(path), "--env-id", "CartPole-v1", "--seed", str(seed)),
        *("--num-envs", str(num_envs), "--num-steps", str(num_steps), "--update-epochs", "4"),
        *("--num-minibatches", str(num_envs * num_steps // 256), "--total-timesteps", str(steps)),
        "--no-cuda",
    ]
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ, cwd=scratch)
    rates = re.findall(r"SPS: (\d+)", done.stdout)
    return steps / float(rates[-1])
