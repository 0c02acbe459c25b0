"""Pictures of every kind as pixels, and nothing but `InputError` from what is none."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from plaudit.errors import InputError
from plaudit.media.limits import Limits
from plaudit.media.picture import decode_picture, read_picture

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def decoded(image, kind="PNG", **options):
    return decode_picture(encoded(image, kind, **options), "a picture")


def rgb(colour, size=(8, 6)):
    return Image.new("RGB", size, colour)


class TestModes:
    def test_grey_stays_grey(self):
        assert np.array_equal(decoded(Image.fromarray(RAMP))[..., 0], RAMP)

    def test_colour(self):
        found = decoded(rgb((10, 200, 30)))
        assert found.shape == (6, 8, 3) and (found == [10, 200, 30]).all()

    def test_one_bit(self):
        assert set(np.unique(decoded(Image.fromarray(RAMP > 100)))) == {0, 255}

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_sixteen_bits_lose_the_lower_ones(self, kind):
        deep = RAMP.astype(np.uint16) * 256 + 200
        assert np.array_equal(decoded(Image.fromarray(deep), kind)[..., 0], RAMP)

    def test_floats(self):
        unit = Image.fromarray(np.full((4, 4), 0.5, np.float32))
        assert (decoded(unit, "TIFF") == 128).all()
        with pytest.raises(InputError, match="floats"):
            decoded(Image.fromarray(np.full((4, 4), 7.0, np.float32)), "TIFF")

    def test_cmyk(self):
        found = decoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
        assert found.shape == (8, 8, 3)
        assert np.abs(found.astype(int) - [255, 0, 0]).max() < 12

    def test_palette(self):
        found = decoded(rgb((200, 0, 100)).quantize(4), "GIF")
        assert (found == [200, 0, 100]).all()

    @pytest.mark.parametrize("mode, clear", [("RGBA", (255, 0, 0, 0)), ("LA", (0, 0))])
    def test_what_is_transparent_is_white_or_as_asked(self, mode, clear):
        content = encoded(Image.new(mode, (4, 4), clear))
        assert (decode_picture(content, "x") == 255).all()
        assert (decode_picture(content, "x", background=0) == 0).all()

    def test_half_transparent(self):
        assert np.abs(decoded(Image.new("RGBA", (4, 4), (0, 0, 0, 128))).astype(int) - 127).max() <= 1

    def test_a_transparent_palette_entry(self):
        image = rgb((0, 0, 0)).quantize(2)
        assert (decoded(image, "PNG", transparency=image.getpixel((0, 0))) == 255).all()

    def test_the_first_frame_of_an_animation(self):
        frames = [rgb((255, 0, 0)), rgb((0, 0, 255))]
        for kind in ("GIF", "PNG", "WEBP"):
            options = {"lossless": True} if kind == "WEBP" else {}
            found = decoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
            assert (found == [255, 0, 0]).all(), kind


class TestOrientation:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_upright(self, orientation, kind):
        from PIL import ImageOps

        image = rgb((255, 255, 255), (16, 8))
        image.paste((0, 0, 0), (0, 0, 8, 4))
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = encoded(image, kind, exif=exif, **({"quality": 100} if kind == "JPEG" else {}))
        with Image.open(io.BytesIO(content)) as again:
            expected = np.asarray(ImageOps.exif_transpose(again).convert("RGB")).astype(int)
        found = decode_picture(content, "x").astype(int)
        assert found.shape == expected.shape and np.abs(found - expected).max() < 8
        assert found.shape[:2] == ((16, 8) if orientation > 4 else (8, 16))

    def test_a_damaged_note_loses_no_picture(self):
        content = encoded(rgb((9, 9, 9)), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
        assert decode_picture(content, "x").shape == (6, 8, 3)


def png_of_size(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


class TestRefused:
    def test_too_many_pixels_before_any_is_decoded(self, monkeypatch):
        from PIL import ImageFile

        monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
        with pytest.raises(InputError, match="at most 16,777,216 pixels"):
            decode_picture(png_of_size(30_000, 30_000), "x")
        with pytest.raises(InputError, match="8,000 x 8,000"):
            decode_picture(png_of_size(8_000, 8_000), "x")
        with pytest.raises(InputError, match="8 x 6"):
            decode_picture(encoded(rgb((0, 0, 0))), "x", Limits(pixels=47))

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
    def test_cut_off(self, kind):
        noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
        content = encoded(Image.fromarray(noise), kind)
        with pytest.raises(InputError):
            decode_picture(content[: len(content) // 2], "x")

    @pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
    def test_no_picture(self, content, tmp_path):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_picture(tmp_path / "a.png")
        assert "\n" not in caught.value.message


def mutants(count, seed):
    """Encoded pictures with bytes changed, cut, doubled or put in."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (12, 14, 3)).astype(np.uint8)
    image = Image.fromarray(noise)
    frames = {"save_all": True, "append_images": [image.rotate(90)]}
    wholes = [
        encoded(image),
        encoded(image.quantize(8)),
        encoded(image, "JPEG"),
        encoded(image, "JPEG", progressive=True),
        encoded(image, "GIF"),
        encoded(image.quantize(16), "GIF", **frames),
    ]
    for number in range(count):
        content = bytearray(wholes[number % len(wholes)])
        for _ in range(int(rng.integers(1, 6))):
            at, what = int(rng.integers(0, len(content))), rng.integers(0, 4)
            if what == 0:
                content[at] = int(rng.integers(0, 256))
            elif what == 1:
                content[at] ^= 1 << int(rng.integers(0, 8))
            elif what == 2:
                del content[at : at + int(rng.integers(1, 20))]
            else:
                content[at:at] = rng.bytes(int(rng.integers(1, 20)))
            if not content:
                break
        yield bytes(content)


def outcomes(count, seed):
    read = 0
    for content in mutants(count, seed):
        try:
            found = decode_picture(content, "x", Limits(pixels=2**20))
        except InputError:
            continue
        assert found.dtype == np.uint8 and found.ndim == 3 and found.shape[-1] in (1, 3)
        read += 1
    return read


def test_damaged_pictures_are_read_or_refused():
    assert 10 < outcomes(300, 0) < 290


@pytest.mark.slow
def test_ten_thousand_damaged_pictures_are_read_or_refused():
    assert 300 < outcomes(10_000, 1) < 9_700
