"""Pictures in a report: thumbnails as data URIs under a size limit, and the walls made of them."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from plaudit.errors import InputError
from plaudit.media.limits import Limits, read_bytes, read_text
from plaudit.media.png import read_png, thumbnail
from plaudit.runs.report.arcade import level_button
from plaudit.runs.report.files import Row, Snapshot
from plaudit.runs.report.text import esc, figure, words

_SIDES = (192, 144, 96, 64, 48, 32, 16)
"""Longest sides tried in turn, in pixels."""
_SCORE_SIDES = (760, 560, 420, 320, *_SIDES)
_SCORE_ROOM = 5
"""Pictures that can be heard are to be read: they are larger, and may take so many times the bytes."""
_MOST_NOTES = 2000
_FILM_ROOM = 20
"""Films may take so many times the bytes of a picture."""
_CRISP_SIDE = 48
"""Smaller pictures are shown enlarged, with square pixels."""
_LIMITS = Limits(pixels=4 * 2**20)
_TEXT_LIMITS = Limits(file_bytes=64 * 1024)


@dataclass(frozen=True)
class Gallery:
    """Shows files of one run folder, each in at most `most_bytes` of picture."""

    root: Path
    most_bytes: int = 8000
    """0 leaves pictures, and what can be played, out."""

    def figure(self, path: Path, caption: str = "", title: str = "", played: bool = True) -> str:
        """Return one picture, or the text of a text file, with `caption` (HTML) below it.

        played: whether a level may be played there.
        """
        below = f"<figcaption>{caption}</figcaption>" if caption else ""
        content = self._content(path, played)
        kind = ' class="heard"' if "data-notes" in content else ""
        return f'<figure{kind} title="{esc(title, 400)}">{content}{below}</figure>'

    def _content(self, path: Path, played: bool) -> str:
        try:
            path = self._inside(path)
            if path.suffix.lower() == ".png":
                image, about = read_png(path, _LIMITS)
                notes = sound_in(about)
                button = level_button(about) if played and self.most_bytes else player(notes)
                return self._picture(image, path.name, bool(notes)) + (button or player(notes))
            if path.suffix.lower() in {".txt", ".csv"}:
                return f"<pre>{esc(read_text(path, _TEXT_LIMITS), 600)}</pre>"
        except InputError as error:
            return f'<div class="hole">{esc(path.name, 60)} {esc(error.message, 120)}</div>'
        return f'<div class="hole">{esc(path.name, 60)}</div>'

    def film(self, path: Path) -> str:
        """Return an animated GIF; "" for one that is none, or too large."""
        try:
            content = read_bytes(self._inside(path), Limits(file_bytes=_FILM_ROOM * self.most_bytes))
        except InputError:
            return ""
        if content[:6] not in (b"GIF87a", b"GIF89a"):
            return ""
        data = base64.b64encode(content).decode()
        return f'<figure><img alt="{esc(path.name, 60)}" src="data:image/gif;base64,{data}"></figure>'

    def _inside(self, path: Path) -> Path:
        """Return the real path; a manifest may not point out of its run folder."""
        try:
            real = path.resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError("is no path.") from error
        if not real.is_relative_to(self.root.resolve()):
            raise InputError("lies outside of the run folder.")
        return real

    def _picture(self, image: Image.Image, name: str, heard: bool) -> str:
        room = self.most_bytes * (_SCORE_ROOM if heard else 1)
        for side in _SCORE_SIDES if heard else _SIDES:
            image = thumbnail(image, side)
            kind, content = encode(image)
            if len(content) <= room:
                data = base64.b64encode(content).decode()
                crisp = ' class="crisp"' if max(image.size) <= _CRISP_SIDE else ""
                return f'<img{crisp} alt="{esc(name, 60)}" src="data:image/{kind};base64,{data}">'
        return f'<div class="hole">{esc(name, 60)}</div>'


def sound_in(about: Row) -> list[list[float]]:
    """Notes that a picture embeds: start and length in seconds, MIDI pitch; none where anything is amiss."""
    item = about.get("item")
    notes = item.get("sound") if isinstance(item, dict) else None
    if not isinstance(notes, list) or len(notes) > _MOST_NOTES:
        return []
    sound = [
        note for note in notes if isinstance(note, list) and len(note) == 3 and all(map(_is_number, note))
    ]
    return sound if len(sound) == len(notes) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e4


def player(notes: list[list[float]]) -> str:
    """A button that plays the notes in the page itself; nothing for no notes."""
    if not notes:
        return ""
    data = esc(json.dumps(notes, separators=(",", ":")), 100_000)
    return f'<button class="play" hidden data-notes="{data}">Play</button>'


def encode(image: Image.Image) -> tuple[str, bytes]:
    """Return the picture as PNG when it has few colours, else as JPEG; with the format's name."""
    stream = io.BytesIO()
    if image.getcolors(256) is not None:
        image.save(stream, format="PNG", optimize=True)
        return "png", stream.getvalue()
    _flat(image).save(stream, format="JPEG", quality=82)
    return "jpeg", stream.getvalue()


def _flat(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    sheet = Image.new("RGB", image.size, "#ffffff")
    sheet.paste(rgba, (0, 0), rgba)
    return sheet


def sample_wall(gallery: Gallery, snapshot: Snapshot, most: int, captions: bool = True) -> str:
    """Return the first `most` samples of a snapshot as a grid."""
    shown = [
        gallery.figure(_file(snapshot, item), _caption(item) if captions else "", _title(item), captions)
        for item in snapshot.items[:most]
    ]
    return f'<div class="wall">{"".join(shown)}</div>'


def met_counts(snapshot: Snapshot) -> tuple[int, int]:
    """Return how many samples met every target, and of how many that is known."""
    known = [item["met"] for item in snapshot.items if isinstance(item.get("met"), bool)]
    return sum(known), len(known)


def _file(snapshot: Snapshot, item: Row) -> Path:
    return snapshot.folder / str(item.get("preview") or item.get("file") or "")


def _caption(item: Row) -> str:
    mark = {True: '<i class="yes">✓</i>', False: '<i class="no">✗</i>'}.get(item.get("met"), "")  # type: ignore[arg-type]
    statistics = _mapping(item.get("statistics"))
    wanted = [name for name in targets(item) if name in statistics] or list(statistics)
    if not wanted:
        return mark
    name = wanted[0]
    asked = f" / {esc(_value(targets(item)[name]), 24)}" if name in targets(item) else ""
    return f"{mark} {esc(words(name), 24)} {esc(_value(statistics[name]), 24)}{asked}"


def _title(item: Row) -> str:
    """Return the hover text: seed, what was asked, what came."""
    parts = [f"seed {item['seed']}"] if "seed" in item else []
    parts += [f"asked {words(str(k))} {_value(v)}" for k, v in targets(item).items()]
    parts += [f"{words(str(k))} {_value(v)}" for k, v in _mapping(item.get("statistics")).items()]
    return ", ".join(parts)


def targets(item: Row) -> Row:
    """Return what a sample was asked for: `{"path": 40.0}`."""
    return _mapping(_mapping(item.get("request")).get("target"))


def _mapping(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def _value(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return figure(float(value)) if is_number else str(value)
