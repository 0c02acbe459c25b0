"""A small world as tables: what an environment gives the fused kernel of tabular Q-learning.

R worlds (1 when every row plays in the same one), S states, A actions, K terms, N start states.
Transitions are deterministic; environments with chance take the plain path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import Env, spaces
from numpy.typing import NDArray

from plaudit.errors import InputError


@dataclass(frozen=True)
class TabularModel:
    """The tables.

    Attributes:
        next_state: `(R, S, A)` int32.
        terms: `(R, S, A, K)` float64, NaN where a term cannot score.
        done: `(R, S, A)` bool: the step terminates the episode.
        starts: `(R, N)` int32, start states drawn uniformly, padded on the right.
        start_counts: `(R,)` int64, how many of them count.
        max_steps: steps after which an episode is truncated; 0 = never.
        allowed: `(R, S, A)` bool action masks; None = all allowed.
    """

    next_state: NDArray[np.int32]
    terms: NDArray[np.float64]
    done: NDArray[np.bool_]
    starts: NDArray[np.int32]
    start_counts: NDArray[np.int64]
    max_steps: int
    allowed: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        shape, states = self.next_state.shape, self.next_state.shape[1]
        fits = self.terms.shape[:3] == shape == self.done.shape
        fits = fits and (self.allowed is None or self.allowed.shape == shape)
        fits = fits and len(self.starts) == len(self.start_counts) == len(self.next_state)
        if not fits:
            raise InputError(f"the tables of a tabular model do not fit its shape (R, S, A) = {shape}.")
        low = min(int(self.next_state.min()), int(self.starts.min()))
        if low < 0 or max(int(self.next_state.max()), int(self.starts.max())) >= states:
            raise InputError(f"a tabular model names states outside 0..{states - 1}.")
        if self.start_counts.min() < 1 or self.start_counts.max() > self.starts.shape[1]:
            raise InputError("a tabular model has a world without start states.")

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of worlds, states and actions."""
        worlds, states, actions = self.next_state.shape
        return worlds, states, actions


def from_gymnasium(env: Env[Any, Any]) -> TabularModel | None:
    """Tables of a Gymnasium environment that publishes `P` (toy text); None where it has none, or chance.

    The episode limit is that of the environment's spec.
    """
    bare: Any = env.unwrapped
    table, law = getattr(bare, "P", None), getattr(bare, "initial_state_distrib", None)
    if table is None or law is None or not isinstance(bare.action_space, spaces.Discrete):
        return None
    states, actions = len(table), int(bare.action_space.n)
    outcomes = [table[s][a] for s in range(states) for a in range(actions)]
    starts = np.flatnonzero(np.asarray(law))
    if any(len(o) != 1 for o in outcomes) or not np.allclose(np.asarray(law)[starts], 1.0 / len(starts)):
        return None
    shape = (1, states, actions)
    limit = getattr(env.spec, "max_episode_steps", None)
    return TabularModel(
        next_state=np.array([o[0][1] for o in outcomes], np.int32).reshape(shape),
        terms=np.array([o[0][2] for o in outcomes], np.float64).reshape(*shape, 1),
        done=np.array([o[0][3] for o in outcomes], bool).reshape(shape),
        starts=starts.astype(np.int32)[None],
        start_counts=np.array([len(starts)]),
        max_steps=limit or 0,
    )
