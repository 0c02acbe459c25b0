"""Every verb does what it says, and its last line with --json is one JSON object."""

import json
import re

import pytest

import plaudit
from plaudit.cli.main import VERBS


def test_help_names_every_verb(cli):
    said = cli("--help")
    assert said.code == 0
    assert all(re.search(rf"^  {verb} ", said.out, re.M) for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(cli, verb):
    said = cli(verb, "--help")
    assert said.code == 0 and f"plaudit {verb}" in said.out


def test_version(cli):
    assert cli("--version").out.strip() == f"plaudit {plaudit.__version__}"


def test_tasks(cli):
    assert "level/maze" in cli("tasks").out
    assert {"level/maze", "level/path"} <= {task["name"] for task in cli("tasks", "--json").json["tasks"]}


def test_rewards_say_range_direction_and_whether_differentiable(cli):
    said = cli("rewards", "level/maze", "--json")
    terms = {term["name"]: term for term in said.json["tasks"]["level/maze"]}
    assert terms["dead_ends"]["direction"] == "minimize" and terms["dead_ends"]["range"] == [0.0, 1.0]
    assert terms["diameter"]["eval_only"] is True
    assert all(term["differentiable"] in (True, False) and term["summary"] for term in terms.values())
    assert "level/path" in cli("rewards").out


def test_algorithms_list_their_settings_with_meaning(cli):
    assert {a["name"] for a in cli("algorithms", "--json").json["algorithms"]} >= {"ppo", "dqn", "tabular-q"}
    settings = {s["name"]: s for s in cli("algorithms", "ppo", "--json").json["settings"]}
    assert settings["gamma"]["default"] == 0.99
    assert all(s["summary"] for s in settings.values())


def test_sample_writes_files_and_manifest(cli, trained):
    said = cli("sample", trained, "-n", 3, "--seed", 2, "--target", "path=14", "--out", "out", "--json")
    assert said.code == 0 and said.json["n"] == 3
    manifest = json.loads(open("out/manifest.json").read())
    assert [item["seed"] for item in manifest["items"]] == [2_000_000, 2_000_001, 2_000_002]
    assert all(item["request"]["target"] == {"path": 14.0} for item in manifest["items"])
    assert {"file", "seed", "request", "terms", "met", "statistics", "info"} <= set(manifest["items"][0])
    assert said.json["met"] == sum(item["met"] for item in manifest["items"])


def test_sample_says_how_near_it_came_where_a_target_is_missed(cli):
    """Sixteen cells have no room for nineteen treasures, eight enemies and what keeps one alive."""
    asked = ("--target", "col_treasures=19", "--target", "path=16")
    said = cli("sample", "level/dungeon", "-n", 2, *asked, "--out", "short")
    assert said.code == 0 and "0 met every target" in said.out
    near = re.search(r"item [12]: col_treasures (\d+), asked 19; solution_length (\d+), asked 16", said.out)
    assert near and 12 <= int(near[1]) < 19
    items = json.loads(open("short/manifest.json").read())["items"]
    assert {"col_treasures": float(near[1]), "solution_length": float(near[2])} in [
        {name: item["statistics"][name] for name in ("col_treasures", "solution_length")} for item in items
    ]
    met = cli("sample", "level/dungeon", "-n", 2, "--target", "path=30", "--out", "met")
    assert "2 met every target" in met.out and "nearest" not in met.out


def test_sample_again_gives_the_same_bytes(cli, trained, tmp_path):
    for out in ("a", "b"):
        cli("sample", trained, "-n", 4, "--seed", 7, "--out", out)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert len(names) == 6
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)


def test_one_item_again(cli, trained, tmp_path):
    cli("sample", trained, "-n", 3, "--format", "csv", "--out", "all")
    cli("sample", trained, "--item-seed", 2, "--format", "csv", "--out", "one")
    assert (tmp_path / "all/0003.csv").read_bytes() == (tmp_path / "one/0001.csv").read_bytes()


def test_requests_one_a_line(cli, trained, tmp_path):
    (tmp_path / "r.jsonl").write_text('{"target": {"path": 12}, "size": [6, 7]}\n{"size": "5x6"}\n')
    said = cli("sample", trained, "--requests", "r.jsonl", "--ask", "density=0.5", "--out", "o", "--json")
    assert said.json["n"] == 2
    first, second = (i["request"] for i in json.loads((tmp_path / "o/manifest.json").read_text())["items"])
    assert (first["size"], first["target"], second["size"]) == ([6, 7], {"path": 12.0}, [5, 6])
    assert second["density"] == 0.5


