"""Exploration over action values: epsilon-greedy and Boltzmann, and the schedules of their strength.

Each choice takes one uniform number per row, so that a fused kernel that draws the same numbers makes
the same choices. B rows, A actions; a mask is True where an action is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plaudit.engine.random import RowRandom
from plaudit.engine.returns import check_rank
from plaudit.errors import InputError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_] | None
Rule = Literal["epsilon", "boltzmann"]

RULES = ("epsilon", "boltzmann")
SHAPES = ("constant", "linear", "exponential")


@dataclass(frozen=True)
class Schedule:
    """A number that follows the share of the training budget.

    It goes from `start` to `end` in the first `until` of the budget and stays there; "exponential"
    takes equal factors instead of equal steps, "constant" stays at `start`.

    >>> Schedule("linear", 1.0, 0.0, until=0.5)(0.25)
    0.5
    """

    shape: Literal["constant", "linear", "exponential"]
    start: float
    end: float = 0.0
    until: float = 1.0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise InputError(f'schedule "{self.shape}" is unknown.', hint=f"Known: {', '.join(SHAPES)}.")
        if not 0.0 < self.until <= 1.0:
            raise InputError(f"a schedule ends at {self.until} of the budget; give a share in (0, 1].")
        if self.shape == "exponential" and min(self.start, self.end) <= 0.0:
            raise InputError(f"an exponential schedule from {self.start} to {self.end} must stay above 0.")

    def __call__(self, share: float) -> float:
        """Return the value at `share` in [0, 1] of the budget."""
        if self.shape == "constant":
            return self.start
        done = min(1.0, share / self.until)
        if self.shape == "linear":
            return self.start + (self.end - self.start) * done
        return float(self.start * (self.end / self.start) ** done)


def greedy(q: NDArray[Any], mask: Mask = None) -> NDArray[np.int64]:
    """The best allowed action `(B,)` of `q (B, A)`; the first where several are equal."""
    check_rank(2, q=q)
    best: NDArray[np.int64] = (q if mask is None else np.where(mask, q, -np.inf)).argmax(1)
    return best


def epsilon_greedy(q: NDArray[Any], epsilon: float, uniform: Floats, mask: Mask = None) -> NDArray[np.int64]:
    """With probability `epsilon` any allowed action, else the best; `q (B, A)`, `uniform (B,)` in [0, 1).

    A number below epsilon is uniform in [0, epsilon): what it is divided by epsilon picks the action.
    """
    action = greedy(q, mask)
    wild = np.flatnonzero(uniform < epsilon)
    if len(wild) == 0:
        return action
    place = uniform[wild] / epsilon
    if mask is None:
        action[wild] = np.minimum((place * q.shape[1]).astype(np.int64), q.shape[1] - 1)
        return action
    allowed = mask[wild]
    count = allowed.sum(1)
    nth = np.minimum((place * count).astype(np.int64), count - 1)
    action[wild] = (allowed.cumsum(1) == nth[:, None] + 1).argmax(1)
    return action


def boltzmann(q: NDArray[Any], temperature: float, uniform: Floats, mask: Mask = None) -> NDArray[np.int64]:
    """An action `(B,)` with probability proportional to `exp(q / temperature)`.

    Inverts the cumulative distribution at `uniform (B,)` in [0, 1). Sutton and Barto, 2018, section 2.8.
    """
    heap = boltzmann_weights(q, temperature, mask).cumsum(1)
    action: NDArray[np.int64] = (heap <= (uniform * heap[:, -1])[:, None]).sum(1)
    return action


def boltzmann_weights(q: NDArray[Any], temperature: float, mask: Mask = None) -> Floats:
    """Weights `(B, A)` proportional to the probabilities of `boltzmann`; the best action has 1."""
    check_rank(2, q=q)
    allowed = q if mask is None else np.where(mask, q, -np.inf)
    weights: Floats = np.exp((allowed - allowed.max(1, keepdims=True)) / temperature, dtype=np.float64)
    return weights


def choose(
    rule: Rule, q: NDArray[Any], strength: float, uniform: Floats, mask: Mask = None
) -> NDArray[np.int64]:
    """Choose by the named rule; `strength` is epsilon or the temperature."""
    explore = epsilon_greedy if rule == "epsilon" else boltzmann
    return explore(q, strength, uniform, mask)


def log_probs(rule: Rule, q: NDArray[Any], strength: float, mask: Mask = None) -> Floats:
    """Log-probability `(B, A)` of every action under `choose`; -inf where it cannot be chosen."""
    if rule == "boltzmann":
        weights = boltzmann_weights(q, strength, mask)
        probs = weights / weights.sum(1, keepdims=True)
    else:
        allowed = np.ones(q.shape, dtype=bool) if mask is None else mask
        probs = strength * allowed / allowed.sum(1, keepdims=True)
        probs[np.arange(len(q)), greedy(q, mask)] += 1.0 - strength
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(probs), dtype=np.float64)


@dataclass(frozen=True)
class Exploration:
    """A rule with its strength, as a policy over action values keeps it for acting by chance."""

    rule: Rule
    strength: float
    """Epsilon or the temperature."""

    def act(
        self, q: NDArray[Any], mask: Mask, generator: RowRandom | None
    ) -> tuple[NDArray[np.int64], Floats]:
        """Actions and log-probabilities, each `(B,)`; without a generator the best actions, for certain."""
        if generator is None:
            return greedy(q, mask), np.zeros(len(q))
        action = choose(self.rule, q, self.strength, generator.uniform(1)[:, 0], mask)
        return action, log_probs(self.rule, q, self.strength, mask)[np.arange(len(q)), action]
