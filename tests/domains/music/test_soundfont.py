"""SoundFonts: a font of one looped sine, built here, plays what is written, where it is written."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from plaudit.domains.music.render import save_music
from plaudit.domains.music.score import Chord, Note, Piece, Voice
from plaudit.domains.music.soundfont import FONT, chosen_font, render_font
from plaudit.errors import InputError, MissingExtra
from plaudit.media.wav import read_wav_about
from plaudit.task import Item, Request

RATE = 44_100
PIECE = Piece((Voice("melody", (Note(0, 4, 69), Note(8, 4, 81))),), 16, tempo=120.0)


def chunk(tag: bytes, data: bytes) -> bytes:
    return tag + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def built() -> bytes:
    """A SoundFont 2.01 of one preset, one instrument, and one second of 440 Hz that is looped."""
    wave = (16_000 * np.sin(2 * np.pi * 440 * np.arange(44_000) / 44_000)).astype("<i2").tobytes()
    none, zero = struct.pack("<HHhHH", 0, 0, 0, 0, 0), struct.pack("<HH", 0, 0)
    parts = {
        b"phdr": struct.pack("<20sHHHIII", b"P", 0, 0, 0, 0, 0, 0)
        + struct.pack("<20sHHHIII", b"EOP", 0, 0, 1, 0, 0, 0),
        b"pbag": zero + struct.pack("<HH", 1, 0),
        b"pmod": none,
        b"pgen": struct.pack("<HH", 41, 0) + zero,
        b"inst": struct.pack("<20sH", b"I", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": zero + struct.pack("<HH", 2, 0),
        b"imod": none,
        b"igen": struct.pack("<HH", 54, 1) + struct.pack("<HH", 53, 0) + zero,
        b"shdr": struct.pack("<20sIIIIIBbHH", b"S", 0, 44_000, 0, 43_999, 44_000, 69, 0, 0, 1)
        + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    told = (
        chunk(b"ifil", struct.pack("<HH", 2, 1)) + chunk(b"isng", b"EMU8000\0") + chunk(b"INAM", b"sine\0\0")
    )
    body = b"sfbk" + chunk(b"LIST", b"INFO" + told)
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", wave + bytes(92)))
    body += chunk(b"LIST", b"pdta" + b"".join(chunk(tag, data) for tag, data in parts.items()))
    return chunk(b"RIFF", body)


@pytest.fixture
def font(tmp_path: Path) -> Path:
    path = tmp_path / "sine.sf2"
    path.write_bytes(built())
    return path


def loudest(sound: np.ndarray, start: float, end: float) -> float:
    part = sound[round(start * RATE) : round(end * RATE), 0]
    return float(np.fft.rfftfreq(len(part), 1 / RATE)[np.abs(np.fft.rfft(part)).argmax()])


def test_notes_sound_when_and_as_they_are_written(font: Path) -> None:
    pytest.importorskip("tinysoundfont")
    sound = render_font(PIECE, font, RATE)
    assert sound.shape == (round((2.0 + 1.2) * RATE), 2)
    assert 0.5 < np.abs(sound).max() <= 0.9
    assert loudest(sound, 0.05, 0.45) == pytest.approx(440, abs=4)
    assert loudest(sound, 1.05, 1.45) == pytest.approx(880, abs=4)
    assert np.abs(sound[round(0.9 * RATE) : round(0.99 * RATE)]).max() < 0.05
    assert np.array_equal(render_font(PIECE, font, RATE), sound)


def test_chords_sound_too(font: Path) -> None:
    pytest.importorskip("tinysoundfont")
    chords = Piece((), 16, chords=(Chord(0, 16, 0, "maj"),), tempo=120.0)
    assert np.abs(render_font(chords, font, RATE)).max() > 0.5
    assert not render_font(Piece((), 16), font, RATE).any()


def test_a_named_font_is_used_for_sound_files(
    font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tinysoundfont")
    item = Item(PIECE, Request(), 3)
    save_music("music/melody", item, tmp_path / "own.wav")
    monkeypatch.setenv(FONT, str(font))
    save_music("music/melody", item, tmp_path / "font.wav")
    assert (tmp_path / "own.wav").read_bytes() != (tmp_path / "font.wav").read_bytes()
    assert read_wav_about(tmp_path / "font.wav") == read_wav_about(tmp_path / "own.wav")
    (tmp_path / "broken.sf2").write_bytes(b"RIFF")
    with pytest.raises(InputError, match="no SoundFont"):
        render_font(PIECE, tmp_path / "broken.sf2", RATE)


def test_fonts_that_cannot_be_had_are_said(font: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FONT, raising=False)
    assert chosen_font() is None
    monkeypatch.setenv(FONT, str(font.parent / "none.sf2"))
    with pytest.raises(InputError, match="not there"):
        chosen_font()
    monkeypatch.setitem(sys.modules, "tinysoundfont", None)
    with pytest.raises(MissingExtra, match="tinysoundfont"):
        render_font(PIECE, font, RATE)
