"""A small U-Net over pictures (Ronneberger et al., 2015), conditioned on time and class.

Residual blocks as in Ho et al., 2020, with scale and shift from the condition (Dhariwal and Nichol, 2021).
Departs from them for the sake of a CPU: pixels enter as patches through a strided convolution and leave
through a pixel shuffle, so that the widest maps have a quarter of the pixels or fewer; attention is optional
and stands at the coarsest level alone. Any height and width fit: what does not divide is padded and cut off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from plaudit.engine.nets import draw_weights
from plaudit.errors import InputError


@dataclass(frozen=True)
class UNetConfig:
    """A U-Net that writes a velocity for every pixel."""

    width: int = 32
    """Channels of the finest level."""
    levels: tuple[int, ...] = (1, 2)
    """Channels of each level as multiples of `width`; each level after the first has half the side."""
    blocks: int = 1
    """Residual blocks of a level on the way down, and again on the way up."""
    middle: int = 2
    """Residual blocks at the bottom."""
    patch: int = 2
    """Side in pixels of the patches that the finest level works on."""
    attention: bool = False
    """Attention between the places of the coarsest level, at the bottom."""
    condition: int = 96
    """Width of the encoding of time and class."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(int(n) for n in self.levels))
        sizes = {name: getattr(self, name) for name in ("width", "blocks", "middle", "patch", "condition")}
        wrong = {name: n for name, n in sizes.items() if not 1 <= n <= 4096}
        if wrong or not 1 <= len(self.levels) <= 6 or any(not 1 <= n <= 64 for n in self.levels):
            raise InputError(
                f"{wrong or {'levels': list(self.levels)}}: sizes lie in 1..4096, levels are 1 to 6 "
                "multiples in 1..64.",
                place="network",
            )
        if self.width % 8 or self.condition % 2:
            raise InputError("width is a multiple of 8 and condition is even.", place="network")

    @property
    def stride(self) -> int:
        """What height and width are padded to a multiple of."""
        return self.patch << (len(self.levels) - 1)


def waves(t: Tensor, width: int) -> Tensor:
    """Sines and cosines `(B, width)` of times `t (B,)` in [0, 1], of 1 to 1,000 radians."""
    rate = torch.exp(torch.linspace(0.0, math.log(1000.0), width // 2, device=t.device))
    angle = t.float()[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1)


class Block(nn.Module):
    """Two convolutions with a shortcut; the condition scales and shifts between them."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.film = nn.Linear(condition, 2 * outputs)
        self.short = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition)[..., None, None].chunk(2, 1)
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.norm2(h) * (1.0 + scale) + shift
        out: Tensor = self.short(x) + self.conv2(functional.silu(h))
        return out


class Attention(nn.Module):
    """Every place looks at every other, 4 heads; adds to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.read, self.write = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        rows, width, high, wide = x.shape
        parts = self.read(self.norm(x)).flatten(2).view(rows, 3, 4, width // 4, high * wide)
        query, key, value = parts.transpose(3, 4).unbind(1)
        seen = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = x + self.write(seen.transpose(2, 3).reshape(rows, width, high, wide))
        return out


class UNet(nn.Module):
    """`(B, C, H, W)`, times `(B,)` and class rows `(B,)` or None to `(B, C, H, W)`."""

    def __init__(self, config: UNetConfig, channels: int, classes: int) -> None:
        super().__init__()
        self.config, self.channels = config, channels
        wide, patch = config.condition, config.patch
        self.time = nn.Sequential(nn.Linear(wide, wide), nn.SiLU(), nn.Linear(wide, wide))
        # The last class row stands for "no class".
        self.label = nn.Embedding(classes + 1, wide) if classes else None
        widths = [config.width * n for n in config.levels]
        self.stem = nn.Conv2d(channels, widths[0], patch + 2, stride=patch, padding=1)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for at, width in enumerate(widths):
            self.down.append(nn.ModuleList(Block(width, width, wide) for _ in range(config.blocks)))
            if at + 1 < len(widths):
                self.shrink.append(nn.Conv2d(width, widths[at + 1], 3, stride=2, padding=1))
        self.middle = nn.ModuleList(Block(widths[-1], widths[-1], wide) for _ in range(config.middle))
        self.attention = Attention(widths[-1]) if config.attention else None
        for at in reversed(range(len(widths) - 1)):
            self.grow.append(nn.Conv2d(widths[at + 1], widths[at], 1))
            sizes = [2 * widths[at]] + [widths[at]] * (config.blocks - 1)
            self.up.append(nn.ModuleList(Block(n, widths[at], wide) for n in sizes))
        self.norm = nn.GroupNorm(8, widths[0])
        self.head = nn.Conv2d(widths[0], channels * patch * patch, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None) -> Tensor:
        high, wide = x.shape[2:]
        stride = self.config.stride
        x = functional.pad(x, (0, -wide % stride, 0, -high % stride))
        condition = functional.silu(self._condition(t, label))
        h, kept = self.stem(x.contiguous(memory_format=torch.channels_last)), []
        for at, blocks in enumerate(self.down):
            for block in _listed(blocks):
                h = block(h, condition)
            if at < len(self.shrink):
                kept.append(h)
                h = self.shrink[at](h)
        for at, block in enumerate(self.middle):
            h = block(h, condition)
            if at == 0 and self.attention is not None:
                h = self.attention(h)
        for grow, blocks in zip(self.grow, self.up, strict=True):
            h = functional.interpolate(grow(h), scale_factor=2.0, mode="nearest")
            h = torch.cat([h, kept.pop()], 1)
            for block in _listed(blocks):
                h = block(h, condition)
        out = self.head(functional.silu(self.norm(h)))
        return functional.pixel_shuffle(out, self.config.patch)[:, :, :high, :wide]

    def _condition(self, t: Tensor, label: Tensor | None) -> Tensor:
        condition: Tensor = self.time(waves(t, self.config.condition))
        if self.label is not None and label is not None:
            condition = condition + self.label(label)
        return condition

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew; a block begins as its shortcut, the net as zero."""
        draw_weights(self, generator)
        for layer in self.modules():
            if isinstance(layer, Block):
                layer.conv2.weight.zero_()
                layer.film.weight.mul_(0.1)
            elif isinstance(layer, Attention):
                layer.write.weight.zero_()
        if self.label is not None:
            self.label.weight.normal_(0.0, 0.3, generator=generator)
        self.head.weight.zero_()
        self.head.bias.zero_()  # type: ignore[union-attr]


def _listed(blocks: nn.Module) -> Any:
    return blocks


def refuse_space(config: UNetConfig, observation_space: Any, outputs: int) -> nn.Module:
    """A unet writes pictures alone; raises `InputError`."""
    raise InputError(
        "a unet writes pictures, it reads no observations.",
        place="network.kind",
        hint="Known here: mlp, conv.",
    )
