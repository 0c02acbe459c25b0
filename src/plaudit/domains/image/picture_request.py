"""What is asked of one picture: its class, statistics, what it begins from and what of that stays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from plaudit.domains.image.picture_reference import Facts
from plaudit.domains.image.sets import shown
from plaudit.domains.image.sizing import squared
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError, did_you_mean
from plaudit.media.limits import Limits
from plaudit.media.picture import read_picture
from plaudit.task import Request

ANY = "any"
"""The label of a picture of no class in particular, unless the set has a class of that name."""
STATISTICS = {
    "ink": (0.0, 1.0, 0.03),
    "contrast": (0.0, 1.0, 0.05),
    "symmetry": (0.0, 1.0, 0.05),
    "colourfulness": (0.0, 1.5, 0.05),
    "sharpness": (0.0, 16.0, 0.05),
    "jpeg_kb": (0.3, 64.0, 0.1),
}
"""Lowest and highest value that may be asked of each, and the tolerance where the request has none."""
GIVEN = 0.5
"""Strength of an edit where the request does not say."""
_LIMITS = Limits(pixels=16 * 2**20)
Pixels = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]
_Name = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class PictureRequest(Request):
    """One picture. `target` may name ink, contrast, symmetry, colourfulness, sharpness and jpeg_kb."""

    label: _Name = Field("", max_length=60)
    """Name of a class; "any" for none in particular; drawn when left open, "any" for what has a start."""
    guidance: float | None = Field(None, ge=0, le=20)
    """Strength of classifier-free guidance; the policy's own when left open."""
    steps: int | None = Field(None, ge=1, le=500)
    """Steps from noise to picture; the policy's own when left open."""
    start: str = ""
    """A picture file to begin from: edited, or kept where `keep`, `redraw` or `mask` say so."""
    strength: float | None = Field(None, gt=0, le=1)
    """How far an edit may go: 1 begins from noise alone. 0.5 when left open, 1 where something is kept."""
    keep: Rectangle | None = None
    """x, y, width, height in pixels: what of `start` stays exactly as it is."""
    redraw: Rectangle | None = None
    """x, y, width, height in pixels: what of `start` is drawn anew; all else stays exactly as it is."""
    mask: str = ""
    """A picture file of the parts of `start`: bright ones are drawn anew, dark ones stay as they are."""
    example: str = ""
    """A picture file that the terms `similarity` and `likeness` compare with."""
    palette: tuple[tuple[float, float, float], ...] = Field((), max_length=32)
    """Colours (red, green, blue in [0, 1]) of the term `palette`."""

    @property
    def locks(self) -> bool:
        """Whether a part of `start` stays."""
        return bool(self.mask) or self.keep is not None or self.redraw is not None


def check_picture(request: PictureRequest, facts: Facts) -> None:
    """Raise `InputError` for what cannot be asked of this set, `Infeasible` for a target out of reach."""
    check_label(request.label, facts)
    for kind, values in (("target", request.target), ("tolerance", request.tolerance)):
        for name, value in values.items():
            if name not in STATISTICS:
                raise InputError(f'no {kind} is called "{name}".', hint=did_you_mean(name, STATISTICS))
            if not np.isfinite(value) or (kind == "tolerance" and value < 0):
                raise InputError(f"{kind} {name}={value} is no number that can be asked.")
    for name, value in request.target.items():
        low, high, _ = STATISTICS[name]
        if name == "colourfulness" and facts.shape[2] == 1:
            high = 0.0
        if not low <= value <= high:
            nearest = low if value < low else high
            raise Infeasible(f"{name}={value:g} is out of reach; the nearest is {name}={nearest:g}.")
    _check_start(request, facts)
    if request.example:
        fitted_file(request.example, facts.shape)


def check_label(label: str, facts: Facts) -> None:
    """Raise `InputError` for a class that the set does not have."""
    if label in ("", ANY) or label in facts.names:
        return
    if not facts.names:
        raise InputError(
            f'the pictures of {facts.source} have no classes; "{label}" was asked.', place="label"
        )
    raise InputError(
        f'no class is called "{label}".',
        place="label",
        hint=did_you_mean(label, facts.names),
    )


