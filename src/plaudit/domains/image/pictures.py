"""Pictures as they are kept (uint8, channels last) and as networks and differentiable terms see them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(items: Any) -> Tensor:
    """Pictures as float32 `(B, C, H, W)` in [0, 1].

    `items` is `(B, H, W, C)` uint8, or such a tensor already, through which gradients then flow.
    """
    if isinstance(items, Tensor):
        return items
    pixels = np.ascontiguousarray(np.moveaxis(np.asarray(items), 3, 1))
    return torch.from_numpy(pixels).float() / 255.0


def as_pixels(pictures: Tensor) -> NDArray[np.uint8]:
    """Pictures `(B, C, H, W)` in [0, 1] as `(B, H, W, C)` uint8; what lies outside is cut off."""
    values = pictures.detach().float().clamp(0.0, 1.0) * 255.0
    return np.ascontiguousarray(values.round().to(torch.uint8).permute(0, 2, 3, 1).numpy())


def to_model(pictures: Tensor) -> Tensor:
    """[0, 1] as the generators' [-1, 1]."""
    return pictures * 2.0 - 1.0


def from_model(drawn: Tensor) -> Tensor:
    """The generators' [-1, 1] as [0, 1]; the gradient goes through where it is cut off.

    A sample that lies a little outside would otherwise get no gradient that brings it back.
    """
    values = (drawn + 1.0) / 2.0
    return values + (values.clamp(0.0, 1.0) - values).detach()
