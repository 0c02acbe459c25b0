"""Standard MIDI files, read and written with symusic: a track a voice, chord symbols as markers.

A pickup is a bar of its own, with its own time signature before the metre. What MIDI has no words for
(title, modes but major and minor, the length after the last note) stands in the marker of ours.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from plaudit.domains.music.files.about import (
    KEY,
    MOST_NOTES,
    SKIPPED,
    content_of,
    heard,
    library,
    one_line,
    save,
    told,
    with_skipped,
)
from plaudit.domains.music.files.grid import Sketch, Sound, checked, known_metre, settled
from plaudit.domains.music.files.notation import FIFTHS, NO_CHORD, chord_of, marks, signature
from plaudit.domains.music.score import QUARTER, Piece
from plaudit.errors import InputError

_TICKS = 480
"""Of a quarter note, as most programs write."""
_STEP = _TICKS // QUARTER
_VELOCITY = 80
_PREFIX = f"{KEY}:"


def write_midi(piece: Piece, path: Path, about: dict[str, Any]) -> None:
    """Write a piece; raises `InputError` for an unsound one, `MissingExtra` and `ResourceError`."""
    checked(piece, path)
    symusic = library("symusic")
    score = symusic.Score(_TICKS)
    score.tempos.append(symusic.Tempo(0, qpm=piece.tempo))
    if piece.pickup:
        part = Fraction(piece.pickup, 4 * QUARTER)
        unit = max(part.denominator, 4)
        score.time_signatures.append(symusic.TimeSignature(0, int(part * unit), unit))
    score.time_signatures.append(symusic.TimeSignature(piece.pickup * _STEP, *piece.metre))
    minor = piece.mode == "minor"
    # The signature of a dorian key is that of a major one; the marker holds the mode.
    score.key_signatures.append(symusic.KeySignature(0, signature(piece.tonic, piece.mode), int(minor)))
    score.markers.append(symusic.TextMeta(0, _PREFIX + _facts(piece, about)))
    for start, text in sorted(marks(piece).items()):
        score.markers.append(symusic.TextMeta(start * _STEP, text))
    for voice in piece.voices:
        track = symusic.Track(one_line(voice.name), 0, False)
        for n in voice.notes:
            track.notes.append(symusic.Note(n.start * _STEP, n.length * _STEP, n.pitch, _VELOCITY))
        score.tracks.append(track)
    save(score.dumps_midi(), path)


def _facts(piece: Piece, about: dict[str, Any]) -> str:
    """The text of our marker: `about`, and what MIDI has no words for."""
    own = {key: value for key, value in about.items() if key != SKIPPED}
    return told({"about": own, "title": one_line(piece.title), "mode": piece.mode, "steps": piece.steps})


def read_midi(path: Path) -> tuple[Piece, dict[str, Any]]:
    """The piece and what the file says of itself; raises `InputError` and `MissingExtra`."""
    content, place = content_of(path), str(path)
    if content[:4] != b"MThd":
        raise InputError("is no MIDI file (it does not begin with MThd).", place=place)
    try:
        found = _taken(library("symusic"), content)
    # The library's parser is C++ and promises no kind of error; all it raises means a damaged file.
    except (RuntimeError, ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
        raise InputError(f"is damaged: {str(error)[:120]}.", place=place) from error
    if found is None:
        raise InputError(f"has over {MOST_NOTES:,} notes.", place=place)
    facts = heard(next((t[len(_PREFIX) :] for _, t in found["texts"] if t.startswith(_PREFIX)), None), place)
    sketch = Sketch(title=str(facts.get("title", "")), ours=bool(facts))
    _add_parts(sketch, found)
    _add_metre(sketch, found, place)
    _add_key(sketch, found, facts.get("mode"))
    _add_symbols(sketch, found)
    if type(facts.get("steps")) is int:
        sketch.steps = facts["steps"]
    piece = settled(sketch, place)
    about = facts.get("about")
    return piece, with_skipped(about if isinstance(about, dict) else {}, sketch.skipped)


def _taken(symusic: Any, content: bytes) -> dict[str, Any] | None:
    """All that is needed of a file as plain data, times in sixteenths; None for too many notes."""
    score = symusic.Score.from_midi(content)
    if score.note_num() > MOST_NOTES or score.ticks_per_quarter < 1:
        return None
    step = Fraction(QUARTER, score.ticks_per_quarter)
    return {
        "parts": [(track.name, track.is_drum, _sounds(track, step)) for track in score.tracks],
        "texts": [(mark.time * step, mark.text) for mark in score.markers],
        "metres": sorted((t.time * step, t.numerator, t.denominator) for t in score.time_signatures),
        "keys": sorted((k.time * step, k.key, k.tonality) for k in score.key_signatures),
        "tempos": sorted((tempo.time * step, tempo.qpm) for tempo in score.tempos),
    }


def _sounds(track: Any, step: Fraction) -> list[Sound]:
    return [Sound(note.time * step, note.duration * step, note.pitch) for note in track.notes]


def _add_parts(sketch: Sketch, found: dict[str, Any]) -> None:
    """The tracks but those of the percussion channel, and the first tempo."""
    sketch.parts = [(name, sounds) for name, drums, sounds in found["parts"] if not drums]
    sketch.skip(len(found["parts"]) - len(sketch.parts), "Tracks of percussion, skipped")
    if found["tempos"]:
        sketch.tempo = found["tempos"][0][1]
        changes = sum(abs(tempo - sketch.tempo) > 0.01 for _, tempo in found["tempos"])
        sketch.skip(changes, "Changes of tempo, dropped")


def _add_metre(sketch: Sketch, found: dict[str, Any], place: str) -> None:
    """The first metre; one that lasts a bar of its own, shorter than the next one's bar, is a pickup."""
    metres = found["metres"]
    if not metres:
        sketch.skipped.append("The metre is not told; it was read as 4/4.")
        return
    if len(metres) > 1 and all(unit for _, _, unit in metres[:2]):
        bars = [Fraction(4 * QUARTER * beats, unit) for _, beats, unit in metres[:2]]
        if metres[0][0] == 0 and bars[0] == metres[1][0] and bars[0] < bars[1]:
            sketch.pickup, metres = bars[0], metres[1:]
    sketch.metre = known_metre(*metres[0][1:], f"{place}, sixteenth {int(metres[0][0])}", sketch.skipped)
    changes = sum(before[1:] != after[1:] for before, after in pairwise(metres))
    sketch.skip(changes, f"Changes of metre, dropped for {sketch.metre[0]}/{sketch.metre[1]}")


