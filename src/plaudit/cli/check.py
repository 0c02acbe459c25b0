"""`plaudit check`: does a task keep the contract; can a recipe be trained."""

from __future__ import annotations

from typing import Annotated

import typer

from plaudit.cli.answer import Answer
from plaudit.cli.progress import Progress
from plaudit.conformance import CHECKS, CheckResult, run_check
from plaudit.domains import TASKS, get_task
from plaudit.runs.recipes import is_file, resolve


def command(
    what: Annotated[
        str, typer.Argument(metavar="TASK|module:Class|RECIPE.toml", help="All tasks when left out.")
    ] = "",
) -> Answer:
    """Check tasks against the contract that every task keeps, or a recipe file against its task."""
    if what and is_file(what):
        _, recipe = resolve(what)
        return Answer(f"ok: {what} trains {recipe.task}", {"recipe": what, "task": recipe.task, "ok": True})
    names = [what] if what else [info.name for info in TASKS]
    results = {name: _check(name) for name in names}
    lines, passed = [], True
    for name, found in results.items():
        lines += [f"{name}: {sum(r.passed for r in found)} of {len(found)} checks passed"]
        lines += [f"  {'ok  ' if r.passed else 'FAIL'} {r.name}  {r.problem}".rstrip() for r in found]
        passed &= all(r.passed for r in found)
    data = {
        name: [{"check": r.name, "ok": r.passed, "problem": r.problem} for r in found]
        for name, found in results.items()
    }
    return Answer("\n".join(lines), {"tasks": data, "ok": passed}, 0 if passed else 1)


def _check(name: str) -> list[CheckResult]:
    task = get_task(name)
    results = []
    with Progress(f"checking {name}") as show:
        for number, check in enumerate(CHECKS, start=1):
            results.append(run_check(check, task))
            show(number, len(CHECKS), check.__name__.removeprefix("check_"))
    return results
