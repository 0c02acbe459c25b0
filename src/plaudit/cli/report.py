"""`plaudit report`: one self-contained HTML page about a run."""

from __future__ import annotations

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.runs import index
from plaudit.runs.report import write_report


def command(run: options.RunName) -> Answer:
    """Write report.html into a run folder, from what the run has written so far."""
    path = write_report(index.find(run))
    return Answer(f"report   {path}", {"report": str(path)})
