"""`plaudit export`: the policy of a run as one `.plaudit` file, or as a preset folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plaudit.cli import options
from plaudit.cli.answer import Answer
from plaudit.errors import InputError
from plaudit.media.limits import read_json
from plaudit.runs import index, presets


def command(
    source: options.Source,
    out: Annotated[Path, typer.Argument(metavar="OUT.plaudit|FOLDER", help="What to write.")],
) -> Answer:
    """Write the newest policy with its recipe: as a file to pass on, or as the folder of a preset."""
    if out.suffix == presets.SUFFIX:
        presets.export(source, out)
    else:
        policy, recipe = presets.load_policy(source)
        presets.write(out, policy, recipe, _scores(source))
    data = {"out": str(out), "bytes": _size(out)}
    return Answer(f"written  {out} ({data['bytes']:,} bytes)\nnext     plaudit sample {out} -n 16", data)


def _scores(source: str) -> dict[str, object] | None:
    """The evaluation of the run, where it has one."""
    try:
        found = read_json(index.find(source) / "evaluation.json")
    except InputError:
        return None
    return found if isinstance(found, dict) else None


def _size(path: Path) -> int:
    files = [path] if path.is_file() else list(path.iterdir())
    return sum(file.stat().st_size for file in files)
