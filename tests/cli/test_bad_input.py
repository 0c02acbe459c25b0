"""Bad input: one clear error with what, where and how to fix, the right exit code, no traceback."""

import json
import shutil
import struct
import subprocess
import sys

import pytest
from small import SMALL

TRAIN = ("train", "level/maze", *SMALL, "--budget", "32", "--evaluate", "0", "--out", "new")


def newest(run):
    return sorted((run / "checkpoints").iterdir())[-1]


def only_newest(run):
    """Remove the older checkpoints, so that there is nothing to fall back on."""
    for folder in sorted((run / "checkpoints").iterdir())[:-1]:
        shutil.rmtree(folder)
    return newest(run)


def refused(said, code, *words):
    """One error line, the exit code, and all that it must say."""
    assert said.code == code, said.err
    lines = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


TABLE = [
    (["tsks"], 2, ['no command "tsks"', 'Did you mean "tasks"?']),
    (["train"], 2, ["plaudit train", "Missing argument", "plaudit train --help"]),
    (["train", "level/mase"], 2, ['no task is called "level/mase"', 'Did you mean "level/maze"?']),
    (["train", "none.toml"], 2, ["none.toml", "missing"]),
    (["train", "level/maze", "--recipe", "pp"], 2, ['no recipe called "pp"', 'Did you mean "ppo"?']),
    (["train", "level/maze", "--reward", "symetry=1"], 2, ["--reward symetry", 'Did you mean "symmetry"?']),
    (["train", "level/maze", "--reward", "diameter=1"], 2, ["reported only"]),
    (
        ["train", "level/maze", "--reward", "symmetry=lots"],
        2,
        ["--reward symmetry", '"lots" is not a number'],
    ),
    (["train", "level/maze", "--set", "lerner.gamma=1"], 2, ['Did you mean "learner"?']),
    (["train", "level/maze", "--set", "learner.gama=1"], 2, ['Did you mean "gamma"?']),
    (
        ["train", "level/maze", "--set", "env.representation=wyde"],
        2,
        ["'wide', 'narrow', 'turtle' or 'patch'"],
    ),
    (["train", "level/maze", "--set", "network.layers=two"], 2, ["network.layers=two", "valid integer"]),
    (["train", "level/maze", "--target", "paths=40"], 2, ["--target", 'Did you mean "path"?']),
    (["train", "level/maze", "--target", "path"], 2, ["--target", "not of the form key=value"]),
    (["train", "level/maze", "--target", "path=9999"], 6, ["path=9999", "nearest possible is path="]),
    (["train", "level/maze", "--set", "request.size=1x1"], 2, ["1x1", "not possible"]),
    (["train", "level/maze", "--set", "request.size=big"], 2, ["width x height"]),
    (["train", "level/maze", "--budget", "soon"], 2, ["--budget", '"60s"']),
    (["train", "level/maze", "--device", "cuda"], 2, ["--device", "not built yet"]),
    (["train", "level/maze", "--device", "gpu"], 2, ["--device", "'auto', 'cpu' or 'cuda'"]),
    (["train", "level/maze", "--init", "nothing"], 2, ["--init", '"nothing"']),
    (["train", "level/maze", "--track", "tensorbord"], 2, ['Did you mean "tensorboard"?']),
    (["train", "level/maze", "--seeds", "0"], 2, ["--seeds"]),
    (["train", "level/maze", "--nonsense"], 2, ["No such option", "plaudit train --help"]),
    (["sample", "nothing"], 2, ['"nothing"', "plaudit tasks"]),
    (["sample", "none.plaudit"], 2, ["none.plaudit", "no such file"]),
    (["resume", "nothing"], 2, ['"nothing" is not a run', "plaudit runs list"]),
    (["report", "nothing"], 2, ['"nothing" is not a run']),
    (["rewards", "level/mase"], 2, ['Did you mean "level/maze"?']),
    (["algorithms", "pp"], 2, ['Did you mean "ppo"?']),
    (["check", "no_such_module:Task"], 2, ["cannot be imported"]),
    (["check", "os:system"], 2, ["not the class of a task"]),
    (["runs", "shw"], 2, ["plaudit runs"]),
]


