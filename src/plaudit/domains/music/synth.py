"""How a piece sounds: an additive synthesiser in plain NumPy, made for listening, not for study.

Every tone is a sum of decaying sines. Cut into rows of `ROW` samples, a decaying sine is a matrix of
rank two (the angle and the decay at a row's first sample, times those inside the row), so a tone of K
partials is one product of matrices of rank 2 K: no sine is computed for every sample. Struck strings are
slightly inharmonic and have a prompt and a late sound in each partial (Weinreich, "Coupled piano
strings", 1977); the room is a decaying noise of a fixed seed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.music.score import CHORDS, QUARTER, Chord, Note, Piece

Samples = NDArray[np.float32]

ROW = 512
"""Samples in a row of the matrix of a tone."""
TAIL = 1.2
"""Seconds after the end of the piece."""
PEAK = 10 ** (-1 / 20)
"""The loudest sample: -1 dBFS."""
CHORALE = 3
"""So many voices sing; fewer are struck."""
LOWEST_INNER = 52
"""The octave from this pitch upwards holds the inner notes of a chord: E below middle C."""
LOWEST_BASS = 36
"""The octave from this pitch upwards holds its bass."""
SECOND = 0.9
"""Accent in the middle of an even bar."""
STRUM = 0.018
"""Seconds from one string of a chord to the next."""


@dataclass(frozen=True)
class Tone:
    """Partials as columns `(K,)`: hertz, decay a second, and loudness on the left and on the right."""

    hertz: NDArray[np.float64]
    decay: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    attack: float
    """Seconds until it is at its loudest."""
    release: float
    """Seconds from the end of the note to silence."""


def render_audio(piece: Piece, rate: int = 44_100) -> Samples:
    """Render a piece to stereo `(N, 2)` in [-1, 1], N = (seconds + tail) * rate; equal for equal pieces.

    Three voices or more sing, fewer are struck, chord symbols become bass, strum and pad. The loudest
    sample is at -1 dBFS; without notes and chords all is silent.
    """
    dry = np.zeros((round((piece.seconds + TAIL) * rate), 2), np.float32)
    if len(piece.voices) >= CHORALE:
        _sing(dry, piece, rate)
    else:
        _strike(dry, piece, rate)
    _accompany(dry, piece, rate)
    if not dry.any():
        return dry
    wet = _in_a_room(dry, rate)
    _fade_out(wet, round(0.5 * rate))
    wet *= np.float32(PEAK / np.abs(wet).max())
    return wet


def _strike(dry: Samples, piece: Piece, rate: int) -> None:
    for voice, pan in zip(piece.voices, _places(len(piece.voices), 0.3), strict=True):
        for (pitch, force), notes in _alike(piece, voice.notes).items():
            _place(dry, piece, struck(pitch, force, pan), notes, 0.5 * force, rate)


def _sing(dry: Samples, piece: Piece, rate: int) -> None:
    for voice, pan in zip(piece.voices, _places(len(piece.voices), 0.6), strict=True):
        leads = 1.3 if voice is piece.voices[0] else 1.0
        for (pitch, force), notes in _alike(piece, voice.notes).items():
            _place(dry, piece, sung(pitch, pan), notes, leads * (0.2 + 0.1 * force), rate)


def _places(count: int, width: float) -> list[float]:
    """Where voices stand, from left to right as they come; a single one in the middle."""
    return [0.0] if count == 1 else np.linspace(-width, width, count).tolist()


def _alike(piece: Piece, notes: tuple[Note, ...]) -> dict[tuple[int, float], list[Note]]:
    """Gather the notes that one rendering serves: those of one pitch and force."""
    groups = defaultdict(list)
    for note in notes:
        groups[note.pitch, accent(piece, note.start)].append(note)
    return groups


def accent(piece: Piece, start: int) -> float:
    """How strongly the metre marks a place: 1 after the bar line, less on beats, least between them."""
    place = (start - piece.pickup) % piece.bar
    beat = 3 * QUARTER // 2 if piece.metre[1] == 8 else QUARTER
    if place == 0:
        return 1.0
    if place % beat:
        return 0.72
    return SECOND if 2 * place == piece.bar else 0.82


def _accompany(dry: Samples, piece: Piece, rate: int) -> None:
    bass, strings, pads = defaultdict(list), defaultdict(list), defaultdict(list)
    for chord in piece.chords:
        inner = voicing(chord)
        for pitch in inner:
            pads[pitch].append(Note(chord.start, chord.length, pitch))
        for count, (start, length) in enumerate(_strokes(piece, chord)):
            low = _bass(chord, count)
            bass[low].append(Note(start, length, low))
            for order, pitch in enumerate(inner):
                strings[pitch, order, accent(piece, start)].append(Note(start, length, pitch))
    for pitch, notes in pads.items():
        _place(dry, piece, pad(pitch), notes, 0.028, rate)
    for pitch, notes in bass.items():
        _place(dry, piece, struck(pitch, 0.5, 0.0), notes, 0.2, rate)
    for (pitch, order, force), notes in strings.items():
        tone = struck(pitch, 0.5 * force, 0.25 * (order - 1.5))
        _place(dry, piece, tone, notes, 0.09 * force**3, rate, late=(order + 1) * STRUM)


def voicing(chord: Chord) -> list[int]:
    """Pitches of a chord upwards inside one octave, so that chords follow each other in small steps."""
    steps = CHORDS[chord.kind]
    return sorted(LOWEST_INNER + (chord.root + step - LOWEST_INNER) % 12 for step in steps)


def _bass(chord: Chord, count: int) -> int:
    """The root under every other stroke of a chord, its fifth under those between."""
    step = CHORDS[chord.kind][2] if count % 2 else 0
    return LOWEST_BASS + (chord.root + step - LOWEST_BASS) % 12


def _strokes(piece: Piece, chord: Chord) -> list[tuple[int, int]]:
    """Start and length of each stroke of a chord: where it begins, and where the metre is strong inside."""
    inside = range(chord.start + 1, chord.end)
    starts = [chord.start, *(place for place in inside if accent(piece, place) >= SECOND)]
    return [(start, end - start) for start, end in pairwise([*starts, chord.end])]


def frequency(pitch: int) -> float:
    """Hertz of a MIDI number, equal temperament, A = 440."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def struck(pitch: int, force: float, pan: float) -> Tone:
    """A warm struck string: upper partials are weaker and die sooner; a soft blow has fewer of them."""
    base = frequency(pitch)
    count = int(min(14, 9_000 / base)) or 1
    k = np.arange(1, count + 1)
    hertz = base * k * np.sqrt((1 + 2e-4 * k**2) / (1 + 2e-4))
    loud = k**-1.1 * np.exp(-(k - 1) * (0.55 - 0.3 * force)) * (1 - 0.35 * (k % 2 == 0))
    prompt = 0.7 + base / 600 + 0.8 * (k - 1)
    late = 0.35 * prompt
    # The late sound is a hair off in pitch: the two beat slowly, which is what makes it live.
    hertz = np.concatenate([hertz, hertz * 1.0004, [base * 0.5 + 70]])
    decay = np.concatenate([prompt, late, [55.0]])
    loud = np.concatenate([0.72 * loud, 0.28 * loud, [0.25 * force]])
    return _panned(hertz, decay, loud, np.full(len(hertz), pan), attack=0.003, release=0.14)


