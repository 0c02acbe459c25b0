"""`plaudit reward`: learn a reward from a folder of good pictures and one of bad ones."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from plaudit.cli.answer import Answer, columns
from plaudit.errors import InputError

HEAD = ("net", "learned from", "examined on", "right", "95 %", "AUC", "95 %")


def command(
    good: Annotated[Path, typer.Option(help="Pictures of what you want: a folder, .npz or .parquet.")],
    bad: Annotated[Path, typer.Option(help="Pictures of what you do not want.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    side: Annotated[
        int | None, typer.Option(help="Side in pixels; that of what will be generated. Else by the pictures.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Most updates of each net.")] = None,
) -> Answer:
    """Learn a reward and, from other examples, the judge that reports on it and is never optimised."""
    from plaudit.domains.image.learned import learn_reward, read_examples, write_learned
    from plaudit.reward.learned import check_told_apart

    if out.is_dir():
        raise InputError("is a folder; the reward is one file.", place=f"--out {out}")
    examples = read_examples(good, bad, side)
    learned = learn_reward(examples, steps=steps)
    for line in check_told_apart(learned.held_out):
        warnings.warn(line, stacklevel=2)
    write_learned(learned, out)
    counts = learned.about["counts"]
    rows = [
        [name, counts[name], each.n, *_figure(each.accuracy), *_figure(each.auc)]
        for name, each in learned.held_out.items()
    ]
    skipped = [str(one) for one in examples.pictures.skipped]
    text = f"{columns(rows, HEAD)}\n\nwritten  {out}\n"
    if examples.both:
        text += f"{examples.both} pictures lay in both folders and were left out\n"
    text += f"Use it: --reward learned=1 --set inputs.reward={out}"
    figures = {name: asdict(each) for name, each in learned.held_out.items()}
    about = {"out": str(out), "pictures": counts, "in_both": examples.both, "skipped": skipped}
    return Answer(text, {**about, "held_out": figures})


def _figure(value: tuple[float, float, float]) -> tuple[str, str]:
    return f"{value[0]:.3f}", f"{value[1]:.3f} to {value[2]:.3f}"
