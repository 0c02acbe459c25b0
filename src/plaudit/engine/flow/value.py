"""What samples are worth, with its gradient: for the methods that follow the reward itself."""

from __future__ import annotations

import torch
from torch import Tensor

from plaudit.engine.flow.advantage import weighted
from plaudit.engine.flow.tuned import Tuned
from plaudit.errors import Diverged, InputError


def value(tuned: Tuned, label: Tensor | None, images: Tensor) -> tuple[Tensor, Tensor]:
    """Columns `(R, K)` and their weighted sum `(R,)`, differentiable in `images`."""
    if not hasattr(tuned.source, "value"):
        raise InputError(
            f"{tuned.config.method} tuning needs a reward with a gradient.",
            place="learner.method",
            hint="Take terms that are differentiable, or method = grpo.",
        )
    found: Tensor = tuned.source.value(label, images)
    names = tuned.weighing.names
    if found.dim() == 1:
        return found.detach()[:, None].expand(-1, len(names)), found
    if found.shape != (len(images), len(names)):
        raise InputError(f"the reward gave {tuple(found.shape)} for {len(images)} samples.", place="reward")
    return found, weighted(tuned.evened(found)[None], tuned.weights().to(found))[0]


def slope(tuned: Tuned, label: Tensor | None, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Columns `(R, K)`, worth `(R,)`, and its gradient `(R, ...)` by detached images; 0 where unknown."""
    leaf = images.detach().requires_grad_()
    found, total = value(tuned, label, leaf)
    known = ~total.detach().isnan()
    (toward,) = torch.autograd.grad(total[known].sum(), leaf)
    toward = torch.where(known.view(-1, *[1] * (leaf.dim() - 1)), toward, 0.0)
    if not bool(toward.isfinite().all()):
        raise Diverged("the gradient of the reward is not finite.")
    return found.detach().double().cpu(), total.detach().double().cpu(), toward
