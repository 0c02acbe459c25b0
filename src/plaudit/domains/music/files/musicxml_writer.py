"""A piece as a MusicXML document, built and exported by music21, the same bytes for the same piece."""

from __future__ import annotations

import io
import zipfile
from bisect import bisect
from typing import Any
from xml.etree import ElementTree

from plaudit.domains.music.files.about import KEY, library, one_line
from plaudit.domains.music.files.notation import NO_CHORD, marks, signature, spelled, written
from plaudit.domains.music.score import QUARTER, Piece, Voice

KINDS = {
    "maj": "major",
    "min": "minor",
    "dim": "diminished",
    "aug": "augmented",
    "7": "dominant-seventh",
    "maj7": "major-seventh",
    "min7": "minor-seventh",
    "dim7": "diminished-seventh",
    "hdim7": "half-diminished-seventh",
    "sus4": "suspended-fourth",
    "6": "major-sixth",
    "min6": "minor-sixth",
}
"""What music21 calls each kind of `CHORDS`."""
_BELOW_MIDDLE_C = 57
"""Voices whose mean pitch is lower stand in the bass clef."""
_ENTRY = "score.musicxml"
_CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles>'
    f'<rootfile full-path="{_ENTRY}" media-type="application/vnd.recordare.musicxml+xml"/>'
    "</rootfiles></container>\n"
)


def document(piece: Piece, about: str) -> bytes:
    """The document as UTF-8; `about` is the line that it carries. Raises `MissingExtra`."""
    stream, metadata = library("music21.stream"), library("music21.metadata")
    exporter = library("music21.musicxml.m21ToXml")
    score = stream.Score()
    score.metadata = metadata.Metadata()
    score.metadata.movementName = one_line(piece.title)
    score.metadata.addCustom(KEY, about)
    for number, voice in enumerate(piece.voices, 1):
        score.insert(0, _part(voice, piece, number))
    # Our signs already fit the bars; music21's own notation would change them.
    root = exporter.ScoreExporter(score, makeNotation=False).parse()
    _settle(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def zipped(content: bytes) -> bytes:
    """The document as an `.mxl` archive; the time of its files is that of the ZIP format's beginning."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("META-INF/container.xml", _CONTAINER.encode()), (_ENTRY, content)):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _part(voice: Voice, piece: Piece, number: int) -> Any:
    """A part of music21: bars of notes, rests and, in the first part, chord symbols."""
    part = library("music21.stream").Part(id=f"P{number}")
    part.partName = one_line(voice.name)
    lines, bars = _bars(piece)
    _head(bars[0], voice, piece, number)
    before = False
    for start, length, pitch, tied in written(voice, piece):
        at = bisect(lines, start) - 1
        sign = _rest(length) if pitch is None else _note(length, pitch, (before, tied), piece)
        bars[at].insert((start - lines[at]) / QUARTER, sign)
        before = tied
    for start in marks(piece) if number == 1 else ():
        at = bisect(lines, start) - 1
        bars[at].insert((start - lines[at]) / QUARTER, _symbol(start, piece))
    part.append(bars)
    part.makeAccidentals(inPlace=True)
    part.makeBeams(inPlace=True)
    return part


def _bars(piece: Piece) -> tuple[list[int], list[Any]]:
    """Where each bar begins, and empty bars of music21; a pickup is bar 0."""
    stream = library("music21.stream")
    lines = [*([0] if piece.pickup else []), *range(piece.pickup, piece.steps, piece.bar)]
    bars = [stream.Measure(number=n) for n in range(0 if piece.pickup else 1, len(lines) + 1)]
    if piece.pickup:
        bars[0].paddingLeft = (piece.bar - piece.pickup) / QUARTER
    return lines, bars[: len(lines)]


def _head(bar: Any, voice: Voice, piece: Piece, number: int) -> None:
    """Clef, key and metre of a part, and the tempo of the first."""
    mean = sum(note.pitch for note in voice.notes) / max(len(voice.notes), 1)
    clef = library("music21.clef")
    bar.clef = clef.BassClef() if mean < _BELOW_MIDDLE_C else clef.TrebleClef()
    key = library("music21.key").KeySignature(signature(piece.tonic, piece.mode))
    bar.keySignature = key.asKey(piece.mode)
    bar.timeSignature = library("music21.meter").TimeSignature(f"{piece.metre[0]}/{piece.metre[1]}")
    if number == 1:
        bar.insert(0, library("music21.tempo").MetronomeMark(number=round(piece.tempo, 2), referent=1.0))


def _rest(length: int) -> Any:
    return library("music21.note").Rest(quarterLength=length / QUARTER)


def _note(length: int, pitch: int, ties: tuple[bool, bool], piece: Piece) -> Any:
    """A note sign; `ties` says whether it is tied to the one before and to the next."""
    note = library("music21.note").Note(
        _name(pitch, piece, octave=True),
        quarterLength=length / QUARTER,
    )
    if any(ties):
        kind = {(False, True): "start", (True, True): "continue", (True, False): "stop"}[ties]
        note.tie = library("music21.tie").Tie(kind)
    return note


def _name(pitch: int, piece: Piece, octave: bool = False) -> str:
    """A pitch as music21 spells it: "B-4"."""
    letter, alter, height = spelled(pitch, signature(piece.tonic, piece.mode))
    return letter + ("-", "", "#")[alter + 1] + (str(height) if octave else "")


def _symbol(start: int, piece: Piece) -> Any:
    """The chord symbol at a step where a chord begins, or where one ends and none follows."""
    harmony = library("music21.harmony")
    chord = next((chord for chord in piece.chords if chord.start == start), None)
    if chord is None:
        return harmony.NoChord(NO_CHORD)
    return harmony.ChordSymbol(root=_name(chord.root + 60, piece), kind=KINDS[chord.kind])


def _settle(root: ElementTree.Element) -> None:
    """Drop what changes from run to run (part names, date), and the composer that music21 makes up."""
    parts = [*root.iter("score-part")], [*root.iter("part")]
    for number, pair in enumerate(zip(*parts, strict=True), 1):
        for element in pair:
            element.set("id", f"P{number}")
    for parent, tag in (("identification", "creator"), ("identification/encoding", "encoding-date")):
        for place in root.findall(parent):
            for element in place.findall(tag):
                place.remove(element)
    for measure in root.iter("measure"):
        if measure.get("number") == "0":
            measure.set("implicit", "yes")
