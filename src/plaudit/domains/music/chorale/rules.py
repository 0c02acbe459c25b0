"""The rules of four-part writing over arrays, compiled; as harmony books since Fux, 1725, have them.

What sounds between two changes is a chord here, whatever it is made of; a change is where any voice
begins a note or falls silent. Counts are the same on every grid that holds all the notes. `judge.py`
measures the same from its own reading, in plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.music.chorale.grid import RANGES, SILENT, Chorales
from plaudit.domains.music.score import CHORDS, METRES

NAMES = (
    "chords",
    "crossed",
    "wide",
    "doubled",
    "beats",
    "known",
    "changes",
    "fifths",
    "octaves",
    "direct",
    "overlap",
    "leading",
    "unresolved",
    "sevenths",
    "hanging",
    "notes",
    "outside",
    "moves",
    "leaps",
    "ends",
    "cadences",
    "home",
    "written",
)
"""Columns of `measure`: counts of each piece."""
COLUMN = {name: at for at, name in enumerate(NAMES)}
LEADING = 11
FIFTH = 7
WIDEST = 12
"""Semitones that neighbouring upper voices may lie apart."""
FARTHEST = 7
"""Semitones that an inner voice may move; not six of them, though."""
DOMINANT = 0b1001_1010_0100
"""Pitch classes of the dominant and of the diminished chord on the leading tone: 2, 5, 7, 8, 11."""
TONIC = 0b0000_1001_1001
"""Those of the tonic chord, major or minor."""
BEATS = np.array([6 if metre == (6, 8) else 4 for metre in METRES])
"""Sixteenths of a beat."""
TRIADS = ("maj", "min", "dim", "aug")
SEVENTHS = ("7", "maj7", "min7", "hdim7", "dim7")


def _chord_table() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Root of each set of pitch classes, a bit each, and semitones of its seventh; -1 = none.

    Fifths may be missing; a triad of a root and its fifth alone is none. Where a set has several
    readings (diminished sevenths, augmented triads), it has no root to speak of: 12.
    """
    root, seventh = np.full(4096, -1), np.full(4096, -1)
    for kind in (*TRIADS, *SEVENTHS):
        steps = CHORDS[kind]
        fifth = steps[2]
        forms = [steps] if kind in ("dim", "aug", "dim7", "hdim7") else [steps, tuple(set(steps) - {fifth})]
        for form in forms:
            for tonic in range(12):
                bits = sum(1 << (tonic + step) % 12 for step in form)
                root[bits] = 12 if kind in ("aug", "dim7") else tonic
                if len(steps) == 4 and kind != "dim7" and seventh[bits] < 0:
                    seventh[bits] = steps[3]
    return root, seventh


ROOT, SEVENTH = _chord_table()


def measure(chorales: Chorales) -> NDArray[np.float64]:
    """Counts `(B, len(NAMES))` of each piece."""
    out = np.zeros((len(chorales), len(NAMES)))
    pitch = np.ascontiguousarray(chorales.pitch, np.int64)
    music = (pitch, chorales.begins, chorales.ends, chorales.length)
    span = np.array(RANGES)[None] - chorales.shift[:, None, None]
    time = (chorales.pickup, BEATS[chorales.metre], chorales.step)
    _measure(music, span, time, (ROOT, SEVENTH), out)
    return out


@njit(cache=True, nogil=True)
def _measure(music: Any, span: Any, time: Any, table: Any, out: Any) -> None:
    pitch, begins, ends, length = music
    pickup, beat, step = time
    root, seventh = table
    for row in range(len(pitch)):
        sums, own = out[row], pitch[row]
        before = -1
        for t in range(length[row]):
            if _changes(own, begins[row], t):
                on_beat = (t * step - pickup[row]) % beat[row] == 0
                _chord(own[:, t], on_beat, root, sums)
                if before >= 0:
                    sums[6] += 1
                    _change(own[:, before], own[:, t], sums)
                    _resolutions(own[:, before], own[:, t], seventh, root, sums)
                before = t
        for voice in range(4):
            _line(own[voice, : length[row]], begins[row, voice], span[row, voice], sums, voice)
        _endings(own[:, : length[row]], begins[row, 0], ends[row], root, sums)


@njit(cache=True, nogil=True)
def _changes(pitch: Any, begins: Any, t: int) -> bool:
    if t == 0:
        return True
    for voice in range(4):
        if begins[voice, t] or pitch[voice, t] != pitch[voice, t - 1]:
            return True
    return False


@njit(cache=True, nogil=True)
def _bits(chord: Any) -> int:
    """Pitch classes of a chord `(4,)`, a bit each."""
    bits = 0
    for pitch in chord:
        if pitch != SILENT:
            bits |= 1 << (pitch % 12)
    return bits


