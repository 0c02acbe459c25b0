"""The Python face of DESIGN, line by line."""

import json
import zipfile

import numpy as np
import pytest

import plaudit
from plaudit.errors import Infeasible, InputError
from plaudit.runs import presets

SMALL = {
    "request": {"size": "6x6"},
    "env": {"copies": 4, "pool": 16},
    "learner": {"n_steps": 8, "batch_size": 16, "epochs": 1},
    "network": {"layers": 1, "channels": 4},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("api") / "run"
    return plaudit.train("level/maze", reward={"path_length": 1.0}, budget=64, seed=3, out=out, **SMALL)


def test_train_returns_a_finished_run(run):
    assert json.loads((run.folder / "status.json").read_text())["state"] == "done"
    assert run.recipe.seed == 3 and run.recipe.budget == "64"
    assert {e.term: e.weight for e in run.recipe.reward}["path_length"] == 1.0
    assert run.recipe.env["copies"] == 4 and run.recipe.env["representation"] == "wide"


def test_samples_are_items_that_can_be_saved(run, tmp_path):
    samples = run.sample(5, target={"path": 14})
    assert len(samples) == 5 and samples[0].request.target == {"path": 14}
    assert [item.content.shape for item in samples] == [(6, 6)] * 5
    manifest = json.loads(samples.save(tmp_path / "out", "csv").read_text())
    assert [row["file"] for row in manifest["items"]] == [f"000{i}.csv" for i in range(1, 6)]
    assert samples.met == sum(row["met"] for row in manifest["items"])
    assert run.sample(2, size=(7, 5))[0].content.shape == (5, 7)


def test_the_same_seed_gives_the_same_items(run):
    first, again, other = (run.model.sample(3, seed=s) for s in (1, 1, 2))
    assert all(np.array_equal(a.content, b.content) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.content, b.content) for a, b in zip(first, other, strict=True))


def test_evaluate_and_report_write_into_the_run(run):
    figures = run.evaluate(6)
    assert json.loads((run.folder / "evaluation.json").read_text()) == figures
    assert run.report().stat().st_size < 2_000_000


def test_load_reads_runs_checkpoints_and_exported_files(run, tmp_path):
    exported = run.export(tmp_path / "maze.plaudit")
    newest = sorted((run.folder / "checkpoints").iterdir())[-1]
    wanted = run.model.sample(2)[1].content
    for source in (run.folder, newest, exported):
        assert np.array_equal(plaudit.load(source).sample(2)[1].content, wanted)


def test_equal_policies_are_exported_as_equal_bytes(run, tmp_path):
    assert run.export(tmp_path / "a.plaudit").read_bytes() == run.export(tmp_path / "b.plaudit").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.plaudit") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_export_tells_nothing_of_the_machine(run, tmp_path):
    recipe = run.recipe.model_copy(update={"inputs": {"init": str(tmp_path / "secret" / "weights.plaudit")}})
    folder = presets.write(tmp_path / "p", run.model.policy, recipe)
    text = (folder / "recipe.toml").read_text() + (folder / "manifest.json").read_text()
    assert "secret" not in text and str(tmp_path) not in text and 'init = "weights.plaudit"' in text


def test_predict_takes_one_observation_or_a_batch(run):
    env = run.model.task.environment(3, run.recipe)
    obs = env.reset(0).numpy()
    mask = np.arange(env.action_space.n)[None].repeat(3, 0) % 3 == np.arange(3)[:, None]
    actions, _ = run.model.predict(obs, mask=mask)
    assert actions.shape == (3,) and mask[np.arange(3), actions].all()
    single, _ = run.model.predict(obs[1], mask=mask[1])
    assert single == actions[1]
    assert run.model.predict(obs)[0].shape == (3,)
    with pytest.raises(InputError, match="sees observations of shape"):
        run.model.predict(obs[:, :1])


def test_resume_of_a_finished_run_returns_it(run):
    assert plaudit.resume(run.folder).folder == run.folder


def test_errors_are_the_documented_ones(run):
    with pytest.raises(Infeasible):
        run.sample(1, target={"path": 10_000})
    with pytest.raises(InputError, match="Did you mean"):
        plaudit.load("level/mase")
    with pytest.raises(InputError, match=r"ends in \.plaudit"):
        run.export("maze.zip")
    with pytest.raises(InputError, match="not a known key"):
        plaudit.train("level/maze", sede=3)


def test_an_exported_file_runs_no_code_of_its_recipe(run, tmp_path):
    """A task or term that the file names is neither imported nor called."""
    (tmp_path / "evil.py").write_text("raise SystemExit('code was run')\n")
    recipe = run.recipe.model_copy(update={"task": "os:getcwd"})
    folder = presets.write(tmp_path / "p", run.model.policy, recipe)
    path = tmp_path / "evil.plaudit"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes())
    with pytest.raises(InputError, match='unknown task "os:getcwd"'):
        plaudit.load(path)


def test_terms_of_files_do_not_come_with_an_exported_file(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "open('ran', 'w').close()\ndef f(items, context): return [1.0] * len(items)\n"
    )
    entry = run.recipe.reward[0].model_copy(update={"term": "mine.py:f"})
    recipe = run.recipe.model_copy(update={"reward": (*run.recipe.reward, entry)})
    folder = presets.write(tmp_path / "p", run.model.policy, recipe)
    with zipfile.ZipFile(tmp_path / "x.plaudit", "w") as archive:
        for file in folder.iterdir():
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes())
    model = plaudit.load(tmp_path / "x.plaudit")
    assert "mine.py:f" not in {e.term for e in model.recipe.reward}
    model.sample(1)
    assert not (tmp_path / "ran").exists()


def test_the_names_of_the_public_face_are_there():
    for name in plaudit.__all__:
        assert getattr(plaudit, name) is not None
