"""What follows a training: figures beside the baselines, samples, a report, and where to look."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plaudit.cli.answer import Answer, columns
from plaudit.cli.progress import Progress

MAIN = ("quality", "control", "diversity")


def finish(folder: Path, task: Any = None, judged: int = 100) -> Answer:
    """Evaluate the newest policy of a run, write its report, and say where everything is."""
    from plaudit.runs.api import Run
    from plaudit.runs.folder import RunFolder

    run = Run(folder, task)
    figures: dict[str, Any] = {}
    if judged:
        with Progress("evaluating") as show:
            figures = run.evaluate(judged, tick=show)
    run.films()
    run.report()
    samples = RunFolder.open(folder).samples()
    data = {
        "run": str(folder),
        "task": run.recipe.task,
        "status": RunFolder.open(folder).status(),
        "evaluation": figures,
        "samples": str(samples[-1]) if samples else None,
        "report": str(Path(folder) / "report.html"),
        "next": f"plaudit sample {shlex.quote(str(folder))} -n 16",
    }
    table = f"{figures_table(figures)}\n\n" if figures else ""
    lines = [("samples", data["samples"]), ("report", data["report"]), ("next", data["next"])]
    return Answer(table + "\n".join(f"{name:<8} {value}" for name, value in lines if value), data)


def figures_table(evaluation: dict[str, Any]) -> str:
    """The judged figures of the policy and of each baseline, one line each."""
    generators = {"policy": evaluation["policy"], **evaluation["baselines"]}
    rows = [
        [
            _generator(name, evaluation),
            *(_interval(found[key]) for key in MAIN),
            _seconds(found["seconds_per_item"]),
        ]
        for name, found in generators.items()
    ]
    note = f"{evaluation['n']} items each; mean and 95% interval; judged by code that no reward uses"
    table = f"{columns(rows, ('', *MAIN, 'per item'))}\n({note})"
    return "\n\n".join(filter(None, [table, sets_table(evaluation)]))


def sets_table(evaluation: dict[str, Any]) -> str:
    """Figures of all items of a generator together, one line each; "" for tasks without any."""
    sets = evaluation.get("sets") or {}
    if not sets:
        return ""
    names = list(next(iter(sets.values())))
    rows = [[name.replace("_", " "), *(_plain(found.get(name)) for found in sets.values())] for name in names]
    return columns(rows, ("of all items", *(_generator(name, evaluation) for name in sets)))


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _generator(name: str, evaluation: dict[str, Any]) -> str:
    return f"best of {evaluation['best_of_n_draws']}" if name == "best_of_n" else name.replace("_", " ")


def _interval(figure: Sequence[float | None]) -> str:
    mean, low, high = figure
    if mean is None or low is None or high is None:
        return "-"
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.1f} s"


def compare_seeds(folders: Sequence[Path], home: Path) -> Answer:
    """One page and one table over runs that differ in their seed."""
    from plaudit.runs.report import write_comparison

    page = home / "report.html"
    write_comparison(folders, page)
    table, data = comparison(folders)
    text = f"{table}\n\nreport   {page}\nnext     plaudit sample {shlex.quote(str(folders[0]))} -n 16"
    return Answer(text, {"run": str(home), "runs": [str(f) for f in folders], "report": str(page), **data})


def comparison(folders: Sequence[Path]) -> tuple[str, dict[str, Any]]:
    """A table of the judged figures of several runs side by side, and of their groups over seeds."""
    from plaudit.runs.report.comparison import group, seed_interval
    from plaudit.runs.report.files import read_run
    from plaudit.runs.report.verdict import figures_of, read_figure

    runs = [read_run(folder) for folder in folders]
    rows, data = [], []
    for run in runs:
        judged = figures_of(run.evaluation).get("policy", {})
        rows.append([run.folder.name, run.recipe.get("seed"), *(_judged(judged.get(key)) for key in MAIN)])
        data.append({"run": str(run.folder), "task": run.task, "figures": judged})
    groups = []
    for members in group(runs):
        found = {}
        for key in MAIN:
            known = [read_figure(figures_of(r.evaluation).get("policy", {}).get(key)) for r in members.runs]
            over = seed_interval([one.mean for one in known if one])
            if math.isfinite(over.mean):
                found[key] = [over.mean, over.low, over.high]
        groups.append({"label": members.label, "runs": len(members.runs), "figures": found})
        if len(members.runs) > 1:
            rows.append(
                [
                    f"{members.label}: all {len(members.runs)}",
                    None,
                    *(_judged(found.get(key)) for key in MAIN),
                ]
            )
    note = "(mean and 95% interval: over items for a run, over seeds, Student's, for all)"
    return f"{columns(rows, ('run', 'seed', *MAIN))}\n{note}", {"compared": data, "groups": groups}


def _judged(figure: Any) -> str:
    return _interval(figure) if isinstance(figure, list) and len(figure) == 3 else "-"
