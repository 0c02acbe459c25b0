"""A small fully convolutional network over grids `(H, W, C)`, for editors that act on cells.

Residual as in He et al., 2016, optionally dilated (Yu and Koltun, 2016) so that a few layers see a whole
level. Three ways out: "cells" puts out T numbers for every cell, at any H and W at run time; "pooled"
averages and maximises over cells, also at any size; "flat" reads every position, at one size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import Space, spaces
from torch import Tensor, nn

from plaudit.errors import InputError


@dataclass(frozen=True)
class ConvConfig:
    """A stack of convolutions that keep the grid's size, and a head."""

    channels: int = 32
    """Width of every layer."""
    layers: int = 4
    """Number of convolutions."""
    kernel: int = 3
    """Side of each kernel in cells, odd."""
    dilations: tuple[int, ...] = (1,)
    """Spacing of the kernels' cells, taken in turn by the layers: `(1, 2, 4)` sees far with few layers."""
    residual: bool = True
    """Add each layer's input to its output, the first layer excepted."""
    head: Literal["cells", "pooled", "flat"] = "cells"
    """"cells": outputs for each cell, what does not divide by the cells is pooled; "pooled"; "flat"."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(int(d) for d in self.dilations))
        sizes = {"channels": self.channels, "layers": self.layers, "kernel": self.kernel}
        wrong = {name: n for name, n in sizes.items() if not 1 <= n <= 4096}
        if wrong or self.kernel % 2 == 0:
            raise InputError(
                f"{wrong or sizes}: sizes lie in 1..4096 and the kernel is odd.", place="network"
            )
        if not self.dilations or any(not 1 <= d <= 256 for d in self.dilations):
            raise InputError(
                f"dilations {list(self.dilations)} are not in 1..256.", place="network.dilations"
            )
        if self.head not in ("cells", "pooled", "flat"):
            raise InputError(
                f'head "{self.head}" is unknown.', place="network.head", hint="Known: cells, pooled, flat."
            )


class Grid(nn.Module):
    """Observation `(B, H, W, C)` or `(B, H, W)` to float32 `(B, C, H, W)`, without parameters.

    Bytes up to 255 are divided by 255.
    """

    def __init__(self, space: Space[Any]) -> None:
        super().__init__()
        if not isinstance(space, spaces.Box) or len(space.shape) not in (2, 3):
            raise InputError(
                f"a convolutional network cannot read observations of {space}.",
                place="network",
                hint='A Box of shape (H, W, C) or (H, W) can be read; for the rest take kind = "mlp".',
            )
        self.height, self.width = space.shape[:2]
        self.channels = space.shape[2] if len(space.shape) == 3 else 1
        bytes_ = space.dtype == np.uint8 and bool((space.high == 255).any())
        self.scale = 1.0 / 255.0 if bytes_ else 1.0

    def forward(self, obs: Tensor) -> Tensor:
        grid = obs if obs.dim() == 4 else obs[..., None]
        x = grid.float().permute(0, 3, 1, 2)
        return x if self.scale == 1.0 else x * self.scale


class Trunk(nn.Module):
    """The convolutions: `(B, C, H, W)` to `(B, channels, H, W)`, both positive and of the same size."""

    def __init__(self, config: ConvConfig, channels: int) -> None:
        super().__init__()
        self.residual = config.residual
        self.layers = nn.ModuleList()
        for i in range(config.layers):
            dilation = config.dilations[i % len(config.dilations)]
            self.layers.append(
                nn.Conv2d(
                    channels if i == 0 else config.channels,
                    config.channels,
                    config.kernel,
                    padding=dilation * (config.kernel // 2),
                    dilation=dilation,
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers[0](x).relu()
        for layer in self.layers[1:]:
            y = layer(x)
            x = (x + y if self.residual else y).relu()
        return x


class Pooled(nn.Module):
    """Mean and maximum over the cells, then two linear layers: `(B, channels, H, W)` to `(B, outputs)`."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.mix = nn.Linear(2 * channels, 2 * channels)
        self.out = nn.Linear(2 * channels, outputs)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        out: Tensor = self.out(self.mix(pooled).relu())
        return out


class Cells(nn.Module):
    """T outputs for each cell in row-major order, tile last, then the pooled rest."""

    def __init__(self, channels: int, tiles: int, rest: int) -> None:
        super().__init__()
        self.each = nn.Conv2d(channels, tiles, 1) if tiles else None
        self.rest = Pooled(channels, rest) if rest else None

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        if self.each is not None:
            # Output (y * W + x) * T + tile, so that a grid of another size only has more of them.
            parts.append(self.each(x).permute(0, 2, 3, 1).flatten(1))
        if self.rest is not None:
            parts.append(self.rest(x))
        return torch.cat(parts, 1)


class ConvNet(nn.Module):
    """Observation `(B, H, W, C)` to `(B, outputs)`."""

    def __init__(self, config: ConvConfig, space: Space[Any], outputs: int) -> None:
        super().__init__()
        self.config = config
        self.grid = Grid(space)
        self.trunk = Trunk(config, self.grid.channels)
        cells = self.grid.height * self.grid.width
        self.out: nn.Module
        if config.head == "flat":
            self.out = nn.Sequential(nn.Flatten(), nn.Linear(cells * config.channels, outputs))
        elif config.head == "pooled":
            self.out = Pooled(config.channels, outputs)
        else:
            self.out = Cells(config.channels, *divmod(outputs, cells))

    @property
    def last_layers(self) -> list[nn.Module]:
        """The layers that write the output, whose first weights decide how uniform a new policy is."""
        if isinstance(self.out, nn.Sequential):
            return [self.out[-1]]
        pooled = self.out.rest if isinstance(self.out, Cells) else self.out
        layers = [pooled.out] if isinstance(pooled, Pooled) else []
        return layers + ([self.out.each] if isinstance(self.out, Cells) and self.out.each else [])

    def forward(self, obs: Tensor) -> Tensor:
        out: Tensor = self.out(self.trunk(self.grid(obs)))
        return out


def build_network(config: ConvConfig, observation_space: Space[Any], outputs: int) -> ConvNet:
    """Make the network; raises `InputError` for an observation it cannot read or an absurd size."""
    net = ConvNet(config, observation_space, outputs)
    if sum(math.prod(p.shape) for p in net.parameters()) > 2**28:
        raise InputError("the network has more than 268 million weights.", place="network")
    return net
