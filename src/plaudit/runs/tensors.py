"""Tensors to bytes and back in the safetensors format, under limits checked before any allocation.

The format holds no code: eight bytes of header length, a JSON header, raw data. What is left to
guard against is a header that claims too much, so it is read and checked here first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as _load
from safetensors.torch import save as _save
from torch import Tensor

from plaudit.errors import InputError
from plaudit.runs.disk import megabytes, read_limited

_ITEM_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


@dataclass(frozen=True)
class Limits:
    """The most that a file may claim; sizes in bytes."""

    file: int = 1 << 35
    header: int = 1 << 24
    tensors: int = 100_000
    rank: int = 16


def encode(tensors: Mapping[str, Tensor]) -> bytes:
    """Return the safetensors file of `tensors`, the same bytes for the same tensors."""
    seen: set[int] = set()
    plain: dict[str, Tensor] = {}
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        storage = tensor.untyped_storage()
        # The format refuses memory shared between names, and a view would drag its whole storage along.
        shared = storage.data_ptr() in seen or storage.nbytes() != tensor.nbytes
        plain[name] = tensor.clone() if shared else tensor
        seen.add(storage.data_ptr())
    return bytes(_save(plain))


def read(path: Path, limits: Limits | None = None) -> dict[str, Tensor]:
    """Read a safetensors file; raises only `InputError`."""
    limits = limits or Limits()
    return decode(read_limited(path, limits.file), str(path), limits)


def decode(data: bytes, place: str, limits: Limits | None = None) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file held in memory; raises only `InputError`."""
    check_header(data, place, limits or Limits())
    try:
        return dict(_load(data))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"not a valid safetensors file: {error}.", place=place) from error


def check_header(data: bytes, place: str, limits: Limits) -> None:
    """Raise `InputError` unless the header claims exactly what the file holds, within the limits."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(limits.header, len(data) - 8):
        claim = f"its header claims {megabytes(length)}, " if len(data) >= 8 else ""
        raise InputError(f"not a safetensors file: {claim}the file has {megabytes(len(data))}.", place=place)
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise InputError(f"the safetensors header is not JSON: {error}.", place=place) from error
    if not isinstance(header, dict) or len(header) > limits.tensors:
        raise InputError(f"the safetensors header lists no tensors, or over {limits.tensors:,}.", place=place)
    header.pop("__metadata__", None)
    total = sum(_claimed(name, entry, place, limits) for name, entry in header.items())
    if total != len(data) - 8 - length:
        held = len(data) - 8 - length
        raise InputError(
            f"the header claims {total:,} bytes of tensors, the file holds {held:,}.", place=place
        )


def _claimed(name: str, entry: Any, place: str, limits: Limits) -> int:
    """Return the bytes that one tensor claims."""
    known = isinstance(entry, dict) and isinstance(entry.get("dtype"), str) and entry["dtype"] in _ITEM_BYTES
    shape: Any = entry.get("shape") if known else None
    sizes = isinstance(shape, list) and all(type(size) is int and 0 <= size < 1 << 48 for size in shape)
    if not sizes or len(shape) > limits.rank:
        raise InputError(f'the tensor "{name[:80]}" has no valid type and shape.', place=place)
    return int(prod(shape)) * _ITEM_BYTES[entry["dtype"]]


def listing(tensors: Mapping[str, Tensor]) -> dict[str, list[Any]]:
    """Return `name -> [dtype, shape]` as JSON.

    >>> import torch
    >>> listing({"w": torch.zeros(2, 3)})
    {'w': ['float32', [2, 3]]}
    """
    return {name: [str(t.dtype).removeprefix("torch."), list(t.shape)] for name, t in sorted(tensors.items())}


def check_match(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], place: str) -> None:
    """Raise `InputError` unless both hold the same names, types and shapes."""
    have, want = listing(found), listing(wanted)
    for name in sorted(have.keys() | want.keys()):
        if have.get(name) != want.get(name):
            raise InputError(
                f'foreign tensors: "{name}" is {_shown(have.get(name))} in the file, '
                f"{_shown(want.get(name))} in the model.",
                place=place,
                hint="The checkpoint was made by another recipe: use the recipe it was made with.",
            )


def _shown(entry: list[Any] | None) -> str:
    return "absent" if entry is None else f"{entry[0]} {tuple(entry[1])}"
