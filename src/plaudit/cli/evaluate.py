"""`plaudit eval`: a policy beside random, heuristic and best-of-n at equal compute."""

from __future__ import annotations

from typing import Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.cli.finish import figures_table
from plaudit.cli.progress import Progress
from plaudit.errors import InputError
from plaudit.runs import evaluation, index
from plaudit.runs.api import EVALUATION_SEED, load


def command(
    source: options.Source,
    n: Annotated[int, typer.Option("-n", min=1, help="Items per generator.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of requests and items.")] = EVALUATION_SEED,
    out: options.Out = None,
) -> Answer:
    """Judge a policy beside the baselines; of a run the figures also go into its folder."""
    model = load(source)
    with Progress("evaluating") as show:
        figures, failed = model.evaluate(n, seed, show)
    folder = out
    try:
        folder = out or index.find(source)
    except InputError:
        pass  # A preset or an exported file has no folder of its own to write into.
    text = figures_table(figures)
    if folder is not None:
        text += f"\n\nwritten  {evaluation.write(model.task, figures, failed, folder)}"
    return Answer(text, {**figures, "out": str(folder) if folder else None})
