"""Tunes to learn from: read once from files, kept as arrays in a cache, split for good by name.

"folk" is what the music21 package brings as ABC: Ryan's Mammoth Collection, O'Neill's Music of Ireland
and Aird's Airs. A path is the user's own folder of MIDI, MusicXML or ABC files. Nothing of either is
shipped. Of every ten tunes six are learned from, three teach the judges, one is never seen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.lines import BARS, MODE_NAMES, Ints, shift_of, tokens_of
from plaudit.domains.music.score import CHORDS, METRES, Piece
from plaudit.errors import InputError, PlauditError
from plaudit.media import cache

FOLK = ("ryansMammoth", "oneills1850", "airdsAirs")
SPLITS = ("train", "judge", "test")
KINDS = tuple(CHORDS)
SUFFIXES = (".mid", ".midi", ".musicxml", ".mxl", ".xml", ".abc")
VERSION = 3
"""Of the cache: raised whenever what is kept changes."""
MOST_FILES = 20_000
Say = Callable[[str], None]


@dataclass
class Tunes:
    """Many melodies end to end.

    Attributes:
        tokens: `(N,)` all tokens; tune i is `tokens[start[i]:start[i + 1]]`, whole bars from a bar line.
        root, kind: `(N,)` the chord at each step, -1 = none; roots in the key's own terms.
        start: `(n + 1,)`; metre, mode, split: `(n,)` indices; name: titles.
    """

    tokens: NDArray[np.uint8]
    root: NDArray[np.int8]
    kind: NDArray[np.int8]
    start: Ints
    metre: Ints
    mode: Ints
    split: Ints
    name: list[str]

    def __len__(self) -> int:
        return len(self.metre)

    def tune(self, at: int) -> NDArray[np.uint8]:
        return self.tokens[self.start[at] : self.start[at + 1]]

    def bars(self, at: int) -> int:
        return int(self.start[at + 1] - self.start[at]) // BARS[self.metre[at]]


def load_tunes(place: str = "folk", say: Say | None = None) -> Tunes:
    """Read a corpus, from the cache where it lies there; raises `InputError` or `MissingExtra`."""
    say = say or cache.to_stderr
    files = folk_files() if place == "folk" else folder_files(Path(place))
    path = cache.place_of(files, f"tunes {VERSION}", "music")
    held = cache.kept(path)
    if held is not None and held.keys() == {field.name for field in fields(Tunes)}:
        return Tunes(**held)
    tunes = _gather(files, say)
    cache.keep(path, tunes.name, {name: value for name, value in vars(tunes).items() if name != "name"})
    return tunes


def folk_files() -> list[Path]:
    """The ABC files of the music21 package; raises `MissingExtra` without it."""
    from plaudit.domains.music.files.about import library

    place = Path(str(library("music21").__file__)).parent / "corpus"
    files = sorted(path for name in FOLK for path in (place / name).glob("*.abc"))
    if not files:
        raise InputError("this music21 came without its corpus.", hint="Reinstall music21.")
    return files


def folder_files(folder: Path) -> list[Path]:
    """Music files below a folder; raises `InputError` where there are none."""
    if not folder.is_dir():
        raise InputError("is no folder of music.", place=str(folder), hint='Or say "folk".')
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(f"holds no {', '.join(SUFFIXES)} file.", place=str(folder))
    if len(files) > MOST_FILES:
        raise InputError(f"holds {len(files):,} files; at most {MOST_FILES:,} are read.", place=str(folder))
    return files


def pieces_in(path: Path) -> tuple[list[Piece], list[str]]:
    """The pieces of one file, and why others could not be read; raises `InputError`."""
    from plaudit.domains.music.files.abc import read_abc_tunes
    from plaudit.domains.music.files.midi import read_midi
    from plaudit.domains.music.files.musicxml import read_musicxml

    suffix = path.suffix.lower()
    if suffix == ".abc":
        tunes, reasons = read_abc_tunes(path)
        return [piece for piece, _ in tunes], reasons
    read = read_midi if suffix in (".mid", ".midi") else read_musicxml
    return [read(path)[0]], []


def tune_of(piece: Piece) -> tuple[Ints, Ints, Ints] | None:
    """Tokens and chords `(steps,)` of a piece's first voice from its first bar line; None where unfit.

    The last bar is filled up by what sounded last, as it is often short by the pickup.
    """
    notes = [n for n in piece.voices[0].notes if n.start >= piece.pickup] if piece.voices else []
    if len(notes) < 8:
        return None
    pitches = [note.pitch for note in notes]
    # An octave that fits comes before the one nearest to the middle.
    shift = shift_of(piece.tonic, min(pitches), max(pitches))
    bars = -(-(max(note.end for note in notes) - piece.pickup) // piece.bar)
    steps = bars * piece.bar
    moved = [type(note)(note.start - piece.pickup, note.length, note.pitch) for note in notes]
    last = moved[-1]
    moved[-1] = type(last)(last.start, steps - last.start, last.pitch)
    tokens = tokens_of(moved, steps, shift)
    if tokens is None:
        return None
    root, kind = np.full(steps, -1), np.full(steps, -1)
    for chord in piece.chords:
        span = slice(max(chord.start - piece.pickup, 0), max(chord.end - piece.pickup, 0))
        root[span], kind[span] = (chord.root - shift) % 12, KINDS.index(chord.kind)
    return tokens, root, kind


def split_of(title: str) -> int:
    """The split of a tune, by its title alone: versions of one tune in several books stay together."""
    plain = re.sub(r"[^a-z]", "", re.sub(r"\bthe\b|--.*|\(.*?\)", "", title.lower()))
    drawn = int.from_bytes(hashlib.sha256(plain.encode()).digest()[:4], "big") % 10
    return 0 if drawn < 6 else 1 if drawn < 9 else 2


def _gather(files: Sequence[Path], say: Say) -> Tunes:
    rows: list[tuple[Any, Any, Any, int, int, int, str]] = []
    skipped: list[str] = []
    for number, path in enumerate(files):
        if number % 200 == 0:
            say(f"reading music: {number} of {len(files)} files, {len(rows)} tunes")
        try:
            pieces, reasons = pieces_in(path)
        except PlauditError as error:
            skipped.append(str(error))
            continue
        skipped += reasons
        for piece in pieces:
            found = tune_of(piece)
            if found is None:
                skipped.append(f"{path.name}: {piece.title or 'a tune'} is too short or too wide")
                continue
            title = piece.title or path.stem
            metre, mode = METRES.index(tuple(piece.metre)), MODE_NAMES.index(piece.mode)
            rows.append((*found, metre, mode, split_of(title), title))
    say(f"read {len(rows)} tunes from {len(files)} files; skipped {len(skipped)}")
    for reason in skipped[:5]:
        say(f"  {reason}")
    if not rows:
        raise InputError("no tune could be read.", hint=skipped[0] if skipped else "")
    return _joined(rows)


def _joined(rows: Sequence[tuple[Any, ...]]) -> Tunes:
    tokens, root, kind, metre, mode, split, name = zip(*rows, strict=True)
    return Tunes(
        np.concatenate(tokens).astype(np.uint8),
        np.concatenate(root).astype(np.int8),
        np.concatenate(kind).astype(np.int8),
        np.cumsum([0, *(len(t) for t in tokens)]).astype(np.int64),
        np.array(metre, np.int64),
        np.array(mode, np.int64),
        np.array(split, np.int64),
        list(name),
    )
