"""The tables of settings in docs/algorithms.md; `python tests/docs/tables.py` writes them anew.

A table stands between `<!-- settings: module:Class -->` and `<!-- end -->`.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from plaudit.cli.algorithms import describe

PAGE = Path(__file__).parents[2] / "docs" / "algorithms.md"
TABLE = re.compile(r"(<!-- settings: (\S+) -->\n).*?(<!-- end -->)", re.S)
HEAD = "| setting | default | what it does |\n|---|---|---|\n"
WIDEST = 24


def render(text: str) -> str:
    """The page with every table as the code has it."""
    return TABLE.sub(lambda found: f"{found[1]}{table(found[2])}{found[3]}", text)


def listed(text: str) -> list[str]:
    """The config classes that the page has tables for."""
    return [found[2] for found in TABLE.finditer(text)]


def table(place: str) -> str:
    """The table of `module:Class`."""
    module, _, name = place.partition(":")
    rows = describe(getattr(importlib.import_module(module), name))
    return HEAD + "".join(f"| `{r['name']}` | {shown(r['default'])} | {cell(r['summary'])} |\n" for r in rows)


def shown(value: object) -> str:
    """A default; one that is a table of its own stands below."""
    return f"`{value}`" if len(str(value)) <= WIDEST else "see below"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
