"""A velocity field that carries noise to data: rectified flow (Liu et al., 2023; Lipman et al., 2023).

The convention here: time 0 is noise, time 1 is data, x_t = (1 - t) * noise + t * data, and the velocity is
data - noise. (Flow-GRPO and Stable Diffusion 3 count time the other way round.) From a velocity at x_t follow
the data that it points at, x_t + (1 - t) v, and the noise that it comes from, x_t - t v.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from plaudit.engine import nets
from plaudit.engine.nets.mlp import MLP, MLPConfig
from plaudit.engine.nets.unet import UNet, UNetConfig, waves
from plaudit.engine.precision import half
from plaudit.errors import InputError

PRECISIONS = ("bf16", "fp32")
_WAVES = 16


@dataclass(frozen=True)
class FlowShape:
    """What a model makes: `size` is `(C, H, W)` or `(D,)`; `classes` is 0 where there are none."""

    size: tuple[int, ...]
    classes: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", tuple(int(n) for n in self.size))
        if len(self.size) not in (1, 3) or any(not 1 <= n <= 4096 for n in self.size):
            raise InputError(f"a flow makes (C, H, W) or (D,), not {self.size}.")
        if not 0 <= self.classes <= 1 << 16 or math.prod(self.size) > 1 << 24:
            raise InputError(f"a flow cannot make {self}.")


class VectorField(nn.Module):
    """A velocity for `(B, D)` from a plain MLP: for toys and small vectors."""

    def __init__(self, config: MLPConfig, width: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        # One more class stands for "no class".
        inputs = width + _WAVES + (classes + 1 if classes else 0)
        self.net = MLP(config, spaces.Box(-np.inf, np.inf, (inputs,)), width)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None) -> Tensor:
        parts = [x, waves(t, _WAVES)]
        if self.classes and label is not None:
            parts.append(nn.functional.one_hot(label, self.classes + 1).to(x.dtype))
        out: Tensor = self.net(torch.cat(parts, 1))
        return out

    def initialise(self, generator: torch.Generator) -> None:
        nets.draw_weights(self, generator)


class FlowModel(nn.Module):
    """The velocity at any place and time, for a class or none.

    Attributes:
        bf16: compute in bfloat16 where that is safe and fast; weights and results stay float32.
    """

    def __init__(self, shape: FlowShape, network: Any, bf16: bool = False) -> None:
        """Raise `InputError` for a network that cannot make this shape."""
        super().__init__()
        self.shape, self.config, self.bf16 = shape, network, bf16
        self.net: UNet | VectorField
        if isinstance(network, UNetConfig) and len(shape.size) == 3:
            self.net = UNet(network, shape.size[0], shape.classes)
        elif isinstance(network, MLPConfig) and len(shape.size) == 1:
            self.net = VectorField(network, shape.size[0], shape.classes)
        else:
            raise InputError(
                f"{type(network).__name__} cannot make {shape.size}.",
                place="network.kind",
                hint="unet makes (C, H, W), mlp makes (D,).",
            )
        if sum(p.numel() for p in self.parameters()) > 2**28:
            raise InputError("the network has more than 268 million weights.", place="network")

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew from `generator`."""
        self.net.initialise(generator)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def velocity(
        self, x: Tensor, t: Tensor | float, label: Tensor | None = None, guidance: float = 0.0
    ) -> Tensor:
        """The velocity `(B, ...)` in float32 at `x (B, ...)` and time `t`, a number or `(B,)`.

        `label (B,)` holds classes, negative for none. With `guidance` g it is v + g (v - v of no class),
        classifier-free guidance (Ho and Salimans, 2022), at twice the cost.
        """
        times = t if isinstance(t, Tensor) else torch.full((len(x),), float(t), device=x.device)
        if not self.shape.classes:
            return self._run(x, times, None)
        none = torch.full((len(x),), self.shape.classes, device=x.device)
        label = none if label is None else torch.where(label < 0, none, label)
        if not guidance:
            return self._run(x, times, label)
        both = self._run(torch.cat([x, x]), torch.cat([times, times]), torch.cat([label, none]))
        wanted, free = both.chunk(2)
        return wanted + guidance * (wanted - free)

    def _run(self, x: Tensor, t: Tensor, label: Tensor | None) -> Tensor:
        with half(x.device.type, self.bf16):
            out: Tensor = self.net(x, t, label)
        return out.float()


def network_config(network: Any, shape: FlowShape) -> Any:
    """The config of a recipe's network; without a kind a unet for pictures, an mlp for vectors."""
    kind = "unet" if len(shape.size) == 3 else "mlp"
    return nets.config_of({"kind": kind, **network} if isinstance(network, dict) else network)


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all weights, by name."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def labels_on(label: Tensor | None, rows: Any) -> Tensor | None:
    """Some rows of the classes, where there are any."""
    return None if label is None else label[rows]
