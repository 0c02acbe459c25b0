"""The report: one self-contained HTML file about a run, written from its plain files alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from plaudit.runs import disk
from plaudit.runs.report import alarms, curves, facts, samples
from plaudit.runs.report.comparison import compare_page
from plaudit.runs.report.files import Run, read_run
from plaudit.runs.report.gallery import Gallery
from plaudit.runs.report.text import page

MOST_BYTES = 2_000_000
PICTURE_BYTES = (9000, 4000, 1500, 0)
"""Bytes a picture may take, tried in turn until the page is below `MOST_BYTES`."""
ANCHORS = (
    ("samples", "Samples"),
    ("films", "Played"),
    ("reward", "Reward"),
    ("baselines", "Baselines"),
    ("failures", "Failures"),
    ("learning", "Learning"),
    ("alarms", "Alarms"),
    ("cost", "Cost"),
    ("reproduce", "Reproduce"),
)


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder and return its path; always below 2 MB.

    A missing or damaged file leaves a section that says so. Raises `InputError` when there is no such
    folder and `ResourceError` when the report cannot be written.
    """
    run = read_run(folder)
    return _write(run.folder / "report.html", lambda most: run_page(run, most))


def write_comparison(folders: Sequence[Path], out: Path) -> Path:
    """Write one page about several runs, those that differ in their seed alone drawn as one.

    Means come with 95% intervals over seeds. Raises as `write_report`, `InputError` for no folder.
    """
    runs = [read_run(folder) for folder in folders]
    out = Path(out)
    return _write(out, lambda most: compare_page(runs, out.resolve().parent, most))


def run_page(run: Run, picture_bytes: int) -> str:
    """Return the page about one run, its pictures at most `picture_bytes` each."""
    gallery = Gallery(run.folder, picture_bytes)
    body = facts.head(run)
    body += samples.before_after(run, gallery) + samples.timeline(run, gallery)
    body += samples.films(run, gallery) + samples.replays(run, gallery)
    body += curves.rewards(run) + facts.baselines(run) + samples.failures(run, gallery)
    body += curves.learning(run) + alarms.alarms(run)
    body += facts.cost(run) + facts.reproduce(run)
    present = [(anchor, name) for anchor, name in ANCHORS if f'<section id="{anchor}"' in body]
    return page(f"{run.task} · Plaudit report", present, body)


def _write(path: Path, render: Callable[[int], str]) -> Path:
    for most in PICTURE_BYTES:
        content = render(most).encode("utf-8", "replace")
        if len(content) < MOST_BYTES:
            break
    disk.write_atomic(path, content, durable=False)
    return path
