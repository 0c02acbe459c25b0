"""What one checkpoint of a training costs: the whole save, with hashes and fsync."""

from __future__ import annotations

from pathlib import Path

from benchmarks.timing import clocked
from plaudit.domains import get_task
from plaudit.runs import checkpoint


def save_seconds(folder: Path, saves: int) -> list[float]:
    """Seconds of each of `saves` checkpoints of a `level/maze` training in `folder`."""
    task = get_task("level/maze")
    learner = task.build(task.recipes()["ppo"], {})
    learner.step()

    def snapshot(number: int) -> checkpoint.Snapshot:
        policy = learner.policy()
        return checkpoint.Snapshot(
            number, policy.tensors(), learner.state_dict(), {"policy": policy.describe()}
        )

    return [clocked(lambda n=n: checkpoint.save(folder, snapshot(n))) for n in range(1, saves + 1)]
