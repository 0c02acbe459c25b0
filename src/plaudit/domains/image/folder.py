"""A folder of pictures: flat, or one subfolder a class. What cannot be used is skipped and said."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.sets import UNLABELLED, PictureSet, Skipped, class_name, shown, split_by_content
from plaudit.domains.image.sizing import LARGEST, checked_side, squared, stacked
from plaudit.errors import InputError
from plaudit.media import cache
from plaudit.media.limits import Limits
from plaudit.media.picture import SUFFIXES, read_picture

FEWEST = 20
"""Different pictures without which there is nothing to learn, to judge and to test on."""
MOST_FILES = 100_000
VERSION = "pictures 1"
"""Of the cache: raised whenever what is kept changes."""
_LIMITS = Limits(pixels=64 * 2**20)
_FEW = f"At least {FEWEST} different pictures are needed: most to learn from, some to judge by."
Say = Callable[[str], None]


@dataclass
class Listing:
    """Files of pictures with their classes, and what lies beside them."""

    paths: list[Path] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def picture_folder(folder: Path, side: int | None = None, say: Say | None = None) -> PictureSet:
    """Read every picture of a folder, from the cache where it lies there; raises only `InputError`."""
    checked_side(side, 0, 3)
    listing = listed(folder)
    if not listing.paths:
        raise InputError(f"holds no pictures ({', '.join(SUFFIXES)}).", place=shown(folder), hint=_FEW)
    path = cache.place_of(listing.paths, f"{VERSION} {side} {listing.names}", "image")
    held = cache.kept(path)
    if held is None or held.keys() != {"images", "at", "name"}:
        images, at, skipped = _read(listing, side, say or cache.to_stderr)
        cache.keep(path, [f"{one.place}\n{one.reason}" for one in skipped], {"images": images, "at": at})
    else:
        images, at = held["images"], held["at"]
        skipped = [Skipped(*text.split("\n", 1)) for text in held["name"]]
    labels = np.array(listing.labels, np.int64)[at]
    left_out = (*listing.skipped, *skipped)
    return finished(images, labels, tuple(listing.names), str(folder), left_out)


def finished(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    source: str,
    skipped: tuple[Skipped, ...] = (),
) -> PictureSet:
    """The set of pictures that bring no split; raises `InputError` where they are too few."""
    different = len({image.tobytes() for image in images})
    if different < FEWEST:
        first = f" The first that was skipped: {skipped[0]}." if skipped else ""
        held = f"holds {len(images)} usable pictures, {different} of them different."
        raise InputError(held + first, place=shown(source), hint=_FEW)
    return PictureSet(images, labels, names, split_by_content(images), shown(source), skipped)


def listed(folder: Path) -> Listing:
    """The pictures of a folder, or those of its subfolders if these hold any; names need not be UTF-8."""
    listing = Listing()
    inner = [path for path in _entries(folder) if path.is_dir() and not path.name.startswith(".")]
    for place in inner:
        _add(listing, place, len(listing.names), class_name(place.name))
    if listing.paths:
        loose = [path for path in _entries(folder) if _is_picture(path)]
        listing.skipped += [Skipped(shown(path), "lies beside the classes' folders") for path in loose]
    else:
        _add(listing, folder, UNLABELLED, "")
    if len(listing.paths) > MOST_FILES:
        raise InputError(
            f"holds {len(listing.paths):,} pictures; at most {MOST_FILES:,} are read.", place=shown(folder)
        )
    return listing


def _add(listing: Listing, folder: Path, label: int, name: str) -> None:
    found = [path for path in _entries(folder) if not path.name.startswith(".") and not path.is_dir()]
    pictures = [path for path in found if _is_picture(path)]
    if pictures and label != UNLABELLED:
        listing.names.append(name)
    listing.paths += pictures
    listing.labels += [label] * len(pictures)
    others = [path for path in found if not _is_picture(path)]
    listing.skipped += [Skipped(shown(path), "is not a picture by its name") for path in others]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=os.fsencode)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}.", place=shown(folder)) from error


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _read(
    listing: Listing, side: int | None, say: Say
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[Skipped]]:
    """Pixels `(N, side, side, C)`, which of the listed files they are `(N,)`, and what was skipped."""
    pictures, at, skipped = [], [], []
    for number, path in enumerate(listing.paths):
        if number % 2000 == 0 and number:
            say(f"reading pictures: {number:,} of {len(listing.paths):,}")
        try:
            pixels = read_picture(path, _LIMITS)
        except InputError as error:
            skipped.append(Skipped(shown(path), error.message))
            continue
        # Large ones are not held in full: no side beyond the largest is chosen by itself.
        edge = min(pixels.shape[:2])
        keep = side or min(edge, LARGEST)
        pictures.append(squared(pixels, keep))
        at.append(number)
    say(f"read {len(pictures):,} pictures; skipped {len(skipped) + len(listing.skipped):,}")
    for one in [*listing.skipped, *skipped][:5]:
        say(f"  {one}")
    if not pictures:
        raise InputError(f"no picture could be read; the first: {skipped[0]}", hint=_FEW)
    return stacked(pictures, side), np.array(at, np.int64), skipped
