"""Pictures keep what is embedded in them, damaged ones raise only InputError, walls have the right shape."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plaudit.errors import InputError, ResourceError
from plaudit.media.limits import Limits
from plaudit.media.png import SIGNATURE, read_about, read_png, thumbnail, wall, write_png

ABOUT = {
    "recipe": {"task": "level/maze", "seed": 3, "reward": [{"term": "path_length", "weight": 1.0}] * 40},
    "request": {"target": {"path": 40.0}, "note": "naïve ✓"},
    "item": {"seed": 7, "met": True},
}


def checkered(side: int = 6, block: int = 4) -> Image.Image:
    cells = np.indices((side, side)).sum(0) % 2
    return Image.fromarray((np.kron(cells, np.ones((block, block))) * 255).astype(np.uint8))


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def test_pixels_and_fields_return_as_written_and_bytes_repeat(tmp_path: Path) -> None:
    image = checkered()
    write_png(image, tmp_path / "a.png", ABOUT)
    write_png(image, tmp_path / "b.png", dict(reversed(ABOUT.items())))
    back, about = read_png(tmp_path / "a.png")
    assert about == ABOUT == read_about(tmp_path / "a.png")
    assert np.array_equal(np.asarray(back), np.asarray(image))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_any_viewer_sees_the_fields(tmp_path: Path) -> None:
    write_png(checkered(), tmp_path / "a.png", ABOUT)
    with Image.open(tmp_path / "a.png") as image:
        assert set(image.text) == {"plaudit:recipe", "plaudit:request", "plaudit:item"}


def test_an_unknown_field_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='"recipe"'):
        write_png(checkered(), tmp_path / "a.png", {"recipes": {}})
    with pytest.raises(ResourceError, match="No such file"):
        write_png(checkered(), tmp_path / "none" / "a.png")


@pytest.mark.parametrize("rounds", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutations_raise_only_input_errors(tmp_path: Path, rounds: int) -> None:
    path = tmp_path / "a.png"
    write_png(checkered().convert("P"), path, ABOUT)
    good = path.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for round_ in range(rounds):
        path.write_bytes(mutate(good, round_, random))
        try:
            read_png(path)
        except InputError:
            refused += 1
    assert refused > rounds * 0.66


def mutate(good: bytes, round_: int, random: np.random.Generator) -> bytes:
    """Cut, flip bytes, or flip bytes inside a chunk and repair its checksum, in turn."""
    data = bytearray(good)
    if round_ % 3 == 0:
        return good[: int(random.integers(len(good)))]
    for at in random.integers(0, len(good), int(random.integers(1, 6))):
        data[at] = int(random.integers(256))
    return bytes(data) if round_ % 3 == 1 else with_checksums(bytes(data), good)


def with_checksums(data: bytes, good: bytes) -> bytes:
    """Take chunk borders from the good file and make every checksum right, so that decoders are reached."""
    out, at = SIGNATURE, len(SIGNATURE)
    while at < len(good):
        end = at + 12 + int.from_bytes(good[at : at + 4], "big")
        out += chunk(data[at + 4 : at + 8], data[at + 8 : end - 4])
        at = end
    return out


def test_bombs_are_refused_before_they_unfold(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    header = (60_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    path.write_bytes(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IEND", b""))
    with pytest.raises(InputError, match="60000 x 60000"):
        read_png(path)
    packed = b"plaudit:recipe\0\1\0\0\0" + zlib.compress(b" " * 50_000_000)
    path.write_bytes(SIGNATURE + chunk(b"IHDR", header) + chunk(b"iTXt", packed) + chunk(b"IEND", b""))
    with pytest.raises(InputError, match="bytes of text"):
        read_about(path, Limits(text_bytes=10_000))


def test_blocks_shrink_to_one_pixel_each_and_photographs_to_the_side() -> None:
    small = thumbnail(checkered(6, 16), 64)
    assert small.size == (6, 6)
    assert np.asarray(small)[0].tolist() == [0, 255, 0, 255, 0, 255]
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    assert thumbnail(Image.fromarray(noise), 40).size == (40, 30)
    assert thumbnail(Image.new("P", (10, 20)), 40).size == (1, 2)


def test_a_wall_has_the_expected_size_and_order() -> None:
    colours = ["#ff0000", "#00ff00", "#0000ff"]
    sheet = wall(
        [Image.new("RGB", (8, 8), colour) for colour in colours], columns=2, gap=2, background="#fff"
    )
    assert sheet.size == (22, 22)
    assert [sheet.getpixel(at) for at in ((3, 3), (13, 3), (3, 13), (13, 13))] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 255),
    ]
    assert wall([Image.new("RGB", (8, 8))] * 9).size == (40, 40)
    with pytest.raises(InputError, match="at least one"):
        wall([])
