"""`plaudit demo`: mazes from a reward in about a minute, with everything to look at."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.cli.finish import finish
from plaudit.cli.progress import say
from plaudit.cli.train import fit
from plaudit.runs.recipes import Changes, resolve

TASK, RECIPE = "level/maze", "expert"
BUDGET = "45s"
JUDGED = 60


def command(
    budget: Annotated[str, typer.Option(help="Time of training.")] = BUDGET,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
    out: options.Out = None,
) -> Answer:
    """Train mazes from nothing for a short time, judge what was learned, and write the report."""
    start = time.perf_counter()
    task, recipe = resolve(TASK, RECIPE, Changes(budget=budget, seed=seed))
    rewards = ", ".join(f"{entry.term} x {entry.weight:g}" for entry in recipe.reward)
    say(f"{TASK}: a policy learns to build mazes from nothing but a reward ({rewards}).")
    answer = finish(fit(task, recipe, out), task, JUDGED)
    seconds = time.perf_counter() - start
    text = f"Trained {budget} on this machine; {seconds:.0f} s in all.\n\n{answer.text}"
    return Answer(text, {**answer.data, "demo_s": seconds})
