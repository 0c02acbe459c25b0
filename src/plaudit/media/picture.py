"""Any picture file as pixels: decoded under limits, upright, in 8 bits of grey or RGB.

The size is taken from the header before a pixel is decoded. Of an animation the first frame counts; the
orientation that a camera noted is applied; 16 bits become 8 by dropping the lower ones; CMYK and palettes
become RGB; what is transparent lies on `background`, white by default, as pages show it.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plaudit.errors import InputError
from plaudit.media.limits import DEFAULT, Limits, read_bytes

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""No format whose reader starts another program, as that of EPS does."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_GREY = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N", "I", "F")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(path: Path, limits: Limits = DEFAULT, background: int = 255) -> NDArray[np.uint8]:
    """Pixels `(H, W, 1)` of a grey picture or `(H, W, 3)`; raises only `InputError`."""
    return decode_picture(read_bytes(path, limits), str(path), limits, background)


def decode_picture(
    content: bytes, place: str, limits: Limits = DEFAULT, background: int = 255
) -> NDArray[np.uint8]:
    """Pixels `(H, W, 1)` or `(H, W, 3)` of a picture held in memory; raises only `InputError`."""
    if not content:
        raise InputError("is empty.", place=place)
    try:
        with warnings.catch_warnings():
            # Pillow warns of damaged metadata and of sizes that are checked here.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _check_size(image, place, limits)
                return _pixels(image, background)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(
            f"is too large ({error}); at most {limits.pixels:,} pixels are read.", place=place
        ) from error
    # Pillow's decoders raise OSError, ValueError, SyntaxError, struct.error, zlib.error and more.
    except Exception as error:
        raise InputError(f"holds no picture that can be read: {_reason(error)}.", place=place) from error


def _reason(error: Exception) -> str:
    """One line; Pillow's own for an unknown file names a place in memory."""
    if isinstance(error, Image.UnidentifiedImageError):
        return f"none of {', '.join(FORMATS)}"
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__


def _check_size(image: Image.Image, place: str, limits: Limits) -> None:
    width, height = image.size
    if not 0 < width * height <= limits.pixels:
        raise InputError(
            f"is {width:,} x {height:,}; at most {limits.pixels:,} pixels are read.", place=place
        )


def _pixels(image: Image.Image, background: int) -> NDArray[np.uint8]:
    turn = _TURNS.get(_orientation(image))
    image.load()
    # TIFF's reader turns pictures itself, and then says so by taking the note away.
    if turn is not None and image.getexif().get(_ORIENTATION, 1) != 1:
        image = image.transpose(turn)
    grey = image.mode in _GREY
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        over = image.convert("RGBA")
        under = Image.new("RGBA", over.size, (background, background, background, 255))
        image = Image.alpha_composite(under, over)
    elif image.mode.startswith("I") or image.mode == "F":
        return _from_deep(np.asarray(image))[..., None]
    pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return pixels[..., None] if grey else pixels


def _orientation(image: Image.Image) -> int:
    """What the camera noted; damaged notes are no reason to lose the picture."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _from_deep(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """16-bit integers to their upper 8 bits, floats in [0, 1] to 0..255; raises `ValueError` beyond."""
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "f":
        if not 0.0 <= low <= high <= 1.0:
            raise ValueError("its floats are not in [0, 1]")
        return np.asarray(np.rint(values.astype(np.float64) * 255), np.uint8)
    if low < 0 or high > 65535:
        raise ValueError("its values are not of 16 bits")
    return np.asarray(values.astype(np.int64) >> 8, np.uint8)
