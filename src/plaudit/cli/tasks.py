"""`plaudit tasks`: what can be made. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

import plaudit
from plaudit.cli.answer import Answer, columns
from plaudit.domains import TASKS


def command() -> Answer:
    """List what can be made, and which tasks ship a trained preset."""
    rows = [{"name": i.name, "preset": _has_preset(i.name), "summary": i.summary} for i in TASKS]
    table = [[row["name"], "preset" if row["preset"] else "", row["summary"]] for row in rows]
    text = f"{columns(table)}\n\nTry one: plaudit sample level/maze, or plaudit train level/maze"
    return Answer(text, {"tasks": rows})


def _has_preset(task: str) -> bool:
    domain, _, name = task.partition("/")
    folder = Path(plaudit.__file__).parent / "domains" / domain / "presets" / name
    return (folder / "model.safetensors").is_file()
