"""Sound files keep samples and text; damaged and foreign ones raise only InputError."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from plaudit.errors import InputError, ResourceError
from plaudit.media.limits import Limits
from plaudit.media.wav import read_wav, read_wav_about, write_wav

ABOUT = '{"recipe": {"task": "music/melody"}, "note": "naïve ✓"}'


def sound(count: int = 1000, channels: int = 2) -> np.ndarray:
    draws = np.random.default_rng(3).uniform(-1, 1, (count, channels)).astype(np.float32)
    return draws[:, 0] if channels == 1 else draws


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_samples_rate_and_text_return_as_written(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.wav"
    write_wav(sound(channels=channels), 22_050, path, ABOUT)
    back, rate = read_wav(path)
    assert rate == 22_050
    assert back.dtype == np.float32
    assert back.shape == sound(channels=channels).shape
    # Half a step of 16 bits, and the rounding of float32.
    assert np.abs(back - sound(channels=channels)).max() <= 0.5001 / 32767
    assert read_wav_about(path) == ABOUT


@pytest.mark.parametrize("about", ["", "a", "ab", "é" * 1001])
def test_the_standard_library_reads_it_and_the_head_tells_the_size(tmp_path: Path, about: str) -> None:
    path = tmp_path / "a.wav"
    write_wav(sound(7), 44_100, path, about)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 44_100)
        frames = np.frombuffer(file.readframes(100), "<i2").reshape(-1, 2)
    assert np.array_equal(frames, np.rint(sound(7) * 32767))
    content = path.read_bytes()
    assert struct.unpack("<I", content[4:8])[0] == len(content) - 8
    assert len(content) % 2 == 0
    assert read_wav_about(path) == about


def test_bytes_repeat_and_nothing_is_left_beside(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "a.wav"):
        write_wav(sound(), 44_100, tmp_path / name, ABOUT)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav"]


def test_loud_samples_are_clipped_and_do_not_wrap(tmp_path: Path) -> None:
    write_wav(np.array([2.0, -2.0, 1.0, 0.0], np.float32), 8_000, tmp_path / "a.wav")
    assert read_wav(tmp_path / "a.wav")[0].tolist() == [1.0, -1.0, 1.0, 0.0]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(sound(), 44_100, tmp_path / "a.wav", "old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("plaudit.media.wav.os.replace", refuse)
    with pytest.raises(ResourceError, match="No space left"):
        write_wav(sound(), 44_100, tmp_path / "a.wav", "new")
    assert read_wav_about(tmp_path / "a.wav") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    with pytest.raises(ResourceError):
        write_wav(sound(), 44_100, tmp_path / "none" / "a.wav")


@pytest.mark.parametrize("samples", [np.zeros((2, 2, 2)), np.zeros((4, 0)), np.array([0.0, np.nan])])
def test_what_is_no_sound_is_refused(tmp_path: Path, samples: np.ndarray) -> None:
    with pytest.raises(InputError):
        write_wav(samples, 44_100, tmp_path / "a.wav")


def test_every_truncation_and_flipped_byte_raises_only_input_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(sound(20), 44_100, path, ABOUT)
    content = path.read_bytes()
    damaged = [content[:size] for size in range(len(content))]
    damaged += [content[:i] + bytes([b ^ 0xFF]) + content[i + 1 :] for i, b in enumerate(content)]
    for text in damaged:
        path.write_bytes(text)
        for read in (read_wav, read_wav_about):
            try:
                read(path)
            except InputError:
                continue


def test_a_file_cut_in_its_sound_says_so(tmp_path: Path) -> None:
    write_wav(sound(), 44_100, tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:-100])
    with pytest.raises(InputError, match="in the middle"):
        read_wav(tmp_path / "b.wav")


def test_limits_hold(tmp_path: Path) -> None:
    write_wav(sound(), 44_100, tmp_path / "a.wav", "x" * 3000)
    with pytest.raises(InputError, match="bytes"):
        read_wav(tmp_path / "a.wav", Limits(file_bytes=1000))
    with pytest.raises(InputError, match="text"):
        read_wav_about(tmp_path / "a.wav", Limits(text_bytes=1000))
    with pytest.raises(InputError, match="not a WAV"):
        (tmp_path / "c.wav").write_bytes(b"RIFF....AVI ")
        read_wav(tmp_path / "c.wav")


def test_eight_bits_are_refused_with_a_reason(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        file.writeframes(b"\x80" * 100)
    with pytest.raises(InputError, match="16-bit PCM"):
        read_wav(tmp_path / "a.wav")


@pytest.mark.parametrize(("at", "value"), [(20, 3), (34, 12), (22, 0), (32, 3), (24, 0)])
def test_a_head_that_does_not_fit_is_refused(tmp_path: Path, at: int, value: int) -> None:
    path = tmp_path / "a.wav"
    write_wav(sound(), 44_100, path)
    content = bytearray(path.read_bytes())
    content[at : at + 4] = bytes([value, 0, 0, 0]) if at == 24 else bytes([value]) + content[at + 1 : at + 4]
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="16-bit PCM"):
        read_wav(path)
