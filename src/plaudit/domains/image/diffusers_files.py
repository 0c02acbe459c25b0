"""A pipeline's pictures as PNG, with the request inside. Reading raises only `InputError`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from pydantic import ValidationError

from plaudit.domains.image.diffusers_request import DiffusersRequest
from plaudit.domains.image.picture_files import as_image
from plaudit.errors import InputError, ResourceError, did_you_mean
from plaudit.media.limits import Limits
from plaudit.media.picture import read_picture
from plaudit.media.png import read_about, write_png
from plaudit.task import Item

FORMATS = ("png",)
SHOWN = 112
"""Least side of a preview in pixels."""
_LIMITS = Limits(file_bytes=64 * 2**20, pixels=16 * 2**20)


def save_prompted(item: Item, path: Path) -> None:
    """Write one item; raises `InputError` for another suffix than png."""
    _check(path)
    about = {"request": item.request.model_dump(mode="json"), "item": {"seed": item.seed, "info": item.info}}
    try:
        write_png(as_image(item.content), path, about)
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def load_prompted(path: Path) -> Item:
    """Read one picture, with request and seed where it is one of ours."""
    _check(path)
    pixels, about = read_picture(path, _LIMITS), read_about(path, _LIMITS)
    if not isinstance(about, dict) or not isinstance(about.get("item"), dict):
        return Item(pixels, DiffusersRequest(), 0, {})
    seed = about["item"].get("seed", 0)
    if type(seed) is not int or not -(2**63) <= seed < 2**63:
        raise InputError(f"its seed is {str(seed)[:40]}.", place=str(path))
    try:
        request = DiffusersRequest.model_validate(about.get("request", {}))
    except ValidationError as error:
        raise InputError(
            f"its request cannot be read: {error.errors()[0]['msg']}.", place=str(path)
        ) from error
    return Item(pixels, request, seed, {})


def preview_prompted(item: Item) -> Image.Image:
    """The picture, enlarged in whole pixels where it is small."""
    image = as_image(item.content)
    times = max(1, -(-SHOWN // min(image.size)))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _check(path: Path) -> None:
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise InputError(
            f'there is no format "{suffix}".', place=str(path), hint=did_you_mean(suffix, FORMATS)
        )
