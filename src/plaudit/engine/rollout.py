"""What on-policy learners collect: T steps of B rows, in buffers allocated once.

The current observation is the last of the buffer: collecting again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.actions import Head, check_mask
from plaudit.engine.env import State, VecEnv
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

    def __init__(self, env: VecEnv, head: Head, steps: int, first_obs: Tensor) -> None:
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
        self.obs[0] = self.obs[-1]
        self.cut.clear()
        for t in range(self.steps):
            mask = self._note_mask(env, t)
            raw = choose(self.obs[t], mask)
            obs, terms, terminated, truncated, info = env.step(head.action(raw))
            self.raw[t] = raw
            self.obs[t + 1] = obs
            self.terms[t] = terms
            self.terminated[t] = terminated
            self.truncated[t] = truncated
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

    def check(self, names: tuple[str, ...]) -> None:
        """Raise `Diverged` for an observation that is not finite or an infinite term."""
        if self.obs.is_floating_point() and not bool(self.obs.isfinite().all()):
            raise Diverged("the environment returned an observation that is not finite.")
        infinite = self.terms.isinf()
        if bool(infinite.any()):
            name = names[int(infinite.flatten(0, 1).any(0).nonzero()[0])]
            raise Diverged(f'the reward term "{name}" is infinite.')


def weigh(terms: Tensor, weights: NDArray[np.float64]) -> Tensor:
    """Weighted sum `(T, B)` of `terms (T, B, K)`; a term of weight 0 cannot make it NaN."""
    used = np.flatnonzero(weights)
    factor = torch.as_tensor(weights[used], dtype=terms.dtype, device=terms.device)
    return (terms if len(used) == terms.shape[-1] else terms[..., used]) @ factor


class EpisodeSums:
    """Undiscounted sum of every term over each episode, across rollouts.

    An episode with a NaN in a term has no sum of that term, and is left out of its mean.
    """

    def __init__(self, rows: int, names: tuple[str, ...]) -> None:
        self.names = names
        # Raw terms, weighted terms, and the length of the episode so far.
        self.running: NDArray[np.float64] = np.zeros((rows, 2 * len(names) + 1))

    def update(self, terms: Tensor, ended: Tensor, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add `terms (T, B, K)`; return the sums `(E, 2K + 1)` of the episodes that ended."""
        raw, over = terms.cpu().numpy(), ended.cpu().numpy()
        paid = np.concatenate([raw, raw * weights, np.ones((*over.shape, 1))], axis=-1)
        any_over = over.any(1)
        done = [np.zeros((0, self.running.shape[1]))]
        for t in range(len(paid)):
            self.running += paid[t]
            if any_over[t]:
                done.append(self.running[over[t]])
                self.running[over[t]] = 0.0
        return np.concatenate(done)

    def metrics(self, done: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, Any]:
        """Means over the episodes `done (E, 2K + 1)`; nothing where none ended."""
        if len(done) == 0:
            return {"episodes": 0, "terms": {}}
        count = len(self.names)
        used = np.flatnonzero(weights)
        total = done[:, count : 2 * count][:, used].sum(1)
        terms = {
            name: {"raw": raw, "weight": float(weights[k]), "weighted": mean_known(done[:, count + k])}
            for k, name in enumerate(self.names)
            if (raw := mean_known(done[:, k])) is not None
        }
        return {
            "episodes": len(done),
            "episode_return": mean_known(total),
            "episode_length": float(done[:, -1].mean()),
            "terms": terms,
        }

    def state_dict(self) -> State:
        return {"running": self.running.copy()}

    def load_state_dict(self, state: State) -> None:
        self.running[...] = state["running"]


def mean_known(values: NDArray[np.float64]) -> float | None:
    """Mean of what is not NaN; None where all is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
