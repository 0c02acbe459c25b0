"""What may happen to a picture without making it another one, drawn anew for every batch.

No mirror images: letters, digits and most icons mean something else when mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Augment:
    """How far each change goes; 0 leaves it out."""

    shift: float = 0.0
    """Most, as a share of the side."""
    turn: float = 0.0
    """Most, in radians."""
    zoom: float = 0.0
    """Most, as a share of the size, either way."""
    slant: float = 0.0
    """Most, as the tangent of the slant."""
    noise: float = 0.0
    """Standard deviation of what is added to each pixel."""
    hole: float = 0.0
    """Side of the square that is set to its mean, as a share of the picture's (DeVries and Taylor, 2017)."""


SHIFTED = Augment(shift=0.08, noise=0.05, zoom=0.08)
WARPED = Augment(shift=0.08, turn=0.2, zoom=0.12, slant=0.15, hole=0.25)


def augmented(pictures: Tensor, how: Augment, rng: torch.Generator) -> Tensor:
    """A changed copy of pictures `(B, C, H, W)` in [0, 1]."""
    count, _, height, width = pictures.shape
    grid = F.affine_grid(_maps(count, how, rng), list(pictures.shape), align_corners=False)
    # What comes in from outside continues the border, whatever the ground's colour.
    moved = F.grid_sample(pictures, grid, "bilinear", padding_mode="border", align_corners=False)
    if how.hole:
        moved = torch.where(_holes(count, height, width, how.hole, rng), moved.mean((2, 3), True), moved)
    if how.noise:
        moved = moved + how.noise * torch.randn(moved.shape, generator=rng)
    return moved.clamp(0, 1)


def _maps(count: int, how: Augment, rng: torch.Generator) -> Tensor:
    """Affine maps `(B, 2, 3)` from places of the copy to places of the picture."""
    drawn = torch.rand((count, 6), generator=rng) * 2 - 1
    turn, slant = how.turn * drawn[:, 0], how.slant * drawn[:, 1]
    wide, high = 1 + how.zoom * drawn[:, 2], 1 + how.zoom * drawn[:, 3]
    cos, sin = turn.cos(), turn.sin()
    across = torch.stack([cos * wide, (slant - sin) * high, 2 * how.shift * drawn[:, 4]], 1)
    down = torch.stack([sin * wide, cos * high, 2 * how.shift * drawn[:, 5]], 1)
    return torch.stack([across, down], 1)


def _holes(count: int, height: int, width: int, share: float, rng: torch.Generator) -> Tensor:
    """Where `(B, 1, H, W)` half of the pictures have a hole."""
    middle = torch.rand((count, 2), generator=rng)
    middle[torch.rand(count, generator=rng) < 0.5] = 9.0
    y = ((torch.arange(height) + 0.5) / height - middle[:, :1]).abs() < share / 2
    x = ((torch.arange(width) + 0.5) / width - middle[:, 1:]).abs() < share / 2
    return (y[:, :, None] & x[:, None, :])[:, None]
