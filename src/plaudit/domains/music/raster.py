"""The picture of an SVG that Verovio drew, in plain Pillow: just the part of SVG that it uses.

Shapes are flattened to polygons on a canvas four times as fine, filled by the non-zero rule and shrunk.
Words are set in the font that Pillow carries; flats, sharps and notes in them are drawn here, for it has
none. Anything else in the file is left out.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from plaudit.domains.music.raster_outline import Points, contours_of, fill
from plaudit.errors import PlauditError, ResourceError

FINE = 4
"""Pixels of the fine canvas along one of the picture."""
MOST_PIXELS = 16 * 2**20
WORDS = 0.9
"""Our font runs wider than the Times for which Verovio leaves room."""
DRAWN_SIGNS = {
    "♭": (
        0.42,
        "M.06-.78H.11V-.3C.2-.42.4-.38.37-.2C.35-.08.18.02.06.1ZM.11-.22V.02C.3-.1.33-.2.27-.28C.22-.32.13-.28.11-.22Z",
    ),
    "♯": (
        0.5,
        "M.13-.66H.19V.12H.13ZM.31-.72H.37V.06H.31ZM.04-.44L.46-.53V-.43L.04-.34ZM.04-.17L.46-.26V-.16L.04-.07Z",
    ),
    "♩": (0.5, "M.36-.8H.41V-.14C.41 0 .22.08.12.03C.03-.02.07-.16.22-.2C.28-.215.33-.21.36-.19Z"),
}
"""Width and outline of signs, in units of the font's size, the base line at 0."""


@dataclass(frozen=True)
class Frame:
    """From the units of an element to pixels of the fine canvas: `x * wide + left`, `y * high + top`."""

    wide: float
    high: float
    left: float = 0.0
    top: float = 0.0

    def points(self, points: Points) -> Points:
        return points * (self.wide, self.high) + (self.left, self.top)

    def inside(self, transform: str) -> Frame:
        """The frame after the `translate` and `scale` of an element."""
        frame = self
        for name, values in re.findall(r"(\w+)\(([^)]*)\)", transform):
            x, *rest = (float(v) for v in re.split(r"[\s,]+", values.strip()))
            if name == "translate":
                y = rest[0] if rest else 0.0
                frame = replace(frame, left=frame.left + x * frame.wide, top=frame.top + y * frame.high)
            elif name == "scale":
                y = rest[0] if rest else x
                frame = replace(frame, wide=frame.wide * x, high=frame.high * y)
        return frame


def draw_svg(svg: str, scale: float = 1.0) -> Image.Image:
    """Draw Verovio's SVG black on white, `scale` pixels a unit of its width and height.

    Raises `ResourceError` for a picture of more than `MOST_PIXELS`.
    """
    root = ET.fromstring(svg)
    width, height = (
        math.ceil(float(root.get(side, "1px").removesuffix("px")) * scale) for side in ("width", "height")
    )
    if width * height > MOST_PIXELS:
        raise ResourceError(
            f"the score is {width} x {height} pixels; at most {MOST_PIXELS:,} pixels are drawn.",
            hint="Take a smaller scale, or the SVG.",
        )
    page = next(child for child in root if _name(child) == "svg")
    _, _, units, _ = (float(v) for v in page.get("viewBox", f"0 0 {width} {height}").split())
    unit = width * FINE / units
    canvas = Image.new("L", (width * FINE, height * FINE), 255)
    symbols = {f"#{g.get('id')}": g for g in root.iter() if _name(g) == "g" and g.get("id")}
    _Painter(canvas, symbols).draw(page, Frame(unit, unit))
    return canvas.reduce(FINE).convert("RGB")


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


