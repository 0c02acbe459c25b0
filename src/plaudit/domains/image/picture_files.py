"""Pictures as files: PNG with the request inside, JSON and NPZ; all hold every pixel exactly.

PNG is as large as the picture is, since it is data first; previews are enlarged. A picture file from
elsewhere is accepted under limits, cut and resampled to what the set holds. Reading raises only `InputError`.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from plaudit.domains.image.arrays import as_pictures, npz_file_arrays
from plaudit.domains.image.picture_request import PictureRequest, fitted
from plaudit.errors import InputError, ResourceError, did_you_mean
from plaudit.media.limits import Limits, parse_json, read_json
from plaudit.media.picture import read_picture
from plaudit.media.png import SIGNATURE, read_about, write_png
from plaudit.task import Item

FORMATS = ("png", "json", "npz")
SHOWN = 112
"""Side of a preview in pixels, about."""
_LIMITS = Limits(file_bytes=32 * 2**20, pixels=16 * 2**20)
_SMALL = (8, 128)
Pixels = NDArray[np.uint8]
Shape = tuple[int, int, int]


def save_picture(item: Item, path: Path) -> None:
    """Write one item in the format of the suffix; raises `InputError` for another suffix."""
    suffix = _suffix(path)
    about = {"request": item.request.model_dump(mode="json"), "item": {"seed": item.seed, "info": item.info}}
    try:
        if suffix == "png":
            write_png(as_image(item.content), path, about)
        elif suffix == "json":
            path.write_text(json.dumps({**about, "picture": to_json(item.content)}) + "\n", encoding="utf-8")
        else:
            text = np.frombuffer(json.dumps(about).encode(), np.uint8)
            stream = io.BytesIO()
            np.savez_compressed(stream, images=item.content[None], about=text)
            path.write_bytes(stream.getvalue())
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def load_picture(path: Path, shape: Shape) -> Item:
    """Read one picture; `shape` is what a picture from elsewhere is made to fit."""
    suffix, place = path.suffix.lower().lstrip("."), str(path)
    if suffix == "json":
        about = read_json(path, _LIMITS)
        if not isinstance(about, dict):
            raise InputError("holds no picture.", place=place)
        return _item(from_json(about.get("picture"), place), about, place)
    if suffix == "npz":
        arrays = npz_file_arrays(path)
        if "images" not in arrays or arrays["images"].shape[0] != 1:
            raise InputError("does not hold one picture.", place=place)
        text = arrays.get("about", np.zeros(0, np.uint8)).tobytes().decode("utf-8", "replace")
        pixels = as_pictures(arrays["images"], place)[0]
        return _own_or_fitted(pixels, parse_json(text, place) if text else {}, place, shape)
    pixels = read_picture(path, _LIMITS)
    about = read_about(path, _LIMITS) if _is_png(path) else {}
    return _own_or_fitted(pixels, about, place, shape)


def _own_or_fitted(pixels: Pixels, about: Any, place: str, shape: Shape) -> Item:
    """A picture of ours as it is, any other one made to fit."""
    if not isinstance(about, dict) or "item" not in about:
        return Item(fitted(pixels, shape), PictureRequest(), 0, {})
    return _item(pixels, about, place)


def _is_png(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


def _item(pixels: Pixels, about: dict[str, Any], place: str) -> Item:
    height, width = pixels.shape[:2]
    if not (_SMALL[0] <= height <= _SMALL[1] and height == width):
        raise InputError(
            f"is {width} x {height}; pictures are squares of {_SMALL[0]} to {_SMALL[1]}.", place=place
        )
    part = about.get("item")
    seed = part.get("seed", 0) if isinstance(part, dict) else 0
    if type(seed) is not int or not -(2**63) <= seed < 2**63:
        raise InputError(f"its seed is {str(seed)[:40]}.", place=place)
    try:
        request = PictureRequest.model_validate(about.get("request") or {})
    except ValidationError as error:
        raise InputError(f"its request cannot be read: {error.errors()[0]['msg']}.", place=place) from error
    return Item(pixels, request, seed, {})


def to_json(pixels: Pixels) -> dict[str, Any]:
    """Plain values that `from_json` reads."""
    return {"shape": list(pixels.shape), "pixels": base64.b64encode(pixels.tobytes()).decode()}


def from_json(values: Any, place: str) -> Pixels:
    """The picture of plain values; raises only `InputError`."""
    try:
        height, width, channels = values["shape"]
        held = base64.b64decode(values["pixels"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise InputError(f"holds no picture: {error!r:.80}.", place=place) from error
    sizes = all(type(n) is int and 0 < n <= 4096 for n in (height, width, channels))
    if not sizes or channels not in (1, 3) or height * width * channels != len(held):
        raise InputError(
            f"its picture has the shape {str(values['shape'])[:60]} and {len(held)} bytes.", place=place
        )
    return np.frombuffer(held, np.uint8).reshape(height, width, channels).copy()


def as_image(pixels: Pixels) -> Image.Image:
    """`(H, W, C)` as a Pillow picture."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def preview_picture(item: Item) -> Image.Image:
    """The picture enlarged for the eye: smooth, as large pixels hide what a small picture shows."""
    image = as_image(item.content).convert("RGB")
    scale = max(1, round(SHOWN / max(image.size)))
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise InputError(
            f'there is no format "{suffix}".', place=str(path), hint=did_you_mean(suffix, FORMATS)
        )
    return suffix
