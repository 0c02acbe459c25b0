"""Two small classifiers of pictures that have little in common, and the features that they see.

"strided" is a stack of strided convolutions with batch normalisation and dropout (Springenberg et al., 2015,
without pooling); "depthwise" is residual, with depthwise convolutions, group normalisation and a mean over
places (after Liu et al., 2022, ConvNeXt). What fools one need not fool the other. The last layer but one is
the feature space of distances between sets of pictures: trained on the data themselves, never on photographs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from plaudit.errors import InputError

Kind = Literal["strided", "depthwise"]


@dataclass(frozen=True)
class NetConfig:
    """What rebuilds a net around its weights."""

    kind: Kind
    side: int
    """Of the pictures, in pixels."""
    channels: int
    """1 (grey) or 3 (RGB)."""
    classes: int
    features: int = 64
    """Width of the last layer but one."""
    width: int = 32
    """Channels of the first layer; later ones have two and three times as many."""

    def __post_init__(self) -> None:
        sizes = {"side": (8, 256), "classes": (2, 10_000), "features": (2, 1024), "width": (8, 256)}
        for name, (low, high) in sizes.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise InputError(f"{name} = {value!r} is not in {low}..{high}.", place="feature net")
        if self.kind not in NETS or self.channels not in (1, 3) or self.width % 8:
            raise InputError(
                f"{asdict(self)} is no net.", place="feature net", hint=f"Kinds: {', '.join(NETS)}."
            )


class FeatureNet(nn.Module):
    """Pictures `(B, C, H, W)` in [0, 1] to logits `(B, classes)`; differentiable in the pictures."""

    def __init__(self, config: NetConfig, trunk: nn.Module, wide: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = trunk
        self.narrow = nn.Linear(wide, config.features)
        self.out = nn.Linear(config.features, config.classes)
        self.drop = nn.Dropout(0.3)
        # Of the training pictures, set before the training.
        self.register_buffer("mean", torch.zeros(1, config.channels, 1, 1))
        self.register_buffer("scale", torch.ones(1, config.channels, 1, 1))

    def features(self, pictures: Tensor) -> Tensor:
        """The last layer but one, `(B, features)`, float32."""
        pictures = (pictures - self.mean) / self.scale
        seen: Tensor = self.trunk(pictures.contiguous(memory_format=torch.channels_last))
        return F.silu(self.narrow(self.drop(seen.flatten(1)))).float()

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.out(self.features(pictures))
        return logits.float()


def _step(inputs: int, outputs: int, kernel: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def strided(config: NetConfig) -> FeatureNet:
    """Halves the side until at most 5 is left, then reads every place."""
    width, side = config.width, -(-config.side // 2)
    layers = [*_step(config.channels, width, 5, 2), *_step(width, 2 * width, 3, 1)]
    while side > 5:
        last = -(-side // 2) <= 5
        layers += _step(2 * width, 3 * width if last else 2 * width, 3, 2)
        side = -(-side // 2)
    channels = layers[-2].num_features
    return FeatureNet(config, nn.Sequential(*layers), int(channels) * side * side)


class Block(nn.Module):
    """A residual block: each channel over its neighbourhood, then channels among each other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(width, width, 3, 1, 1, groups=width)
        self.norm = nn.GroupNorm(1, width)
        self.up, self.down = nn.Conv2d(width, 2 * width, 1), nn.Conv2d(2 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.down(F.silu(self.up(self.norm(self.near(x)))))
        return x + change


def depthwise(config: NetConfig) -> FeatureNet:
    """Two blocks at each of two or three scales, then the mean over places."""
    width = config.width * 3 // 2
    layers: list[nn.Module] = [nn.Conv2d(config.channels, width, 4, 2, 1)]
    scales = 2 if config.side < 48 else 3
    for scale in range(scales):
        layers += [Block(width), Block(width)]
        if scale + 1 < scales:
            layers.append(nn.Conv2d(width, 2 * width if scale == scales - 2 else width, 2, 2))
            width = layers[-1].out_channels
    layers += [nn.GroupNorm(1, width), nn.AdaptiveAvgPool2d(1)]
    return FeatureNet(config, nn.Sequential(*layers), width)


NETS = {"strided": strided, "depthwise": depthwise}


def build_net(config: NetConfig, seed: int = 0) -> FeatureNet:
    """Make a net with fresh weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETS[config.kind](config).to(memory_format=torch.channels_last)


def restore_net(description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> FeatureNet:
    """The net that `asdict(config)` and its tensors describe; raises `InputError` for anything else."""
    try:
        net = build_net(NetConfig(**description))
        net.load_state_dict(dict(tensors))
    except (TypeError, RuntimeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"the feature net is damaged: {reason}", place="feature net") from error
    return net.eval()


def as_input(images: NDArray[np.uint8]) -> Tensor:
    """Pictures `(N, H, W, C)` of bytes as `(N, C, H, W)` in [0, 1]."""
    if images.ndim != 4 or images.dtype != np.uint8:
        raise ValueError(f"expected bytes (N, H, W, C), got {images.dtype} {images.shape}")
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
