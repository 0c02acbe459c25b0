"""What on-policy learners collect: T steps of B rows, in buffers allocated once.

The current observation is the last of the buffer: collecting again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from plaudit.engine.actions import Head, check_mask
from plaudit.engine.env import VecEnv
from plaudit.errors import Diverged

Choose = Callable[[Tensor, Tensor | None], Tensor]
"""`obs (B, *O), mask (B, A) -> raw action (B, *R)`"""


class Rollout:
    """T steps of an environment.

    Attributes:
        obs: `(T+1, B, *O)`; mask: `(T, B, A)` bool, or None where the environment has none.
        raw: `(T, B, *R)` what the head sampled; terms: `(T, B, K)` float64, NaN = could not be scored.
        terminated, truncated: `(T, B)` bool.
        cut: for each step with truncated rows `(t, rows (R,), final_obs (R, *O))`.
    """

    def __init__(self, env: VecEnv, head: Head, steps: int, first_obs: Tensor, masks: bool = True) -> None:
        rows, device = env.num_envs, env.device
        self.steps = steps
        self.obs = torch.zeros((steps + 1, *first_obs.shape), dtype=first_obs.dtype, device=device)
        self.raw = torch.zeros((steps, rows, *head.raw_shape), dtype=head.raw_dtype, device=device)
        self.terms = torch.zeros((steps, rows, len(env.term_names)), dtype=torch.float64, device=device)
        self.terminated = torch.zeros((steps, rows), dtype=torch.bool, device=device)
        self.truncated = torch.zeros((steps, rows), dtype=torch.bool, device=device)
        self.cut: list[tuple[int, Tensor, Tensor]] = []
        mask = env.action_mask()
        self.mask = (
            None if mask is None else torch.zeros((steps, *mask.shape), dtype=torch.bool, device=device)
        )
        self.obs[-1] = first_obs

    def fill(self, env: VecEnv, head: Head, choose: Choose) -> None:
        """Take `steps` steps from where the last call, or the reset, left the environment."""
        # Copying into views made beforehand costs half of assigning by index.
        into = (self.raw, self.obs[1:], self.terms, self.terminated, self.truncated)
        places = list(zip(*(buffer.unbind() for buffer in into), strict=True))
        self.obs[0] = self.obs[-1]
        self.cut.clear()
        for t, obs in enumerate(self.obs[:-1].unbind()):
            raw = choose(obs, self._note_mask(env, t))
            next_obs, terms, terminated, truncated, info = env.step(head.action(raw))
            results = (raw, next_obs, terms, terminated, truncated)
            for place, result in zip(places[t], results, strict=True):
                place.copy_(result)
            if truncated.any():
                rows = truncated.nonzero().squeeze(1)
                self.cut.append((t, rows, info["final_obs"][rows]))

    def _note_mask(self, env: VecEnv, t: int) -> Tensor | None:
        if self.mask is None:
            return None
        mask = env.action_mask()
        if mask is None:
            raise TypeError("an environment has an action mask at every step or at none")
        check_mask(mask)
        self.mask[t] = mask
        return self.mask[t]

    @property
    def ended(self) -> Tensor:
        """`(T, B)`: the row's episode is over, for whatever reason."""
        return self.terminated | self.truncated

    def check(self) -> None:
        """Raise `Diverged` for an observation that is not finite."""
        if self.obs.is_floating_point() and not bool(self.obs.isfinite().all()):
            row = int((~self.obs.isfinite()).flatten(2).any(2).any(0).nonzero()[0])
            raise Diverged(
                f"the observation of row {row} is not finite.", hint="The environment is at fault."
            )
