"""The report: complete from a full run folder, plain about a poor one, safe with a hostile one."""

from __future__ import annotations

import base64
import doctest
import html
import io
import json
import re
import shutil
import time
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from report_runs import build, write_json

from plaudit.errors import InputError
from plaudit.media.png import write_png
from plaudit.runs.report import charts, comparison, files, text, verdict, write_comparison, write_report
from plaudit.runs.report.page import MOST_BYTES
from plaudit.runs.report.verdict import judge

HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>"


class Page(HTMLParser):
    """Tags with attributes, and the visible text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "2026-11-21_level-maze_7f3a")


@pytest.fixture(scope="module")
def page(full: Path) -> Page:
    return Page(write_report(full))


@pytest.fixture
def run(full: Path, tmp_path: Path) -> Path:
    """A copy of the full run to damage."""
    return Path(shutil.copytree(full, tmp_path / "run"))


def assert_self_contained(page: Page) -> None:
    """Nothing is fetched: pictures are data, links are relative files or anchors, scripts are inline."""
    assert not [a for tag, a in page.tags for name in a if name.startswith("on")]
    assert all(a["src"].startswith("data:image/") for tag, a in page.tags if tag == "img")
    assert {tag for tag, a in page.tags if "src" in a} <= {"img"}
    hrefs = [a["href"] for _, a in page.tags if "href" in a]
    assert not [href for href in hrefs if re.match(r"(?!data:,)[a-z]+:|//|/", href)]
    assert page.count("script") == 1


def test_a_full_run_has_every_section_and_asks_nothing_of_the_network(full: Path, page: Page) -> None:
    sections = [a["id"] for tag, a in page.tags if tag == "section"]
    assert sections == [
        *("verdict", "samples", "timeline", "reward", "baselines"),
        *("failures", "learning", "alarms", "cost", "reproduce"),
    ]
    assert_self_contained(page)
    assert (full / "report.html").stat().st_size < MOST_BYTES
    assert page.count("img") == 2 * 16 + 8 * 8 + 3
    assert "Better than the heuristic in control and diversity, not distinguishable in quality." in page.text
    assert "plaudit train level/maze --budget 50000 --seed 0" in page.text
    assert "path 31, asked 40 ± 2" in page.text
    assert "path 40 / 40" in page.text
    assert sum("sha256" in row or len(row) == 64 for row in re.findall(r"[0-9a-f]{64}", page.text)) == 2


def test_links_lead_to_files_that_exist(full: Path, page: Page) -> None:
    links = [a["href"] for tag, a in page.tags if tag == "a" and not a["href"].startswith("#")]
    assert "recipe.toml" in links
    assert [link for link in links if not (full / link).exists()] == []


def test_pictures_are_the_samples(full: Path, page: Page) -> None:
    sources = [a["src"] for tag, a in page.tags if tag == "img"]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(sources[0].partition(",")[2]))))
    stored = np.asarray(Image.open(full / "samples" / "step_000000" / "0001.png"))
    assert np.array_equal(shown.repeat(8, 0).repeat(8, 1), stored)


def test_samples_that_are_text_are_shown_as_text_and_others_by_name(run: Path) -> None:
    last = run / "samples" / "step_050000"
    (last / "0001.csv").write_text("0,1,<b>\n")
    (last / "0002.mid").write_bytes(b"MThd")
    write_json(
        last / "manifest.json", {"items": [{"file": "0001.csv"}, {"file": "0002.mid"}, {"file": "none.png"}]}
    )
    text = write_report(run).read_text()
    assert "<pre>0,1,&lt;b&gt;\n</pre>" in text
    assert '<div class="hole">0002.mid</div>' in text
    assert '<div class="hole">none.png cannot be read' in text


def test_a_score_that_embeds_its_notes_can_be_played(run: Path) -> None:
    last = run / "samples" / "step_050000"
    notes = [[0.0, 0.5, 60], [0.5, 0.5, 64.0]]
    picture = Image.effect_noise((900, 300), 30).convert("RGB")
    for name, sound in (("a", notes), ("b", [[0, 1, "x"]]), ("c", "<b>"), ("d", [[0, 1, 1e9]])):
        write_png(picture, last / f"{name}.png", {"item": {"sound": sound}})
    listed = [{"file": f"{name}.png"} for name in "abcd"]
    write_json(last / "manifest.json", {"items": listed})
    page = Page(write_report(run))
    buttons = [attributes for tag, attributes in page.tags if tag == "button"]
    heard = [json.loads(button["data-notes"]) for button in buttons]
    assert heard and all(found == notes for found in heard)
    wide = [
        Image.open(io.BytesIO(base64.b64decode(a["src"].partition(",")[2])))
        for t, a in page.tags
        if t == "img"
    ]
    assert max(image.width for image in wide) > 192


def test_an_empty_folder_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    page = Page(write_report(tmp_path / "runs" / "mine"))
    for said in ("plaudit eval runs/mine", "No samples were stored", "No rewards were logged", "No metrics"):
        assert said in page.text
    assert "Not evaluated yet." in page.text
    assert str(tmp_path) not in page.text


@pytest.mark.parametrize(
    "name", ["recipe.toml", "env.json", "metrics.jsonl", "evaluation.json", "latest.json"]
)
def test_any_file_may_be_missing(run: Path, name: str) -> None:
    (run / name).unlink()
    assert_self_contained(Page(write_report(run)))


def test_a_folder_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        write_report(tmp_path / "none")
    with pytest.raises(InputError, match="at least one run"):
        write_comparison([], tmp_path / "compare.html")


def hostile(run: Path) -> None:
    """Put markup into every text that a report shows."""
    (run / "recipe.toml").write_text(f"task = '''{HOSTILE}'''\nname = '''{HOSTILE}'''\n")
    (run / "command.txt").write_text(HOSTILE)
    write_json(run / "env.json", {HOSTILE: {HOSTILE: HOSTILE}})
    write_json(run / "status.json", {"state": HOSTILE, "error": HOSTILE, "unit": HOSTILE, "task": HOSTILE})
    row = {
        "step": 1,
        HOSTILE: 0.5,
        "total": 1.0,
        "terms": {HOSTILE: {"raw": 1.0, "weight": 1.0, "weighted": 1.0}},
    }
    for name in ("metrics", "rewards", "timings"):
        (run / f"{name}.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row | {HOSTILE: 1.0}) + "\n")
    failures = [{"file": HOSTILE, "reason": HOSTILE}]
    figures = {"quality": [0.5, 0.4, 0.6], HOSTILE: [1, 1, 1]}
    evaluation = {"n": HOSTILE, "policy": figures, "baselines": {HOSTILE: figures}, "failures": failures}
    write_json(
        run / "evaluation.json",
        evaluation | {"terms": {HOSTILE: {HOSTILE: 1.0}}, "sets": {HOSTILE: {HOSTILE: 1}}},
    )
    item = {"file": HOSTILE, "seed": HOSTILE, "met": True, "statistics": {HOSTILE: HOSTILE}}
    for step in (0, 50_000, 60_000):
        request = {"request": {"target": {HOSTILE: HOSTILE}}}
        write_json(run / "samples" / f"step_{step:06d}" / "manifest.json", {"items": [item | request]})


def test_markup_in_any_file_stays_text(run: Path, tmp_path: Path) -> None:
    hostile(run)
    for path in (write_report(run), write_comparison([run], tmp_path / "compare.html")):
        assert_self_contained(Page(path))
        assert html.escape(HOSTILE) in path.read_text()


def test_figures_of_all_items_together_are_shown_where_there_are_some(run: Path) -> None:
    assert "All items together" not in write_report(run).read_text()
    judged = json.loads((run / "evaluation.json").read_text())
    write_json(run / "evaluation.json", judged | {"sets": {"policy": {"fd_ratio": 2.125, "fd": None}}})
    text = write_report(run).read_text()
    assert "All items together" in text and "fd ratio" in text and "2.12" in text


def test_a_manifest_cannot_show_a_file_from_outside_of_the_run(run: Path, tmp_path: Path) -> None:
    shutil.copy(run / "failures" / "0.png", tmp_path / "secret.png")
    (run / "link.png").symlink_to(tmp_path / "secret.png")
    listed = ["../secret.png", str(tmp_path / "secret.png"), "link.png", "failures/0.png"]
    write_json(run / "evaluation.json", {"failures": [{"file": name, "reason": "x"} for name in listed]})
    text = write_report(run).read_text()
    assert text.count("lies outside of the run folder") == 3


def test_foreign_types_everywhere_still_give_a_report(run: Path) -> None:
    for value in (
        [],
        "text",
        3,
        None,
        {"items": 3, "policy": [], "baselines": [], "failures": {}, "terms": []},
    ):
        for name in (
            "env.json",
            "status.json",
            "evaluation.json",
            "latest.json",
            "samples/step_000000/manifest.json",
        ):
            write_json(run / name, value)
        for name in ("metrics", "rewards", "timings"):
            rows = [
                value,
                {"step": "x", "terms": value, "total": value},
                {"step": 1e400, "total": float("nan")},
            ]
            (run / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{torn")
        (run / "recipe.toml").write_bytes(b"\xff\x00")
        assert_self_contained(Page(write_report(run)))


def test_large_photographs_and_many_series_stay_below_two_megabytes(run: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 256, (400, 400, 3)).astype(np.uint8))
    write_png(picture, tmp_path / "noise.png")
    for path in run.glob("samples/*/*.png"):
        path.write_bytes((tmp_path / "noise.png").read_bytes())
    names = [f"series_{i}" * 20 for i in range(300)]
    with (run / "metrics.jsonl").open("w") as metrics, (run / "rewards.jsonl").open("w") as rewards:
        for step in range(200):
            values = random.normal(size=len(names)).tolist()
            metrics.write(json.dumps({"step": step, **dict(zip(names, values, strict=True))}) + "\n")
            terms = {n: {"raw": v, "weight": 1.0, "weighted": v} for n, v in zip(names, values, strict=True)}
            rewards.write(json.dumps({"step": step, "terms": terms, "total": sum(values)}) + "\n")
    (run / "recipe.toml").write_text('task = "x"\n' + "# long\n" * 500_000)
    path = write_report(run)
    assert path.stat().st_size < MOST_BYTES
    assert Page(path).count("img") > 80


def test_a_run_that_died_is_not_called_running(run: Path) -> None:
    status = {"state": "running", "share": 0.43, "heartbeat": time.time()}
    write_json(run / "status.json", status)
    assert "running, 43%" in Page(write_report(run)).text
    write_json(run / "status.json", status | {"heartbeat": time.time() - 1000})
    assert "stopped without notice" in Page(write_report(run)).text


def test_alarms_are_raised_by_the_logs(run: Path) -> None:
    with (run / "metrics.jsonl").open("w") as metrics:
        for step in range(50):
            row = {"step": step, "entropy": 1.5 if step < 20 else 0.001, "masked": 1.0}
            metrics.write(json.dumps(row) + "\n")
    last = sorted((run / "samples").iterdir())[-1]
    for path in last.glob("*.png"):
        path.write_bytes((last / "0001.png").read_bytes())
    text = Page(write_report(run)).text
    assert "entropy has collapsed" in text
    assert "copies of another" in text
    assert "50 rows could not be scored" in text


def test_a_twin_that_falls_while_the_reward_rises_is_an_alarm(run: Path) -> None:
    assert "No cause for alarm. Checked: entropy" in Page(write_report(run)).text
    for at, folder in enumerate(sorted((run / "samples").iterdir())):
        manifest = json.loads((folder / "manifest.json").read_text())
        for item in manifest["items"]:
            item["terms"]["symmetry"]["raw"] = 1.0 - 0.05 * at
        write_json(folder / "manifest.json", manifest)
    text = Page(write_report(run)).text
    assert 'The reward rises while its twin "symmetry" gets worse' in text
    assert "twin: reported, not optimised" in text


def write_metrics(run: Path, judge: list[float], **last: float) -> None:
    rows = [
        {"step": at, "judge": value, "return": float(at), "gaming_gap": 0.5} for at, value in enumerate(judge)
    ]
    rows[-1] |= last
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_judge_that_declined_is_an_alarm_and_one_that_rises_is_not(run: Path) -> None:
    rising = [0.1 + 0.01 * at + 0.001 * (at % 3) for at in range(30)]
    write_metrics(run, rising)
    assert "reward against its judge" in Page(write_report(run)).text
    assert "its judge, which is never" not in Page(write_report(run)).text
    write_metrics(run, rising[::-1])
    assert 'The reward rises while its twin "judge" gets worse' in Page(write_report(run)).text
    write_metrics(run, rising[::-1], declined=1.0, best_judge=0.4, best_step=3.0)
    assert (
        "The training was stopped: its judge, which is never optimised, fell from 0.4 to"
        in Page(write_report(run)).text
    )


@pytest.mark.parametrize("module", [charts, comparison, files, text, verdict])
def test_examples_in_docstrings(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def figures(quality: tuple[float, float], control: tuple[float, float]) -> dict[str, list[float]]:
    return {"quality": [sum(quality) / 2, *quality], "control": [sum(control) / 2, *control]}


@pytest.mark.parametrize(
    ("heuristic", "sentence", "tone"),
    [
        (
            figures((0.9, 1.0), (0.1, 0.2)),
            "Better than the heuristic in control, not distinguishable in quality.",
            "good",
        ),
        (figures((0.1, 0.2), (0.1, 0.2)), "Better than the heuristic in quality and control.", "good"),
        (
            figures((0.99, 1.0), (0.1, 0.2)),
            "Better than the heuristic in control, worse in quality.",
            "mixed",
        ),
        (figures((0.99, 1.0), (0.95, 1.0)), "Worse than the heuristic in quality and control.", "bad"),
        (
            figures((0.9, 1.0), (0.5, 1.0)),
            "Not distinguishable from the heuristic in quality and control.",
            "mixed",
        ),
    ],
)
def test_the_verdict_follows_the_intervals(heuristic: dict, sentence: str, tone: str) -> None:
    policy = figures((0.9, 0.98), (0.8, 0.9))
    verdict = judge(
        {"policy": policy, "baselines": {"random": figures((0, 0), (0, 0)), "heuristic": heuristic}}
    )
    assert (verdict.sentence, verdict.tone) == (sentence, tone)
    assert verdict.more[0] == "Better than random generation in quality and control."


def test_a_long_log_is_thinned_and_keeps_its_last_row(run: Path) -> None:
    with (run / "metrics.jsonl").open("w") as metrics:
        metrics.writelines(json.dumps({"step": step, "loss": step}) + "\n" for step in range(50_000))
        metrics.write('{"step": 50000, "lo')
    rows = files.read_run(run).metrics
    steps = [row["step"] for row in rows]
    assert len(steps) <= files.MOST_ROWS + 1
    assert (steps[0], steps[-1]) == (0, 49_999)
    assert steps == sorted(steps)


def test_condensed_curves_keep_means_and_extremes() -> None:
    y = np.zeros(1000)
    y[500] = 7.0
    thin = charts.condense(charts.Series("y", np.arange(1000.0), y), 100)
    assert len(thin.x) == 100
    assert thin.high is not None and thin.high.max() == 7.0
    assert thin.y.mean() == pytest.approx(y.mean())


def test_chart_coordinates_against_a_hand_computed_line() -> None:
    axes = charts.Axes("loss", y_range=(0.0, 10.0))
    text = charts.line_chart(
        [charts.Series("loss", np.array([0.0, 5.0, 10.0]), np.array([0.0, 5.0, 10.0]))], axes
    )
    # 5% of air on both sides: 0 stands at 1000 * (1 - 0.5 / 11) = 955.
    assert 'd="M0 955L500 500L1000 45"' in text
    assert "No values" in charts.line_chart([charts.Series("loss", np.array([]), np.array([]))], axes)


@pytest.mark.parametrize(
    "span", [(0, 1), (-3e-9, 4e-9), (1e12, 1e12 + 1), (5, 5), (-1e300, 1e300), (1e-310, 2e-310)]
)
def test_ticks_of_any_range_are_few_and_sorted(span: tuple[float, float]) -> None:
    ticks = charts.nice_ticks(*charts.padded(*map(float, span)))
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(ticks)


def test_seeds_are_one_group_with_students_interval(tmp_path: Path) -> None:
    runs = [build(tmp_path / f"ppo{seed}", seed, lift=0.9 + 0.05 * seed) for seed in range(3)]
    runs += [build(tmp_path / f"dqn{seed}", seed, name="dqn", lift=0.5) for seed in range(2)]
    groups = comparison.group([files.read_run(run) for run in runs])
    assert [(group.label, len(group.runs)) for group in groups] == [("ppo", 3), ("dqn", 2)]
    path = write_comparison(runs, tmp_path / "compare.html")
    page = Page(path)
    assert_self_contained(page)
    assert path.stat().st_size < MOST_BYTES
    assert "5 runs, 2 recipes" in page.text
    # Values 0.912, 0.946, 0.98: standard error 0.034 / sqrt(3), times t(2) = 4.303.
    assert "± 0.084" in page.text
    assert "ppo: better than dqn in quality and control, not distinguishable in diversity." in page.text


def test_a_band_over_seeds_against_hand_computed_values() -> None:
    x = np.array([0.0, 10.0])
    series = comparison.band("return", [(x, np.array([0.0, 1.0])), (x, np.array([0.0, 3.0]))], 1)
    assert series.low is not None and series.high is not None
    assert (series.y[0], series.y[-1]) == (0.0, 2.0)
    # Standard deviation sqrt(2), so the error of the mean is 1, times t(1).
    assert (series.low[-1], series.high[-1]) == pytest.approx((2 - 12.706, 2 + 12.706))


def test_a_single_run_compares_without_an_interval(tmp_path: Path) -> None:
    runs = [build(tmp_path / "a", name="ppo"), build(tmp_path / "b", name="dqn", lift=0.2)]
    page = Page(write_comparison(runs, tmp_path / "compare.html"))
    assert "better than" not in page.text
    assert "±" not in page.text


def test_films_of_the_last_samples_are_shown(tmp_path: Path) -> None:
    folder = build(tmp_path / "2026-11-21_level-zelda_7f3a")
    assert 'id="replays"' not in write_report(folder).read_text()
    last = sorted(path for path in (folder / "samples").iterdir() if path.is_dir())[-1]
    frames = [Image.new("P", (16, 16), shade) for shade in (0, 9)]
    frames[0].save(last / "replay_0001.gif", save_all=True, append_images=frames[1:])
    (last / "replay_0002.gif").write_bytes(b"<script>alert(1)</script>")
    shown = write_report(folder).read_text()
    section = shown[shown.index('<section id="replays"') :]
    section = section[: section.index("</section>")]
    film = base64.b64decode(section.split("data:image/gif;base64,")[1].split('"')[0])
    assert film == (last / "replay_0001.gif").read_bytes()
    assert section.count("data:image/gif") == 1
    assert "<script>" not in section
