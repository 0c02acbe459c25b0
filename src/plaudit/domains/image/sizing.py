"""Pictures of any size to squares of one side: the middle is cut out and resampled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plaudit.errors import InputError

SMALLEST, LARGEST = 28, 64
"""Sides that are chosen where none is asked for."""
MOST = 128
MOST_BYTES = 2**30
"""Of all pixels of a set."""
Pixels = NDArray[np.uint8]


def side_for(sides: Sequence[int]) -> int:
    """The side for pictures whose shorter sides are given: their median, within 28 to 64 and a multiple of 4.

    >>> side_for([28, 28]), side_for([640, 480]), side_for([16]), side_for([45])
    (28, 64, 32, 44)
    """
    middle = int(np.median(sides))
    if middle < SMALLEST:
        # Whole multiples keep pixel art sharp.
        middle *= -(-SMALLEST // middle)
    return max(SMALLEST, min(LARGEST, middle // 4 * 4))


def checked_side(side: int | None, count: int, channels: int) -> None:
    """Raise `InputError` for a side, or for a set, that is beyond what small pictures are."""
    if side is None:
        return
    if isinstance(side, bool) or not isinstance(side, int) or not 8 <= side <= MOST:
        raise InputError(f"a side of {side!r} pixels was asked for.", hint=f"Sides lie in 8..{MOST}.")
    if count * side * side * channels > MOST_BYTES:
        raise InputError(
            f"{count:,} pictures of {side} x {side} are more than {MOST_BYTES:,} bytes.",
            hint="Take fewer pictures or a smaller side.",
        )


def squared(pixels: Pixels, side: int) -> Pixels:
    """Cut the middle square out of `(H, W, C)` and resample it to `(side, side, C)`.

    Whole multiples are made by repeating pixels; anything else by an antialiased filter.
    """
    height, width, channels = pixels.shape
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = pixels[top : top + edge, left : left + edge]
    if edge == side:
        return np.ascontiguousarray(square)
    if side % edge == 0:
        return square.repeat(side // edge, axis=0).repeat(side // edge, axis=1)
    image = Image.fromarray(np.ascontiguousarray(square[..., 0] if channels == 1 else square))
    scaled = np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))
    return scaled[..., None] if channels == 1 else scaled


def stacked(pictures: Sequence[Pixels], side: int | None) -> Pixels:
    """Pictures `(H, W, 1 or 3)` of any sizes as one array `(N, side, side, C)`; grey only if all are grey."""
    side = side or side_for([min(one.shape[:2]) for one in pictures])
    channels = max(one.shape[-1] for one in pictures)
    checked_side(side, len(pictures), channels)
    images = np.empty((len(pictures), side, side, channels), np.uint8)
    for at, one in enumerate(pictures):
        images[at] = squared(one, side)
    return images


def fitted(images: Pixels, side: int | None) -> Pixels:
    """Pictures `(N, H, W, C)` of one size, unchanged where they are squares of a side that will do."""
    height, width = images.shape[1:3]
    if height == width and side in (None, height) and SMALLEST <= height <= LARGEST:
        return images
    return stacked(list(images), side)