def sung(pitch: int, pan: float) -> Tone:
    """A soft organ with a breath of strings: each partial three times, a little apart in pitch and place."""
    base = frequency(pitch)
    k = np.arange(1, int(min(10, 7_000 / base)) + 1)
    loud = k**-1.5 * np.exp(-0.12 * (k - 1))
    hertz = np.concatenate([base * k * (1 + apart) for apart in (0.0, 0.0016, -0.0014)])
    pans = np.repeat([pan, pan + 0.35, pan - 0.35], len(k))
    loud = np.concatenate([loud, 0.4 * loud, 0.4 * loud])
    # A fifth of the tone dies soon: a repeated note is heard as a new one.
    return _panned(
        np.tile(hertz, 2),
        np.repeat([0.0, 4.0], len(hertz)),
        np.concatenate([0.8 * loud, 0.35 * loud]),
        np.tile(pans, 2),
        attack=0.035,
        release=0.12,
    )


def pad(pitch: int) -> Tone:
    """Strings far back: slow to come, slow to go, wide."""
    base = frequency(pitch)
    k = np.arange(1, 7)
    hertz = np.concatenate([base * k * (1 + apart) for apart in (0.002, -0.0018)])
    loud = np.tile(k**-1.8, 2)
    pans = np.repeat([0.7, -0.7], len(k))
    return _panned(hertz, np.zeros(len(hertz)), loud, pans, attack=0.18, release=0.35)


def _panned(
    hertz: NDArray[np.float64],
    decay: NDArray[np.float64],
    loud: NDArray[np.float64],
    pans: NDArray[np.float64],
    attack: float,
    release: float,
) -> Tone:
    """Give each partial its place, -1 = left to 1 = right, at equal power."""
    angle = (np.clip(pans, -1, 1) + 1) * np.pi / 4
    return Tone(hertz, decay, loud * np.cos(angle), loud * np.sin(angle), attack, release)


