"""Runs of several stages, and inputs that are pinned: found, verified, resumed in the right stage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import toy
from toy import Toy

from plaudit.errors import InputError
from plaudit.runs import checkpoint, inputs
from plaudit.runs.folder import RunFolder
from plaudit.runs.signals import Interrupted
from plaudit.runs.trainer import Trainer

pytestmark = pytest.mark.usefixtures("quick_disk")


class Counting(Toy):
    """Notes the budget of every learner that it builds."""

    def __init__(self) -> None:
        self.built: list[str] = []

    def build(self, recipe: Any, inputs: Any) -> Any:
        self.built.append(recipe.budget)
        return super().build(recipe, inputs)


def weights(run: Path) -> list[float]:
    model, _ = checkpoint.newest_model(RunFolder.open(run).result().path)
    return [float(x) for x in model["mean"]]


def files(run: Path) -> dict[str, bytes]:
    names = [*run.rglob("metrics.jsonl"), *run.rglob("rewards.jsonl"), *run.rglob("item.json")]
    names += run.rglob("checkpoints/*/model.safetensors")
    return {str(path.relative_to(run)): path.read_bytes() for path in names}


def test_stages_are_ordinary_runs_and_the_second_starts_from_the_first(tmp_path: Path) -> None:
    events = list(Trainer(toy.staged(), tmp_path / "run", Toy(), sampler=toy.sample).iter())
    run = RunFolder.open(tmp_path / "run")
    prior, tune = run.stages()
    assert [prior.path.name, tune.path.name] == ["01-prior", "02-tune"]
    assert [stage.status()["state"] for stage in (prior, tune)] == ["done", "done"]
    assert [event.stage for event in events if event.kind == "metrics"] == ["prior"] * 12 + ["tune"] * 10
    assert [event.stage for event in events if event.kind == "done"] == ["tune"]
    status = run.status()
    assert (status["state"], status["stage"], status["share"]) == ("done", "tune", 1.0)
    assert run.read_json("latest.json")["path"] == "stages/02-tune/checkpoints/000010"
    assert run.result().path == tune.path and run.checkpoint().parent.parent == tune.path
    # The start of the second stage holds the first one's mean.
    start = json.loads((tune.path / "samples/step_000000/item.json").read_text())["mean"]
    assert start == pytest.approx(weights(prior.path))
    pin = tune.read_json("inputs.json")["init"]
    assert pin["given"] == "stage:prior" and pin["path"] == "../01-prior/checkpoints/000012"


@pytest.mark.parametrize(
    ("stage", "step"), [("prior", 1), ("prior", 7), ("prior", 12), ("tune", 0), ("tune", 6)]
)
def test_resume_goes_on_in_the_right_stage(stage: str, step: int, tmp_path: Path) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    Trainer(toy.staged(), whole, Toy(), sampler=toy.sample).run()
    for event in Trainer(toy.staged(), run, Toy(), sampler=toy.sample).iter():
        if (event.stage, event.step) == (stage, step):
            break
    assert RunFolder.open(run).status()["state"] == "interrupted"
    moved = tmp_path / "elsewhere"
    run.rename(moved)
    task = Counting()
    seen = {event.stage for event in Trainer.resume(moved, task, sampler=toy.sample).iter()}
    assert seen == ({"prior", "tune"} if stage == "prior" else {"tune"})
    assert task.built == (["12", "10"] if stage == "prior" else ["10"])
    left, right = files(moved), files(whole)
    final = [name for name in right if "checkpoints" not in name or "000010" in name or "000012" in name]
    assert all(left[name] == right[name] for name in final)
    assert RunFolder.open(moved).status()["state"] == "done"


def test_a_signal_names_the_run_and_not_the_stage(tmp_path: Path, monkeypatch: Any) -> None:
    def interrupted(self: Any) -> bool:
        self.caught = 143
        return True

    monkeypatch.setattr("plaudit.runs.signals.Signals.stop", interrupted)
    with pytest.raises(Interrupted, match=f"plaudit resume {tmp_path}/run$") as caught:
        Trainer(toy.staged(), tmp_path / "run", Toy()).run()
    assert caught.value.exit_code == 143
    assert RunFolder.open(tmp_path / "run").status()["state"] == "interrupted"


def test_the_error_of_a_stage_is_the_error_of_the_run(tmp_path: Path) -> None:
    recipe = toy.staged()
    broken = recipe.stages[1].model_copy(update={"algorithm": "magic"})
    recipe = recipe.model_copy(update={"stages": (recipe.stages[0], broken)})
    with pytest.raises(InputError, match="magic"):
        Trainer(recipe, tmp_path / "run", Toy()).run()
    status = RunFolder.open(tmp_path / "run").status()
    assert status["state"] == "failed" and "magic" in status["error"] and status["stage"] == "tune"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "../up"}, "is no name for a stage"),
        ({"name": "prior"}, 'two stages are called "prior"'),
        ({"stages": (toy.recipe(),)}, "a stage cannot have stages"),
    ],
)
def test_stages_that_make_no_sense_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    recipe = toy.staged()
    second = recipe.stages[1].model_copy(update=changes)
    with pytest.raises(InputError, match=message):
        Trainer(recipe.model_copy(update={"stages": (recipe.stages[0], second)}), tmp_path / "run", Toy())


@pytest.mark.parametrize("given", ["stage:piror", "stage:tune"])
def test_an_unknown_stage_is_named(given: str, tmp_path: Path) -> None:
    recipe = toy.staged()
    second = recipe.stages[1].model_copy(update={"inputs": {"init": given}})
    with pytest.raises(InputError, match=r"inputs\.init: no earlier stage.*prior"):
        Trainer(
            recipe.model_copy(update={"stages": (recipe.stages[0], second)}), tmp_path / "run", Toy()
        ).run()


def test_an_input_may_be_a_run_a_checkpoint_or_a_file(tmp_path: Path) -> None:
    prior = Trainer(toy.recipe(), tmp_path / "prior", Toy()).run()
    (tmp_path / "file.bin").write_bytes(b"weights")
    found = inputs.resolve(
        {"run": str(prior.path), "checkpoint": str(prior.checkpoint()), "file": str(tmp_path / "file.bin")},
        None,
    )
    assert found["run"] == found["checkpoint"] == prior.checkpoint().resolve()
    assert found["file"] == (tmp_path / "file.bin").resolve()
    with pytest.raises(InputError, match=r'inputs\.init: "nowhere" is no file, no run and no preset'):
        inputs.resolve({"init": "nowhere"}, None)


def test_an_input_is_pinned_and_verified_on_resume(tmp_path: Path) -> None:
    prior = Trainer(toy.recipe(), tmp_path / "prior", Toy()).run()
    recipe = toy.recipe(inputs={"init": str(prior.path)})
    for event in Trainer(recipe, tmp_path / "run", Toy()).iter():
        if event.step == 5:
            break
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    pin = RunFolder(tmp_path / "run").read_json("inputs.json")["init"]
    assert len(pin["sha256"]) == 64 and pin["path"] == str(prior.checkpoint().resolve())
    Trainer.resume(tmp_path / "run", Toy()).run()
    checkpoint.write_model(prior.checkpoint(), checkpoint.Snapshot(30, {"mean": toy.torch.zeros(6)}, {}, {}))
    with pytest.raises(InputError, match=r"inputs\.json: init: .*its SHA-256 has changed"):
        Trainer.resume(tmp_path / "copy", Toy()).run()
    shutil.rmtree(prior.path)
    with pytest.raises(InputError, match="no file, no run and no preset"):
        Trainer.resume(tmp_path / "copy", Toy()).run()
