"""Painting as an MDP: B canvases, each with a picture to paint, by pen moves or by bent strokes.

A tool says what an action is (`paint_pen.py`, `paint_brush.py`); this is what both share: pictures, the
error kept up to date by the drawing kernel, the reward, budgets and autoreset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from gymnasium import Space
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.image.paint_kernels import squared_error
from plaudit.domains.image.paint_pictures import Pictures
from plaudit.domains.image.paint_request import PaintRequest, RowRequests
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context

Array = NDArray[Any]


@dataclass(frozen=True)
class PaintConfig:
    """The `[env]` of a painting recipe."""

    tool: Literal["pen", "brush"] = "brush"
    """`pen`: moves of a pen by a few pixels; `brush`: bent strokes."""
    sight: Literal["near", "planes"] = "planes"
    """What the pen's policy sees: what is around the pen, or whole planes. The brush has planes."""
    copies: int = 64
    """Paintings side by side during training."""
    strokes: int = 8
    """Strokes of a brush's episode."""
    bundle: int = 1
    """Strokes of one action."""
    moves: int = 64
    """Moves of a pen's episode."""
    softness: float = 2.0
    """Width in pixels of the edges at the start of a pathwise training; 1 = as drawn."""
    pictures: str = ""
    """What is painted in training: "" = built-in drawings, "scribbles", a PNG file, a folder of idx files, or
    stroke sets (`.npz`, joined by "+")."""

    def __post_init__(self) -> None:
        for key, known in (("tool", ("pen", "brush")), ("sight", ("near", "planes"))):
            if getattr(self, key) not in known:
                raise InputError(f'env.{key} is "{getattr(self, key)}".', hint=f"Known: {', '.join(known)}.")
        for key, most in (("copies", 2**16), ("strokes", 512), ("bundle", 512), ("moves", 4096)):
            if not 1 <= getattr(self, key) <= most:
                raise InputError(f"env.{key} is {getattr(self, key)}; it goes from 1 to {most}.")
        if self.strokes % self.bundle:
            raise InputError(f"env.strokes = {self.strokes} is no multiple of env.bundle = {self.bundle}.")
        if not 1.0 <= self.softness <= 8.0:
            raise InputError(f"env.softness is {self.softness}; it goes from 1 to 8.")


class Tool(Protocol):
    """What an action does. Rows are B paintings; `canvas, target (B, H, W)` uint8, `error (B,)` int64."""

    steps: int
    observation_space: Space[Any]
    action_space: Space[Any]

    def begin(self, rows: Array) -> None:
        """Start anew in these rows."""
        ...

    def apply(self, action: Array, canvas: Array, target: Array, error: Array) -> None:
        """Draw what `action (B, ...)` says; adds what changes to `error`."""
        ...

    def observe(self, canvas: Array, target: Array, done: Array, out: Array) -> None:
        """Write observations `(B, *O)`; `done (B,)` are the steps taken."""
        ...

    def strokes(self) -> Array:
        """Strokes so far `(B,)`."""
        ...

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class PaintEnv(VecEnv):
    """B paintings under way.

    Attributes:
        weighing: the composition that the terms are columns of.
    """

    def __init__(
        self, tool: Tool, pictures: Pictures, pays: Stepwise, given: PaintRequest, num_envs: int
    ) -> None:
        self.tool, self.pictures, self.pays, self.given, self.num_envs = tool, pictures, pays, given, num_envs
        self.weighing = pays.composition
        self.term_names = self.weighing.names
        self.observation_space, self.action_space = tool.observation_space, tool.action_space
        side = given.size
        self.canvas = np.zeros((num_envs, side, side), np.uint8)
        self.target = np.zeros_like(self.canvas)
        self.error = np.zeros(num_envs, np.int64)
        self.done = np.zeros(num_envs, np.int64)
        self.numbers = np.zeros(num_envs, np.int64)
        self.random = RowRandom(np.zeros(num_envs, np.int64))
        shape = (num_envs, *(tool.observation_space.shape or ()))
        self.obs = np.zeros(shape, tool.observation_space.dtype)

    def reset(self, seed: int) -> Tensor:
        self.random = RowRandom(np.arange(self.num_envs) + seed * 1_000_003)
        self._begin(np.arange(self.num_envs))
        return self._observe()

    def _begin(self, rows: Array) -> None:
        """Start new paintings in `rows`."""
        given = self.given.index
        self.numbers[rows] = self.random.integers(0, 2**31, rows) if given is None else given
        self.target[rows] = self.pictures.take(self.numbers[rows])
        self.canvas[rows], self.done[rows] = 0, 0
        fresh = np.zeros(len(rows), np.int64)
        squared_error(self.canvas[rows], self.target[rows], fresh)
        self.error[rows] = fresh
        self.tool.begin(rows)
        self.pays.start(rows if len(rows) < self.num_envs else slice(None), self._score(rows))

    def _score(self, rows: Any = slice(None)) -> NDArray[np.float64]:
        pixels = 255.0**2 * self.canvas[0].size
        cache = {
            "target": self.target[rows],
            "error": self.error[rows] / pixels,
            "strokes": self.tool.strokes()[rows],
        }
        context = Context(requests=RowRequests(self.given, self.numbers[rows]), cache=cache)
        return self.weighing.score(self.canvas[rows], context)

    def _observe(self) -> Tensor:
        self.tool.observe(self.canvas, self.target, self.done, self.obs)
        return torch.from_numpy(self.obs)

    def step(self, action: Tensor) -> StepResult:
        self.tool.apply(action.cpu().numpy(), self.canvas, self.target, self.error)
        self.done += 1
        ended = self.done >= self.tool.steps
        if self.given.ink < 1.0:
            ended |= self.canvas.mean((1, 2)) >= 255.0 * self.given.ink
        terms = torch.from_numpy(self.pays.advance(self._score(), ended))
        obs = final_obs = self._observe()
        if ended.any():
            final_obs = obs.clone()
            self._begin(np.flatnonzero(ended))
            obs = self._observe()
        over = torch.from_numpy(ended)
        return obs, terms, over, torch.zeros_like(over), {"final_obs": final_obs}

    def state_dict(self) -> State:
        arrays = {
            name: getattr(self, name).copy() for name in ("canvas", "target", "error", "done", "numbers")
        }
        return {
            **arrays,
            "random": self.random.state_dict(),
            "pays": self.pays.state_dict(),
            "tool": self.tool.state_dict(),
        }

    def load_state_dict(self, state: State) -> None:
        for name in ("canvas", "target", "error", "done", "numbers"):
            getattr(self, name)[...] = state[name]
        self.random.load_state_dict(state["random"])
        self.pays.load_state_dict(state["pays"])
        self.tool.load_state_dict(state["tool"])
