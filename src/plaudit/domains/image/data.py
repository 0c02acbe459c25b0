"""Sets of small pictures from everywhere: what a name or a path stands for.

Built in, without any download: "shapes" and "glyphs" are drawn, "digits" comes with scikit-learn. A path is a
folder of idx files, an `.npz`, a `.parquet`, or a folder of pictures, flat or one subfolder a class. Whatever
brings no split of its own is split by content. What is not there is also looked for in the folder that
`PLAUDIT_DATA` names, so that recipes can say "mnist" on every machine.
"""

from __future__ import annotations

import os
from pathlib import Path

from plaudit.domains.image.arrays import npz_file
from plaudit.domains.image.digits import digits
from plaudit.domains.image.folder import FEWEST, Say, picture_folder
from plaudit.domains.image.glyphs import glyphs
from plaudit.domains.image.idx import idx_folder, read_idx
from plaudit.domains.image.parquet import parquet_file
from plaudit.domains.image.sets import SPLITS, UNLABELLED, PictureSet, Skipped, shown
from plaudit.domains.image.shapes import shapes
from plaudit.domains.image.sizing import checked_side
from plaudit.errors import InputError, did_you_mean

__all__ = [
    "BUILT_IN",
    "FEWEST",
    "SPLITS",
    "UNLABELLED",
    "PictureSet",
    "Skipped",
    "idx_folder",
    "load_pictures",
    "read_idx",
]


def load_pictures(place: str | Path, side: int | None = None, say: Say | None = None) -> PictureSet:
    """Read a set; raises `InputError`, or `MissingExtra` where a library is not installed.

    `side` in pixels is chosen where it is not given: the source's own within 28 to 64. What was skipped
    stands in the set, and the first of it is said.
    """
    checked_side(side, 0, 3)
    if str(place) in BUILT_IN:
        return BUILT_IN[str(place)](side)
    path = found(place)
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError) as error:
        raise InputError(f"is no path: {error}.", place=shown(place)) from error
    if is_folder:
        return _from_folder(path, side, say)
    if is_file and path.suffix.lower() in _FILES:
        return _FILES[path.suffix.lower()](path, side)
    what = "is no folder, .npz or .parquet file." if is_file else "is not there."
    hint = f"{did_you_mean(str(place), BUILT_IN)} Or put it into the folder that {DATA} names."
    raise InputError(what, place=shown(place), hint=hint)


def found(place: str | Path) -> Path:
    """The path of a set: as given, else below the folder that `PLAUDIT_DATA` names."""
    path, home = Path(place), os.environ.get(DATA)
    try:
        elsewhere = home and not path.is_absolute() and not path.exists() and (Path(home) / path).exists()
    except (OSError, ValueError):
        return path
    return Path(home) / path if home and elsewhere else path


def _from_folder(folder: Path, side: int | None, say: Say | None) -> PictureSet:
    if any((folder / f"train-images-idx3-ubyte{packed}").exists() for packed in ("", ".gz")):
        return idx_folder(folder, side)
    return picture_folder(folder, side, say)


DATA = "PLAUDIT_DATA"
"""Environment variable with the folder of the user's own sets, by name."""
BUILT_IN = {"shapes": shapes, "glyphs": glyphs, "digits": digits}
_FILES = {".npz": npz_file, ".parquet": parquet_file}
