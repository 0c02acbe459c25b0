"""The learner contract: what `fit` needs of an algorithm, and no more."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.env import State
from plaudit.engine.random import RowRandom

Metrics = dict[str, Any]
"""One logged row: plain floats by name; under "terms" a dict `name -> {"raw", "weight", "weighted"}`
with the mean undiscounted sum of the term over the episodes that ended in this step."""


class Weighing(Protocol):
    """What a learner knows of a composition: names and weights of its K terms."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def weights(self, progress: float) -> NDArray[np.float64]:
        """Return `(K,)` weights at `progress` in [0, 1] of the training budget."""
        ...


class Stored(Protocol):
    """Anything trained that is kept: tensors and a JSON description that rebuilds it."""

    def tensors(self) -> dict[str, Tensor]:
        """The weights, by name: what goes into `model.safetensors`."""
        ...

    def describe(self) -> dict[str, Any]:
        """JSON from which `plaudit.engine.policies.build` makes the same policy, given the tensors."""
        ...


class Policy(Stored, Protocol):
    """A trained decision maker, for stepwise and sequence models."""

    def act(
        self,
        obs: Tensor,
        state: Any = None,
        mask: Tensor | None = None,
        generator: RowRandom | None = None,
    ) -> tuple[Tensor, Any, Tensor]:
        """Map `obs (B, *O)` to `action, state, log_prob (B,)`; greedy when `generator` is None."""
        ...


class Drawer(Stored, Protocol):
    """A trained one-shot generator: from noise and a class to an item."""

    def noise(self, random: RowRandom) -> Tensor:
        """What items are made from, `(B, ...)`, each row from its own generator."""
        ...

    def draw(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map noise and classes `(B,)` to items `(B, *item)`; an item depends on its own row alone."""
        ...


class Learner(Protocol):
    """One algorithm at work: owns its data source, the composition and the model.

    `progress` is the share of the budget in [0, 1] that `fit` sets before each step, so that
    schedules and ramps follow the budget, whatever its unit.
    """

    share: float

    def step(self) -> Metrics:
        """Do one unit of collecting and updating; raise `Diverged` on anything not finite."""
        ...

    @property
    def progress(self) -> tuple[int, str]:
        """Units done and their name: `(4096, "steps")`."""
        ...

    def state_dict(self) -> State:
        """Everything that the next `step` depends on, `policy().tensors()` excepted."""
        ...

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None: ...

    def policy(self) -> Policy: ...

    def describe(self) -> dict[str, Any]:
        """What ran, for the run's record: algorithm, path taken (plain or fast), sizes."""
        ...


class UnitWeights:
    """The weighing of an environment that pays its own reward: every term counts once."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def weights(self, progress: float) -> NDArray[np.float64]:
        return np.ones(len(self.names))
