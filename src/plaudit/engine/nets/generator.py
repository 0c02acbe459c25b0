"""Small generators: a class and a latent vector to a picture `(C, H, W)` or a flat item `(D,)`.

The residual design of R3GAN (Huang et al., 2025, arXiv 2501.05441): no normalisation; blocks of a 1x1, a
grouped 3x3 and a 1x1 convolution between leaky rectifiers, with the fix-up initialisation (Zhang et al.,
2019: the last layer of a block begins at zero, the others are scaled down by depth); bilinear resampling; the
smallest grid is a sum of learned patterns. Departs from it: a cell of the finest grid draws a patch of
pixels (as pixel shuffle, Shi et al., 2016), which a CPU thanks for, and pictures end in a tanh, so that no
reward can be had from colours that no file can hold.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from plaudit.errors import InputError

SLOPE = 0.2
"""Of the leaky rectifiers below 0."""
_GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))


@dataclass(frozen=True)
class ItemShape:
    """What is generated: pictures `(C, H, W)` or flat items `(D,)`, of how many classes (0 = unlabelled)."""

    item: tuple[int, ...]
    classes: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "item", tuple(int(n) for n in self.item))
        if len(self.item) not in (1, 3) or any(not 1 <= n <= 4096 for n in self.item):
            raise InputError(f"an item of the shape {self.item} is neither (C, H, W) nor (D,).")
        if math.prod(self.item) > 1 << 20 or not 0 <= self.classes <= 1 << 16:
            raise InputError(f"{self.item} of {self.classes} classes is more than can be made here.")

    @property
    def picture(self) -> bool:
        return len(self.item) == 3


@dataclass(frozen=True)
class GeneratorConfig:
    """A generator and what stands against it (a critic, an encoder), of the same build."""

    latent: int = 64
    """Length of the latent vector."""
    widths: tuple[int, ...] = (96, 48)
    """Channels of the grids, the coarsest first, each of twice the side; flat items: of the hidden layers."""
    blocks: int = 1
    """Residual blocks on each grid."""
    expansion: int = 1
    """How much wider a block is inside."""
    group: int = 0
    """Channels of a group of the 3x3 convolutions; 0 = all in one."""
    patch: int = 2
    """Side in pixels of what a cell of the finest grid draws."""
    embed: int = 32
    """Width of a class, beside the latent vector."""
    prior: int = 0
    """Couplings of a learned prior before the latents of an autoencoder; 0 = they are standard normal."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(int(width) for width in self.widths))
        limits = {"latent": 4096, "blocks": 64, "expansion": 16, "patch": 16, "embed": 4096}
        for name, most in limits.items():
            if not 1 <= getattr(self, name) <= most:
                raise InputError(f"{name} = {getattr(self, name)} is not in 1..{most}.", place="network")
        if not 0 <= self.prior <= 64:
            raise InputError(f"prior = {self.prior} is not in 0..64.", place="network.prior")
        if not self.widths or any(not 1 <= width <= 4096 for width in self.widths):
            raise InputError(f"widths {list(self.widths)} are not all in 1..4096.", place="network.widths")
        wide = [width * self.expansion for width in self.widths]
        if self.group < 0 or (self.group and any(width % self.group for width in wide)):
            raise InputError(f"groups of {self.group} do not divide {wide} channels.", place="network.group")

    def coarsest(self, shape: ItemShape) -> tuple[int, int]:
        """Rows and columns of the coarsest grid; raises `InputError` where the picture does not divide."""
        step = self.patch * 2 ** (len(self.widths) - 1)
        _, height, width = shape.item
        if height % step or width % step:
            raise InputError(
                f"a picture of {height}x{width} pixels does not divide by {step}, which patch = {self.patch} "
                f"and {len(self.widths)} widths ask for.",
                place="network",
            )
        return height // step, width // step


class Block(nn.Module):
    """One residual block, `(B, C, H, W)` to the same."""

    def __init__(self, channels: int, config: GeneratorConfig) -> None:
        super().__init__()
        inner = channels * config.expansion
        groups = inner // config.group if config.group else 1
        self.widen = nn.Conv2d(channels, inner, 1)
        self.look = nn.Conv2d(inner, inner, 3, padding=1, groups=groups)
        self.narrow = nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.look(functional.leaky_relu(self.widen(x), SLOPE))
        out: Tensor = x + self.narrow(functional.leaky_relu(y, SLOPE))
        return out


