"""The brush: one action is a few bent strokes of chosen width and ink."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from plaudit.domains.image.paint_bezier import PLANES, action_space, strokes_of
from plaudit.domains.image.paint_kernels import draw_curves
from plaudit.domains.image.paint_strokes import bernstein
from plaudit.engine.env import State

_WEIGHTS = bernstein(3).astype(np.float32)


class Brush:
    """Draws `bundle` quadratic strokes a step; see `plaudit.domains.image.paint_env.Tool`."""

    def __init__(self, size: int, strokes: int, bundle: int, rows: int) -> None:
        self.size, self.bundle, self.steps = size, bundle, -(-strokes // bundle)
        self.observation_space = spaces.Box(0.0, 1.0, (size, size, PLANES), np.float32)
        self.action_space = action_space(bundle)
        self.count = np.zeros(rows, np.int64)

    def begin(self, rows: NDArray[Any]) -> None:
        self.count[rows] = 0

    def apply(self, action: Any, canvas: Any, target: Any, error: Any) -> None:
        curves = np.zeros((len(action), 9), np.float32)
        for one in strokes_of(action.astype(np.float32), self.size).swapaxes(0, 1):
            curves[:, :8] = one
            draw_curves(canvas, target, curves, _WEIGHTS, error)
        self.count += self.bundle

    def observe(self, canvas: Any, target: Any, done: Any, out: Any) -> None:
        out[..., 0], out[..., 1] = target / np.float32(255.0), canvas / np.float32(255.0)
        out[..., 2] = (done / self.steps)[:, None, None]

    def strokes(self) -> NDArray[np.int64]:
        return self.count

    def state_dict(self) -> State:
        return {"count": self.count.copy()}

    def load_state_dict(self, state: State) -> None:
        self.count[...] = state["count"]
