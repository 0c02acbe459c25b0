"""What is asked of one painting: the picture to paint, and how much may be spent on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from plaudit.domains.image.paint_pictures import pictures_of
from plaudit.domains.image.paint_strokes import LARGEST, SMALLEST, Pixels
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError, did_you_mean
from plaudit.task import Item, Request

STATISTICS = {"error": (0.0, 0.03), "ink": (0.0, 0.05), "strokes": (1.0, 2.0)}
"""Least value that may be asked of each statistic, and its tolerance where the request has none."""
MOST = {"error": 1.0, "ink": 1.0, "strokes": 512.0}


class PaintRequest(Request):
    """One painting. `target` may name error (mean squared difference), ink (mean of the canvas), strokes."""

    picture: str = ""
    """What to paint: a PNG file, a folder of idx files as MNIST's, or "" for the built-in drawings."""
    split: Literal["train", "validation", "test"] = "test"
    """Part of a folder that pictures are taken from."""
    index: int | None = Field(None, ge=0, lt=2**31)
    """Number of the picture in the folder or among the built-in ones; drawn when left open."""
    label: int | None = Field(None, ge=0, lt=10_000)
    """Number of the class that is to be drawn freely, by a policy of the recipe `free`: `picture` is then the
    set whose classes are meant, scikit-learn's digits where it is empty."""
    size: int = Field(28, ge=SMALLEST, le=LARGEST)
    """Side of the canvas in pixels."""
    ink: float = Field(1.0, gt=0, le=1)
    """Most ink that may lie on the canvas, as the mean of its pixels; painting stops there."""
    strokes: int = Field(0, ge=0, le=512)
    """Most strokes; 0 = as many as the policy was trained with."""
    refine: int = Field(0, ge=0, le=1000)
    """Gradient steps that move the finished strokes towards the picture, counted in `evaluations`."""


def check_paint(request: PaintRequest) -> None:
    """Raise `InputError` for what cannot be asked, `Infeasible` for a target out of reach."""
    for kind, values in (("target", request.target), ("tolerance", request.tolerance)):
        for name, value in values.items():
            if name not in STATISTICS:
                raise InputError(f'no {kind} is called "{name}".', hint=did_you_mean(name, STATISTICS))
            if not np.isfinite(value):
                raise InputError(f"{kind} {name}={value} is not a finite number.")
    for name, value in request.target.items():
        low, high = STATISTICS[name][0], MOST[name]
        if not low <= value <= high:
            nearest = low if value < low else high
            raise Infeasible(f"{name}={value:g} is out of reach; the nearest is {name}={nearest:g}.")
    if request.picture and request.label is None:
        pictures_of(request.picture, request.split, request.size)


def draw_requests(n: int, seed: int, given: PaintRequest) -> list[PaintRequest]:
    """Draw n requests: the picture's number where it is open; an error of 0 is asked where nothing is."""
    check_paint(given)
    numbers = RowRandom(np.arange(n) + seed * 1_000_003).integers(0, 2**31)
    if given.label is not None:
        return [given] * n
    target = dict(given.target) or {"error": 0.0}
    return [
        given.model_copy(update={"target": target, "index": int(m) if given.index is None else given.index})
        for m in numbers
    ]


def completed(request: PaintRequest, seed: int) -> PaintRequest:
    """The request with a picture number, drawn from the item's seed where there is none."""
    if request.index is not None or request.label is not None:
        return request
    return request.model_copy(update={"index": int(RowRandom([seed]).integers(0, 2**31)[0])})


def targets_of(requests: Sequence[PaintRequest]) -> Pixels:
    """Pictures `(B, size, size)` that the requests, all of one size, ask for."""
    return np.stack([target_of(request) for request in requests])


def target_of(request: PaintRequest) -> Pixels:
    """The picture `(size, size)` that a request asks for; a blank one where there is none."""
    if request.index is None:
        return np.zeros((request.size, request.size), np.uint8)
    pictures = pictures_of(request.picture, request.split, request.size)
    return pictures.take(np.array([request.index]))[0]


class RowRequests(Sequence[PaintRequest]):
    """The requests of paintings under way, each made when a term looks at it."""

    def __init__(self, given: PaintRequest, numbers: NDArray[np.int64]) -> None:
        self._given, self._numbers = given, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        return self._given.model_copy(update={"index": int(self._numbers[row])})


def tolerance_of(item: Item, name: str) -> float:
    """How far off a target counts as met."""
    return float(item.request.tolerance.get(name, STATISTICS[name][1]))
