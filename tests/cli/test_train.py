"""`plaudit train` from a bare task to report, and everything that can be laid over a recipe."""

import json
import os
import signal
import subprocess
import sys
import time

from small import SMALL

from plaudit.runs.recipes import load


def test_dry_run_prints_a_recipe_that_resolves_to_itself(cli, tmp_path):
    words = ["--recipe", "dqn", "--reward", "novelty=0.5", "--reward", "symmetry", "--target", "path=40"]
    said = cli(
        "train", "level/maze", *words, "--set", "env.copies=8", "--seed", 4, "--budget", 100, "--dry-run"
    )
    assert said.code == 0 and not (tmp_path / "runs").exists()
    (tmp_path / "r.toml").write_text(said.out)
    recipe = load(tmp_path / "r.toml")
    assert (recipe.algorithm, recipe.seed, recipe.budget, recipe.env["copies"]) == ("dqn", 4, "100", 8)
    assert {e.term: e.weight for e in recipe.reward}["novelty"] == 0.5
    assert recipe.reward[-1].term == "symmetry" and recipe.reward[-1].weight == 1.0
    assert cli("train", "r.toml", "--dry-run").out == said.out
    assert cli("train", "r.toml", "--dry-run", "--json").json["recipe"]["seed"] == 4


def test_training_ends_with_where_to_look(cli, tmp_path):
    said = cli("train", "level/maze", *SMALL, "--budget", 64, "--out", "r", "--evaluate", 4)
    last = said.out.splitlines()[-3:]
    assert last == [
        "samples  r/samples/step_000064",
        "report   r/report.html",
        "next     plaudit sample r -n 16",
    ]
    assert "run folder: r" in said.err
    assert json.loads((tmp_path / "r/evaluation.json").read_text())["n"] == 4
    for name in ("0001.png", "wall.png", "manifest.json"):
        assert (tmp_path / "r/samples/step_000064" / name).is_file()
    assert (tmp_path / "r/report.html").stat().st_size < 2_000_000


def test_json_is_the_last_line_of_stdout_alone(cli):
    said = cli("train", "level/maze", *SMALL, "--budget", 32, "--out", "r", "--evaluate", 0, "--json")
    assert len(said.out.splitlines()) == 1
    assert said.json["run"] == "r" and said.json["status"]["state"] == "done"


def test_several_seeds_make_one_report_with_intervals(cli, tmp_path):
    said = cli(
        "train", "level/maze", *SMALL, "--budget", 32, "--out", "s", "--seeds", 2, "--evaluate", 3, "--json"
    )
    assert said.code == 0
    assert [load(tmp_path / f"s/seed-{n}/recipe.toml").seed for n in (0, 1)] == [0, 1]
    assert said.json["groups"][0]["runs"] == 2 and len(said.json["groups"][0]["figures"]["quality"]) == 3
    assert (tmp_path / "s/report.html").is_file()
    again = cli("train", "level/maze", *SMALL, "--budget", 32, "--out", "s", "--seeds", 2)
    assert again.code == 2 and "there is something already" in again.err


def test_tensorboard_gets_the_numbers(cli, tmp_path):
    words = ["--budget", 96, "--out", "t", "--evaluate", 0, "--track", "tensorboard"]
    assert cli("train", "level/maze", *SMALL, *words).code == 0
    (events,) = (tmp_path / "t/tensorboard").iterdir()
    assert b"terms/one_region/weighted" in events.read_bytes()


def test_training_starts_from_a_run(cli, trained, tmp_path):
    said = cli(
        "train", "level/maze", *SMALL, "--budget", 32, "--init", trained, "--out", "i", "--evaluate", 0
    )
    assert said.code == 0
    start = (tmp_path / "i/checkpoints/000000/model.safetensors").read_bytes()
    assert start == sorted((trained / "checkpoints").iterdir())[-1].joinpath("model.safetensors").read_bytes()


def test_a_finished_run_is_left_as_it_is_by_resume(cli, run):
    weights = (sorted((run / "checkpoints").iterdir())[-1] / "model.safetensors").read_bytes()
    assert cli("resume", run, "--evaluate", 0).code == 0
    assert (sorted((run / "checkpoints").iterdir())[-1] / "model.safetensors").read_bytes() == weights


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = tmp_path / f"r{code}"
        words = ["train", "level/maze", *SMALL, "--budget", "2h", "--out", str(out), "--json"]
        child = subprocess.Popen(
            [sys.executable, "-m", "plaudit", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        deadline = time.monotonic() + 90
        while not (out / "checkpoints/000000/manifest.json").is_file() and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(number)
        said, err = child.communicate(timeout=60)
        assert child.returncode == code
        assert f"plaudit resume {out}" in err and "Traceback" not in err and "error" not in err
        assert json.loads(said.splitlines()[-1])["exit_code"] == code
        assert json.loads((out / "status.json").read_text())["state"] == "interrupted"
