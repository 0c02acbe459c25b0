"""`plaudit compare`: judged figures of several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.cli.finish import comparison
from plaudit.runs import index
from plaudit.runs.report import write_comparison


def command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run folders.")],
    out: options.Out = None,
) -> Answer:
    """Put runs side by side; runs that differ in their seed alone also as one, with intervals."""
    folders = [index.find(run) for run in runs]
    table, data = comparison(folders)
    page = write_comparison(folders, out or Path("comparison.html"))
    return Answer(f"{table}\n\npage     {page}", {**data, "page": str(page)})
