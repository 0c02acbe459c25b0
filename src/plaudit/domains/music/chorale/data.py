"""Bach's four-part chorales, as the music21 package brings them: read once, kept in a cache, split by melody.

Taken is every piece of its folder `bach` with a soprano, an alto, a tenor and a bass in a known metre and
at most 48 bars; instruments beside them are left out. Phrases end at the soprano's fermatas. Six of ten
are learned from, two teach the judges, two are never seen; all settings of one melody share a split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.chorale.fermatas import fermatas, guessed_ends
from plaudit.domains.music.chorale.grid import VOICES, Chorales, chorales_of
from plaudit.domains.music.data import SPLITS
from plaudit.domains.music.lines import BARS, Ints
from plaudit.domains.music.score import QUARTER, Piece
from plaudit.errors import InputError, PlauditError
from plaudit.media import cache

VERSION = 1
"""Of the cache: raised whenever what is kept changes."""
MOST_BARS = 48
RUN = 7
"""Intervals of a run by which melodies are compared."""
Say = Callable[[str], None]


@dataclass
class Bach:
    """The chorales: their notes as read, and where phrases end.

    Attributes:
        chorales: on a grid of sixteenths, `(n, 4, T)`.
        split: `(n,)` index of `SPLITS`; name: the files' names.
    """

    chorales: Chorales
    split: Ints
    name: list[str]

    def __len__(self) -> int:
        return len(self.split)

    def of(self, split: str) -> list[int]:
        """Numbers of the chorales of a split."""
        return np.flatnonzero(self.split == SPLITS.index(split)).tolist()

    def ends(self, at: int) -> list[int]:
        """Sixteenths at which the last notes of the phrases begin."""
        return np.flatnonzero(self.chorales.ends[at]).tolist()


def load_bach(say: Say | None = None) -> Bach:
    """The chorales, from the cache where they lie there; raises `InputError` or `MissingExtra`."""
    files = bach_files()
    path = cache.place_of(files, f"bach {VERSION}", "music")
    found = _bach(cache.kept(path))
    if found is None:
        found = gathered(files, say or cache.to_stderr)
        cache.keep(path, found.name, _arrays(found))
    return found


def bach_files() -> list[Path]:
    """Files of the music21 package; raises `MissingExtra` without it."""
    from plaudit.domains.music.files.about import library

    place = Path(str(library("music21").__file__)).parent / "corpus" / "bach"
    files = sorted(path for path in place.glob("*") if path.suffix in (".mxl", ".xml"))
    if not files:
        raise InputError("this music21 came without its corpus.", hint="Reinstall music21.")
    return files


def gathered(files: Sequence[Path], say: Say) -> Bach:
    """Read files, saying how far it is and what was skipped; raises `InputError` where none fits."""
    from plaudit.domains.music.files.musicxml import read_musicxml

    pieces: list[Piece] = []
    ends: list[list[int]] = []
    names, skipped = [], []
    for number, path in enumerate(files):
        if number % 50 == 0:
            say(f"reading chorales: {number} of {len(files)} files")
        try:
            piece = four_voices(read_musicxml(path)[0])
            if piece is None:
                skipped.append(f"{path.name}: no four voices, or too long")
                continue
            closes = fermatas(path, VOICES[0].capitalize())
        except PlauditError as error:
            skipped.append(str(error))
            continue
        pieces.append(piece)
        ends.append(sorted({*closes, piece.voices[0].notes[-1].start}) if closes else guessed_ends(piece))
        names.append(path.stem)
    say(f"read {len(pieces)} chorales from {len(files)} files; skipped {len(skipped)}")
    for reason in skipped[:3]:
        say(f"  {reason}")
    if not pieces:
        raise InputError("no chorale could be read.", hint=skipped[0] if skipped else "")
    return Bach(chorales_of(pieces, ends, 1), splits_of(pieces, names), names)


def four_voices(piece: Piece) -> Piece | None:
    """The piece with its soprano, alto, tenor and bass alone; None where they are not all there once."""
    by_name = [[voice for voice in piece.voices if voice.name.lower() == name] for name in VOICES]
    if any(len(found) != 1 for found in by_name) or piece.bars > MOST_BARS:
        return None
    return replace(piece, voices=tuple(found[0] for found in by_name), chords=())


def splits_of(pieces: Sequence[Piece], names: Sequence[str]) -> Ints:
    """The split of each piece: drawn by the first name among all settings of its melody."""
    runs = [_runs(piece) for piece in pieces]
    first = list(range(len(pieces)))
    for i, own in enumerate(runs):
        for j in range(i):
            if 2 * len(own & runs[j]) >= max(1, min(len(own), len(runs[j]))):
                low, high = sorted((first[i], first[j]))
                first = [low if group == high else group for group in first]
    return np.array([_drawn(names[group]) for group in first], np.int64)


def _runs(piece: Piece) -> set[tuple[int, ...]]:
    """Runs of intervals between the different pitches that the soprano has on the beats."""
    notes, first = piece.voices[0].notes, piece.pickup % QUARTER
    heard = [note.pitch for note in notes if -(-(note.start - first) // QUARTER) * QUARTER + first < note.end]
    steps = [b - a for a, b in pairwise(heard) if a != b]
    return {tuple(steps[at : at + RUN]) for at in range(max(len(steps) - RUN + 1, 1))}


def _drawn(name: str) -> int:
    drawn = int.from_bytes(hashlib.sha256(f"melody {name}".encode()).digest()[:4], "big") % 10
    return 0 if drawn < 6 else 1 if drawn < 8 else 2


def bars_of(chorales: Chorales) -> NDArray[np.int64]:
    """Whole bars after the pickup, `(B,)`."""
    return -(-(chorales.length * chorales.step - chorales.pickup) // np.array(BARS)[chorales.metre])


def _arrays(bach: Bach) -> dict[str, Any]:
    """What the cache keeps beside the names."""
    whole: dict[str, Any] = {**vars(bach.chorales), "split": bach.split}
    return {**whole, "pitch": whole["pitch"].astype(np.int8)}


def _bach(held: dict[str, Any] | None) -> Bach | None:
    """The chorales that the cache keeps; None where it holds something else."""
    if held is None or held.keys() != {"name", "split", *(field.name for field in fields(Chorales))}:
        return None
    names, split, flags = held.pop("name"), held.pop("split"), ("begins", "ends")
    whole: dict[str, Any] = {
        name: np.asarray(value, bool) if name in flags else value.astype(np.int64)
        for name, value in held.items()
    }
    whole |= {"step": int(held["step"]), "tempo": float(held["tempo"])}
    return Bach(Chorales(**whole), split, names)
