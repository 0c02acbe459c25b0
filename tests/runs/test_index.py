"""The list of runs: read from the folders, fast, honest about dead runs, and careful when deleting."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy
from toy import Toy

from plaudit.errors import InputError, ResourceError
from plaudit.runs import index
from plaudit.runs.lock import Lock
from plaudit.runs.trainer import Trainer

pytestmark = pytest.mark.usefixtures("quick_disk")


def fake(root: Path, name: str, **status: object) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text('task = "toy:Toy"\n')
    row = {
        "state": "done",
        "task": "toy",
        "step": 5,
        "unit": "steps",
        "share": 1.0,
        "heartbeat": 1.0,
        **status,
    }
    (folder / "status.json").write_text(json.dumps(row))
    return folder


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    fake(tmp_path, "2026-01-01_toy_aaaa", heartbeat=1.0, error="no luck", state="failed")
    fake(tmp_path, "2026-01-02_toy_bbbb", heartbeat=3.0)
    Trainer(toy.recipe(), tmp_path / "2026-01-03_toy_cccc", Toy()).run()
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "notes/status.json").write_text("[]")
    found = index.list_runs(tmp_path)
    assert [info.path.name[-4:] for info in found] == ["cccc", "bbbb", "aaaa"]
    assert (found[0].state, found[0].step, found[0].share) == ("done", 30, 1.0)
    assert found[2].error == "no luck"
    assert index.list_runs(tmp_path / "absent") == []


def test_a_dead_run_is_not_shown_running(tmp_path: Path) -> None:
    folder = fake(tmp_path, "run", state="running", heartbeat=time.time())
    assert index.list_runs(tmp_path)[0].state == "killed"
    with Lock(folder):
        assert index.list_runs(tmp_path)[0].state == "running"


def test_ten_thousand_runs_are_listed_within_a_second(tmp_path: Path) -> None:
    for number in range(10_000):
        fake(tmp_path, f"{number:05d}")
    best = float("inf")
    for _ in range(5):
        # Seconds of this process: what else the machine does is not counted.
        start = time.process_time()
        found = index.list_runs(tmp_path)
        best = min(best, time.process_time() - start)
    assert len(found) == 10_000 and best < 1.0


def test_listing_runs_imports_nothing_heavy() -> None:
    program = (
        "import sys, plaudit.runs.index; print(sorted({'torch', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_is_found_by_path_name_end_or_as_the_latest(tmp_path: Path) -> None:
    one = fake(tmp_path, "2026-01-01_toy_aaaa", heartbeat=1.0)
    two = fake(tmp_path, "2026-01-02_toy_bbbb", heartbeat=2.0)
    assert index.find(one, tmp_path) == one
    assert index.find("2026-01-01_toy_aaaa", tmp_path) == one
    assert index.find("bbbb", tmp_path) == two
    assert index.find("latest", tmp_path) == two
    assert index.find(tmp_path / "latest") == two
    with pytest.raises(InputError, match=r'"aaab" is not a run\.'):
        index.find("aaab", tmp_path)
    fake(tmp_path, "2026-01-03_toy_bbbb")
    with pytest.raises(InputError, match="means 2 runs"):
        index.find("bbbb", tmp_path)
    with pytest.raises(InputError, match="there are no runs"):
        index.find("latest", tmp_path / "absent")


def test_only_run_folders_are_deleted(tmp_path: Path) -> None:
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "status.json").write_text("{}")
    (other / "thesis.tex").write_text("mine")
    run = fake(tmp_path, "run")
    (tmp_path / "link").symlink_to(run)
    for path in (other, tmp_path, tmp_path / "absent", tmp_path / "link"):
        with pytest.raises(InputError, match="nothing was deleted"):
            index.remove(path)
    with Lock(run), pytest.raises(ResourceError, match="nothing was deleted"):
        index.remove(run)
    assert (other / "thesis.tex").exists() and run.exists()
    index.remove(run)
    assert not run.exists()