@pytest.mark.parametrize(
    ("words", "code", "said"), TABLE, ids=lambda v: " ".join(v) if isinstance(v, list) else ""
)
def test_mistakes_on_the_command_line(cli, words, code, said):
    answer = cli(*words, "--json")
    refused(answer, code, *said)
    assert answer.json["exit_code"] == code and said[0] in answer.json["error"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--target", "paths=4"], 2, ['no statistic "paths"', 'Did you mean "path"?']),
        (["--target", "path=9999"], 6, ["nearest possible is path="]),
        (["--target", "path=nan"], 2, ['"nan" is not a number']),
        (["--ask", "sise=4x4"], 2, ['Did you mean "size"?']),
        (["--ask", "size=0x4"], 2, ["0x4"]),
        (["--ask", "size=9999x9999"], 2, ["9999x9999"]),
        (["--format", "pgn"], 2, ["--format", 'Did you mean "png"?']),
        (["-n", "0"], 2, ["between 1 and 1,000,000"]),
        (["--seed", "-1"], 2, ["--seed"]),
        (["--best-of", "0"], 2, ["--best-of"]),
        (["--requests", "none.jsonl"], 2, ["none.jsonl"]),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_mistakes_in_what_is_asked_for(cli, trained, tmp_path, words, code, said):
    refused(cli("sample", trained, *words, "--out", "o"), code, *said)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"size": [6, 6]}\n{"size": \n', ["r.jsonl:2", "not JSON"]),
        ("[]\n", ["r.jsonl:1", "a request is a JSON object"]),
        ("\n", ["holds no request"]),
        ('{"size": [6, 6]}\n{"sise": 3}\n', ["request 2.sise", 'Did you mean "size"?']),
    ],
)
def test_mistakes_in_request_files(cli, trained, tmp_path, text, said):
    (tmp_path / "r.jsonl").write_text(text)
    refused(cli("sample", trained, "--requests", "r.jsonl", "--out", "o"), 2, *said)


def test_a_recipe_file_names_its_line(cli, tmp_path):
    (tmp_path / "r.toml").write_text('task = "level/maze"\n[learner]\ngama = 1\n')
    refused(cli("train", "r.toml"), 2, "r.toml:3: learner.gama", 'Did you mean "gamma"?')


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def test_a_checkpoint_with_a_wrong_hash(cli, run):
    flip(only_newest(run) / "model.safetensors")
    for verb in ("sample", "eval", "export"):
        refused(
            cli(verb, run, *(["x.plaudit"] if verb == "export" else [])), 2, "model.safetensors", "SHA-256"
        )
    refused(cli("resume", run), 2, "model.safetensors", "SHA-256")


def test_a_damaged_checkpoint_with_an_older_one_falls_back_and_says_so(cli, run):
    flip(newest(run) / "model.safetensors")
    said = cli("sample", run, "-n", 1, "--out", "o")
    assert said.code == 0
    assert "warning: " in said.err and "SHA-256" in said.err and "Going on from" in said.err


def test_a_checkpoint_without_a_manifest(cli, run):
    (only_newest(run) / "manifest.json").unlink()
    refused(cli("sample", run, "-n", 1), 2, "manifest.json")


def test_a_manifest_that_was_changed(cli, run):
    path = only_newest(run) / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "step": 7}))
    refused(cli("sample", run, "-n", 1), 2, "manifest", "seal")


def test_a_header_that_claims_ten_gigabytes(cli, run):
    folder = only_newest(run)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 10 * 2**30) + b"{}")
    refused(cli("sample", run, "-n", 1), 2, "model.safetensors")


def test_tensors_of_another_policy(cli, run, tmp_path):
    import torch

    from plaudit.runs import checkpoint
    from plaudit.runs.checkpoint import Snapshot

    manifest = checkpoint.read_manifest(newest(run))
    for folder in (run / "checkpoints").iterdir():
        shutil.rmtree(folder)
    foreign = Snapshot(96, {"strange": torch.zeros(3)}, {}, {"policy": manifest["policy"]})
    checkpoint.save(run, foreign)
    refused(cli("sample", run, "-n", 1), 2, str(run))
    refused(cli("resume", run), 2, "model.safetensors")


