"""Writing to a disk that may be full, read-only, failing or gone: atomic files, plain errors.

A file is written whole under a temporary name in its own folder, flushed to the disk, renamed, and
the folder flushed: a reader, or a machine that loses power, sees the old file or the new one.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from plaudit.errors import InputError, ResourceError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE}


@contextmanager
def plain_errors(path: Path, size: int = 0) -> Iterator[None]:
    """Turn any `OSError` inside into a `ResourceError` that says what happened to `path` and what to do.

    `size` is the number of bytes that were to be written, for the message of a full disk.
    """
    try:
        yield
    except OSError as error:
        raise ResourceError(_explain(error, path, size), place=str(path)) from error


def _explain(error: OSError, path: Path, size: int) -> str:
    if error.errno in _FULL:
        need = (
            f" Free at least {megabytes(2 * size)}, then go on." if size else " Free some space, then go on."
        )
        return f"the disk is full; what was saved before is intact.{need}"
    if error.errno in _FORBIDDEN:
        return "the folder cannot be written (read-only, or not yours); what was saved before is intact."
    if error.errno in _GONE:
        return "the folder is gone: it was moved or deleted while in use."
    if error.errno == errno.EIO:
        return "the disk reports an input/output error; what was saved before is intact."
    return f"the system refused: {error.strerror or error}."


def megabytes(size: float) -> str:
    """Write a number of bytes for people.

    >>> megabytes(2_500_000)
    '2.5 MB'
    """
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace the file `path` by `data`, whole or not at all; raises `ResourceError`.

    `durable=False` spares the flush to the disk: for files that are rewritten every second.
    """
    part = path.with_name(f".{path.name}.part")
    with plain_errors(path, len(data)):
        try:
            _write(part, data, durable)
            os.replace(part, path)
        except OSError:
            with suppress(OSError):
                os.unlink(part)
            raise
        if durable:
            sync_folder(path.parent)


def _write(path: Path, data: bytes, durable: bool) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        write_all(handle, data)
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, data: bytes) -> None:
    """Write every byte to an open file: the system may take less than it is given."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and flush its name; fine when it exists."""
    with plain_errors(folder):
        if not folder.is_dir():
            os.mkdir(folder)
            sync_folder(folder.parent)


def remove_folder(folder: Path, first: str) -> None:
    """Remove a folder, the file `first` durably before the rest: half removed, it is not complete."""
    with plain_errors(folder):
        with suppress(FileNotFoundError):
            os.unlink(folder / first)
            sync_folder(folder)
        shutil.rmtree(folder)


def check_space(folder: Path, needed: int) -> None:
    """Raise `ResourceError` unless the disk of `folder` has `needed` bytes free."""
    with plain_errors(folder):
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise ResourceError(
            f"the run needs about {megabytes(needed)} on this disk, {megabytes(free)} are free.",
            place=str(folder),
            hint=f"Free {megabytes(needed - free)} or choose another folder with --out.",
        )


def read_limited(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; raises `InputError`."""
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "is missing"
            raise InputError(f"{what}.", place=str(path))
        size = path.stat().st_size
        if size > limit:
            raise InputError(
                f"{megabytes(size)} is more than the limit of {megabytes(limit)}.", place=str(path)
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}.", place=str(path)) from error
