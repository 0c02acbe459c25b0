"""The exact state of a Gymnasium environment, read from its attributes.

Gymnasium has no `state_dict`. Classic-control and toy-text environments, and most grid worlds people
write, keep their whole state in plain attributes (numbers, arrays, tuples of them) and one NumPy
generator; those of every wrapper in the chain are saved. An environment that holds anything else (a
physics engine, a window, a process) can only be continued at the start of an episode.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

from plaudit.engine.env import State

_CONSTANT_TYPES = (gymnasium.Space, EnvSpec, gymnasium.Env, type)
_CONSTANT_NAMES = {"P", "metadata", "spec"}
"""`P` is the transition table of the toy-text environments."""


def layers(env: Any) -> list[Any]:
    """The wrapper chain from the outside to the bare environment."""
    chain = [env]
    while isinstance(chain[-1], gymnasium.Wrapper):
        chain.append(chain[-1].env)
    return chain


def is_plain(value: Any) -> bool:
    """Whether a value is a number, text, numeric array, or a list, tuple or dict of those."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(is_plain, value.values()))
    return value is None or isinstance(value, bool | int | float | str | np.number | np.bool_)


def can_resume(env: Any) -> bool:
    """Whether `save` holds all that the environment's next step depends on."""
    return all(
        name in _CONSTANT_NAMES
        or is_plain(value)
        or isinstance(value, (*_CONSTANT_TYPES, np.random.Generator))
        or (isinstance(value, np.ndarray) and value.dtype.kind == "S")
        for layer in layers(env)
        for name, value in vars(layer).items()
    )


def encode(value: Any) -> Any:
    """Write a plain value as dicts of arrays and JSON values; `decode` gives back the same types."""
    if isinstance(value, np.generic):
        return np.asarray(value)
    if isinstance(value, list | tuple):
        return {"kind": type(value).__name__, "items": {str(i): encode(v) for i, v in enumerate(value)}}
    if isinstance(value, dict):
        return {"kind": "dict", "items": {key: encode(v) for key, v in value.items()}}
    return value.copy() if isinstance(value, np.ndarray) else value


def decode(value: Any) -> Any:
    """Undo `encode`; an array of rank 0 is a NumPy scalar."""
    if isinstance(value, dict):
        items = {key: decode(v) for key, v in value["items"].items()}
        if value["kind"] == "dict":
            return items
        ordered = [items[str(i)] for i in range(len(items))]
        return tuple(ordered) if value["kind"] == "tuple" else ordered
    if isinstance(value, np.ndarray):
        return value.copy() if value.ndim else value[()]
    return value


def save(env: Any) -> State:
    """The plain attributes and the generators of every layer, by layer number."""
    return {str(i): _save_layer(layer) for i, layer in enumerate(layers(env))}


def _save_layer(layer: Any) -> State:
    attributes = vars(layer).items()
    return {
        "plain": {
            name: encode(value)
            for name, value in attributes
            if name not in _CONSTANT_NAMES and is_plain(value)
        },
        "random": {
            name: {"kind": type(value.bit_generator).__name__, "state": value.bit_generator.state}
            for name, value in attributes
            if isinstance(value, np.random.Generator)
        },
    }


def load(env: Any, state: State) -> None:
    """Put the attributes and generators back, so that the next step is the one that was to come."""
    for i, layer in enumerate(layers(env)):
        saved = state[str(i)]
        for name, value in saved["plain"].items():
            vars(layer)[name] = decode(value)
        for name, value in saved["random"].items():
            bits = getattr(np.random, value["kind"])()
            bits.state = value["state"]
            vars(layer)[name] = np.random.Generator(bits)
