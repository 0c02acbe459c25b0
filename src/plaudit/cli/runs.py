"""`plaudit runs list|show|rm`: the runs are the folders below `runs/`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer, columns
from plaudit.cli.finish import figures_table
from plaudit.cli.progress import clock
from plaudit.media.limits import read_json
from plaudit.runs import index
from plaudit.runs.folder import RunFolder

Root = Annotated[Path, typer.Option("--root", help="Folder that holds the runs.")]
STATUS = ("task", "state", "stage", "step", "unit", "share", "elapsed_s", "error")
HEAD = ("run", "task", "state", "done", "step", "last sign")


def list_(root: Root = Path("runs")) -> Answer:
    """List runs, the latest first."""
    runs = index.list_runs(root)
    rows = [
        [r.path.name, r.task, r.state, f"{r.share:.0%}", f"{r.step:,} {r.unit}", _ago(r.heartbeat)]
        for r in runs
    ]
    text = columns(rows, HEAD) if rows else f"no runs below {root}. Make one: plaudit train level/maze"
    found = [
        {
            "run": str(r.path),
            "task": r.task,
            "state": r.state,
            "share": r.share,
            "step": r.step,
            "unit": r.unit,
        }
        for r in runs
    ]
    return Answer(text, {"runs": found})


def show(run: options.RunName, root: Root = Path("runs")) -> Answer:
    """Show a run: what it is doing, its recipe and its figures."""
    folder = RunFolder.open(index.find(run, root))
    status = folder.status()
    known = {key: value for key, value in status.items() if value is not None}
    shown = [(key, known[key]) for key in STATUS if key in known]
    recipe = (folder.path / "recipe.toml").read_text(encoding="utf-8").rstrip()
    evaluated = folder.path / "evaluation.json"
    evaluation = read_json(evaluated) if evaluated.is_file() else None
    parts = [columns([("run", str(folder.path)), *shown]), "", recipe]
    if evaluation:
        parts += ["", figures_table(evaluation)]
    data = {"run": str(folder.path), "status": status, "evaluation": evaluation}
    return Answer(
        "\n".join(parts), {**data, "recipe": folder.recipe.model_dump(mode="json", exclude_none=True)}
    )


def rm(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs to delete.")],
    root: Root = Path("runs"),
) -> Answer:
    """Delete runs; one that is being written to is refused."""
    # All are found before the first is deleted: a mistyped name deletes nothing.
    folders = [index.find(run, root) for run in runs]
    for folder in folders:
        index.remove(folder)
    removed = [str(folder) for folder in folders]
    return Answer("\n".join(f"removed  {folder}" for folder in removed), {"removed": removed})


def _ago(heartbeat: float) -> str:
    return f"{clock(max(0.0, time.time() - heartbeat))} ago" if heartbeat else "-"


list_.__name__ = "list"
commands = (list_, show, rm)
