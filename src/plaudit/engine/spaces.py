"""Gymnasium spaces as JSON and back: what a stored policy knows of its observations and actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import Space, spaces

from plaudit.errors import InputError

_LARGEST = 2**31


def describe(space: Space[Any]) -> dict[str, Any]:
    """Return the JSON description of a Discrete, MultiDiscrete, MultiBinary or Box space.

    >>> describe(spaces.Discrete(4))
    {'type': 'discrete', 'n': 4, 'start': 0}
    """
    if isinstance(space, spaces.Discrete):
        return {"type": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"type": "multi-discrete", "nvec": space.nvec.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"type": "multi-binary", "shape": list(space.shape)}
    if isinstance(space, spaces.Box):
        shape, dtype = list(space.shape), str(space.dtype)
        return {
            "type": "box",
            "low": _bound(space.low),
            "high": _bound(space.high),
            "shape": shape,
            "dtype": dtype,
        }
    raise InputError(
        f"the space {space} cannot be stored.", hint="Discrete, MultiDiscrete, MultiBinary and Box can."
    )


def rebuild(description: dict[str, Any]) -> Space[Any]:
    """Make the space that `describe` described; raises `InputError` on anything else."""
    try:
        kind = description["type"]
        if kind == "discrete":
            return spaces.Discrete(_size(description["n"]), start=int(description["start"]))
        if kind == "multi-discrete":
            return spaces.MultiDiscrete(np.array(description["nvec"], dtype=np.int64))
        if kind == "multi-binary":
            return spaces.MultiBinary([_size(n) for n in description["shape"]])
        if kind == "box":
            return _box(description)
    except (KeyError, TypeError, ValueError, OverflowError, AssertionError) as error:
        raise InputError(f"the stored space {description} is not complete: {error!r}.") from error
    raise InputError(
        f'no space is of type "{kind}".', hint="Known: box, discrete, multi-binary, multi-discrete."
    )


def _box(description: dict[str, Any]) -> Space[Any]:
    shape = tuple(_size(n) for n in description["shape"])
    if np.prod(shape, dtype=np.float64) > _LARGEST:
        raise ValueError(f"shape {shape} is too large")
    dtype = np.dtype(description["dtype"])
    low, high = (_unbound(description[side], shape, dtype) for side in ("low", "high"))
    return spaces.Box(low, high, shape, dtype.type)


def _size(value: Any) -> int:
    if not 0 < int(value) <= _LARGEST:
        raise ValueError(f"size {value} is out of range")
    return int(value)


def _bound(bound: Any) -> Any:
    """One number where the bound is the same everywhere; infinity, which JSON lacks, as a word."""
    values = np.unique(bound)
    flat = values if len(values) == 1 else np.ravel(bound)
    words = [v.item() if np.isfinite(v) else str(float(v)) for v in flat]
    return words[0] if len(values) == 1 else words


def _unbound(stored: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    values = stored if isinstance(stored, list) else [stored]
    numbers = np.array([float(v) for v in values] if dtype.kind == "f" else values).astype(dtype)
    return np.broadcast_to(numbers[0], shape) if len(numbers) == 1 else numbers.reshape(shape)
