"""Drawings as files: SVG, PNG, JSON, and GIF of the painting being made.

Every one holds the strokes exactly. Reading raises only `InputError`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from plaudit.domains.image.paint_film import write_film
from plaudit.domains.image.paint_request import PaintRequest, target_of
from plaudit.domains.image.paint_strokes import Drawing, Stroke, check_drawing
from plaudit.domains.image.paint_svg import drawing_to_svg, read_svg
from plaudit.domains.image.render import on_paper
from plaudit.errors import InputError, PlauditError, ResourceError, did_you_mean
from plaudit.media.gif import read_gif_about
from plaudit.media.limits import read_json
from plaudit.media.png import read_about, write_png
from plaudit.task import Item

FORMATS = ("svg", "png", "json", "gif")
SCALE, PREVIEW = 10, 6


def save_painting(item: Item, path: Path) -> None:
    """Write one item in the format of the suffix; raises `InputError` for another suffix."""
    suffix = _suffix(path)
    about = {"request": item.request.model_dump(mode="json"), "item": {"seed": item.seed, "info": item.info}}
    whole = {**about, "item": {**about["item"], "drawing": drawing_to_json(item.content)}}
    try:
        if suffix == "svg":
            path.write_text(drawing_to_svg(item.content, about), encoding="utf-8")
        elif suffix == "png":
            write_png(on_paper(item.content.enlarged(SCALE)), path, whole)
        elif suffix == "gif":
            write_film(item.content, path, whole)
        else:
            path.write_text(json.dumps(whole) + "\n", encoding="utf-8")
    except OSError as error:
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def load_painting(path: Path) -> Item:
    """Read what `save_painting` wrote, with request and seed where they can be used."""
    suffix, place = _suffix(path), str(path)
    if suffix == "svg":
        drawing, about = read_svg(path)
    else:
        about = {"png": read_about, "gif": read_gif_about, "json": read_json}[suffix](path)
        if not isinstance(about, dict) or not isinstance(about.get("item"), dict):
            raise InputError("holds no drawing.", place=place)
        drawing = drawing_from_json(about["item"].get("drawing"), place)
    check_drawing(drawing, place)
    part = about.get("item")
    seed = part.get("seed", 0) if isinstance(part, dict) else 0
    if type(seed) is not int or not -(2**63) <= seed < 2**63:
        raise InputError(f"its seed is {str(seed)[:40]}.", place=place)
    return Item(drawing, _request(about, drawing, place), seed, {})


def _request(about: dict[str, Any], drawing: Drawing, place: str) -> PaintRequest:
    asked = about.get("request", {"size": drawing.size})
    try:
        return PaintRequest.model_validate(asked)
    except ValidationError as error:
        raise InputError(f"its request cannot be read: {error.errors()[0]['msg']}.", place=place) from error


def drawing_to_json(drawing: Drawing) -> dict[str, Any]:
    """Plain values that `drawing_from_json` reads."""
    strokes = [
        {
            "kind": s.kind,
            "points": [list(p) for p in s.points],
            "width": s.width,
            "ink": s.ink,
            "erase": s.erase,
        }
        for s in drawing.strokes
    ]
    return {"size": drawing.size, "strokes": strokes}


def drawing_from_json(values: Any, place: str) -> Drawing:
    """The drawing of plain values; raises only `InputError`."""
    try:
        strokes = tuple(_stroke(one) for one in values["strokes"])
        return Drawing(int(values["size"]), strokes)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"holds no drawing: {error!r:.80}.", place=place) from error


def _stroke(one: Any) -> Stroke:
    if one["kind"] not in ("line", "quadratic", "cubic"):
        raise ValueError(one["kind"])
    points = tuple((float(x), float(y)) for x, y in one["points"])
    return Stroke(points, float(one["width"]), float(one["ink"]), one["kind"], bool(one["erase"]))


def preview_painting(item: Item) -> Image.Image:
    """The picture that was asked for, where there is one, and the painting beside it."""
    painted = on_paper(item.content.enlarged(PREVIEW))
    if item.request.label is not None:
        return painted
    try:
        asked = on_paper(target_of(item.request), PREVIEW)
    except PlauditError:
        # The picture's file may be gone: the painting is there all the same.
        return painted
    sheet = Image.new("RGB", (asked.width + painted.width + PREVIEW, painted.height), "#b9b2a2")
    sheet.paste(asked, (0, 0))
    sheet.paste(painted, (asked.width + PREVIEW, 0))
    return sheet


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise InputError(
            f'there is no format "{suffix}".', place=str(path), hint=did_you_mean(suffix, FORMATS)
        )
    return suffix
