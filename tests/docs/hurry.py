"""What the script of a page calls: it runs commands in this process, and cuts trainings short.

A budget in seconds becomes `BUDGET`, the default one too; budgets in steps stay. Evaluations judge
`JUDGED` items unless the page says how many.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import plaudit
from plaudit.cli.main import main

BUDGET, JUDGED = "1s", "4"


def train(source: Any, reward: Any = None, budget: Any = None, seed: Any = None, **options: Any) -> Any:
    """`plaudit.train` with a budget that a test can wait for."""
    from plaudit.runs import api

    return api.train(source, reward, budget if str(budget).isdigit() else BUDGET, seed, **options)


def short(words: list[str]) -> list[str]:
    """The same command, cut short."""
    verb, given = words[0], dict(pairwise(words))
    is_file = verb == "train" and words[1].endswith(".toml")
    if verb in ("train", "demo") and not is_file and not given.get("--budget", "").isdigit():
        words = [*words, "--budget", BUDGET]
    if verb == "train" and "--evaluate" not in given:
        words = [*words, "--evaluate", JUDGED]
    if verb == "eval" and "-n" not in given:
        words = [*words, "-n", JUDGED]
    return words


def command(line: str, shown: list[str], code: int) -> None:
    """Run one command line and compare what it says with what the page shows."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        got = main(short(shlex.split(line)))
    text = told.getvalue()
    assert got == code, f"plaudit {line}: exit code {got}, the page says {code}\n{text}"
    wanted = r"\s*".join(pattern(row) for row in shown if row.strip())
    assert re.search(wanted, text), (
        f"plaudit {line}: the page shows\n{chr(10).join(shown)}\nbut it said\n{text}"
    )


def pattern(row: str) -> str:
    """A line of output as a pattern: `...` stands for anything, also over lines; spaces for any space."""
    if row.strip() == "...":
        return r"[\s\S]*?"
    return ".*?".join(r"\s+".join(map(re.escape, part.split())) for part in row.strip().split("..."))


def write(name: str, text: str) -> None:
    """Make a file that the page shows."""
    Path(name).write_text(text, encoding="utf-8")


plaudit.train = train
