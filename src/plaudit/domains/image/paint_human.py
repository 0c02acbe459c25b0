"""Drawings by people as pen strokes in the order of their making: sets of stroke-3 in an `.npz` file.

The format of Ha and Eck, 2018 (sketch-rnn), without pickle: `train`, `valid`, `test (P, 3)` of whole numbers
dx, dy, pen (1 = the pen lifts after this point), and `<part>_offsets (n + 1,)`: drawing i is the rows from
offset i to offset i + 1.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.arrays import npz_arrays
from plaudit.domains.image.paint_strokes import Drawing, Pixels, Stroke
from plaudit.errors import InputError

PARTS = {"train": "train", "validation": "valid", "test": "test"}
EXTENT = (0.6, 0.76)
"""Longer side of a drawing, in widths of the canvas."""
WIDTHS = (1.6 / 28, 3.0 / 28)
"""Of the line it is drawn with, in widths of the canvas."""
_LONGEST = 400
Line = NDArray[np.float64]


class HumanDrawings:
    """One part of a stroke set, as pictures and as lines; a drawing's number decides its size and width.

    A number beyond the last drawing takes them again, in other sizes.
    """

    def __init__(self, points: NDArray[np.int64], offsets: NDArray[np.int64], size: int) -> None:
        self.points, self.offsets, self.size = points, offsets, size

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def lines(self, number: int) -> list[Line]:
        """Lines `(N, 2)` in pixels, in the order in which they were drawn, one or more points each."""
        at = number % len(self)
        rows = self.points[self.offsets[at] : self.offsets[at + 1]]
        places = rows[:, :2].cumsum(0).astype(np.float64)
        low, high = places.min(0), places.max(0)
        rng = np.random.default_rng([number, 0x4B])
        scale = rng.uniform(*EXTENT) * self.size / max(float((high - low).max()), 1e-9)
        shift = self.size / 2 + rng.normal(0.0, 0.02, 2) * self.size
        placed = ((places - (low + high) / 2) * scale + shift).clip(0.5, self.size - 0.5)
        return [line for line in np.split(placed, np.flatnonzero(rows[:-1, 2] == 1) + 1) if len(line)]

    def drawing(self, number: int) -> Drawing:
        """The drawing with a line of one width, full ink."""
        width = np.random.default_rng([number, 0x57]).uniform(*WIDTHS) * self.size
        lines = (tuple(map(tuple, line.tolist())) for line in self.lines(number))
        return Drawing(self.size, tuple(Stroke(points, width) for points in lines))

    def take(self, numbers: NDArray[np.int64]) -> Pixels:
        """Rasters `(N, size, size)` of these numbers."""
        return np.stack([self.drawing(int(n)).raster for n in numbers])


def human_drawings(place: str, split: str, size: int) -> HumanDrawings:
    """The drawings of a split in the stroke sets at `place`, files joined by "+"; raises `InputError`."""
    points, ends = [], [np.zeros(1, np.int64)]
    for name in place.split("+"):
        part, offsets = _read(name, split)
        points.append(part)
        ends.append(offsets[1:] + ends[-1][-1])
    return HumanDrawings(np.concatenate(points), np.concatenate(ends), size)


@lru_cache(maxsize=8)
def _read(place: str, split: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Points and offsets of one file's part, checked; raises only `InputError`."""
    part = PARTS[split]
    try:
        arrays = npz_arrays(Path(place))
    except InputError:
        raise
    # A damaged zip or header shows itself in many ways, a hostile one in MemoryError too.
    except Exception as error:
        raise InputError(f"is not an npz file that can be read: {error}.", place=place) from error
    if part not in arrays or f"{part}_offsets" not in arrays:
        raise InputError(
            f'holds {sorted(arrays)[:8]}, not "{part}" and "{part}_offsets".',
            place=place,
            hint="Stroke sets are npz files of stroke-3: dx, dy, pen.",
        )
    points, offsets = arrays[part], arrays[f"{part}_offsets"]
    fault = _fault(points, offsets)
    if fault:
        raise InputError(f'its "{part}" {fault}.', place=place)
    return points.astype(np.int64), offsets.astype(np.int64)


def _fault(points: NDArray[np.generic], offsets: NDArray[np.generic]) -> str:
    """What is wrong with a part; empty when nothing is."""
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype.kind not in "iu":
        return f"has the shape {points.shape} of {points.dtype}, not (P, 3) whole numbers"
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or len(offsets) < 2:
        return "has no list of offsets"
    steps = np.diff(offsets.astype(np.int64))
    if int(offsets[0]) != 0 or int(offsets[-1]) != len(points) or steps.min() < 1 or steps.max() > _LONGEST:
        return f"has offsets that are not drawings of 1 to {_LONGEST} points each"
    if np.abs(points[:, :2].astype(np.int64)).max() > 2**20:
        return "has a step of more than a million units"
    return ""
