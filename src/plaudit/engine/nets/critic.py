"""What reads items: the critic of a GAN, a surrogate of a reward, the encoder of a VAE.

Built like the generators (`generator.py`), the other way round; on the coarsest grid each channel is read by
a learned pattern, as in R3GAN. A class gates these readings, which for one output is the projection of
Miyato and Koyama, 2018: a linear reading of the item plus one that the class chooses.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from plaudit.engine.nets.generator import (
    SLOPE,
    Block,
    GeneratorConfig,
    ItemShape,
    flat_layers,
    initialise,
)
from plaudit.errors import InputError


class PictureReader(nn.Module):
    """`(B, C, H, W)` to `(B, F)`, F the channels of the coarsest grid."""

    def __init__(self, config: GeneratorConfig, shape: ItemShape) -> None:
        super().__init__()
        widths = config.widths[::-1]
        height, width = config.coarsest(shape)
        self.patch, self.features = config.patch, widths[-1]
        self.look = nn.Conv2d(shape.item[0] * config.patch**2, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Block(wide, config) for _ in range(config.blocks))) for wide in widths
        )
        pairs = itertools.pairwise(widths)
        self.turns = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in pairs)
        self.patterns = nn.Parameter(torch.zeros(widths[-1], height, width))

    def forward(self, items: Tensor) -> Tensor:
        x = functional.pixel_unshuffle(items, self.patch).contiguous(memory_format=torch.channels_last)
        x = self.look(x)
        for at, blocks in enumerate(self.blocks):
            if at:
                x = self.turns[at - 1](functional.avg_pool2d(x, 2))
            x = blocks(x)
        cells = self.patterns[0].numel()
        out: Tensor = (functional.leaky_relu(x, SLOPE) * self.patterns).sum((2, 3)) / cells**0.5
        return out


class FlatReader(nn.Module):
    """`(B, D)` to `(B, F)`, F the width of the last hidden layer."""

    def __init__(self, config: GeneratorConfig, shape: ItemShape) -> None:
        super().__init__()
        self.features = config.widths[-1]
        self.layers = flat_layers(shape.item[0], config.widths[:-1], self.features)

    def forward(self, items: Tensor) -> Tensor:
        return functional.leaky_relu(self.layers(items), SLOPE)


class Critic(nn.Module):
    """Items `(B, *item)` and labels `(B,)` int64, or None, to `(B, outputs)` float32."""

    def __init__(self, config: GeneratorConfig, shape: ItemShape, outputs: int = 1) -> None:
        super().__init__()
        self.config, self.shape = config, shape
        self.body = (PictureReader if shape.picture else FlatReader)(config, shape)
        if shape.classes:
            self.gates = nn.Embedding(shape.classes, self.body.features)
        self.out = nn.Linear(self.body.features, outputs)

    def forward(self, items: Tensor, labels: Tensor | None = None) -> Tensor:
        features: Tensor = self.body(items)
        if self.shape.classes:
            if labels is None:
                raise InputError("a critic of classes needs a label for each item.")
            features = features * (1.0 + self.gates(labels))
        out: Tensor = self.out(features)
        return out.float()

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew from `generator`."""
        initialise(self, generator)
