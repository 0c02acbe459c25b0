"""Small integer arrays as files: JSON that people can read, and pictures that carry the numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plaudit.errors import InputError, ResourceError
from plaudit.media.limits import read_json
from plaudit.media.png import read_about, write_png

FORMATS = ("json", "png")
SIDE = 12
"""Pixels of one cell."""
_DARK, _LIGHT = (38, 44, 60), (244, 236, 220)

Cells = NDArray[np.uint8]


def draw_cells(cells: Cells, values: int) -> Image.Image:
    """Paint `(W,)` or `(H, W)` cells from 0 = light to `values - 1` = dark, at least 36 pixels wide."""
    share = np.atleast_2d(cells)[:, :, None] / max(1, values - 1)
    colours = np.rint(np.array(_LIGHT) * (1 - share) + np.array(_DARK) * share).astype(np.uint8)
    side = max(SIDE, -(-3 * SIDE // min(colours.shape[:2])))
    return Image.fromarray(colours.repeat(side, 0).repeat(side, 1))


def save_cells(cells: Cells, values: int, path: Path, about: Mapping[str, Any]) -> None:
    """Write cells with what is known of them: `about` maps "request" and "item" to JSON objects.

    Raises `ResourceError` when the disk refuses.
    """
    whole = {**about, "item": {**about.get("item", {}), "cells": cells.tolist()}}
    if path.suffix == ".png":
        write_png(draw_cells(cells, values), path, whole)
        return
    try:
        path.write_text(json.dumps(whole) + "\n", encoding="utf-8")
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def load_cells(path: Path, shape: tuple[int, ...], values: int) -> tuple[Cells, dict[str, Any]]:
    """Read cells of the given shape and values, and `about`; raises only `InputError`."""
    about = read_about(path) if path.suffix == ".png" else read_json(path)
    parts = [about.get(key, {}) if isinstance(about, dict) else None for key in ("item", "request")]
    if not all(isinstance(part, dict) for part in parts):
        raise InputError("holds no item.", place=str(path))
    try:
        cells = np.array(about["item"]["cells"])
    except (KeyError, ValueError) as error:
        raise InputError(f"holds no cells: {error!r}.", place=str(path)) from error
    if cells.shape != shape or cells.dtype.kind != "i" or cells.min() < 0 or cells.max() >= values:
        raise InputError(f"its cells are not {shape} whole numbers from 0 to {values - 1}.", place=str(path))
    return cells.astype(np.uint8), about
