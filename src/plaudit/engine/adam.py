"""Adam over one flat parameter tensor, in place. Kingma and Ba, 2015.

Departs from `torch.optim.Adam` in two ways: the parameters of a network are views of one flat tensor,
so that a step is one call whatever the number of layers; and nothing of `torch.optim` is needed, which
spares the import of `torch._dynamo` (about a second) before the first update.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

_FUSED = getattr(torch, "_fused_adam_", None)
"""The one-pass kernel behind `torch.optim.Adam(fused=True)`; without it the formula runs op by op."""


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Round numbers below 1e-38 to zero inside the block, on this thread.

    The moments of units whose gradient stays zero decay into such numbers after some 800 updates, and
    a CPU multiplies them 10 to 25 times slower.
    """
    flushed_before = float(torch.tensor(1e-30) * 1e-10) == 0.0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed_before)


def flatten(module: nn.Module) -> tuple[Tensor, Tensor]:
    """Move the parameters of `module` into one flat tensor `(P,)`, their gradients into another.

    Every parameter becomes a view of the first and its `.grad` a view of the second, which autograd
    adds to in place: zero the second before each backward pass.
    """
    parameters = list(module.parameters())
    flat = torch.cat([p.detach().reshape(-1) for p in parameters])
    grads = torch.zeros_like(flat)
    start = 0
    for p in parameters:
        end = start + p.numel()
        p.data = flat[start:end].view(p.shape)
        p.grad = grads[start:end].view(p.shape)
        start = end
    return flat, grads


def clip_norm(grads: Tensor, limit: float) -> float:
    """Scale `grads (P,)` down to the Euclidean norm `limit` where it is longer; return the norm before."""
    norm = math.sqrt(float(torch.dot(grads, grads)))
    if norm > limit and math.isfinite(norm):
        grads.mul_(limit / norm)
    return norm


class Adam:
    """The optimiser of one flat parameter tensor `(P,)`."""

    def __init__(self, params: Tensor, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> None:
        self.params, self.betas, self.eps = params, betas, eps
        self.mean, self.square = torch.zeros_like(params), torch.zeros_like(params)
        self.steps = torch.zeros((), device=params.device)

    @torch.no_grad()
    def step(self, grads: Tensor, learning_rate: float) -> None:
        """Move the parameters against `grads (P,)`."""
        self.steps += 1
        if _FUSED is None:
            self._step_plain(grads, learning_rate)
            return
        _FUSED(
            [self.params],
            [grads],
            [self.mean],
            [self.square],
            [],
            [self.steps],
            lr=learning_rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=self.eps,
            amsgrad=False,
            maximize=False,
        )

    def _step_plain(self, grads: Tensor, learning_rate: float) -> None:
        beta1, beta2 = self.betas
        self.mean.lerp_(grads, 1.0 - beta1)
        self.square.mul_(beta2).addcmul_(grads, grads, value=1.0 - beta2)
        steps = float(self.steps)
        root = (self.square / (1.0 - beta2**steps)).sqrt_().add_(self.eps)
        self.params.addcdiv_(self.mean, root, value=-learning_rate / (1.0 - beta1**steps))

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean.clone(), "square": self.square.clone(), "steps": self.steps.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("mean", "square", "steps"):
            getattr(self, name).copy_(torch.as_tensor(state[name]))
