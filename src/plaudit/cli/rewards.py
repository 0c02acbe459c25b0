"""`plaudit rewards`: the terms that a reward can be composed of."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from plaudit.cli.answer import Answer, columns
from plaudit.domains import TASKS, get_task

HEAD = ("term", "range", "better", "scope", "gradient", "use", "what it measures")


def command(
    task: Annotated[str, typer.Argument(help="A task; all of them when left out.")] = "",
) -> Answer:
    """List every reward term with range, direction and whether it is differentiable."""
    names = [task] if task else [info.name for info in TASKS]
    found = {name: _terms(name) for name in names}
    parts = [f"{name}\n{columns([_row(term) for term in terms], HEAD)}" for name, terms in found.items()]
    hint = f"\n\nWeigh them: plaudit train {names[0]} --reward TERM=WEIGHT"
    return Answer("\n\n".join(parts) + hint, {"tasks": found})


def _terms(name: str) -> list[dict[str, Any]]:
    return [
        {
            "name": term.name,
            "range": [_finite(bound) for bound in term.range],
            "direction": term.direction,
            "scope": term.scope,
            "when": term.when,
            "differentiable": term.grad == "pathwise",
            "eval_only": term.eval_only,
            "summary": term.summary,
        }
        for term in get_task(name).terms()
    ]


def _finite(bound: float) -> float | None:
    """JSON has no infinity: None is an open end."""
    return None if bound in (float("inf"), float("-inf")) else float(bound)


def _row(term: dict[str, Any]) -> list[str]:
    low, high = ("open" if bound is None else f"{bound:g}" for bound in term["range"])
    return [
        term["name"],
        f"{low} to {high}",
        "more" if term["direction"] == "maximize" else "less",
        term["scope"],
        "yes" if term["differentiable"] else "no",
        "reported" if term["eval_only"] else "optimised",
        term["summary"],
    ]
