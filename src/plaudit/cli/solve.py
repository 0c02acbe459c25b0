"""`plaudit solve`: solve Sokoban levels, prove that they cannot be, or say that it is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer, columns
from plaudit.cli.progress import Progress
from plaudit.errors import Infeasible, InputError, ResourceError

if TYPE_CHECKING:
    from plaudit.domains.level.solver import Answer as Found
    from plaudit.domains.level.solver import Level


def command(
    file: Annotated[Path, typer.Argument(help="Levels as text (XSB), one or many.")],
    level: Annotated[
        int | None, typer.Option(min=1, help="Solve only the level of this number, from 1.")
    ] = None,
    budget: Annotated[str, typer.Option(help="Time for each level: 10s or 2m.")] = "10s",
    nodes: Annotated[int, typer.Option(min=1000, max=50_000_000, help="Positions kept at most.")] = 2_000_000,
    weight: Annotated[float, typer.Option(min=1.0, help="1 = fewest pushes, slowly; more = sooner.")] = 3.0,
    out: options.Out = None,
    gif: Annotated[Path | None, typer.Option(help="Write an animation of the first solution.")] = None,
) -> Answer:
    """Solve the levels of a file. Exit code 6 when one has no solution or none was found in time."""
    from plaudit.domains.level.solver import Limits, read_levels, solve

    levels = read_levels(file)
    if level and level > len(levels):
        raise InputError(f"there is no level {level}.", place=str(file), hint=f"It holds {len(levels)}.")
    chosen = [levels[level - 1]] if level else levels
    limits = Limits(_seconds(budget), nodes, weight)
    found = []
    with Progress("solving") as show:
        for number, one in enumerate(chosen):
            found.append(solve(one, limits))
            show(number + 1, len(chosen))
    _write(chosen, found, out, gif)
    missing = [number for number, answer in enumerate(found, start=level or 1) if answer.verdict != "solved"]
    data = {"file": str(file), "levels": [asdict(a) | {"pushes": a.pushes} for a in found]}
    code = Infeasible.exit_code if missing else 0
    return Answer(_table(found, level or 1, out, gif), data | {"unsolved": missing}, code)


def _seconds(budget: str) -> float:
    from plaudit.engine.fit import Amount

    amount = Amount.parse(budget, "--budget")
    if amount.unit != "seconds":
        raise InputError(f'"{budget}" is no time.', place="--budget", hint="As in 10s or 2m.")
    return float(amount.value)


def _table(found: Sequence[Found], first: int, out: Path | None, gif: Path | None) -> str:
    rows = [
        [number, a.verdict, a.pushes or None, len(a.moves) or None, a.expanded, f"{a.seconds:.3f} s"]
        for number, a in enumerate(found, start=first)
    ]
    text = columns(rows, ["level", "verdict", "pushes", "moves", "positions", "time"])
    if len(found) == 1 and found[0].moves:
        text += f"\n{found[0].moves}"
    if len(found) == 1 and found[0].verdict == "unknown":
        text += f"\nthe nearest position lacks about {found[0].nearest} pushes; give it --budget 1m"
    return text + "".join(f"\nwritten  {path}" for path in (out, gif) if path)


def _write(levels: Sequence[Level], found: Sequence[Found], out: Path | None, gif: Path | None) -> None:
    if out is not None:
        try:
            out.write_text("".join(f"{answer.moves}\n" for answer in found), encoding="ascii")
        except OSError as error:
            raise ResourceError(f"cannot be written: {error.strerror}.", place=str(out)) from error
    if gif is not None:
        from plaudit.domains.level.solver.film import write_film

        solved = [(one, answer) for one, answer in zip(levels, found, strict=True) if answer.moves]
        if solved:
            write_film(solved[0][0], solved[0][1].moves, gif)