def _check_start(request: PictureRequest, facts: Facts) -> None:
    if not request.start:
        for name in ("strength", "keep", "redraw"):
            if getattr(request, name) is not None:
                raise InputError(f"{name} needs a picture to begin from.", place=name, hint="Give start.")
        if request.mask:
            raise InputError("a mask needs a picture to begin from.", place="mask", hint="Give start.")
        return
    if sum(map(bool, (request.mask, request.keep is not None, request.redraw is not None))) > 1:
        raise InputError(
            "keep, redraw and mask were asked together.", place="mask", hint="One says what stays."
        )
    fitted_file(request.start, facts.shape)
    kept = kept_of(request, facts.shape)
    if kept is not None and kept.all():
        raise InputError("everything stays: nothing is left to draw.", place="mask")


def kept_of(request: PictureRequest, shape: tuple[int, int, int]) -> NDArray[np.bool_] | None:
    """Which pixels `(H, W)` of `start` stay; None where nothing is locked. Raises `InputError`."""
    if not request.locks:
        return None
    if request.mask:
        return np.asarray(fitted_file(request.mask, (*shape[:2], 1))[..., 0] < 128)
    name = "keep" if request.keep is not None else "redraw"
    x, y, width, height = request.keep or request.redraw or (0, 0, 0, 0)
    inside = 0 <= x and 0 <= y and width > 0 and height > 0
    if not inside or x + width > shape[1] or y + height > shape[0]:
        raise InputError(
            f"{name} = {[x, y, width, height]} does not lie in a picture of {shape[1]} x {shape[0]} pixels.",
            place=name,
        )
    kept = np.zeros(shape[:2], bool)
    kept[y : y + height, x : x + width] = True
    return kept if name == "keep" else ~kept


def fitted_file(place: str, shape: tuple[int, int, int]) -> Pixels:
    """A picture file cut and resampled to `shape (H, W, C)`; raises only `InputError`."""
    path = Path(place)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError("is not there.", place=shown(place)) from error
    return _fitted(place, shape, (status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=64)
def _fitted(place: str, shape: tuple[int, int, int], seen: tuple[int, int]) -> Pixels:
    del seen  # A file that changed is read anew.
    found = fitted(read_picture(Path(place), _LIMITS), shape)
    found.setflags(write=False)
    return found


def fitted(pixels: Pixels, shape: tuple[int, int, int]) -> Pixels:
    """A picture `(h, w, 1 or 3)` as `shape (H, W, C)`: its middle, resampled; grey and colour as wanted."""
    height, width, channels = shape
    if pixels.shape[:2] != (height, width):
        pixels = squared(pixels, height)
    if pixels.shape[2] == channels:
        return np.ascontiguousarray(pixels)
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    return np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]


def draw_pictures(n: int, seed: int, given: PictureRequest, facts: Facts, open_label: str) -> list[Any]:
    """Draw n requests: an open label becomes `open_label`, or one of the classes where that is "".

    What begins from a picture is of no class in particular unless one is asked. Targets stay as given.
    """
    check_picture(given, facts)
    if given.label or given.start or open_label or not facts.names:
        label = given.label or open_label or ANY
        return [given.model_copy(update={"label": label})] * n
    drawn = RowRandom(np.arange(n) + seed * 1_000_003).integers(0, facts.classes)
    return [given.model_copy(update={"label": facts.names[int(at)]}) for at in drawn]


def labels_of(requests: Sequence[Any], names: Sequence[str]) -> NDArray[np.int64]:
    """Classes `(B,)` that are asked, -1 where none is."""
    number = {name: at for at, name in enumerate(names)}
    return np.array([number.get(getattr(request, "label", ""), -1) for request in requests], np.int64)


def completed(request: PictureRequest, seed: int, facts: Facts) -> PictureRequest:
    """The request with a class, drawn from the item's seed where it is open."""
    if request.label or not facts.names:
        return request
    if request.start:
        return request.model_copy(update={"label": ANY})
    at = int(RowRandom([seed ^ 0x1ABE1]).integers(0, facts.classes)[0])
    return request.model_copy(update={"label": facts.names[at]})


def tolerance_of(request: PictureRequest, name: str) -> float:
    """How far off a target counts as met."""
    return float(request.tolerance.get(name, STATISTICS[name][2]))
