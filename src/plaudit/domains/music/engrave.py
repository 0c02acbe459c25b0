"""A piece as a score: our own MEI text (Music Encoding Initiative, 5.0), engraved by Verovio.

Four voices share two staves, as a choir reads them; otherwise each voice has its own. The score is one
page, cropped, with about four bars a line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from PIL import Image

from plaudit.domains.music.engrave_rhythm import VALUES, Bar, Event, bars_of, beams, events_of
from plaudit.domains.music.engrave_spelling import chord_name, signature, signed, spell
from plaudit.domains.music.raster import draw_svg
from plaudit.domains.music.score import QUARTER, Piece, Voice
from plaudit.errors import MissingExtra, PlauditError, ResourceError

NAMESPACE = "http://www.music-encoding.org/ns/mei"
LINE_HEADS = 44
"""So many heads and rests of one voice fit into a line; music with fuller bars has fewer in it."""
LONGEST_TITLE = 48
TITLE_LETTER = 15
"""Pixels that a letter of the title takes on average, at scale 1."""
TEMPO_WIDTH = 90
"""Pixels for the tempo, left of the title."""
OPTIONS = {
    "adjustPageHeight": True,
    "breaks": "encoded",
    "footer": "none",
    "header": "encoded",
    "minLastJustification": 0.5,
    "pageHeight": 60_000,
    "pageMarginBottom": 40,
    "pageMarginLeft": 40,
    "pageMarginRight": 40,
    "pageMarginTop": 40,
    "pageWidth": 1900,
    "scale": 50,
    "smuflTextFont": "none",
    "spacingSystem": 6,
    "xmlIdSeed": 1,
}
"""Verovio's options; lengths in tenths of a staff's half space."""
_ACCIDENTALS = {-1: "f", 0: "n", 1: "s", 2: "x"}
_MUSIC_WORD = re.compile(r'<tspan font-family="[^"]*" font-size="(\d+)px">([\ue000-\uf8ff])</tspan>')
_SIGNS = {"\ue260": "♭", "\ue261": "♮", "\ue262": "♯", "\uea64": "♭", "\uea65": "♮", "\uea66": "♯"}
"""Signs in the words of a score: their places in music fonts, and in all others."""


def engrave_png(piece: Piece, scale: float = 1.0) -> Image.Image:
    """The score as a picture, about 950 pixels wide at scale 1; raises as `engrave_svg` does."""
    return draw_svg(engrave_svg(piece), scale)


def engrave_svg(piece: Piece) -> str:
    """The score as an SVG picture on white; the same piece gives the same text.

    Raises `MissingExtra` where Verovio is not installed, `ResourceError` for more than one page holds.
    """
    try:
        import verovio
    except ImportError as error:
        raise MissingExtra(
            "Verovio is not installed.", hint='Install it: pip install "plaudit[music]"'
        ) from error
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    text = mei(piece)
    if not _breaks(piece, bars_of(piece)):
        # Verovio stretches no line of a page that it makes narrower: good for a single line only.
        svg = _rendered(toolkit, text, OPTIONS | {"adjustPageWidth": True})
        if not piece.title or _width(svg) >= TITLE_LETTER * len(piece.title) + 2 * TEMPO_WIDTH:
            return svg
    return _rendered(toolkit, text, OPTIONS)


def _rendered(toolkit: Any, text: str, options: dict[str, Any]) -> str:
    toolkit.resetOptions()
    toolkit.setOptions(options)
    if not toolkit.loadData(text):
        raise PlauditError("Verovio could not read the score.")
    if toolkit.getPageCount() > 1:
        raise ResourceError("the piece is too long for a score on one page.")
    return _on_white(toolkit.renderToSVG(1))


def _width(svg: str) -> float:
    found = re.search(r'<svg width="([\d.]+)px"', svg)
    return float(found[1]) if found else 0.0


def _on_white(svg: str) -> str:
    """Put the page on white, and write signs in words with characters that every font has.

    Verovio takes them from its own music font, which no viewer has at hand.
    """

    def word(found: re.Match[str]) -> str:
        # Verovio sets music fonts in 16/9 of the size of the words around.
        return f'<tspan font-size="{int(found[1]) * 9 // 16}px">{_SIGNS.get(found[2], "?")}</tspan>'

    svg = _MUSIC_WORD.sub(word, svg)
    # Verovio's style sheet would draw an edge around it.
    white = '<rect width="100%" height="100%" fill="white" style="stroke:none" />'
    return re.sub(r"(<svg[^>]*>)", rf"\1\n   {white}", svg, count=1)


def mei(piece: Piece) -> str:
    """Write a piece as MEI text."""
    root = ET.Element("mei", xmlns=NAMESPACE, meiversion="5.0")
    title = ET.SubElement(ET.SubElement(ET.SubElement(root, "meiHead"), "fileDesc"), "titleStmt")
    ET.SubElement(title, "title").text = _printable(piece.title)
    score = root
    for name in ("music", "body", "mdiv", "score"):
        score = ET.SubElement(score, name)
    staves = _staves(piece.voices)
    _define(score, piece, staves)
    section = ET.SubElement(score, "section")
    bars = bars_of(piece)
    breaks = _breaks(piece, bars)
    for index, bar in enumerate(bars):
        if index in breaks:
            ET.SubElement(section, "sb")
        measure = _measure(section, piece, staves, bar)
        measure.set("n", str(index + (0 if piece.pickup else 1)))
    measure.set("right", "end")
    return ET.tostring(root, encoding="unicode")


def _staves(voices: Sequence[Voice]) -> list[list[Voice]]:
    """Voices by staff, from the top: two staves for a choir of four, one for no voice at all."""
    if len(voices) == 4:
        return [list(voices[:2]), list(voices[2:])]
    return [[voice] for voice in voices] or [[Voice("", ())]]


def _define(score: ET.Element, piece: Piece, staves: list[list[Voice]]) -> None:
    fifths = signature(piece)
    define = ET.SubElement(score, "scoreDef")
    define.set("keysig", "0" if fifths == 0 else f"{abs(fifths)}{'s' if fifths > 0 else 'f'}")
    define.set("meter.count", str(piece.metre[0]))
    define.set("meter.unit", str(piece.metre[1]))
    head = ET.SubElement(define, "pgHead")
    ET.SubElement(head, "rend", halign="left", valign="bottom", fontsize="small").text = _tempo(piece)
    if piece.title:
        title = ET.SubElement(head, "rend", halign="center", valign="bottom", fontsize="x-large")
        title.text = _printable(piece.title)
    group = ET.SubElement(define, "staffGrp")
    if len(staves) > 1:
        group.set("symbol", "bracket")
        group.set("bar.thru", "true")
    for number, voices in enumerate(staves, 1):
        shape, line = _clef(voices)
        staff = {"n": str(number), "lines": "5", "clef.shape": shape, "clef.line": line}
        ET.SubElement(group, "staffDef", staff)


def _printable(title: str) -> str:
    """Leave out what XML cannot hold, and the end of what no line can."""
    text = "".join(sign if sign.isprintable() else " " for sign in title)
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}…"


def _clef(voices: list[Voice]) -> tuple[str, str]:
    """Shape and line of the clef whose staff the notes lie nearer to."""
    pitches = [note.pitch for voice in voices for note in voice.notes]
    return ("G", "2") if not pitches or sum(pitches) / len(pitches) >= 59 else ("F", "4")


def _breaks(piece: Piece, bars: list[Bar]) -> set[int]:
    """Indices of the bars that begin a line, the first one left out; a bar never stands alone."""
    first = 1 if piece.pickup else 0
    heads = [
        max((len(events_of(voice, bar, piece.metre)) for voice in piece.voices), default=1)
        for bar in bars[first:]
    ]
    per_line = min(4, max(1, LINE_HEADS // max(heads, default=1)))
    breaks = list(range(per_line, len(heads), per_line))
    if per_line > 2 and breaks and len(heads) - breaks[-1] == 1:
        breaks[-1] -= 1
    return {first + at for at in breaks}


def _tempo(piece: Piece) -> str:
    dotted = piece.metre[1] == 8
    beats = piece.tempo / 1.5 if dotted else piece.tempo
    return f"♩{'.' if dotted else ''} = {beats:.0f}"


def _measure(section: ET.Element, piece: Piece, staves: list[list[Voice]], bar: Bar) -> ET.Element:
    measure = ET.SubElement(section, "measure")
    if bar.end - bar.begin != piece.bar:
        measure.set("metcon", "false")
    for number, voices in enumerate(staves, 1):
        staff = ET.SubElement(measure, "staff", n=str(number))
        layers = [events_of(voice, bar, piece.metre) for voice in voices]
        shown = _shown(layers, piece)
        for layer, events in enumerate(layers):
            stem = ("up", "down")[layer] if len(layers) > 1 else ""
            element = ET.SubElement(staff, "layer", n=str(layer + 1))
            _write_layer(element, piece, bar, events, shown[layer], stem)
    for chord in piece.chords:
        if bar.begin <= chord.start < bar.end:
            beat = 1 + (chord.start - bar.begin) * piece.metre[1] / (4 * QUARTER)
            ET.SubElement(measure, "harm", staff="1", tstamp=f"{beat:g}").text = chord_name(chord, piece)
    return measure


def _shown(layers: list[list[Event]], piece: Piece) -> list[list[str]]:
    """The accidental before each event of each layer, "" for none: those of a staff hold to the bar line."""
    fifths = signature(piece)
    shown = [[""] * len(events) for events in layers]
    order = sorted((event.start, layer, i) for layer, row in enumerate(layers) for i, event in enumerate(row))
    held: dict[tuple[str, int], int] = {}
    for _, layer, index in order:
        event = layers[layer][index]
        if event.pitch is None or event.tied_before:
            continue
        letter, sharps, octave = spell(event.pitch, piece)
        if held.get((letter, octave), signed(letter, fifths)) != sharps:
            shown[layer][index] = _ACCIDENTALS[sharps]
            held[letter, octave] = sharps
    return shown


def _write_layer(
    layer: ET.Element, piece: Piece, bar: Bar, events: list[Event], shown: list[str], stem: str
) -> None:
    if not any(event.pitch is not None for event in events) and bar.end - bar.begin == piece.bar:
        ET.SubElement(layer, "mRest")
        return
    signs = iter(shown)
    for group in beams(events, bar, piece.metre):
        parent = ET.SubElement(layer, "beam") if len(group) > 1 else layer
        for event in group:
            ET.SubElement(parent, *_written(event, piece, next(signs), stem))


def _written(event: Event, piece: Piece, sign: str, stem: str) -> tuple[str, dict[str, str]]:
    """Name and attributes of a note or rest in MEI."""
    value, dots = VALUES[event.length]
    about: dict[str, Any] = {"dur": str(value)} | ({"dots": str(dots)} if dots else {})
    if event.pitch is None:
        return "rest", about
    letter, sharps, octave = spell(event.pitch, piece)
    about |= {"pname": letter.lower(), "oct": str(octave)}
    if sign:
        about["accid"] = sign
    elif sharps:
        about["accid.ges"] = _ACCIDENTALS[sharps]  # codespell:ignore ges
    if event.tied_before or event.tied_after:
        about["tie"] = {(0, 1): "i", (1, 1): "m", (1, 0): "t"}[event.tied_before, event.tied_after]
    if stem:
        about["stem.dir"] = stem
    return "note", about
