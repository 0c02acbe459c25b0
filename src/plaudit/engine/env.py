"""The environment contract: B independent episodes stepped together, batch first.

Departs from Gymnasium's vector API in three ways: the reward comes as K named terms (the composition
weights them), the last observation of a finished episode always travels in `info["final_obs"]`, and
there is one autoreset rule. **Autoreset rule (same step):** when a row ends, the same `step` call
resets it; the returned `obs` is the first of the next episode, `info["final_obs"]` the last of the
finished one. Rows that did not end have `final_obs == obs`. There is no step that is not a transition.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import torch
from gymnasium import Space
from torch import Tensor

State = dict[str, Any]
"""Nested dict of tensors, NumPy arrays and JSON values: what a checkpoint can hold."""

StepResult = tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]
"""`obs (B, *O), terms (B, K), terminated (B,), truncated (B,), info`."""


class VecEnv(ABC):
    """B episodes on one device, one random generator per row.

    Attributes:
        num_envs: B.
        observation_space, action_space: of a single row (Gymnasium spaces).
        term_names: names of the K reward terms that `step` returns.
        device: where the tensors live.
        resume_at: "step" when `state_dict` is exact at any step, "item" only at episode ends.
    """

    num_envs: int
    observation_space: Space[Any]
    action_space: Space[Any]
    term_names: tuple[str, ...]
    device: torch.device = torch.device("cpu")
    resume_at: Literal["step", "item"] = "step"

    @abstractmethod
    def reset(self, seed: int) -> Tensor:
        """Start B new episodes from `seed` and return `obs (B, *O)`."""

    @abstractmethod
    def step(self, action: Tensor) -> StepResult:
        """Take `action (B,)` or `(B, n)`; see the autoreset rule above.

        `info["final_mask"] (B, A)` may hold the action masks of `final_obs`; without it, learners take
        all actions as allowed there. A term is NaN where it could not score the item: the learner masks
        and counts that row.
        The tensors may be reused by the next call: whoever keeps them copies them.
        """

    def action_mask(self) -> Tensor | None:
        """Return `(B, A)` bool, True = allowed, for the current observation; None = all allowed."""
        return None

    @abstractmethod
    def state_dict(self) -> State:
        """Everything that the next `step` depends on."""

    @abstractmethod
    def load_state_dict(self, state: State) -> None:
        """Continue exactly where `state_dict` was taken."""

    def close(self) -> None:  # noqa: B027 - most environments hold nothing to close
        """Release what the environment holds (processes, windows)."""
