"""`plaudit train`: from a task or a recipe file to a trained policy, figures, samples and a report."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.cli.finish import compare_seeds, finish
from plaudit.cli.progress import Progress, say
from plaudit.errors import InputError

MOST_SEEDS = 100


def command(  # noqa: PLR0913 - one parameter for each option of the command line
    source: Annotated[str, typer.Argument(metavar="TASK|RECIPE.toml", help="What to train.")],
    *,
    recipe: Annotated[str, typer.Option(help="One of the task's named recipes.")] = "",
    reward: Annotated[
        list[str], typer.Option(metavar="TERM[=WEIGHT]", help="Weigh a term of the reward, or add it.")
    ] = options.NONE,
    target: options.Targets = options.NONE,
    set_: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="Any key of the recipe: learner.gamma=0.9")
    ] = options.NONE,
    budget: Annotated[str | None, typer.Option(help="60s, 10m, 2h, or a count of steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="Runs with seeds one apart.")] = 1,
    init: Annotated[str | None, typer.Option(metavar="PRESET|RUN|FILE", help="Policy to start from.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    out: options.Out = None,
    track: Annotated[str, typer.Option(help="Also log to: tensorboard.")] = "",
    judged: Annotated[int, typer.Option("--evaluate", min=0, help="Items to judge at the end.")] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved recipe and stop.")] = False,
) -> Answer:
    """Train a generator: TASK alone is enough. Ctrl-C saves and says how to resume."""
    from plaudit.runs.recipes import Changes, dump, resolve
    from plaudit.runs.track import check

    changes = Changes(
        settings=tuple(set_),
        reward=options.weights(reward),
        target=options.numbers(target, "--target"),
        init=init,
        budget=budget,
        seed=seed,
        device=device,
    )
    task, resolved = resolve(source, recipe, changes)
    check(track)
    if dry_run:
        return Answer(
            dump(resolved).rstrip(), {"recipe": resolved.model_dump(mode="json", exclude_none=True)}
        )
    if seeds == 1:
        return finish(fit(task, resolved, out, track), task, judged)
    return _train_seeds(task, resolved, (seeds, out, track, judged))


def _train_seeds(task: Any, recipe: Any, wanted: tuple[int, Path | None, str, int]) -> Answer:
    """Train one run per seed, then put them on one page."""
    from plaudit.runs.folder import fresh
    from plaudit.runs.recipes import with_seed

    seeds, out, track, judged = wanted
    home = out or fresh(Path("runs"), recipe.task)
    if home.exists() and any(home.iterdir()):
        raise InputError("there is something already.", place=str(home), hint="Choose another --out.")
    folders = []
    for number in range(seeds):
        one = with_seed(recipe, recipe.seed + number)
        say(f"seed {one.seed} ({number + 1} of {seeds})")
        folder = fit(task, one, home / f"seed-{one.seed}", track)
        finish(folder, task, judged)
        folders.append(folder)
    return compare_seeds(folders, home)


def fit(task: Any, recipe: Any, out: Path | None, track: str = "") -> Path:
    """Train with a progress bar and return the run folder."""
    from plaudit.runs.api import trainer

    return follow(trainer(task, recipe, out), track)


def follow(training: Any, track: str = "") -> Path:
    """Run a training to its end, showing each event; returns the run folder."""
    from plaudit.runs.track import Sink

    with ExitStack() as stack:
        show = stack.enter_context(Progress("training"))
        sink: Sink | None = None
        for event in training.iter():
            if sink is None:
                say(f"run folder: {training.folder.path}")
                sink = stack.enter_context(Sink(track, training.folder.path))
            if event.metrics is not None:
                sink.write(event)
                show(event.share, 1.0, _note(event), event.eta_s)
    path: Path = training.folder.path
    return path


def _note(event: Any) -> str:
    from plaudit.runs.records import total

    reward = total(event.metrics)
    stage = f"{event.stage} " if event.stage else ""
    return f"{stage}{event.step:,} {event.unit}" + ("" if reward is None else f", reward {reward:.3g}")


def quoted(*words: object) -> str:
    """A command that can be pasted."""
    return shlex.join(["plaudit", *map(str, words)])
