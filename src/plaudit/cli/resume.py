"""`plaudit resume`: go on with a run to the same budget."""

from __future__ import annotations

from typing import Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.cli.finish import finish
from plaudit.cli.train import follow
from plaudit.runs import index
from plaudit.runs.sample_files import snapshot
from plaudit.runs.trainer import Trainer


def command(
    run: options.RunName,
    judged: Annotated[int, typer.Option("--evaluate", min=0, help="Items to judge at the end.")] = 100,
) -> Answer:
    """Go on with a run that was stopped, to the budget of its recipe; the result is bit-identical."""
    training = Trainer.resume(index.find(run), sampler=snapshot)
    return finish(follow(training), training.task, judged)