@njit(cache=True, nogil=True)
def _chord(chord: Any, on_beat: bool, root: Any, sums: Any) -> None:
    """Crossing, spacing, doubling and what chord it is."""
    sums[0] += 1
    crossed = wide = False
    leading = 0
    for voice in range(4):
        if chord[voice] == SILENT:
            continue
        leading += chord[voice] % 12 == LEADING
        if voice < 3 and chord[voice + 1] != SILENT:
            crossed |= chord[voice] < chord[voice + 1]
            wide |= voice < 2 and chord[voice] - chord[voice + 1] > WIDEST
    sums[1] += crossed
    sums[2] += wide
    sums[3] += leading > 1
    if on_beat:
        sums[4] += 1
        sums[5] += root[_bits(chord)] >= 0


@njit(cache=True, nogil=True)
def _change(old: Any, new: Any, sums: Any) -> None:
    """Parallels of every pair, direct fifths and octaves of the outer voices, overlap."""
    for upper in range(3):
        for lower in range(upper + 1, 4):
            if not _together(old, new, upper, lower):
                continue
            first, second = abs(old[upper] - old[lower]) % 12, abs(new[upper] - new[lower]) % 12
            if first == second:
                sums[7] += first == FIFTH
                sums[8] += first == 0
            elif upper == 0 and lower == 3 and abs(new[0] - old[0]) > 2:
                sums[9] += second in (0, FIFTH)
    over = False
    for voice in range(3):
        if SILENT not in (old[voice], new[voice + 1]):
            over |= new[voice + 1] > old[voice]
        if SILENT not in (new[voice], old[voice + 1]):
            over |= new[voice] < old[voice + 1]
    sums[10] += over


@njit(cache=True, nogil=True)
def _together(old: Any, new: Any, upper: int, lower: int) -> bool:
    """Whether both voices move in one direction."""
    if SILENT in (old[upper], old[lower], new[upper], new[lower]):
        return False
    return (new[upper] - old[upper]) * (new[lower] - old[lower]) > 0


@njit(cache=True, nogil=True)
def _resolutions(old: Any, new: Any, seventh: Any, root: Any, sums: Any) -> None:
    """Where the leading tone goes as a dominant becomes the tonic, and a seventh as it is left."""
    bits, then = _bits(old), _bits(new)
    dominant = bits & (1 << LEADING) != 0 and bits & ~DOMINANT == 0 and root[bits] >= 0
    dominant = dominant and then & 1 == 1 and then & ~TONIC == 0 and root[then] >= 0
    high = (root[bits] + seventh[bits]) % 12 if seventh[bits] >= 0 else -1
    for voice in range(4):
        if SILENT in (old[voice], new[voice]) or old[voice] == new[voice]:
            continue
        step = new[voice] - old[voice]
        if dominant and old[voice] % 12 == LEADING:
            sums[11] += 1
            inner = voice in (1, 2)
            sums[12] += not (step == 1 or (inner and step == -4))
        if high >= 0 and old[voice] % 12 == high:
            sums[13] += 1
            sums[14] += step not in (-1, -2)


@njit(cache=True, nogil=True)
def _line(line: Any, begins: Any, span: Any, sums: Any, voice: int) -> None:
    """Notes, those out of range, and leaps of inner voices; a rest breaks the line."""
    before = SILENT
    for t in range(len(line)):
        if line[t] == SILENT:
            before = SILENT
            continue
        if not begins[t]:
            continue
        sums[15] += 1
        sums[16] += line[t] < span[0] or line[t] > span[1]
        sums[22] += voice > 0
        if voice in (1, 2) and before != SILENT:
            size = abs(line[t] - before)
            sums[17] += 1
            sums[18] += size > FARTHEST or size == 6
        before = line[t]


@njit(cache=True, nogil=True)
def _endings(pitch: Any, begins: Any, ends: Any, root: Any, sums: Any) -> None:
    """Phrases that end on a triad over its root, and whether the last one is the tonic's."""
    steps = pitch.shape[1]
    for t in range(steps):
        if not ends[t]:
            continue
        # What sounds last while the soprano holds the note.
        last = t
        while last + 1 < steps and not begins[last + 1] and pitch[0, last + 1] == pitch[0, t]:
            last += 1
        sums[19] += 1
        sums[20] += _is_stable(pitch[:, last], root)
    if steps > 0:
        final = pitch[:, steps - 1]
        sums[21] = _is_stable(final, root) and final[3] % 12 == 0


@njit(cache=True, nogil=True)
def _is_stable(chord: Any, root: Any) -> bool:
    """Whether it is a major or minor triad over its root; its fifth may be missing."""
    bits, bass = _bits(chord), chord[3]
    if bass == SILENT or root[bits] != bass % 12:
        return False
    third = (bits >> ((bass + 3) % 12) & 1) + (bits >> ((bass + 4) % 12) & 1)
    count = 0
    for pc in range(12):
        count += bits >> pc & 1
    fifth = bits >> ((bass + FIFTH) % 12) & 1
    return third == 1 and count == 2 + fifth
