"""How reports write: escaped text, readable numbers and durations, the page around the sections."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

NONE = "\N{EN DASH}"
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
"""


def esc(value: Any, most: int = 20_000) -> str:
    """Return text that HTML shows as it stands, cut after `most` characters.

    >>> esc('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    text = str(value)
    return html.escape(text if len(text) <= most else text[:most] + " …")


def figure(value: float) -> str:
    """Return a number with about three significant digits.

    >>> [figure(v) for v in (0.98765, 41.26, 52340.4, 3, 0.00012, float("nan"))]
    ['0.988', '41.3', '52,340', '3', '1.2e−4', '–']
    """
    if not math.isfinite(value):
        return NONE
    size = abs(value)
    if size < 1e15 and value == int(value):
        return minus(f"{int(value):,}")
    if size < 0.001 or size >= 1e9:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        return minus(f"{mantissa}e{int(exponent)}")
    digits = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return minus(f"{value:,.{digits}f}")


def minus(text: str) -> str:
    """Return a written number with true minus signs."""
    return text.replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """Return a difference with its sign, a true minus included.

    >>> signed(0.25), signed(-2)
    ('+0.250', '−2')
    """
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else "\N{PLUS-MINUS SIGN}"
    return sign + figure(abs(value))


def duration(seconds: float) -> str:
    """Return a time span in the two units that matter.

    >>> duration(4.26), duration(192), duration(9000)
    ('4.3 s', '3 min 12 s', '2 h 30 min')
    """
    if not math.isfinite(seconds) or seconds < 0:
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def words(name: str) -> str:
    """Turn an identifier into words: `path_length` -> `path length`."""
    return name.replace("best_of_n", "best-of-n").replace("_", " ")


def listing(names: Sequence[str]) -> str:
    """Join names as a sentence does: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def link(target: str, text: str) -> str:
    """Return a link to a file beside the report; `target` is a relative path."""
    return f'<a href="{esc(quote(target))}">{esc(text)}</a>'


def missing(what: str, command: str = "") -> str:
    """Return the note that stands for an absent part: what is not there, and how to get it."""
    how = f" Get it with <code>{esc(command)}</code>." if command else ""
    return f'<p class="missing">{esc(what)}{how}</p>'


def section(anchor: str, title: str, lead: str, body: str) -> str:
    """Return one section; `lead` and `body` are HTML."""
    intro = f'<p class="lead">{lead}</p>' if lead else ""
    return f'<section id="{anchor}"><h2>{esc(title)}</h2>{intro}{body}</section>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """Return a table of HTML cells; on a phone the rows of kind "cards" become cards labelled by `head`."""
    top = "".join(f"<th scope=col>{esc(words(name))}</th>" for name in head)
    body = ""
    for first, *cells in rows:
        body += f"<tr><th scope=row>{first}</th>"
        body += "".join(
            f'<td data-label="{esc(words(name))}">{cell}</td>'
            for name, cell in zip(head[1:], cells, strict=True)
        )
        body += "</tr>"
    whole = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table class="{kind}">{whole}</table></div>'


def page(title: str, anchors: Sequence[tuple[str, str]], body: str) -> str:
    """Return the whole document, style and script included: it asks nothing of the network."""
    here = Path(__file__).parent
    style = (here / "page.css").read_text("utf-8")
    parts = ["page.js", "play.js"] if "data-play=" in body else ["page.js"]
    script = "\n".join((here / part).read_text("utf-8") for part in parts)
    nav = "".join(f'<a href="#{anchor}">{esc(name)}</a>' for anchor, name in anchors)
    return (
        f"{_HEAD}<title>{esc(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<nav><div class="inner"><b>Plaudit</b>{nav}</div></nav>\n<main>{body}</main>\n'
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )
