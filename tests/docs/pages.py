"""Pages that run: a Markdown page becomes one Python script with a line for each of its lines.

- ```python blocks stand in the script as they are and share its namespace.
- ```python file=NAME (or toml, markdown ...) blocks are written to that file instead.
- In ```console blocks each line `$ plaudit ...` is run in this process; the lines below it are what it
  prints, `...` standing for anything. `$ echo $?` shows the last exit code; without it that must be 0.
- In ```bash blocks each line `plaudit ...` is run.

Commands run as written but for trainings and evaluations, which are cut short. The script runs in a
folder of its own; a line number in its traceback is that of the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(\s*)```(\w*)\s*(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, `file=` name, first line (counted from 0) and lines."""

    kind: str
    file: str
    start: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page; raises ValueError for one that is not closed."""
    found: list[Block] = []
    lines, at = page.read_text(encoding="utf-8").splitlines(), 0
    while at < len(lines):
        match = FENCE.match(lines[at])
        at += 1
        if not match:
            continue
        start, indent = at, len(match[1])
        while lines[at].strip() != "```":
            at += 1
            if at == len(lines):
                raise ValueError(f"{page}:{start}: the block is not closed")
        inner = tuple(line[indent:] for line in lines[start:at])
        file = match[3].removeprefix("file=") if match[3].startswith("file=") else ""
        found.append(Block(match[2], file, start, inner))
        at += 1
    return found


def runs(block: Block) -> bool:
    """Whether a block does anything when its page is run."""
    commands = any(line.startswith(("$ plaudit", "plaudit ")) for line in block.lines)
    return bool(block.file) or block.kind == "python" or (block.kind in ("console", "bash") and commands)


def script(page: Path) -> str:
    """The page as a script."""
    lines = [""] * (len(page.read_text(encoding="utf-8").splitlines()) + 1)
    for block in filter(runs, blocks(page)):
        if block.file:
            lines[block.start - 1] = f"_hurry.write({block.file!r}, {block.text!r})"
        elif block.kind == "python":
            lines[block.start : block.start + len(block.lines)] = block.lines
        else:
            for at, call in _calls(block):
                lines[at] = call
    # On the first line, so that the others keep their numbers; a page begins with its title.
    lines[0] = "import hurry as _hurry"
    return "\n".join(lines) + "\n"


def _calls(block: Block) -> list[tuple[int, str]]:
    """`(line, statement)` of every command in a block."""
    prompt = "$ " if block.kind == "console" else ""
    found: list[tuple[int, str]] = []
    at = 0
    while at < len(block.lines):
        line, first = block.lines[at], at
        while line.endswith("\\"):
            at += 1
            line = line[:-1].rstrip() + " " + block.lines[at].strip()
        at += 1
        shown = []
        while prompt and at < len(block.lines) and not block.lines[at].startswith(prompt):
            shown.append(block.lines[at])
            at += 1
        code = 0
        if prompt and block.lines[at : at + 1] == ("$ echo $?",):
            code = int(block.lines[at + 1])
            at += 2
        if line.startswith(f"{prompt}plaudit "):
            words = line.removeprefix(f"{prompt}plaudit ").partition("  #")[0]
            found.append((block.start + first, f"_hurry.command({words!r}, {shown!r}, {code})"))
    return found
