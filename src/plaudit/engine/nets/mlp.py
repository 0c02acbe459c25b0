"""The multilayer perceptron, and how an observation becomes the vector that it reads."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import Space, spaces
from torch import Tensor, nn

from plaudit.errors import InputError

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


@dataclass(frozen=True)
class MLPConfig:
    """A stack of fully connected layers."""

    hidden: tuple[int, ...] = (64, 64)
    """Width of each hidden layer."""
    activation: Literal["relu", "tanh"] = "relu"
    """What follows each hidden layer."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(int(width) for width in self.hidden))
        if self.activation not in ACTIVATIONS:
            raise InputError(f'activation "{self.activation}" is unknown.', hint="Known: relu, tanh.")
        if any(not 1 <= width <= 16_384 for width in self.hidden):
            raise InputError(f"hidden widths {list(self.hidden)} are not all in 1..16384.")


class Encoder(nn.Module):
    """Observation `(B, *O)` to float32 vector `(B, width)`, without parameters.

    Discrete and MultiDiscrete become one-hot; a Box of bytes up to 255 is divided by 255.
    """

    def __init__(self, space: Space[Any]) -> None:
        super().__init__()
        self.sizes, self.starts = _categories(space)
        self.scale = 1.0
        if self.sizes:
            self.width = sum(self.sizes)
        elif isinstance(space, spaces.Box | spaces.MultiBinary):
            self.width = math.prod(space.shape)
            if space.dtype == np.uint8 and isinstance(space, spaces.Box) and bool((space.high == 255).any()):
                self.scale = 1.0 / 255.0
        else:
            raise InputError(
                f"an MLP cannot read observations of {space}.",
                hint="Box, Discrete, MultiDiscrete and MultiBinary can be read; flatten the rest.",
            )

    def forward(self, obs: Tensor) -> Tensor:
        """Map `(B, *O)` to `(B, width)`."""
        if not self.sizes:
            x = obs.reshape(len(obs), self.width).float()
            return x if self.scale == 1.0 else x * self.scale
        index = obs.reshape(len(obs), len(self.sizes)).long() - torch.as_tensor(
            self.starts, device=obs.device
        )
        hot = [nn.functional.one_hot(index[:, i], n) for i, n in enumerate(self.sizes)]
        return torch.cat(hot, 1).float()


def _categories(space: Space[Any]) -> tuple[list[int], list[int]]:
    if isinstance(space, spaces.Discrete):
        return [int(space.n)], [int(space.start)]
    if isinstance(space, spaces.MultiDiscrete):
        return [int(n) for n in space.nvec.ravel()], [int(s) for s in space.start.ravel()]
    return [], []


class MLP(nn.Module):
    """Observation `(B, *O)` to `(B, outputs)`; the last layer is linear."""

    def __init__(self, config: MLPConfig, space: Space[Any], outputs: int) -> None:
        super().__init__()
        self.config = config
        self.encode = Encoder(space)
        widths = (self.encode.width, *config.hidden, outputs)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        self.activation = ACTIVATIONS[config.activation]()

    def forward(self, obs: Tensor) -> Tensor:
        x = self.encode(obs)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        out: Tensor = self.layers[-1](x)
        return out