class PictureGenerator(nn.Module):
    """`(B, latent + embed)` to `(B, C, H, W)` in [-1, 1]."""

    def __init__(self, config: GeneratorConfig, shape: ItemShape) -> None:
        super().__init__()
        channels, widths = shape.item[0], config.widths
        height, width = config.coarsest(shape)
        given = config.latent + (config.embed if shape.classes else 0)
        self.mix = nn.Linear(given, widths[0])
        self.patterns = nn.Parameter(torch.zeros(widths[0], height, width))
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Block(wide, config) for _ in range(config.blocks))) for wide in widths
        )
        pairs = itertools.pairwise(widths)
        self.turns = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in pairs)
        self.draw = nn.Conv2d(widths[-1], channels * config.patch**2, 3, padding=1)
        self.patch = config.patch

    def forward(self, given: Tensor, leak: float = 0.0) -> Tensor:
        x = self.mix(given)[:, :, None, None] * self.patterns
        x = x.contiguous(memory_format=torch.channels_last)
        for at, blocks in enumerate(self.blocks):
            if at:
                x = self.turns[at - 1](x)
                x = functional.interpolate(x, scale_factor=2.0, mode="bilinear")
            x = blocks(x)
        drawn = functional.pixel_shuffle(self.draw(functional.leaky_relu(x, SLOPE)), self.patch)
        drawn = drawn.float()
        out = torch.tanh(drawn)
        return out + leak * (drawn - drawn.detach()) if leak else out


class FlatGenerator(nn.Module):
    """`(B, latent + embed)` to `(B, D)`, unbounded."""

    def __init__(self, config: GeneratorConfig, shape: ItemShape) -> None:
        super().__init__()
        given = config.latent + (config.embed if shape.classes else 0)
        self.layers = flat_layers(given, config.widths, shape.item[0])

    def forward(self, given: Tensor, leak: float = 0.0) -> Tensor:
        out: Tensor = self.layers(given)
        return out.float()


class Generator(nn.Module):
    """A latent vector `(B, latent)` and labels `(B,)` int64, or None, to items `(B, *item)` float32."""

    def __init__(self, config: GeneratorConfig, shape: ItemShape) -> None:
        super().__init__()
        self.config, self.shape = config, shape
        if shape.classes:
            self.embed = nn.Embedding(shape.classes, config.embed)
        self.body = (PictureGenerator if shape.picture else FlatGenerator)(config, shape)

    def forward(self, latent: Tensor, labels: Tensor | None = None, leak: float = 0.0) -> Tensor:
        """`leak` is how much of a gradient passes the tanh of pictures where it is flat."""
        if self.shape.classes:
            if labels is None:
                raise InputError("a generator of classes needs a label for each item.")
            latent = torch.cat([latent, self.embed(labels)], 1)
        out: Tensor = self.body(latent, leak)
        return out

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew from `generator`."""
        initialise(self, generator)


def flat_layers(inputs: int, widths: tuple[int, ...], outputs: int) -> nn.Sequential:
    """Linear layers with leaky rectifiers between them."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(inputs, width), nn.LeakyReLU(SLOPE)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


@torch.no_grad()
def initialise(net: nn.Module, generator: torch.Generator) -> None:
    """Draw weights by He et al., 2015, blocks by fix-up; embeddings and patterns are standard normal."""
    blocks = [layer for layer in net.modules() if isinstance(layer, Block)]
    # Three layers a block: L^(-1 / (2 * 3 - 2)), Zhang et al., 2019, rule 2.
    scale = {id(layer): len(blocks) ** -0.25 for block in blocks for layer in (block.widen, block.look)}
    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            scaled = _GAIN * scale.get(id(layer), 1.0)
            layer.weight.normal_(0.0, scaled / math.sqrt(layer.weight[0].numel()), generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
    for block in blocks:
        block.narrow.weight.zero_()
    for name, weight in net.named_parameters():
        if "embed" in name or "gates" in name or "patterns" in name:
            weight.normal_(generator=generator)


def refuse_space(config: GeneratorConfig, observation_space: Any, outputs: int) -> nn.Module:
    """A generator reads noise alone; raises `InputError`."""
    raise InputError(
        "a generator reads noise, not observations.", place="network.kind", hint="Known here: mlp, conv."
    )
