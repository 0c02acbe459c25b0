"""What is asked of a tuned pipeline: a prompt, and statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from plaudit.domains.image.picture_request import check_targets
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.task import Request


class DiffusersRequest(Request):
    """One picture. `target` may name ink, contrast, symmetry, colourfulness, sharpness and jpeg_kb."""

    prompt: str | None = Field(None, max_length=2000)
    """What the picture shows; one of the prompts that the recipe names when left open; "" for none."""
    guidance: float | None = Field(None, ge=0, le=50)
    """Strength of classifier-free guidance: v + g (v - v of no prompt); the policy's own when left open."""
    steps: int | None = Field(None, ge=1, le=1000)
    """Steps from noise to picture; the policy's own when left open."""


def check_prompt(request: DiffusersRequest, channels: int) -> None:
    """Raise `InputError` for what cannot be asked, `Infeasible` for a target out of reach."""
    check_targets(request, channels)
    if request.prompt is not None and not request.prompt.isprintable():
        raise InputError("the prompt has letters that cannot be shown.", place="prompt")


def draw_prompts(
    n: int, seed: int, given: DiffusersRequest, prompts: Sequence[str]
) -> list[DiffusersRequest]:
    """Draw n requests: an open prompt becomes one of the recipe's, or none where it has none."""
    if given.prompt is not None or not prompts:
        return [given.model_copy(update={"prompt": given.prompt or ""})] * n
    drawn = RowRandom(np.arange(n) + seed * 1_000_003).integers(0, len(prompts))
    return [given.model_copy(update={"prompt": prompts[int(at)]}) for at in drawn]
