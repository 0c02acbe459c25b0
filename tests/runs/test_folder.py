"""The run folder: its files, one writer, plain errors when it vanishes, and an honest status."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import toy
from sabotage import Sabotaged, refuse
from toy import DensityFit, Toy

from plaudit.errors import Diverged, InputError, ResourceError
from plaudit.runs import checkpoint, disk
from plaudit.runs.folder import RunFolder
from plaudit.runs.lock import Lock, is_held
from plaudit.runs.log import Log
from plaudit.runs.signals import Interrupted
from plaudit.runs.trainer import Trainer

pytestmark = pytest.mark.usefixtures("quick_disk")
FILES = ["recipe.toml", "command.txt", "env.json", "status.json", "latest.json"]
LOGS = ["metrics.jsonl", "rewards.jsonl", "timings.jsonl"]


class Acting(Toy):
    """Calls `act(learner)` before the eighth step."""

    def __init__(self, act: Any) -> None:
        self.act = act

    def build(self, recipe: Any, inputs: Any) -> Any:
        learner = super().build(recipe, inputs)
        step = learner.step

        def acting() -> Any:
            if learner.count == 7:
                self.act(learner)
            return step()

        learner.step = acting
        return learner


def status(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "status.json").read_text()))


def test_a_run_leaves_plain_files(tmp_path: Path) -> None:
    run = Trainer(toy.recipe(), tmp_path / "new/run", Toy(), sampler=toy.sample).run()
    assert all((run.path / name).is_file() for name in FILES + LOGS)
    assert run.recipe == toy.recipe()
    state = run.status()
    assert (state["state"], state["step"], state["share"], state["error"]) == ("done", 30, 1.0, None)
    assert state["pid"] == os.getpid() and abs(state["heartbeat"] - time.time()) < 60
    assert [row["step"] for row in run.rows("metrics")] == list(range(1, 31))
    rewards = run.rows("rewards")[0]
    assert rewards["total"] == rewards["terms"]["fit"]["weighted"]
    assert all("elapsed_s" not in row for row in run.rows("metrics"))
    assert {"elapsed_s", "steps_per_s", "save_s"} <= run.rows("timings")[-1].keys()
    assert [folder.name for folder in run.samples()] == [f"step_{i:06d}" for i in range(0, 31, 3)]
    assert run.checkpoint().name == "000030"
    assert not list(run.path.rglob("*.part"))


def test_runs_get_dated_names_and_never_share_a_folder(tmp_path: Path) -> None:
    one, two = (RunFolder.create(toy.recipe(task="level/maze"), root=tmp_path) for _ in range(2))
    assert one.path != two.path
    assert one.path.name[:11] == time.strftime("%Y-%m-%d_") and "_level-maze_" in one.path.name


def test_an_out_folder_that_is_in_use_is_refused(tmp_path: Path) -> None:
    Trainer(toy.recipe(), tmp_path / "run", Toy()).run()
    with pytest.raises(InputError, match=r"there is a run already.*plaudit resume"):
        Trainer(toy.recipe(), tmp_path / "run", Toy()).run()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="something else already"):
        Trainer(toy.recipe(), tmp_path / "other", Toy()).run()
    with pytest.raises(InputError, match="not a run: it holds no recipe"):
        Trainer.resume(tmp_path / "other", Toy())
    with pytest.raises(InputError, match="no such folder"):
        Trainer.resume(tmp_path / "absent", Toy())


def test_what_cannot_be_built_leaves_no_folder(tmp_path: Path) -> None:
    for changes in ({"algorithm": "magic"}, {"inputs": {"init": "nowhere"}}):
        with pytest.raises(InputError):
            Trainer(toy.recipe(**changes), tmp_path / "run", Toy()).run()
        assert not (tmp_path / "run").exists()


def test_there_is_one_writer(tmp_path: Path) -> None:
    trainer = Trainer(toy.recipe(), tmp_path / "run", Toy())
    events = trainer.iter()
    next(events)
    assert is_held(tmp_path / "run")
    with pytest.raises(ResourceError, match=f"another process .pid {os.getpid()}. is writing"):
        Lock(tmp_path / "run", wait_s=0.1).__enter__()
    events.close()
    assert not is_held(tmp_path / "run")
    with Lock(tmp_path / "run"):
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
    # The child outlives the holder and must not keep the lock; it drops it as soon as it runs.
    deadline = time.monotonic() + 20
    while is_held(tmp_path / "run") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_held(tmp_path / "run")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_leaving_the_loop_saves(tmp_path: Path) -> None:
    for event in Trainer(toy.recipe(checkpoint="1000"), tmp_path / "run", Toy()).iter():
        if event.step == 9:
            break
    assert status(tmp_path / "run")["state"] == "interrupted"
    assert RunFolder.open(tmp_path / "run").checkpoint().name == "000009"


def test_divergence_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    def poison(learner: DensityFit) -> None:
        learner.mean[0] = float("nan")

    with pytest.raises(Diverged, match=r"DensityFit: .*last good checkpoint is .*000004") as caught:
        Trainer(toy.recipe(), tmp_path / "run", Acting(poison)).run()
    assert caught.value.exit_code == 4
    state = status(tmp_path / "run")
    assert state["state"] == "diverged" and "not finite" in state["error"] and state["step"] == 7
    found = checkpoint.newest(tmp_path / "run")
    assert found is not None and found.step == 4 and bool(found.model["mean"].isfinite().all())
    assert len(RunFolder(tmp_path / "run").rows("metrics")) == 7
    assert Trainer.resume(tmp_path / "run", Toy()).run().status()["state"] == "done"


def test_an_error_is_written_down(tmp_path: Path) -> None:
    def fail(learner: DensityFit) -> None:
        raise ZeroDivisionError("no luck")

    with pytest.raises(ZeroDivisionError):
        Trainer(toy.recipe(), tmp_path / "run", Acting(fail)).run()
    assert status(tmp_path / "run")["state"] == "failed" and status(tmp_path / "run")["error"] == "no luck"


def test_lack_of_memory_is_said(tmp_path: Path) -> None:
    def hoard(learner: DensityFit) -> None:
        raise MemoryError

    with pytest.raises(ResourceError, match="out of memory"):
        Trainer(toy.recipe(), tmp_path / "run", Acting(hoard)).run()


def test_a_deleted_run_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="is gone: it was moved or deleted"):
        Trainer(toy.recipe(), tmp_path / "run", Acting(lambda _: shutil.rmtree(tmp_path / "run"))).run()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.EROFS, "read-only"), (errno.ENOSPC, "disk is full"), (errno.EIO, "input/output")],
)
def test_a_disk_that_fails_in_training_is_said(
    number: int, message: str, tmp_path: Path, monkeypatch: Any
) -> None:
    def fail(learner: DensityFit) -> None:
        always = Sabotaged(0, refuse(number))
        always._call = lambda name, *rest: always.fail(name)  # type: ignore[method-assign]
        monkeypatch.setattr(disk, "os", always)

    with pytest.raises(ResourceError, match=f"{message}.*what was saved before is intact"):
        Trainer(toy.recipe(), tmp_path / "run", Acting(fail)).run()
    monkeypatch.undo()
    found = checkpoint.newest(tmp_path / "run")
    assert found is not None and found.step == 4
    whole = Trainer(toy.recipe(), tmp_path / "whole", Toy()).run()
    again = Trainer.resume(tmp_path / "run", Toy()).run()
    for name in ("metrics.jsonl", "checkpoints/000030/model.safetensors"):
        assert (again.path / name).read_bytes() == (whole.path / name).read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_step_saves_and_says_how_to_go_on(number: int, code: int, tmp_path: Path) -> None:
    before = signal.getsignal(number)
    trainer = Trainer(toy.recipe(), tmp_path / "run", Acting(lambda _: os.kill(os.getpid(), number)))
    with pytest.raises(Interrupted, match=r"Saved at step 8\. Go on with: plaudit resume .*run") as caught:
        trainer.run()
    assert caught.value.exit_code == code and signal.getsignal(number) is before
    assert status(tmp_path / "run")["state"] == "interrupted"
    assert RunFolder(tmp_path / "run").checkpoint().name == "000008"


def test_a_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    def twice(learner: DensityFit) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    start = time.monotonic()
    with pytest.raises(Interrupted, match="Stopped at once") as caught:
        Trainer(toy.recipe(), tmp_path / "run", Acting(twice)).run()
    assert caught.value.exit_code == 130 and time.monotonic() - start < 30
    assert RunFolder(tmp_path / "run").checkpoint().name == "000004"


PROGRAM = """
import sys, time, toy
from plaudit.errors import PlauditError
from plaudit.runs.trainer import Trainer
step = toy.DensityFit.step
toy.DensityFit.step = lambda self: (time.sleep(0.05), step(self))[1]
try:
    Trainer(toy.recipe(budget="1000", checkpoint="1000"), sys.argv[1], toy.Toy()).run()
