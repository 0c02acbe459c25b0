"""Short films of pictures: animated GIF (GIF89a) or PNG (third edition, `acTL`), the last picture held."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from plaudit.errors import InputError, ResourceError, did_you_mean
from plaudit.media.gif import gif_bytes

FORMATS = ("gif", "apng")
SUFFIXES = {"gif": "gif", "apng": "png"}


@dataclass(frozen=True)
class Film:
    """Pictures of one size, and for how many milliseconds each is shown."""

    frames: Sequence[Image.Image]
    times_ms: Sequence[int]

    def encoded(self, format: str = "gif") -> bytes:
        """The film as a file, played without end; the same film gives the same bytes.

        Raises `InputError` for another format than `FORMATS`.
        """
        if format not in FORMATS:
            hint = f"{did_you_mean(format, FORMATS)} Known: {', '.join(FORMATS)}."
            raise InputError(f'no film is made as "{format}".', hint=hint)
        if format == "gif":
            return gif_bytes(self.frames, self.times_ms)
        stream = io.BytesIO()
        rest, times = list(self.frames[1:]), list(self.times_ms)
        self.frames[0].save(stream, "PNG", save_all=True, append_images=rest, duration=times, loop=0)
        return stream.getvalue()

    def save(self, path: Path) -> None:
        """Write a GIF, or for the suffix `.png` an animated PNG; raises `InputError` or `ResourceError`."""
        suffix = path.suffix.lower().removeprefix(".")
        content = self.encoded("apng" if suffix == "png" else suffix)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error
