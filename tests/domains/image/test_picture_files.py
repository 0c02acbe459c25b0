"""Pictures as files, ours and others'."""

import json

import numpy as np
import pytest
from PIL import Image

from plaudit.domains.image.data import load_pictures
from plaudit.domains.image.picture_files import FORMATS, load_picture, preview_picture, save_picture
from plaudit.domains.image.picture_request import PictureRequest
from plaudit.errors import InputError
from plaudit.task import Item

SHAPE = (32, 32, 3)


def item(channels=3, side=32, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, channels), np.uint8)
    return Item(pixels, PictureRequest(label="cat", target={"ink": 0.5}), 77, {"evaluations": 20})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_holds_every_pixel_request_and_seed(tmp_path, suffix, channels):
    path, ours = tmp_path / f"one.{suffix}", item(channels, 28)
    save_picture(ours, path)
    # A picture of ours keeps its size, whatever set is looked at.
    back = load_picture(path, SHAPE)
    assert (back.content == ours.content).all() and back.request == ours.request and back.seed == 77


def test_one_item_as_npz_is_an_array_file_that_others_read(tmp_path):
    save_picture(item(), tmp_path / "one.npz")
    with np.load(tmp_path / "one.npz", allow_pickle=False) as held:
        assert held["images"].shape == (1, 32, 32, 3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "I;16"])
def test_a_picture_from_elsewhere_is_made_to_fit(tmp_path, mode):
    suffix = "tif" if mode == "CMYK" else "png"
    Image.new("L", (90, 50), 200).convert("RGB" if mode == "CMYK" else mode.split(";")[0]).convert(mode).save(
        tmp_path / f"other.{suffix}"
    )
    found = load_picture(tmp_path / f"other.{suffix}", SHAPE)
    assert found.content.shape == SHAPE and found.request == PictureRequest()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("torn.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
        ("text.png", b"hello"),
        ("text.json", b"[1, 2"),
        ("list.json", b"[1]"),
        ("none.json", b"{}"),
        ("short.json", b'{"picture": {"shape": [8, 8, 1], "pixels": "AAAA"}}'),
        ("huge.json", b'{"picture": {"shape": [99999999, 99999999, 1], "pixels": ""}}'),
        ("odd.json", b'{"picture": {"shape": "abc", "pixels": 3}}'),
        ("zip.npz", b"PK\x03\x04nothing"),
    ],
)
def test_a_damaged_file_is_one_clear_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_picture(tmp_path / name, SHAPE)
    assert name in caught.value.place


@pytest.mark.parametrize("suffix", FORMATS)
def test_mutated_files_raise_only_the_documented_error(tmp_path, suffix):
    path, rng = tmp_path / f"one.{suffix}", np.random.default_rng(0)
    save_picture(item(), path)
    whole, refused = path.read_bytes(), 0
    for _ in range(80):
        content = bytearray(whole[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.3 else whole)
        for at in rng.integers(0, len(content), rng.integers(1, 6)):
            content[at] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            assert load_picture(path, SHAPE).content.dtype == np.uint8
        except InputError:
            refused += 1
    assert refused > 20


def test_what_our_json_says_is_checked(tmp_path):
    path = tmp_path / "one.json"
    save_picture(item(), path)
    held = json.loads(path.read_text())
    for change, said in (
        ({"item": {"seed": "x"}}, "seed"),
        ({"request": {"label": "cat", "colour": 3}}, "request"),
    ):
        path.write_text(json.dumps({**held, **change}))
        with pytest.raises(InputError, match=said):
            load_picture(path, SHAPE)


def test_saved_pictures_are_a_set_again(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for seed in range(12):
            save_picture(item(seed=seed + 100 * (label == "b")), tmp_path / label / f"{seed}.png")
    found = load_pictures(tmp_path)
    assert len(found) == 24 and found.names == ("a", "b") and found.images.shape[1:] == SHAPE


def test_previews_are_large_enough_to_look_at():
    assert min(preview_picture(item(1, 28)).size) >= 100 and max(preview_picture(item(3, 64)).size) <= 160
