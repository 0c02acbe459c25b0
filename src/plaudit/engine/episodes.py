"""What a learner does with the terms of a step: weigh them into a reward, and sum them over episodes.

B rows, K terms. A row with NaN in a term of non-zero weight is masked: its reward is NaN, it is counted,
and no learner learns from it. Inf is a divergence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.engine.env import State
from plaudit.engine.learner import Metrics, Weighing
from plaudit.errors import Diverged, InputError

Floats = NDArray[np.float64]


class EpisodeTerms:
    """Weighs terms into rewards and keeps the undiscounted sums of the episodes that ended."""

    def __init__(self, weighing: Weighing, term_names: tuple[str, ...], num_envs: int) -> None:
        if tuple(weighing.names) != tuple(term_names):
            raise InputError(
                f"the composition weighs {list(weighing.names)}, the environment pays {list(term_names)}.",
                hint="Both must name the same terms in the same order.",
            )
        self.weighing, self.names = weighing, tuple(term_names)
        self.running: Floats = np.zeros((num_envs, len(self.names)))
        self.paid: Floats = np.zeros((num_envs, len(self.names)))
        self.length: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self.weights: Floats = np.zeros(len(self.names))
        self._used: Any = slice(None)
        self._clear()

    def start(self, share: float) -> None:
        """Take the weights at `share` of the budget, for the steps to come."""
        self.weights = np.asarray(self.weighing.weights(share), dtype=np.float64)
        used = np.flatnonzero(self.weights)
        self._used = slice(None) if len(used) == len(self.weights) else used

    def weigh(self, terms: Floats) -> Floats:
        """Return `reward (B,)` of `terms (B, K)`, NaN where the row is masked; raises `Diverged` on Inf."""
        reward: Floats = terms[:, self._used] @ self.weights[self._used]
        if not np.isfinite(reward.sum()):
            self._inspect(terms, reward)
        return reward

    def _inspect(self, terms: Floats, reward: Floats) -> None:
        endless = np.isinf(terms[:, self._used]).any(0)
        if endless.any():
            name = np.asarray(self.names)[self._used][endless.argmax()]
            raise Diverged(f'the term "{name}" of the reward is infinite.')
        if np.isinf(reward).any():
            raise Diverged("the composed reward is infinite.", hint="Lower the weights.")
        self.masked += int(np.isnan(reward).sum())

    def add(self, terms: Floats, ended: NDArray[np.bool_]) -> None:
        """Count `terms (B, K)` of one step; close the episodes of the rows that `ended (B,)`."""
        self.running += terms
        # Weights move while an episode runs: what was paid is not the raw sum times the last weight.
        self.paid[:, self._used] += terms[:, self._used] * self.weights[self._used]
        self.length += 1
        if not ended.any():
            return
        done = self.running[ended]
        scored = ~np.isnan(done)
        self.total += np.where(scored, done, 0.0).sum(0)
        self.total_paid += np.where(scored, self.paid[ended], 0.0).sum(0)
        self.scored += scored.sum(0)
        self.episodes += len(done)
        self.steps += int(self.length[ended].sum())
        self.running[ended] = self.paid[ended] = 0.0
        self.length[ended] = 0

    def metrics(self) -> Metrics:
        """Means over the episodes that ended since the last call; "masked" counts masked steps."""
        row: Metrics = {"masked": self.masked, "episodes": self.episodes}
        if self.episodes:
            raw, paid = (total / np.maximum(self.scored, 1) for total in (self.total, self.total_paid))
            row["length"] = self.steps / self.episodes
            row["return"] = float(paid.sum())
            row["terms"] = {
                name: {"raw": float(r), "weight": float(w), "weighted": float(p)}
                for name, r, w, p in zip(self.names, raw, self.weights, paid, strict=True)
            }
        self._clear()
        return row

    def _clear(self) -> None:
        self.total: Floats = np.zeros(len(self.names))
        self.total_paid: Floats = np.zeros(len(self.names))
        self.scored: NDArray[np.int64] = np.zeros(len(self.names), np.int64)
        self.episodes, self.steps, self.masked = 0, 0, 0

    def state_dict(self) -> State:
        """The open episodes; valid between two logged rows."""
        return {"running": self.running.copy(), "paid": self.paid.copy(), "length": self.length.copy()}

    def load_state_dict(self, state: State) -> None:
        self.running[...] = state["running"]
        self.paid[...] = state["paid"]
        self.length[...] = state["length"]


def check_obs(obs: NDArray[Any]) -> None:
    """Raise `Diverged` when an observation `(B, *O)` of floats holds NaN or Inf."""
    # The sum is one quick pass; only where it is not finite are the numbers looked at one by one.
    if obs.dtype.kind == "f" and not np.isfinite(obs.sum()) and not np.isfinite(obs).all():
        row = int(np.argwhere(~np.isfinite(obs))[0][0])
        raise Diverged(f"the observation of row {row} is not finite.", hint="The environment is at fault.")


def final_mask(
    mask: NDArray[np.bool_] | None, ended: NDArray[np.bool_], info: dict[str, Any]
) -> NDArray[np.bool_] | None:
    """Masks `(B, A)` of the true next observations; all allowed where a row ended without a "final_mask"."""
    if mask is None or not ended.any():
        return mask
    following = mask.copy()
    following[ended] = info["final_mask"].cpu().numpy()[ended] if "final_mask" in info else True
    return following
