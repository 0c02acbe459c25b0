"""The render has its onsets and pitches where the piece has them, is never too loud, and repeats."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from plaudit.domains.music import synth
from plaudit.domains.music.score import Chord, Note, Piece, Voice
from plaudit.domains.music.synth import PEAK, TAIL, accent, frequency, render_audio, voicing

RATE = 44_100


def melody(pitches: list[int], lengths: list[int], **more) -> Piece:
    notes, at = [], 0
    for pitch, length in zip(pitches, lengths, strict=True):
        if pitch:
            notes.append(Note(at, length, pitch))
        at += length
    return Piece((Voice("melody", tuple(notes)),), at, **more)


def chords(count: int, length: int = 16) -> tuple[Chord, ...]:
    kinds = ("maj", "min7", "7", "hdim7")
    return tuple(Chord(i * length, length, (5 * i) % 12, kinds[i % 4]) for i in range(count))


def eight_bars() -> Piece:
    line = [67, 64, 65, 67, 72, 71, 69, 67] * 8
    return melody(line, [2] * 64, chords=chords(8))


def four_voices() -> Piece:
    lines = ((72, 74, 76, 72), (67, 67, 67, 67), (64, 59, 60, 64), (48, 43, 48, 48))
    notes = [tuple(Note(8 * i, 8, p) for i, p in enumerate(line)) for line in lines]
    return Piece(tuple(Voice(str(i), line) for i, line in enumerate(notes)), 32, tempo=80)


def onsets(sound: np.ndarray, frame: int = 220) -> np.ndarray:
    """Seconds at which the energy of 5 ms is 2.3 times that of the 15 ms before, and can be heard.

    Measured: 2.8 or more at onsets, 1.9 or less elsewhere.
    """
    power = np.diff(np.pad(sound.mean(axis=1), (10 * frame, 0))) ** 2
    energy = power[: len(power) // frame * frame].reshape(-1, frame).sum(axis=1) + 1e-7
    rise = energy[3:] / np.maximum(np.maximum(energy[2:-1], energy[1:-2]), energy[:-3])
    found: list[int] = []
    for at in np.flatnonzero((rise > 2.3) & (energy[3:] > 1e-4 * energy.max())):
        if not found or at - found[-1] > 8:
            found.append(at)
    return (np.array(found) + 3 - 10) * frame / RATE


@pytest.mark.parametrize(("tempo", "pickup"), [(97.0, 0), (131.0, 4)])
def test_every_note_begins_where_the_piece_says(tempo: float, pickup: int) -> None:
    piece = melody([60, 72, 0, 67, 65, 76, 64, 60], [4, 3, 2, 3, 4, 6, 4, 8], tempo=tempo, pickup=pickup)
    expected = np.array([note.start for note in piece.notes]) * 15 / tempo
    heard = onsets(render_audio(piece, RATE))
    assert len(heard) == len(expected)
    assert np.abs(heard - expected).max() < 0.015


def test_a_note_ends_where_the_piece_says() -> None:
    sound = render_audio(melody([60, 0], [4, 12], tempo=60.0), RATE)
    level = [np.sqrt((sound[int(t * RATE) : int((t + 0.1) * RATE)] ** 2).mean()) for t in (0.85, 1.5)]
    assert level[1] < 0.05 * level[0]


@pytest.mark.parametrize("pitch", [33, 45, 60, 69, 84, 96, 105])
@pytest.mark.parametrize("voices", [1, 3])
def test_a_single_note_has_its_peak_at_its_frequency(pitch: int, voices: int) -> None:
    line = (Voice("a", (Note(0, 16, pitch),)), *(Voice("", ()) for _ in range(voices - 1)))
    sound = render_audio(Piece(line, 16), RATE)[: 2 * RATE, 0]
    size = 2**18
    peak = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size)).argmax() * RATE / size
    expected = 440.0 * 2 ** ((pitch - 69) / 12)
    assert frequency(pitch) == pytest.approx(expected)
    assert peak == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("piece", [eight_bars(), four_voices(), replace(eight_bars(), chords=())])
def test_it_is_as_loud_as_it_may_be_without_dc_or_clicks(piece: Piece) -> None:
    sound = render_audio(piece, RATE)
    assert sound.dtype == np.float32
    assert sound.shape == (round((piece.seconds + TAIL) * RATE), 2)
    assert np.abs(sound).max() == pytest.approx(PEAK, abs=1e-6)
    assert np.abs(sound.mean(axis=0)).max() < 1e-3
    assert np.abs(sound[-10:]).max() < 1e-6
    # A click is a jump; the tones themselves move by less than this from sample to sample.
    assert np.abs(np.diff(sound, axis=0)).max() < 0.2


def test_a_piece_without_notes_is_silence_of_its_length() -> None:
    sound = render_audio(Piece((Voice("melody", ()),), 16, tempo=60.0), RATE)
    assert sound.shape == (round((4 + TAIL) * RATE), 2)
    assert not sound.any()
    assert not render_audio(Piece((), 0), RATE).any()


def test_equal_pieces_give_equal_bytes() -> None:
    first = render_audio(eight_bars(), RATE).tobytes()
    synth._room.cache_clear()
    assert render_audio(eight_bars(), RATE).tobytes() == first


def test_chords_are_heard_and_stay_behind_the_melody() -> None:
    piece = eight_bars()
    alone, whole = render_audio(replace(piece, chords=()), RATE), render_audio(piece, RATE)
    low = np.fft.rfftfreq(len(whole), 1 / RATE) < 150
    bass = [np.square(np.abs(np.fft.rfft(s[:, 0])))[low].sum() for s in (alone, whole)]
    assert bass[1] > 100 * bass[0]
    only = render_audio(replace(piece, voices=()), RATE)
    # Both are scaled to one peak: how much of the whole the accompaniment explains tells its share.
    share = (only * whole).sum() / (only**2).sum()
    assert 0.2 < share < 0.8


def test_the_voices_of_a_chorale_stand_apart() -> None:
    piece = four_voices()
    sides = []
    for index in (0, 3):
        only = [v if i == index else Voice(v.name, ()) for i, v in enumerate(piece.voices)]
        energy = (render_audio(replace(piece, voices=tuple(only)), RATE) ** 2).sum(axis=0)
        sides.append(energy[0] / energy[1])
    assert sides[0] > 3
    assert sides[1] < 1 / 3


@pytest.mark.parametrize(
    ("metre", "pickup", "expected"),
    [
        ((4, 4), 0, {0: 1.0, 4: 0.82, 8: 0.9, 2: 0.72, 16: 1.0}),
        ((3, 4), 0, {0: 1.0, 4: 0.82, 6: 0.72, 8: 0.82, 12: 1.0}),
        ((6, 8), 2, {0: 0.72, 2: 1.0, 6: 0.72, 8: 0.9}),
    ],
)
def test_accents_follow_the_metre(metre, pickup, expected) -> None:
    piece = Piece((), 64, metre=metre, pickup=pickup)
    assert {place: accent(piece, place) for place in expected} == expected


def test_partials_that_a_low_rate_cannot_hold_are_left_out() -> None:
    sound = render_audio(melody([105], [16]), 8_000)[:, 0]
    spectrum = np.abs(np.fft.rfft(sound))
    hertz = np.fft.rfftfreq(len(sound), 1 / 8_000)
    # The second partial, 7040 Hz, would come back at 960.
    assert spectrum[(hertz > 800) & (hertz < 1200)].max() < 0.01 * spectrum.max()


def test_chords_are_voiced_close_together() -> None:
    assert voicing(Chord(0, 16, 0, "maj")) == [52, 55, 60]
    assert voicing(Chord(0, 16, 7, "7")) == [53, 55, 59, 62]


def test_eight_bars_render_in_a_moment() -> None:
    render_audio(eight_bars(), RATE)
    begin = time.process_time()
    render_audio(eight_bars(), RATE)
    # Measured: 0.07 s; the rest is for machines that are slow or busy.
    assert time.process_time() - begin < 1.0
