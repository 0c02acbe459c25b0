"""The running mean of a model's weights, which samples better than the weights themselves."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from plaudit.engine.adam import flatten
from plaudit.engine.nets import load_weights

Model = TypeVar("Model", bound=nn.Module)


class Average(Generic[Model]):
    """An exponential moving average of flat parameters `(P,)`, as a model of its own.

    The decay grows from 0.1 to `decay` with the number of steps, min(decay, (1 + n) / (10 + n)), so that the
    first weights, which are noise, are soon forgotten.
    """

    def __init__(self, model: Model, decay: float) -> None:
        self.model: Model = copy.deepcopy(model).requires_grad_(False)
        self.params, _ = flatten(self.model)
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def step(self, params: Tensor) -> None:
        """Let `params (P,)` in."""
        self.params.lerp_(params, 1.0 - min(self.decay, (1.0 + self.steps) / (10.0 + self.steps)))
        self.steps += 1

    def restart(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights."""
        load_weights(self.model, tensors)
        self.steps = 0
