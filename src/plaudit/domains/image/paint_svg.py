"""Drawings as SVG: one path a stroke, in the order of their making, the request in `<metadata>`.

Greys and blend modes say what the raster does: a stroke of ink is a grey that only darkens, an eraser one
that only lightens. Reading takes the elements that writing makes, under limits, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from plaudit.domains.image.paint_strokes import Drawing, Stroke
from plaudit.errors import InputError
from plaudit.media.limits import Limits, parse_json, read_text

LIMITS = Limits(file_bytes=2 * 2**20, text_bytes=2**20)
SHOWN = 16
"""Pixels on the screen for each of the canvas."""
_COMMANDS = {"L": "line", "Q": "quadratic", "C": "cubic"}
_TOKEN = re.compile(r"[MLQC]|-?\d+(?:\.\d+)?(?:e-?\d+)?")
_NAME = "{http://www.w3.org/2000/svg}"


def drawing_to_svg(drawing: Drawing, about: Mapping[str, Any]) -> str:
    """The text of the file."""
    side, shown = drawing.size, drawing.size * SHOWN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'width="{shown}" height="{shown}">',
        f"<metadata>{escape(json.dumps(about, sort_keys=True))}</metadata>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round" style="isolation:isolate">',
        *map(_path, drawing.strokes),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _path(stroke: Stroke) -> str:
    (x, y), *rest = stroke.points
    letter = {kind: command for command, kind in _COMMANDS.items()}[stroke.kind]
    data = (
        f"M{_n(x)} {_n(y)}" + (f" {letter}" if rest else "") + " ".join(f"{_n(a)} {_n(b)}" for a, b in rest)
    )
    grey = round(255 * (stroke.ink if stroke.erase else 1.0 - stroke.ink))
    mode = "lighten" if stroke.erase else "darken"
    return (
        f'<path d="{data}" stroke="#{grey:02x}{grey:02x}{grey:02x}" stroke-width="{_n(stroke.width)}"'
        f' data-ink="{_n(stroke.ink)}" class="{"erase" if stroke.erase else "draw"}"'
        f' style="mix-blend-mode:{mode}"/>'
    )


def _n(value: float) -> str:
    """A number as short as it can be read back exactly."""
    return repr(int(value)) if value == int(value) else repr(float(value))


def read_svg(path: Path) -> tuple[Drawing, dict[str, Any]]:
    """Read what `drawing_to_svg` wrote; raises only `InputError`."""
    text, place = read_text(path, LIMITS), str(path)
    if "<!" in text:
        raise InputError("holds a declaration or a comment; a drawing's SVG has none.", place=place)
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise InputError(f"is not XML: {error}.", place=place) from error
    side = re.fullmatch(r"0 0 (\d{1,4}) (\d{1,4})", root.get("viewBox", ""))
    if root.tag != f"{_NAME}svg" or side is None or side[1] != side[2]:
        raise InputError("is not the SVG of a drawing: its viewBox is no square.", place=place)
    metadata = root.find(f"{_NAME}metadata")
    about = parse_json(metadata.text or "{}", f"{place} (metadata)") if metadata is not None else {}
    strokes = tuple(_strokes(root, place))
    return Drawing(int(side[1]), strokes), about if isinstance(about, dict) else {}


def _strokes(root: ElementTree.Element, place: str) -> Iterator[Stroke]:
    for number, element in enumerate(root.iter(f"{_NAME}path")):
        try:
            yield _stroke(element)
        except (ValueError, KeyError, IndexError) as error:
            raise InputError(f"path {number} is not a stroke of a drawing.", place=place) from error


def _stroke(element: ElementTree.Element) -> Stroke:
    data = element.attrib["d"]
    tokens = _TOKEN.findall(data)
    if tokens[0] != "M" or _TOKEN.sub("", data).strip(" ,"):
        raise ValueError(data)
    kind = _COMMANDS[tokens[3]] if len(tokens) > 3 else "line"
    numbers = [float(token) for i, token in enumerate(tokens) if i not in (0, 3)]
    if len(numbers) % 2 or len(numbers) < 2:
        raise ValueError(data)
    points = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    width, ink = float(element.attrib["stroke-width"]), float(element.attrib["data-ink"])
    return Stroke(points, width, ink, kind, element.get("class") == "erase")  # type: ignore[arg-type]
