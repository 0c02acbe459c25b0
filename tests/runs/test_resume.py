"""A run that was stopped and resumed equals the uninterrupted one bit for bit, wherever it stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import toy
from chain import ChainTask, chain_recipe
from toy import Toy

from plaudit.errors import InputError
from plaudit.runs import checkpoint, recipes
from plaudit.runs.recipe import Recipe
from plaudit.runs.session import InexactWarning
from plaudit.runs.trainer import Trainer

CASES = {
    "density": (Toy, toy.recipe(checkpoint="1000")),
    "pair": (Toy, toy.recipe(algorithm="pair", checkpoint="1000")),
    "tabular-q": (ChainTask, chain_recipe("tabular-q", checkpoint="100000")),
    "dqn": (ChainTask, chain_recipe("dqn", checkpoint="100000")),
    "dqn-all": (
        ChainTask,
        chain_recipe(
            "dqn",
            checkpoint="100000",
            learner={
                **chain_recipe("dqn").learner,
                "path": "plain",
                "prioritised": True,
                "n_step": 3,
                "dueling": True,
                "target_tau": 0.01,
            },
        ),
    ),
    "ppo": (ChainTask, chain_recipe("ppo", checkpoint="100000")),
    "ppo-plain": (
        ChainTask,
        chain_recipe("ppo", checkpoint="100000", learner={**chain_recipe("ppo").learner, "path": "plain"}),
    ),
}


def fingerprint(run: Path) -> dict[str, str]:
    """Hash what must be equal: weights, state, exact logs, samples, the last metrics."""
    newest = checkpoint.newest_folder(run)
    files = [
        newest / checkpoint.MODEL,
        newest / checkpoint.STATE,
        run / "metrics.jsonl",
        run / "rewards.jsonl",
    ]
    files += sorted((run / "samples").rglob("*.json"))
    return {str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def stop_after(steps: int, recipe: Recipe, task: Any, out: Path) -> None:
    """Train that many steps, then leave the loop."""
    for done, _ in enumerate(
        e for e in Trainer(recipe, out, task, sampler=toy.sample).iter() if e.kind == "metrics"
    ):
        if done + 1 == steps:
            break


@pytest.mark.filterwarnings("error::plaudit.runs.session.InexactWarning")
@pytest.mark.usefixtures("quick_disk")
@pytest.mark.parametrize("case", CASES)
def test_resuming_at_every_step_changes_nothing(case: str, tmp_path: Path) -> None:
    kind, recipe = CASES[case]
    whole = Trainer(recipe, tmp_path / "whole", kind(), sampler=toy.sample).run()
    expected = fingerprint(whole.path)
    assert len(whole.rows("metrics")) == 30 and len(expected) > 10
    # Every step of each learner; of its variants, whose saving is the same code, every sixth.
    for cut in range(1, 30, 6 if "-" in case.removeprefix("tabular-") else 1):
        out = tmp_path / f"{cut:02d}"
        stop_after(cut, recipe, kind(), out)
        assert json.loads((out / "status.json").read_text())["state"] == "interrupted"
        resumed = Trainer.resume(out, kind(), sampler=toy.sample).run()
        assert fingerprint(resumed.path) == expected, f"stopped after step {cut}"
        assert resumed.status()["state"] == "done"


@pytest.mark.usefixtures("quick_disk")
@pytest.mark.parametrize("case", CASES)
def test_the_same_seed_gives_the_same_run_and_another_another(case: str, tmp_path: Path) -> None:
    kind, recipe = CASES[case]
    runs = [
        Trainer(recipe.model_copy(update={"seed": seed}), tmp_path / str(i), kind(), sampler=toy.sample).run()
        for i, seed in enumerate((3, 3, 4))
    ]
    one, two, other = (fingerprint(run.path) for run in runs)
    assert one == two
    weights = next(name for name in one if name.endswith(checkpoint.MODEL))
    assert one["metrics.jsonl"] != other["metrics.jsonl"] and one[weights] != other[weights]


@pytest.mark.usefixtures("quick_disk")
def test_going_back_to_an_older_checkpoint_gives_the_same_run(tmp_path: Path) -> None:
    recipe = toy.recipe()
    expected = fingerprint(Trainer(recipe, tmp_path / "whole", Toy(), sampler=toy.sample).run().path)
    run = Trainer(recipe, tmp_path / "run", Toy(), sampler=toy.sample).run()
    (run.path / "checkpoints/000030/model.safetensors").write_bytes(b"damaged")
    # A sample of a step that the resumed run never takes.
    shutil.copytree(run.path / "samples/step_000030", run.path / "samples/step_000029")
    with pytest.warns(checkpoint.DamagedWarning, match=r"000030/model\.safetensors"):
        Trainer.resume(run.path, Toy(), sampler=toy.sample).run()
    assert fingerprint(run.path) == expected
    assert (run.path / "checkpoints/000030.damaged").is_dir()


@pytest.mark.usefixtures("quick_disk")
def test_resuming_a_finished_run_trains_no_further(tmp_path: Path) -> None:
    run = Trainer(toy.recipe(), tmp_path / "run", Toy()).run()
    before = fingerprint(run.path)
    events = list(Trainer.resume(run.path, Toy()).iter())
    assert [event.kind for event in events] == ["done"]
    assert fingerprint(run.path) == before and run.status()["state"] == "done"


class EndsEarly(Toy):
    """A task whose learner ends by itself after twelve steps."""

    def build(self, recipe: Recipe, inputs: dict[str, Path]) -> Any:
        made = super().build(recipe, inputs)
        made.__class__ = type("Ending", (type(made),), {"finished": property(lambda self: self.count >= 12)})
        return made


@pytest.mark.usefixtures("quick_disk")
def test_a_learner_that_ends_before_its_budget_is_done(tmp_path: Path) -> None:
    run = Trainer(toy.recipe(), tmp_path / "run", EndsEarly()).run()
    status = run.status()
    assert (status["state"], status["step"], status["error"]) == ("done", 12, None) and status["share"] < 1.0
    before = fingerprint(run.path)
    assert [event.kind for event in Trainer.resume(run.path, EndsEarly()).iter()] == ["done"]
    assert fingerprint(run.path) == before


@pytest.mark.usefixtures("quick_disk")
def test_threads_are_set_and_put_back_and_a_change_is_said(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    trainer = Trainer(toy.recipe(threads=2), tmp_path / "run", Toy())
    for event in trainer.iter():
        assert torch.get_num_threads() == 2
        if event.step == 10:
            break
    assert torch.get_num_threads() == before
    env = json.loads((tmp_path / "run/env.json").read_text())
    assert env["threads"] == 2
    (tmp_path / "run/env.json").write_text(
        json.dumps({**env, "versions": {**env["versions"], "torch": "1.0"}})
    )
    with pytest.warns(InexactWarning, match=r"not bit-identical: versions torch: 1\.0 then"):
        Trainer.resume(tmp_path / "run", Toy()).run()


@pytest.mark.usefixtures("quick_disk")
def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    stop_after(5, toy.recipe(), Toy(), tmp_path / "run")
    place = tmp_path / "run/recipe.toml"
    place.write_text(recipes.dump(toy.recipe(learner={"size": 7})))
    with pytest.raises(
        InputError, match=r'model\.safetensors: foreign tensors: "log_scale" is float32 \(6,\)'
    ):
        Trainer.resume(tmp_path / "run", Toy()).run()
    assert json.loads((tmp_path / "run/status.json").read_text())["state"] == "failed"
    place.write_text(recipes.dump(toy.recipe(learner={"ring": 64})))
    with pytest.raises(InputError, match=r"state\.safetensors: the state does not fit this recipe"):
        Trainer.resume(tmp_path / "run", Toy()).run()


@pytest.mark.usefixtures("quick_disk")
def test_a_cut_log_is_said_and_training_goes_on(tmp_path: Path) -> None:
    stop_after(9, toy.recipe(), Toy(), tmp_path / "run")
    (tmp_path / "run/metrics.jsonl").write_text("")
    with pytest.warns(UserWarning, match=r"metrics\.jsonl was cut"):
        run = Trainer.resume(tmp_path / "run", Toy()).run()
    assert [row["step"] for row in run.rows("metrics")] == list(range(10, 31))


def test_warnings_are_rare(tmp_path: Path) -> None:
    """An ordinary resume warns of nothing."""
    stop_after(9, toy.recipe(), Toy(), tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Trainer.resume(tmp_path / "run", Toy()).run()
