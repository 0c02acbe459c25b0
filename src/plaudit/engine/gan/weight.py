"""lambda, the weight of the reward: constant, growing, balanced by norms, or steered by a constraint."""

from __future__ import annotations

import math

from plaudit.engine.env import State
from plaudit.engine.gan.config import RewardConfig
from plaudit.engine.gan.distance import SIGMAS, Distance
from plaudit.errors import Diverged


def ramped(share: float, start: float, end: float) -> float:
    """How much of lambda is there at `share` of the budget: 0 up to `start`, 1 from `end` on.

    >>> [ramped(share, 0.2, 0.6) for share in (0.1, 0.4, 0.7)]
    [0.0, 0.5, 1.0]
    """
    if share >= end:
        return 1.0
    return (share - start) / (end - start) if share > start else 0.0


def balanced(weight: float, adversarial: float, reward: float) -> float:
    """lambda at which the reward's gradient is `weight` times as long as the adversarial one.

    A reward without a gradient gets 0.
    """
    return weight * adversarial / reward if reward > 1e-12 else 0.0


def ascended(weight: float, distance: float, limit: float, reference: float, rate: float) -> float:
    """One step of dual ascent on "distance <= limit", with lambda = 1 / multiplier.

    The multiplier grows by the exponential of how far the constraint is broken, in units of `reference`
    and by no more than one: lambda stays above 0, and one wild estimate cannot throw it far.
    """
    broken = (distance - limit) / reference
    return weight * math.exp(-rate * min(max(broken, -1.0), 1.0))


class RewardWeight:
    """lambda over a training.

    Attributes:
        base: what lambda grows to; dual ascent moves it.
        reference: the distance that the constraint speaks of; 0 = not measured yet.
        distance: the newest measured one; `bound`: where it is rather surely below, in view of its error.
        start: the first measured one.
    """

    def __init__(self, config: RewardConfig) -> None:
        self.config = config
        self.base, self.reference = config.weight, config.reference
        self.distance, self.bound, self.next_judgement = 0.0, 0.0, 0
        self.start: Distance | None = None

    def at(self, share: float) -> float:
        """lambda at `share` of the budget, before balancing."""
        return self.base * ramped(share, *self.config.ramp)

    def due(self, count: int, share: float) -> bool:
        """Whether the distance is wanted now, after `count` units of the learner."""
        steered = self.config.schedule == "dual" and self.at(share) > 0
        return steered and count >= self.next_judgement

    def measured(self, found: Distance, count: int) -> bool:
        """Let a measured distance in, and say whether it keeps the constraint.

        Raises `Diverged` for one that is none.
        """
        if not (math.isfinite(found.value) and found.value >= 0):
            raise Diverged(f"the distance from the data is {found.value}.")
        self.next_judgement = count + self.config.judge_every
        self.distance, self.bound = found.value, found.value + SIGMAS * self._error(found)
        if self.start is None:
            self.start = found
        if self.reference <= 0:
            self.reference = max(found.value, 1e-12)
            return True
        limit = (1.0 + self.config.slack) * self.reference
        moved = ascended(self.base, self.bound, limit, self.reference, self.config.rate)
        self.base = min(moved, self.config.most)
        return self.bound <= limit

    def _error(self, found: Distance) -> float:
        """Of how far a distance is above the reference: the start's, which errs alike, or a given number."""
        if self.config.reference > 0:
            return found.error
        return 0.0 if self.start is None else found.growth_error(self.start)

    def state_dict(self) -> State:
        return {
            "base": self.base,
            "reference": self.reference,
            "distance": self.distance,
            "bound": self.bound,
            "next_judgement": self.next_judgement,
            "start": None if self.start is None else [self.start.value, *self.start.left_out],
        }

    def load_state_dict(self, state: State) -> None:
        self.base, self.reference = float(state["base"]), float(state["reference"])
        self.distance, self.bound = float(state["distance"]), float(state["bound"])
        self.next_judgement = int(state["next_judgement"])
        if state["start"] is not None:
            value, *left_out = (float(number) for number in state["start"])
            self.start = Distance(value, tuple(left_out))
