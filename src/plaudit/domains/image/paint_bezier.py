"""Painting by quadratic strokes: from actions to strokes, for the environment and the differentiable world.

One action is `bundle` strokes; a stroke is eight numbers in [0, 1]: x0, y0, x1, y1, x2, y2 in widths of the
canvas, width, ink. What is seen: planes `(size, size, 3)` in [0, 1] of target, canvas and share of strokes
done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.image.paint_gradient import NUMBERS, lay
from plaudit.domains.image.paint_pictures import Pictures
from plaudit.domains.image.paint_strokes import Stroke

PLANES = 3
THIN, THICK = 1.0 / 28.0, 6.0 / 28.0
"""Width of a stroke in widths of the canvas: 1 to 6 pixels of 28."""


def action_space(bundle: int) -> spaces.Box:
    """The space of `bundle` strokes."""
    return spaces.Box(0.0, 1.0, (bundle * NUMBERS,), np.float32)


def strokes_of(action: Any, size: int) -> Any:
    """Strokes `(B, K, 8)` in pixels of `action (B, K * 8)`, NumPy or torch; differentiable."""
    whole = action.reshape(len(action), -1, NUMBERS)
    torch_ = isinstance(action, Tensor)
    scale, shift = _scale(size)
    if torch_:
        return whole * torch.from_numpy(scale) + torch.from_numpy(shift)
    return whole * scale + shift


def _scale(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    scale = np.array([size] * 6 + [(THICK - THIN) * size, 1.0], np.float32)
    return scale, np.array([0.0] * 6 + [THIN * size, 0.0], np.float32)


def stroke_objects(strokes: NDArray[np.float32]) -> list[Stroke]:
    """Strokes `(K, 8)` as they stand in a drawing."""
    return [
        Stroke(
            tuple((float(s[2 * k]), float(s[2 * k + 1])) for k in range(3)),
            float(s[6]),
            float(s[7]),
            "quadratic",
        )
        for s in strokes
    ]


@dataclass(frozen=True)
class Sheet:
    """Paintings under way: target and canvas `(B, H, W)` in [0, 1], and how many actions were taken."""

    target: Tensor
    canvas: Tensor
    ink: Tensor
    done: int
    softness: float


class StrokeWorld:
    """Painting as a `plaudit.engine.pathwise.World`.

    Terms that have a gradient: `error` (mean squared difference) and `ink` (mean of the canvas); of both less
    is better.
    """

    def __init__(
        self, pictures: Pictures, size: int, steps: int, bundle: int, weighing: Any, softness: float
    ) -> None:
        self.pictures, self.size, self.steps, self.weighing = pictures, size, steps, weighing
        self.term_names, self.softness = tuple(weighing.names), softness
        self.observation_space = spaces.Box(0.0, 1.0, (size, size, PLANES), np.float32)
        self.action_space = action_space(bundle)

    def begin(self, rows: int, random: np.random.Generator, share: float) -> Sheet:
        """Draw targets; edges are soft at first, and as they are drawn from half of the budget on."""
        numbers = random.integers(0, 2**31, rows)
        target = torch.from_numpy(self.pictures.take(numbers)).float() / 255.0
        softness = 1.0 + (self.softness - 1.0) * max(0.0, 1.0 - 2.0 * share)
        return Sheet(target, torch.zeros_like(target), torch.zeros(rows), 0, softness)

    def observe(self, state: Sheet) -> Tensor:
        return observe(state.target, state.canvas, state.done / self.steps)

    def act(self, state: Sheet, action: Tensor) -> Sheet:
        strokes = strokes_of(action, self.size)
        canvas = lay(state.canvas, strokes, state.softness)
        return Sheet(state.target, canvas, canvas.mean((1, 2)), state.done + 1, state.softness)

    def score(self, state: Sheet) -> Tensor:
        values = {"error": (state.canvas - state.target).square().mean((1, 2)), "ink": state.ink}
        return -torch.stack([values[name] for name in self.term_names], 1)


def observe(target: Tensor, canvas: Tensor, done: float) -> Tensor:
    """Planes `(B, H, W, 3)` in [0, 1]."""
    return torch.stack([target, canvas, torch.full_like(target, done)], -1)