def _add_key(sketch: Sketch, found: dict[str, Any], mode: Any) -> None:
    """The first key signature, with the mode that our marker names where the two agree."""
    if not found["keys"]:
        return
    _, fifths, minor = found["keys"][0]
    if not -7 <= fifths <= 7:
        sketch.skipped.append("The key signature is damaged and was dropped.")
        return
    told_mode = "minor" if minor else "major"
    agrees = mode in FIFTHS and (mode == "minor") == bool(minor)
    sketch.fifths, sketch.mode = fifths, mode if agrees else told_mode
    changes = sum(each[1:] != found["keys"][0][1:] for each in found["keys"])
    sketch.skip(changes, "Changes of key, dropped")


def _add_symbols(sketch: Sketch, found: dict[str, Any]) -> None:
    """Chords from the markers; elsewhere only where every marker is a chord, for "A" may be a section."""
    texts = [(time, text) for time, text in found["texts"] if not text.startswith(_PREFIX)]
    symbols = [(time, None if text == NO_CHORD else chord_of(text)) for time, text in texts]
    real = all(chord or text == NO_CHORD for (_, chord), (_, text) in zip(symbols, texts, strict=True))
    if sketch.ours or (real and any(re.search(r"[^A-G]", text) for _, text in texts)):
        sketch.symbols = symbols
    else:
        sketch.skip(len(texts), "Markers that are no chord symbols, dropped")
