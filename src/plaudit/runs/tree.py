"""A nested state as flat tensors plus a JSON skeleton, and back, exactly and without pickle.

Tensors, NumPy arrays and NumPy scalars go to the flat part under their path (`buffer/obs`); in the
skeleton stands where each belongs. Everything else must be what JSON can say: strings, numbers
(Python integers of any size, floats bit for bit), booleans, None, lists, tuples and dicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_MARK = "$"
"""A skeleton dict with this key is not a plain dict: its value says what it stands for."""


def flatten(state: Any) -> tuple[dict[str, Tensor], Any]:
    """Return `(tensors, skeleton)`; raises `TypeError` naming the path of what cannot be stored."""
    tensors: dict[str, Tensor] = {}
    return tensors, _encode(state, "", tensors)


def unflatten(skeleton: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return the state; raises `ValueError` unless skeleton and tensors belong together."""
    rest = dict(tensors)
    state = _decode(skeleton, rest)
    if rest:
        raise ValueError(f'the tensor "{next(iter(rest))}" belongs nowhere')
    return state


def _encode(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[path] = value.detach()
        return {_MARK: "tensor", "at": path}
    if isinstance(value, np.ndarray | np.generic):
        tensors[path] = _from_numpy(np.asarray(value), path)
        return {_MARK: "array" if isinstance(value, np.ndarray) else "scalar", "at": path}
    if isinstance(value, float) and not math.isfinite(value):
        return {_MARK: "float", "value": repr(value)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is dict:
        return _encode_dict(value, path, tensors)
    if type(value) in (list, tuple):
        items = [_encode(item, _join(path, i), tensors) for i, item in enumerate(value)]
        return items if type(value) is list else {_MARK: "tuple", "items": items}
    raise TypeError(f"state at {path or 'top'}: a checkpoint cannot hold a {type(value).__name__}")


def _encode_dict(value: dict[Any, Any], path: str, tensors: dict[str, Tensor]) -> Any:
    encoded = [(key, _encode(item, _join(path, key), tensors)) for key, item in value.items()]
    if all(type(key) is str and key != _MARK for key in value):
        return dict(encoded)
    if not all(type(key) in (str, int) for key in value):
        raise TypeError(f"state at {path or 'top'}: keys must be strings or integers")
    return {_MARK: "dict", "items": [list(pair) for pair in encoded]}


def _join(path: str, key: Any) -> str:
    # Escaped as in a JSON pointer; integers are marked, so that {1: a, "1": b} stays two paths.
    name = (
        f"#{key}" if type(key) is int else str(key).replace("~", "~0").replace("/", "~1").replace("#", "~2")
    )
    return f"{path}/{name}" if path else name


def _from_numpy(array: np.ndarray[Any, Any], path: str) -> Tensor:
    try:
        return torch.from_numpy(np.array(array, order="C"))
    except TypeError as error:
        raise TypeError(f"state at {path or 'top'}: a checkpoint cannot hold {array.dtype} arrays") from error


def _decode(node: Any, rest: dict[str, Tensor]) -> Any:
    if isinstance(node, list):
        return [_decode(item, rest) for item in node]
    if not isinstance(node, dict):
        return node
    if _MARK not in node:
        return {key: _decode(item, rest) for key, item in node.items()}
    return _decode_mark(node, rest)


def _decode_mark(node: dict[str, Any], rest: dict[str, Tensor]) -> Any:
    kind = node[_MARK]
    if kind in ("tensor", "array", "scalar"):
        return _take(kind, str(node.get("at")), rest)
    if kind == "float" and node.get("value") in ("nan", "inf", "-inf"):
        return float(node["value"])
    items = node.get("items")
    if kind == "tuple" and isinstance(items, list):
        return tuple(_decode(item, rest) for item in items)
    if kind == "dict" and isinstance(items, list):
        return {key: _decode(item, rest) for key, item in items}
    raise ValueError(f"unknown mark {kind!r}")


def _take(kind: str, path: str, rest: dict[str, Tensor]) -> Any:
    if path not in rest:
        raise ValueError(f'the tensor "{path}" is missing')
    tensor = rest.pop(path)
    if kind == "tensor":
        return tensor
    array = tensor.numpy()
    return array if kind == "array" else array[()]