except PlauditError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_sigterm_from_outside_saves_within_five_seconds(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", PROGRAM, str(run)]
    process = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (run / "latest.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    start = time.monotonic()
    process.terminate()
    output, _ = process.communicate(timeout=30)
    assert time.monotonic() - start < 5
    assert process.returncode == 143 and f"Go on with: plaudit resume {run}" in output
    assert int(RunFolder(run).checkpoint().name) > 0 and status(run)["state"] == "interrupted"


def test_a_log_is_cut_and_continued_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    log = Log(path)
    log.write({"step": 1, "loss": float("nan"), "x": [float("inf"), 0.1]})
    length = log.sync()
    log.write({"step": 2})
    log.close()
    assert path.read_text() == '{"step":1,"loss":null,"x":[null,0.1]}\n{"step":2}\n'
    again = Log(path, offset=length)
    again.write({"step": 2})
    again.close()
    again.close()
    assert path.read_text() == '{"step":1,"loss":null,"x":[null,0.1]}\n{"step":2}\n'
    assert Log(path, offset=1000).missing == 1000 - path.stat().st_size


def test_lines_wait_in_memory_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    log = Log(tmp_path / "metrics.jsonl")
    log.write({"step": 1})
    assert (tmp_path / "metrics.jsonl").read_text() == ""
    log.flush()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step":')
    assert RunFolder(tmp_path).rows("metrics") == [{"step": 1}]