def test_an_exported_file_that_is_none(cli, run, tmp_path):
    import zipfile

    assert cli("export", run, "good.plaudit").code == 0
    good = (tmp_path / "good.plaudit").read_bytes()
    bad = tmp_path / "bad.plaudit"
    for data in (b"", b"PK", good[:300], good[: len(good) // 2], b"\x80\x04" + good):
        bad.write_bytes(data)
        answer = cli("sample", bad, "-n", 1)
        # A prefix before the first entry is legal in a zip: that file still loads.
        assert answer.code == (0 if data.endswith(good) else 2)
    for name in ("../../evil.txt", "/etc/evil", "extra.py"):
        with zipfile.ZipFile(bad, "w") as archive:
            archive.writestr(name, "x")
        refused(cli("sample", bad, "-n", 1), 2, "bad.plaudit", "foreign entry")
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.safetensors", b"\0" * 10_000_000)
    refused(cli("sample", bad, "-n", 1), 2, "bad.plaudit", "compressed")


REWARDS = {
    "raises": ("raise RuntimeError('no luck')", 2, ["raises", "no luck", "mine.py:2"]),
    "shape": ("return [[1.0, 2.0]] * len(items)", 2, ["shape"]),
    "words": ("return ['good'] * len(items)", 2, ["mine.py", '"words"', "numbers"]),
    "infinite": ("return [float('inf')] * len(items)", 4, ["infinite"]),
    "leaves": ("import os; os._exit(3)", 2, ["leaves"]),
    "endless": ("while True: pass", 2, ["endless", "did not return"]),
}


@pytest.mark.parametrize("name", REWARDS)
def test_reward_functions_that_misbehave(cli, tmp_path, name):
    body, code, said = REWARDS[name]
    limit = "import plaudit\n@plaudit.reward(limit_s=0.5)\n" if name == "endless" else ""
    (tmp_path / "mine.py").write_text(f"{limit}def {name}(items, context):\n    {body}\n")
    refused(cli(*TRAIN, "--reward", f"mine.py:{name}=1"), code, *said)


def test_a_reward_that_cannot_score_masks_and_counts(cli, tmp_path):
    (tmp_path / "mine.py").write_text(
        "def some(items, context):\n    return [float('nan') if i % 2 else 1.0 for i in range(len(items))]\n"
    )
    assert cli(*TRAIN, "--reward", "mine.py:some=1").code == 0
    rows = [json.loads(line) for line in (tmp_path / "new/metrics.jsonl").read_text().splitlines()]
    assert any(row.get("masked", 0) > 0 for row in rows)


def test_a_folder_that_is_taken(cli, run):
    refused(
        cli("train", "level/maze", *SMALL, "--out", run), 2, "there is a run already", f"plaudit resume {run}"
    )


def test_a_level_file_that_is_none(tmp_path):
    from plaudit.domains import get_task
    from plaudit.errors import InputError

    task = get_task("level/maze")
    for suffix in task.formats:
        for data in (b"", b"\xff\xfe\x00", b"0,1\n0", b"0,7\n1,1\n", b"?"):
            path = tmp_path / f"level.{suffix}"
            path.write_bytes(data)
            with pytest.raises(InputError, match="level"):
                task.load(path)


def test_a_defect_is_told_without_a_traceback(cli, monkeypatch):
    import plaudit.cli.tasks

    def broken():
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(plaudit.cli.tasks, "command", broken)
    refused(cli("tasks"), 1, "internal error: ZeroDivisionError: division by zero", "--debug")
    with pytest.raises(ZeroDivisionError):
        cli("tasks", "--debug")


@pytest.mark.parametrize(
    ("words", "code"),
    [(["trainn"], 2), (["train", "level/maze", "--target", "path=9999"], 6), (["sample", "nothing"], 2)],
)
def test_the_process_itself_says_it_plainly(tmp_path, words, code):
    done = subprocess.run(
        [sys.executable, "-m", "plaudit", *words, "--json"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr and done.stderr.count("error: ") == 1
    assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == code
