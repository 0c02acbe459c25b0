"""A piece through a SoundFont of the user's, where there is one: the file that PLAUDIT_SOUNDFONT names.

Played by the library tinysoundfont, an optional one. Voices have a channel each, chord symbols a channel of
their own with bass and inner voices; all play the font's first preset, or the program that PLAUDIT_PROGRAM
says (General MIDI, from 0).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plaudit.domains.music.score import Piece
from plaudit.domains.music.synth import PEAK, TAIL, Samples, accent, voicing
from plaudit.errors import InputError, MissingExtra

FONT, PROGRAM = "PLAUDIT_SOUNDFONT", "PLAUDIT_PROGRAM"
_CHANNELS = tuple(channel for channel in range(16) if channel != 9)
"""Those of pitched sounds; the tenth is for drums."""


def chosen_font() -> Path | None:
    """The user's SoundFont; None where no one is named. Raises `InputError` for a file that is not there."""
    named = os.environ.get(FONT, "")
    if not named:
        return None
    path = Path(named)
    if not path.is_file():
        raise InputError("is not there.", place=f"{FONT}={named}", hint="Name an .sf2 file, or unset it.")
    return path


def render_font(piece: Piece, font: Path, rate: int = 44_100) -> Samples:
    """Render a piece to stereo `(N, 2)` in [-1, 1] with a SoundFont; as long as `render_audio`'s.

    Raises `InputError` for a file that is no SoundFont, `MissingExtra` without the library.
    """
    synth = _opened(font, rate, len(piece.voices) + 1)
    out = np.zeros((round((piece.seconds + TAIL) * rate), 2), np.float32)
    step, at = piece.seconds / max(piece.steps, 1), 0
    for place, sounds, channel, pitch, force in sorted(_events(piece)):
        until = min(round(place * step * rate), len(out))
        at = _go_on(synth, out, at, until)
        if sounds:
            synth.noteon(channel, pitch, round(127 * force))
        else:
            synth.noteoff(channel, pitch)
    _go_on(synth, out, at, len(out))
    loudest = float(np.abs(out).max()) if out.size else 0.0
    return out * np.float32(PEAK / loudest) if loudest > 0 else out


def _opened(font: Path, rate: int, channels: int) -> Any:
    try:
        import tinysoundfont
    except ImportError as error:
        raise MissingExtra(
            f"{FONT} is set, and SoundFonts need the library tinysoundfont.", hint="pip install tinysoundfont"
        ) from error
    synth = tinysoundfont.Synth(samplerate=rate)
    try:
        number = synth.sfload(str(font))
    except Exception as error:  # the library's own exception has no public parent
        raise InputError(f"is no SoundFont: {error}", place=str(font)) from error
    program = os.environ.get(PROGRAM, "0")
    if not program.isdecimal() or int(program) > 127:
        raise InputError(f'"{program}" is no program from 0 to 127.', place=PROGRAM)
    for channel in _CHANNELS[:channels]:
        synth.program_select(channel, number, 0, int(program))
    return synth


def _events(piece: Piece) -> Iterator[tuple[float, bool, int, int, float]]:
    """Place in sixteenths, whether it begins or ends, channel, pitch and force; ends come first."""
    for channel, voice in zip(_CHANNELS, piece.voices, strict=False):
        for note in voice.notes:
            yield note.start, True, channel, note.pitch, 0.6 + 0.3 * accent(piece, note.start)
            yield note.start + note.length, False, channel, note.pitch, 0.0
    channel = _CHANNELS[min(len(piece.voices), len(_CHANNELS) - 1)]
    for chord in piece.chords:
        for pitch in (36 + chord.root, *voicing(chord)):
            yield chord.start, True, channel, pitch, 0.45
            yield chord.start + chord.length, False, channel, pitch, 0.0


def _go_on(synth: Any, out: Samples, at: int, until: int) -> int:
    """Fill `out` from one sample to another; returns where it is then."""
    if until > at:
        out[at:until] = np.frombuffer(synth.generate(until - at), np.float32).reshape(-1, 2)
    return max(at, until)
