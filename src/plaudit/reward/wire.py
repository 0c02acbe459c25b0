"""Frames between a training and the child process of a user's term: JSON and plain arrays, no pickle.

A frame is two lengths, a JSON head and the arrays' bytes, each array aligned to 64 bytes. The head
says dtype and shape of every array; object dtypes do not travel.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import PlauditError

_LENGTHS = struct.Struct("<QQ")
_ALIGN = 64
_LARGEST = 1 << 32
"""Bytes: a frame that claims more is refused before anything is allocated."""
_READ = 1 << 18
"""Bytes asked for at first: a usual frame comes in one system call."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass
class Frame:
    """One message: a JSON object and the arrays that it refers to by number."""

    head: dict[str, Any]
    arrays: list[NDArray[Any]] = field(default_factory=list)


class Stream:
    """One side of a conversation of frames, in which the two sides take turns."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        # Kept, as fresh pages for every frame cost more than the frame.
        self._read = bytearray(_READ)

    def send(self, frame: Frame) -> None:
        """Write one frame; raises OSError when the other side is gone."""
        kinds = [(array.dtype.str, array.shape) for array in frame.arrays]
        head = _encode([frame.head, kinds]).encode()
        parts: list[Any] = [b"", head]
        for array in frame.arrays:
            parts += [np.ascontiguousarray(array).reshape(-1).view(np.uint8), bytes(-array.nbytes % _ALIGN)]
        body = sum(array.nbytes + -array.nbytes % _ALIGN for array in frame.arrays)
        parts[0] = _LENGTHS.pack(len(head), body)
        self.sock.sendall(b"".join(parts))

    def receive(self) -> Frame:
        """Read one frame; its arrays are the reader's own.

        Raises EOFError at the end of the stream or for what is no frame, TimeoutError when the
        socket's timeout passes without a byte.
        """
        whole = self._read
        got = self._fetch(whole, 0, _LENGTHS.size)
        head_size, body_size = _LENGTHS.unpack_from(whole)
        if head_size + body_size > _LARGEST:
            raise EOFError("the stream is not a frame")
        body_at = _LENGTHS.size + head_size
        if body_at + body_size > _READ:
            whole = bytearray(body_at + body_size)
            whole[:got] = self._read[:got]
        self._fetch(whole, got, body_at + body_size)
        head, kinds = json.loads(whole[_LENGTHS.size : body_at])
        return Frame(head, _arrays(kinds, np.frombuffer(whole, np.uint8, body_size, body_at).copy()))

    def _fetch(self, buffer: bytearray, got: int, wanted: int) -> int:
        """Fill the buffer from `got` on until `wanted` bytes are there; return how many are."""
        with memoryview(buffer) as view:
            while got < wanted:
                part = self.sock.recv_into(view[got:])
                if part == 0:
                    raise EOFError("the other side closed the stream")
                got += part
        return got


def _arrays(kinds: list[Any], body: NDArray[np.uint8]) -> list[NDArray[Any]]:
    arrays: list[NDArray[Any]] = []
    at = 0
    for name, shape in kinds:
        dtype = np.dtype(name)
        size = math.prod(shape) * dtype.itemsize
        arrays.append(body[at : at + size].view(dtype).reshape(shape))
        at += size + -size % _ALIGN
    return arrays


def pack(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Put an array, a list of arrays or a list of JSON objects into a frame; return its description.

    Tensors travel as arrays, dataclasses and models as JSON objects. Raises `PlauditError` for
    anything else.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        return {"array": _add(value, arrays)}
    if isinstance(value, Sequence) and value and all(hasattr(part, "__array__") for part in value):
        return {"arrays": [pack(part, arrays)["array"] for part in value]}
    plain = [plain_object(part) for part in value]
    try:
        return {"json": json.dumps(plain)}
    except (TypeError, ValueError) as error:
        raise PlauditError(f"items of this kind cannot travel to a child process: {error}.") from error


def _add(array: NDArray[Any], arrays: list[NDArray[Any]]) -> int:
    if array.dtype.hasobject:
        raise PlauditError(f"an array of dtype {array.dtype} cannot travel to a child process.")
    arrays.append(array)
    return len(arrays) - 1


def unpack(description: Any, arrays: list[NDArray[Any]]) -> Any:
    """Return what `pack` described."""
    if "array" in description:
        return arrays[description["array"]]
    if "arrays" in description:
        return [arrays[at] for at in description["arrays"]]
    return json.loads(description["json"])


def plain_object(value: Any) -> Any:
    """Return a dict of the fields of a model or dataclass; anything else as it is."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return dict(value) if isinstance(value, Mapping) else value