class _Painter:
    """Walks the elements of a page and blackens the canvas; outlines of symbols are filled once."""

    def __init__(self, canvas: Image.Image, symbols: dict[str, ET.Element]) -> None:
        self.canvas, self.symbols = canvas, symbols
        self.pen = ImageDraw.Draw(canvas)
        self.masks: dict[tuple[str, float, float], tuple[Image.Image, int, int]] = {}

    def draw(self, element: ET.Element, frame: Frame) -> None:
        if "placeholder" in element.get("class", "").split():  # hidden by Verovio's style sheet
            return
        frame = frame.inside(element.get("transform", ""))
        kind = _name(element)
        if kind in ("svg", "g"):
            for child in element:
                self.draw(child, frame)
        elif kind == "use":
            self._symbol(element, frame)
        elif kind == "text":
            self._text(element, frame)
        elif kind in ("path", "polygon", "polyline", "rect", "ellipse"):
            self._shape(element, frame)

    def _symbol(self, element: ET.Element, frame: Frame) -> None:
        name = next((v for k, v in element.attrib.items() if k.endswith("href")), "")
        if name not in self.symbols:
            raise PlauditError(
                f"the score has no outline for {name}.",
                hint="Verovio 5.4 or a later one is needed: pip install --upgrade verovio",
            )
        mask, left, top = self._mask(name, frame)
        self.canvas.paste(0, (round(frame.left) + left, round(frame.top) + top), mask)

    def _mask(self, name: str, frame: Frame) -> tuple[Image.Image, int, int]:
        """The filled outline of a symbol at one size, and its place beside the symbol's origin."""
        key = (name, frame.wide, frame.high)
        if key not in self.masks:
            at_origin = replace(frame, left=0.0, top=0.0)
            contours = []
            for path in self.symbols[name]:
                inner = at_origin.inside(path.get("transform", ""))
                contours += [inner.points(points) for points in contours_of(path.get("d", ""))]
            self.masks[key] = fill(contours)
        return self.masks[key]

    def _shape(self, element: ET.Element, frame: Frame) -> None:
        contours = [frame.points(points) for points in _outlines(element)]
        width = float(element.get("stroke-width", "0")) * frame.wide
        for points in contours:
            if len(points) == 2:
                self._line(points, width)
            elif width:
                self.pen.line([tuple(p) for p in points], 0, max(1, round(width)), joint="curve")
        self._fill([points for points in contours if len(points) > 2])

    def _fill(self, contours: list[Points]) -> None:
        if contours:
            mask, left, top = fill(contours)
            self.canvas.paste(0, (left, top), mask)

    def _line(self, ends: Points, width: float) -> None:
        """A straight line of exactly its width; level ones lie on whole pixels: staves look even."""
        (x0, y0), (x1, y1) = ends
        thick = max(1, round(width))
        if y0 == y1:
            top = round((y0 - thick / 2) / FINE) * FINE
            self.pen.rectangle((round(min(x0, x1)), top, round(max(x0, x1)) - 1, top + thick - 1), fill=0)
        elif x0 == x1:
            left = round(x0 - thick / 2)
            self.pen.rectangle((left, round(min(y0, y1)), left + thick - 1, round(max(y0, y1)) - 1), fill=0)
        else:
            self.pen.line((x0, y0, x1, y1), 0, thick)

    def _text(self, element: ET.Element, frame: Frame) -> None:
        about = {"x": "0", "y": "0", "text-anchor": "start"}
        runs: list[tuple[str, float]] = []
        for part in element.iter():
            about |= {key: part.get(key, about[key]) for key in about}
            if part.text and part.text.strip():
                size = float(part.get("font-size", "0px").removesuffix("px")) * frame.wide
                runs.append((part.text, size * WORDS))
        width = sum(_advance(text, size) for text, size in runs)
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[about["text-anchor"]]
        x = float(about["x"]) * frame.wide + frame.left - share * width
        y = float(about["y"]) * frame.high + frame.top
        for text, size in runs:
            self._run(text, size, x, y)
            x += _advance(text, size)

    def _run(self, text: str, size: float, x: float, y: float) -> None:
        for piece in _pieces(text):
            if piece in DRAWN_SIGNS:
                outline = contours_of(DRAWN_SIGNS[piece][1])
                self._fill([points * size + (x, y) for points in outline])
            else:
                self.pen.text((x, y), piece, 0, font(size), anchor="ls")
            x += _advance(piece, size)


def _pieces(text: str) -> list[str]:
    """Cut a text into drawn signs and what our font has."""
    signs = "".join(DRAWN_SIGNS)
    return [piece for piece in re.split(f"([{signs}])", plain(text, signs)) if piece]


def plain(text: str, keep: str = "") -> str:
    """Write a text with what Pillow's font has, and `keep`: accents go, other signs become "?".

    >>> plain("Übung in E♭, №1")
    'Ubung in Eb, No1'
    """
    signs = {sign: letter for sign, letter in {"♭": "b", "♯": "#"}.items() if sign not in keep}
    text = "".join(signs.get(c, c) for c in unicodedata.normalize("NFKD", text))
    parts = (c for c in text if not unicodedata.combining(c))
    return "".join(c if c in keep or " " <= c <= "~" else "?" for c in parts)


def _advance(text: str, size: float) -> float:
    pieces = _pieces(text)
    return sum(DRAWN_SIGNS[p][0] * size if p in DRAWN_SIGNS else font(size).getlength(p) for p in pieces)


@lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont:
    """The font that Pillow carries, `size` pixels high."""
    return ImageFont.load_default(max(1.0, size))


def _outlines(element: ET.Element) -> list[Points]:
    """The contours of a shape in its own units."""
    kind = _name(element)
    if kind == "path":
        return contours_of(element.get("d", ""))
    if kind in ("polygon", "polyline"):
        numbers = [float(v) for v in re.split(r"[\s,]+", element.get("points", "").strip()) if v]
        return [np.array(numbers).reshape(-1, 2)]
    if kind == "rect":
        x, y, width, height = (float(element.get(key, "0")) for key in ("x", "y", "width", "height"))
        return [np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])]
    x, y, rx, ry = (float(element.get(key, "0")) for key in ("cx", "cy", "rx", "ry"))
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    return [np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], axis=1)]
