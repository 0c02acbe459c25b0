"""Finished strokes moved towards the picture by the gradient of the drawing, and idle ones taken off: what
`refine` asks for."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.image.paint_bezier import THICK, THIN
from plaudit.domains.image.paint_gradient import lay
from plaudit.domains.image.paint_strokes import Pixels

RATES = (0.25,) * 6 + (0.08, 0.02)
"""Step sizes of Adam in pixels for points and width, and for ink, on a canvas of 28."""


def refine(strokes: NDArray[np.float32], target: Pixels, steps: int) -> NDArray[np.float32]:
    """Move `strokes (B, S, 8)` for `steps` steps; of each painting the best state on the way is returned.

    Rows do not touch each other: a painting is the same whatever it is refined with.
    """
    size = target.shape[1]
    goal = torch.from_numpy(target).float() / 255.0
    moving = torch.from_numpy(strokes.copy())
    best, least = moving.clone(), torch.full((len(moving),), torch.inf)
    mean, square = torch.zeros_like(moving), torch.zeros_like(moving)
    rates = torch.tensor(RATES) * torch.tensor([size / 28.0] * 7 + [1.0])
    for step in range(steps + 1):
        moving.requires_grad_()
        loss = (lay(torch.zeros_like(goal), moving) - goal).square().mean((1, 2))
        (gradient,) = torch.autograd.grad(loss.sum(), moving)
        moving = moving.detach()
        better = loss.detach() < least
        best[better], least[better] = moving[better], loss.detach()[better]
        if step == steps:
            break
        mean.lerp_(gradient, 0.1)
        square.lerp_(gradient.square(), 0.01)
        scale = (square / (1.0 - 0.99 ** (step + 1))).sqrt() + 1e-8
        slower = 1.0 - 0.8 * step / steps
        moving = _inside(moving - rates * slower * mean / (1.0 - 0.9 ** (step + 1)) / scale, size)
    return best.numpy()


def kept(strokes: NDArray[np.float32], target: Pixels) -> NDArray[np.bool_]:
    """Which of `strokes (S, 8)` are of use to `target (H, W)`; the others are taken off the drawing.

    Every stroke is taken off once, the last first, and stays off where the error is no larger without it.
    """
    goal = torch.from_numpy(target[None]).float() / 255.0
    use = np.ones(len(strokes), bool)

    def off() -> float:
        drawn = lay(torch.zeros_like(goal), torch.from_numpy(strokes[use])[None])
        return float((drawn - goal).square().sum())

    least = off()
    for number in reversed(range(len(strokes))):
        use[number] = False
        without = off()
        use[number] = without > least
        least = min(least, without)
    return use


def _inside(strokes: Tensor, size: int) -> Tensor:
    """Strokes with points on the canvas, and widths and ink as a policy may choose them."""
    low = torch.tensor([0.0] * 6 + [THIN * size, 0.0])
    high = torch.tensor([float(size)] * 6 + [THICK * size, 1.0])
    return strokes.clamp(low, high)
