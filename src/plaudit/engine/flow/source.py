"""What a source of requests and rewards offers to a flow that is tuned: scores, their gradient, a judge."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.flow.model import FlowShape


class SampleReward(Protocol):
    """Where requests come from, and what samples are worth."""

    shape: FlowShape

    def draw(self, n: int, random: np.random.Generator) -> Tensor | None:
        """Draw n requests: classes `(n,)`, negative for none; None where there are no classes."""
        ...

    def score(self, label: Tensor | None, images: Tensor) -> NDArray[np.float64]:
        """Columns `(B, K)` of the composition for `images (B, *size)`, for the requests drawn last.

        Samples of a request stand side by side. NaN = could not be scored.
        """
        ...


class PathwiseReward(SampleReward, Protocol):
    """A reward with a gradient."""

    def value(self, label: Tensor | None, images: Tensor) -> Tensor:
        """The same columns `(B, K)`, or `(B,)` already weighed, as a differentiable function of `images`."""
        ...


class JudgedReward(SampleReward, Protocol):
    """A reward with a twin that is never optimised."""

    def judge(self, label: Tensor | None, images: Tensor) -> Tensor:
        """What the twin says of `images`, `(B,)`, more is better; NaN = could not be judged."""
        ...