def _place(
    dry: Samples, piece: Piece, tone: Tone, notes: list[Note], gain: float, rate: int, late: float = 0.0
) -> None:
    """Add a tone to `dry` at every note, each for its own length and the release after it."""
    step = 60.0 / piece.tempo / QUARTER
    release = round(tone.release * rate)
    longest = max(note.length for note in notes)
    sound = gain * waves(tone, round(longest * step * rate) + release, rate)
    rise = _ramp(min(round(tone.attack * rate), len(sound)))
    sound[: len(rise)] *= rise
    fall = _ramp(release)[::-1]
    for note in notes:
        begin = round((note.start * step + late) * rate)
        # A string that comes late in a strum falls silent with those before it.
        end = min(round(note.end * step * rate) + release, len(dry))
        length = min(end - begin, len(sound))
        if length <= 0:
            continue
        kept = max(length - release, 0)
        dry[begin : begin + kept] += sound[:kept]
        dry[begin + kept : begin + length] += sound[kept:length] * fall[release - (length - kept) :]


def waves(tone: Tone, count: int, rate: int) -> Samples:
    """The sum of the decaying sines of a tone, `(count, 2)`, from phase 0 and without ramps."""
    rows = -(-count // ROW)
    # Above half the rate a partial would be heard as another pitch.
    heard = tone.hertz < 0.45 * rate
    turn = (2j * np.pi * tone.hertz - tone.decay)[heard]
    outer = np.exp(turn[None, :] * (np.arange(rows)[:, None] * (ROW / rate)))
    inner = np.exp(turn[:, None] * (np.arange(ROW)[None, :] / rate))
    # Im(a b) = Re a Im b + Im a Re b
    left = np.concatenate([outer.real, outer.imag], axis=1).astype(np.float32)
    parts = np.concatenate([inner.imag, inner.real])[:, :, None]
    sides = np.tile(np.stack([tone.left, tone.right], axis=1)[heard], (2, 1))[:, None, :]
    right = (parts * sides).astype(np.float32).reshape(len(parts), 2 * ROW)
    return (left @ right).reshape(rows * ROW, 2)[:count]


def _ramp(count: int) -> Samples:
    """A smooth rise from 0 to 1, `(count, 1)`."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / max(count, 1)))[:, None].astype(np.float32)


def _fade_out(sound: Samples, count: int) -> None:
    count = min(count, len(sound))
    sound[len(sound) - count :] *= _ramp(count)[::-1]


@lru_cache(maxsize=4)
def _room(rate: int) -> Samples:
    """The answer of a small room to a click, `(M, 2)`: noise whose treble dies sooner than its bass."""
    count = round(1.1 * rate)
    noise = np.random.default_rng(1685).standard_normal((count, 2))
    t = np.arange(count)[:, None] / rate
    hertz = np.fft.rfftfreq(count, 1 / rate)[:, None]
    spectrum = np.fft.rfft(noise, axis=0) * (hertz > 120)
    dark = np.fft.irfft(spectrum / (1 + (hertz / 1500) ** 2), count, axis=0) * np.exp(-t * 6.9 / 1.3)
    bright = np.fft.irfft(spectrum / (1 + (hertz / 5000) ** 2), count, axis=0) * np.exp(-t * 6.9 / 0.45)
    answer = (dark + 0.5 * bright) * (1 - np.exp(-t / 0.012))
    # As loud as the sound itself for long tones of the middle range, whatever the rate.
    middle = np.abs(np.fft.rfft(answer, axis=0))[(hertz[:, 0] > 200) & (hertz[:, 0] < 2000)]
    return (answer / np.sqrt((middle**2).mean())).astype(np.float32)


def _in_a_room(dry: Samples, rate: int, share: float = 0.28) -> Samples:
    """Add the room to a sound of the same length, convolved in blocks by the FFT (overlap-add)."""
    answer = _room(rate)
    size = 1 << (2 * len(answer) - 1).bit_length()
    block = size - len(answer) + 1
    answers = np.fft.rfft(answer, size, axis=0)
    wet = dry.copy()
    mono = dry.mean(axis=1)
    for at in range(0, len(dry), block):
        part = np.fft.rfft(mono[at : at + block], size)
        echo = np.fft.irfft(part[:, None] * answers, size, axis=0)[: len(dry) - at]
        wet[at : at + len(echo)] += share * echo.astype(np.float32)
    return wet
