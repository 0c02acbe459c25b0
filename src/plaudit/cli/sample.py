"""`plaudit sample`: the black box. Requests in, one file per item and a manifest out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.cli.progress import Progress
from plaudit.errors import InputError, did_you_mean
from plaudit.media.film import FORMATS
from plaudit.runs.api import Samples, load
from plaudit.runs.sample_files import WALL, check_format
from plaudit.runs.sampling import Order, read_requests


def command(  # noqa: PLR0913 - one parameter for each option of the command line
    source: options.Source,
    *,
    n: Annotated[int | None, typer.Option("-n", help="Items; one per request, or 16, when left out.")] = None,
    seed: options.Seed = 0,
    target: options.Targets = options.NONE,
    ask: Annotated[
        list[str], typer.Option(metavar="FIELD=VALUE", help="Any field of the request: size=22x14")
    ] = options.NONE,
    requests: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="One request per item, a JSON object a line.")
    ] = None,
    best_of: Annotated[int, typer.Option("--best-of", min=1, help="Candidates per item.")] = 1,
    item_seed: Annotated[int | None, typer.Option("--item-seed", min=0, help="Make one item again.")] = None,
    repair: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Make this level good in as few edits as can be found."),
    ] = None,
    format: Annotated[str, typer.Option("--format", help="File suffix; the task's first by default.")] = "",
    animate: Annotated[
        bool, typer.Option("--animate", help="Add a film of each item in the making.")
    ] = False,
    animate_as: Annotated[str, typer.Option(help="What films are written as: gif or apng.")] = "gif",
    out: options.Out = None,
) -> Answer:
    """Generate items: one file each, wall.png and manifest.json. Nothing is rejected without --best-of."""
    model = load(source)
    check_format(model.task, format)
    if animate_as not in FORMATS:
        hint = f"{did_you_mean(animate_as, FORMATS)} Known: {', '.join(FORMATS)}."
        raise InputError(f'no film is made as "{animate_as}".', place="--animate-as", hint=hint)
    if animate and getattr(model.task, "films", None) is None:
        hint = "Sampled tile games and paintings do."
        raise InputError(f"{model.task.name} shows no items in the making.", place="--animate", hint=hint)
    wanted = options.numbers(target, "--target")
    if repair is not None:
        mended = model.repair(repair, wanted, **options.fields(ask))
        return _mended(mended, out or Path("samples") / f"{repair.stem}_repaired", format or repair.suffix)
    order = Order(
        n=n,
        seed=seed,
        item_seed=item_seed,
        given={**options.fields(ask), **({"target": wanted} if wanted else {})},
        requests=read_requests(requests) if requests else (),
        best_of=best_of,
        format=format,
    )
    with Progress("sampling") as show:
        samples = model.sample(order=order, tick=show)
    folder = out or Path("samples") / f"{re.sub(r'[^A-Za-z0-9]+', '-', Path(source).name)}_{seed}"
    manifest = samples.save(folder, format, animate_as if animate else "")
    rejected = f", {samples.batch.rejected} rejected" if samples.batch.rejected else ""
    text = f"{len(samples)} items, {samples.met} met every target{rejected}\n"
    if samples.nearest_miss:
        text += f"nearest  of those that missed, {samples.nearest_miss}\n"
    text += f"files    {folder}\nlook at  {folder / WALL}"
    return Answer(
        text,
        {
            "out": str(folder),
            "manifest": str(manifest),
            "n": len(samples),
            "met": samples.met,
            "nearest_miss": samples.nearest_miss,
            "rejected": samples.batch.rejected,
        },
    )


def _mended(samples: Samples, folder: Path, format: str) -> Answer:
    """Write what was repaired and list the edits."""
    manifest = samples.save(folder, format)
    edits = samples[0].info["repair"]
    lines = [f"column {e['x'] + 1}, row {e['y'] + 1}: {e['from']} -> {e['to']}" for e in edits]
    text = "\n".join([f"{len(edits)} edits", *lines, f"files    {folder}"])
    return Answer(text, {"out": str(folder), "manifest": str(manifest), "edits": edits, "met": samples.met})
