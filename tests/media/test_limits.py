"""Checked reading: sizes are known before bytes are read, and nothing but InputError comes out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plaudit.errors import InputError
from plaudit.media.limits import Limits, read_bytes, read_json, read_text


def test_a_file_at_the_limit_is_read_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert read_bytes(path, Limits(file_bytes=100)) == b"x" * 100
    with pytest.raises(InputError, match="100 bytes; at most 99"):
        read_bytes(path, Limits(file_bytes=99))


def test_a_sparse_giant_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "giant"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(InputError, match="10,737,418,240 bytes"):
        read_bytes(path)


def test_folders_pipes_and_missing_files_are_input_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        ("pipe", "not a regular file"),
        (".", "not a regular file"),
        ("none", "No such file"),
    ):
        with pytest.raises(InputError, match=reason):
            read_bytes(tmp_path / name)
    with pytest.raises(InputError):
        read_bytes(Path("nul\0byte"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[" * 100_000, b"9" * 10_000])
def test_broken_json_is_an_input_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.json"):
        read_json(path)


def test_text_names_the_wrong_byte(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"abc\xff")
    with pytest.raises(InputError, match="byte 3"):
        read_text(tmp_path / "text")
