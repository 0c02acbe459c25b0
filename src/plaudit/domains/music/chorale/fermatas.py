"""Where phrases end: the fermatas of a MusicXML file, or a guess from the soprano's rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from plaudit.domains.music.files.about import content_of
from plaudit.domains.music.files.musicxml_guard import text_of
from plaudit.domains.music.score import QUARTER, Note, Piece
from plaudit.errors import InputError

SHORTEST, USUAL, LONGEST = 1.4, 2.0, 4.1
"""Bars of a phrase."""


def fermatas(path: Path, part: str = "") -> list[int]:
    """Sixteenths at which a note with a fermata begins in the part of that name, or in the first.

    Raises `InputError` for a file that is no MusicXML.
    """
    place = str(path)
    try:
        root = ElementTree.fromstring(text_of(content_of(path), place))
        names = {entry.get("id"): entry.findtext("part-name", "") for entry in root.iter("score-part")}
        parts = list(root.iter("part"))
        chosen = next((p for p in parts if names.get(p.get("id")) == part), parts[0] if parts else None)
        return [] if chosen is None else _in_part(chosen)
    except (ElementTree.ParseError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"cannot be parsed as MusicXML: {error}.", place=place) from error


def _in_part(part: ElementTree.Element) -> list[int]:
    found: list[float] = []
    now, divisions = 0.0, 1
    for measure in part.iter("measure"):
        at = top = now
        for element in measure:
            if element.tag == "attributes":
                divisions = int(element.findtext("divisions", str(divisions)))
            length = QUARTER * int(element.findtext("duration", "0")) / divisions
            if element.tag == "backup":
                at -= length
            elif element.tag == "forward":
                at += length
            elif element.tag == "note" and element.find("chord") is None:
                if element.find("notations/fermata") is not None:
                    found.append(at)
                at += length
            top = max(top, at)
        now = top
    return sorted({int(time) for time in found})


def guessed_ends(piece: Piece) -> list[int]:
    """Sixteenths at which the last note of each phrase of the first voice begins.

    A phrase ends with a note of a quarter or more, better a long one, about two bars after the one
    before and at the same place of its bar. Of Bach's fermatas this finds three quarters; a third of what
    it finds is none.
    """
    notes = piece.voices[0].notes if piece.voices else ()
    if not notes:
        return []
    found, begin = [], notes[0].start
    while (last := _phrase_end(notes, begin, piece.bar)) is not None:
        found.append(last.start)
        begin = last.end
    return sorted({*found, notes[-1].start})


def _phrase_end(notes: Sequence[Note], begin: int, bar: int) -> Note | None:
    best: tuple[float, Note] | None = None
    for note in notes:
        bars = (note.end - begin) / bar
        if note.length < QUARTER or not SHORTEST < bars <= LONGEST:
            continue
        score = min(note.length, 12) / 8 - 0.6 * abs(bars - USUAL) + 0.8 * (bars == int(bars))
        if best is None or score > best[0]:
            best = (score, note)
    return None if best is None else best[1]
