"""What a verb says: text for people and the same as data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """Attributes:

    text: for people, on stdout.
    data: JSON values; printed as one line with `--json`.
    exit_code: 0 unless what was checked failed.
    """

    text: str
    data: dict[str, Any] = field(default_factory=dict)
    exit_code: int = 0


def columns(rows: Sequence[Sequence[Any]], head: Sequence[str] = ()) -> str:
    """Lay rows out in aligned columns, the last one free; numbers to the right.

    >>> print(columns([["level/maze", 3], ["a", 12]], ["task", "runs"]))
    task        runs
    level/maze     3
    a             12
    """
    table = [list(head)] * bool(head) + [[_cell(value) for value in row] for row in rows]
    if not table:
        return ""
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    right = [all(_is_number(row[at]) for row in rows) for at in range(len(widths))]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        for row in table
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
