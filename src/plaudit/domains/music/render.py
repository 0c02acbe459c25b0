"""Music as files: MIDI, MusicXML, ABC and JSON in and out, audio and engraved scores with the piece inside.

Reading raises only `InputError`. A sound or a picture from elsewhere holds no piece, and says so.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from plaudit.domains.music.files.abc import read_abc, write_abc
from plaudit.domains.music.files.json_file import from_table, read_json, table, write_json
from plaudit.domains.music.files.midi import read_midi, write_midi
from plaudit.domains.music.files.musicxml import read_musicxml, write_musicxml
from plaudit.domains.music.score import QUARTER, Piece
from plaudit.errors import InputError, did_you_mean
from plaudit.media.limits import Limits, parse_json, read_text
from plaudit.media.png import read_about, write_png
from plaudit.media.wav import read_wav_about, write_wav
from plaudit.task import Item, Request

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.domains.music.synth import Samples

FORMATS = ("mid", "musicxml", "mxl", "abc", "json", "wav", "svg", "png")
_WRITERS = {
    "mid": write_midi,
    "musicxml": write_musicxml,
    "mxl": write_musicxml,
    "abc": write_abc,
    "json": write_json,
}
_READERS = {
    "mid": read_midi,
    "musicxml": read_musicxml,
    "mxl": read_musicxml,
    "abc": read_abc,
    "json": read_json,
}
_ALIASES = {"midi": "mid", "xml": "musicxml"}
RATE = 44_100
_SVG = Limits(file_bytes=2**24)
_METADATA = re.compile(r'<metadata id="plaudit">(.*?)</metadata>', re.S)


def _sounded(piece: Piece) -> Samples:
    """The piece through the user's SoundFont, or by the synthesiser that always works."""
    from plaudit.domains.music.soundfont import chosen_font, render_font
    from plaudit.domains.music.synth import render_audio

    font = chosen_font()
    return render_audio(piece, RATE) if font is None else render_font(piece, font, RATE)


def save_music(task: str, item: Item, path: Path) -> None:
    """Write one item in the format of the suffix; raises `InputError` for another suffix."""
    suffix, about = _suffix(path), about_item(task, item)
    if suffix in _WRITERS:
        _WRITERS[suffix](item.content, path, about)
    elif suffix == "wav":
        write_wav(_sounded(item.content), RATE, path, _embedded(item.content, about))
    elif suffix == "svg":
        _save_svg(item.content, path, about)
    else:
        from plaudit.domains.music.engrave import engrave_png

        held = {"piece": table(item.content), "seed": item.seed, "sound": sound_of(item.content)}
        told = {"request": about["request"], "item": held}
        write_png(engrave_png(item.content), path, told)


def sound_of(piece: Piece) -> list[list[float]]:
    """Notes, and chords an octave below the melody, as `[start s, length s, pitch]`: what a report plays."""
    step = 60.0 / piece.tempo / QUARTER
    notes = [(note.start, note.length, note.pitch) for note in piece.notes]
    for chord in piece.chords:
        notes += [(chord.start, chord.length, 48 + pc) for pc in sorted(chord.pitch_classes)]
    return [[round(start * step, 3), round(length * step, 3), pitch] for start, length, pitch in notes]


def load_music(kind: type[Request], path: Path) -> Item:
    """Read one item with its request and seed; raises `InputError`, `MissingExtra` without the library."""
    suffix, place = _suffix(path), str(path)
    if suffix in _READERS:
        piece, about = _READERS[suffix](path)
    elif suffix == "png":
        held = read_about(path)
        item = held.get("item") if isinstance(held.get("item"), dict) else {}
        piece, about = from_table(_piece_in(item, place), place), {**item, "request": held.get("request")}
    else:
        text = read_wav_about(path) if suffix == "wav" else _svg_about(path)
        about = parse_json(text, place) if text else {}
        piece = from_table(_piece_in(about, place), place)
    return Item(piece, _request(kind, about, place), _seed(about), {"skipped": about.get("skipped", [])})


def read_piece(path: Path) -> Piece:
    """The piece in a file of any format; raises `InputError`."""
    piece: Piece = load_music(Request, path).content
    return piece


def preview_music(item: Item) -> Image:
    """A piano roll."""
    from plaudit.domains.music.roll import draw_roll

    return draw_roll(item.content)


def about_item(task: str, item: Item) -> dict[str, Any]:
    """What a file says of itself."""
    return {"task": task, "request": item.request.model_dump(mode="json"), "seed": item.seed}


def _suffix(path: Path) -> str:
    given = path.suffix.lower().lstrip(".")
    suffix = _ALIASES.get(given, given)
    if suffix not in FORMATS:
        raise InputError(
            f'music is not kept as "{path.suffix}".', place=str(path), hint=did_you_mean(suffix, FORMATS)
        )
    return suffix


def _embedded(piece: Piece, about: dict[str, Any]) -> str:
    return json.dumps({**about, "piece": table(piece)})


def _save_svg(piece: Piece, path: Path, about: dict[str, Any]) -> None:
    from xml.sax.saxutils import escape

    from plaudit.domains.music.engrave import engrave_svg
    from plaudit.domains.music.files.about import save

    head, end, rest = engrave_svg(piece).partition(">")
    if head.lstrip().startswith("<?xml"):
        inner, end, tail = rest.partition(">")
        head, rest = f"{head}>{inner}", tail
    told = f'<metadata id="plaudit">{escape(_embedded(piece, about))}</metadata>'
    save(f"{head}{end}{told}{rest}".encode(), path)


def _svg_about(path: Path) -> str:
    from xml.sax.saxutils import unescape

    found = _METADATA.search(read_text(path, _SVG))
    return unescape(found[1]) if found else ""


def _piece_in(about: Any, place: str) -> dict[str, Any]:
    held = about.get("piece") if isinstance(about, dict) else None
    if not isinstance(held, dict):
        raise InputError(
            "holds no piece: it was not written by Plaudit.",
            place=place,
            hint="MIDI, MusicXML, ABC and JSON can be read from anywhere.",
        )
    return held


def _request(kind: type[Request], about: dict[str, Any], place: str) -> Request:
    asked = about.get("request")
    if kind is Request:
        return Request()
    try:
        return kind.model_validate(asked if isinstance(asked, dict) else {})
    except ValidationError as error:
        raise InputError(f"its request cannot be read: {error.errors()[0]['msg']}.", place=place) from error


def _seed(about: dict[str, Any]) -> int:
    seed = about.get("seed", 0)
    return seed if isinstance(seed, int) and not isinstance(seed, bool) and abs(seed) < 2**62 else 0