def test_best_of_counts_what_it_rejects(cli, trained):
    assert cli("sample", trained, "-n", 2, "--best-of", 3, "--out", "o", "--json").json["rejected"] == 4


def test_eval_of_a_run_is_written_into_it(cli, run):
    said = cli("eval", run, "-n", 4, "--json")
    assert json.loads((run / "evaluation.json").read_text())["n"] == said.json["n"] == 4
    assert {"random", "heuristic", "best_of_n"} <= set(said.json["baselines"])
    assert "quality" in cli("eval", run, "-n", 4).out


def test_export_and_use_it(cli, trained, tmp_path):
    assert cli("export", trained, "maze.plaudit").code == 0
    assert cli("export", trained, "folder").code == 0
    for source in ("maze.plaudit", "folder"):
        assert cli("sample", source, "-n", 2, "--out", f"of-{source}").code == 0
    cli("sample", trained, "-n", 2, "--out", "of-run")
    images = [(tmp_path / f"of-{s}" / "0001.txt") for s in ("run", "folder", "maze.plaudit")]
    kinds = {path.with_suffix(f".{plaudit_suffix()}").read_bytes() for path in images}
    assert len(kinds) == 1
    assert (tmp_path / "folder/scores.json").is_file()


def plaudit_suffix():
    from plaudit.domains import get_task

    return get_task("level/maze").formats[0]


def test_runs_are_listed_shown_and_removed(cli, run, tmp_path):
    listed = cli("runs", "list", "--root", tmp_path, "--json").json["runs"]
    assert [(r["task"], r["state"], r["share"]) for r in listed] == [("level/maze", "done", 1.0)]
    shown = cli("runs", "show", "run", "--root", tmp_path)
    assert 'task = "level/maze"' in shown.out and "best of" in shown.out
    assert cli("runs", "rm", "run", "nope", "--root", tmp_path).code == 2 and run.exists()
    assert cli("runs", "rm", "run", "--root", tmp_path).code == 0 and not run.exists()


def test_report_and_compare(cli, run, trained):
    (run / "report.html").unlink()
    assert cli("report", run).code == 0 and (run / "report.html").stat().st_size < 2_000_000
    said = cli("compare", run, trained, "--out", "c.html", "--json")
    assert said.code == 0 and len(said.json["compared"]) == 2
    assert said.json["groups"][0]["runs"] == 2


def test_check_a_recipe_file(cli, tmp_path):
    (tmp_path / "r.toml").write_text('task = "level/maze"\nseed = 3\n')
    assert cli("check", "r.toml").code == 0
    (tmp_path / "r.toml").write_text('task = "level/maze"\nsede = 3\n')
    assert cli("check", "r.toml").code == 2


def test_check_reports_what_a_task_does_not_keep(cli, tmp_path):
    (tmp_path / "mine.py").write_text(
        "class Mine:\n"
        "    name, summary, formats, statistics = 'My Task', 'No sentence', (), ()\n"
        "    def recipes(self): return {}\n"
        "    def generate(self): ...\n"
        "    def judge(self): ...\n"
    )
    said = cli("check", "mine:Mine")
    assert said.code == 1
    assert "FAIL names  name 'My Task' is not domain/task" in said.out


def test_doctor(cli):
    said = cli("doctor", "--json")
    assert said.json["versions"]["torch"] and {c["check"] for c in said.json["checks"]} >= {"torch", "disk"}
    assert said.code == 0


def test_sample_films_levels_in_the_making(cli, tmp_path):
    said = cli("sample", "level/maze", "-n", 2, "--animate", "--out", str(tmp_path / "a"), "--json")
    assert said.code == 0
    listed = json.loads((tmp_path / "a" / "manifest.json").read_text())["items"]
    assert [entry["film"] for entry in listed] == ["0001.film.gif", "0002.film.gif"]
    assert all((tmp_path / "a" / entry["film"]).read_bytes()[:4] == b"GIF8" for entry in listed)
    bad = cli(
        "sample", "level/maze", "-n", 1, "--animate", "--animate-as", "webm", "--out", str(tmp_path / "b")
    )
    assert bad.code == 2 and "webm" in bad.err and "apng" in bad.err
    still = cli("sample", "level/path", "-n", 1, "--animate", "--out", str(tmp_path / "c"))
    assert still.code == 2 and "level/path shows no items" in still.err
