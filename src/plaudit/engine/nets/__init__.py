"""Networks by family. `build` makes one from its config; a config is also a JSON mapping with a "kind"."""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from gymnasium import Space
from torch import Tensor, nn

from plaudit.errors import InputError, did_you_mean

FAMILIES = {
    "mlp": "plaudit.engine.nets.mlp:MLPConfig:MLP",
    "conv": "plaudit.engine.nets.conv:ConvConfig:build_network",
    "unet": "plaudit.engine.nets.unet:UNetConfig:refuse_space",
    "gru": "plaudit.engine.sequence.model:GRUConfig:refuse_space",
    "generator": "plaudit.engine.nets.generator:GeneratorConfig:refuse_space",
}
"""`kind -> module:config class:function of (config, observation_space, outputs)`, imported when asked for."""


def config_of(network: Any) -> Any:
    """Return the config dataclass of a mapping like `{"kind": "mlp", "hidden": [64, 64]}`."""
    if not isinstance(network, Mapping):
        return network
    fields = dict(network)
    kind = fields.pop("kind", "mlp")
    if kind not in FAMILIES:
        raise InputError(
            f'no network is called "{kind}".', place="network.kind", hint=did_you_mean(kind, FAMILIES)
        )
    module, name, _ = FAMILIES[kind].split(":")
    config = getattr(importlib.import_module(module), name)
    known = [field.name for field in dataclasses.fields(config)]
    for key in fields:
        if key not in known:
            raise InputError(
                f'the network "{kind}" has no "{key}".', place="network", hint=did_you_mean(key, known)
            )
    return config(**fields)


def describe(network: Any) -> dict[str, Any]:
    """Return the JSON mapping of a config; `config_of` reads it."""
    return {"kind": _kind(network), **dataclasses.asdict(network)}


def build(
    network: Any, observation_space: Space[Any], outputs: int, generator: torch.Generator | None = None
) -> nn.Module:
    """Make the network that maps `(B, *O)` to `(B, outputs)` with weights drawn from `generator`.

    Weights and biases are uniform within 1/sqrt(fan in), as PyTorch draws them; without a generator
    they keep what PyTorch drew.
    """
    config = config_of(network)
    module, _, function = FAMILIES[_kind(config)].split(":")
    net = cast(
        nn.Module, getattr(importlib.import_module(module), function)(config, observation_space, outputs)
    )
    if generator is not None:
        draw_weights(net, generator)
    return net


@torch.no_grad()
def draw_weights(net: nn.Module, generator: torch.Generator) -> None:
    """Draw every linear and convolutional layer anew from `generator`."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            bound = 1.0 / math.sqrt(layer.weight[0].numel())
            layer.weight.uniform_(-bound, bound, generator=generator)
            if layer.bias is not None:
                layer.bias.uniform_(-bound, bound, generator=generator)


def _kind(config: Any) -> str:
    for kind, place in FAMILIES.items():
        module, name, _ = place.split(":")
        if type(config).__module__ == module and type(config).__name__ == name:
            return kind
    raise InputError(f"{config!r} is not the config of a network.", hint=f"Known: {', '.join(FAMILIES)}.")


@torch.no_grad()
def load_weights(model: nn.Module, tensors: dict[str, Tensor], what: str = "the weights") -> None:
    """Copy stored weights into a model; raises `InputError`, naming `what`, where they are another's."""
    own = model.state_dict()
    if {name: tuple(t.shape) for name, t in own.items()} != {n: tuple(t.shape) for n, t in tensors.items()}:
        raise InputError(f"{what} are of another model than the recipe's.", place="inputs.init")
    for name, tensor in own.items():
        tensor.copy_(tensors[name])
