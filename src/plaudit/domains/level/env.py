"""The MDP of tile games: B maps edited cell by cell until every goal is met or the steps run out.

Follows PCGRL (Khalifa et al., 2020, arXiv 2001.09212) with wanted statistics in the observation (Earle
et al., 2021, arXiv 2105.02993); the statistics and planes of a step come from the game's kernel in one
pass, split over threads, and every reward term reuses them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.episodes import Episodes
from plaudit.domains.level.game import Game, Maps, View
from plaudit.domains.level.scoring import Edited, score_levels
from plaudit.domains.level.simulator import LevelSimulator
from plaudit.domains.level.views import REPRESENTATIONS, Board, Order, Representation, crop, make_editor
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError, did_you_mean
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise

SHORTEST = 20
"""Steps of a wide or patch episode on a small map, a third of the cells on a larger one."""
_ROWS_PER_THREAD = 64
"""Below this, handing rows to another thread costs more than it saves."""


@dataclass(frozen=True)
class LevelConfig:
    """How levels are edited: the `[env]` table of a level recipe."""

    representation: Representation = "wide"
    """`wide`, `narrow`, `turtle` or `patch`."""
    copies: int = 256
    """Levels edited side by side during training."""
    view: int = 0
    """Side of the window around the cursor of narrow and turtle; 0 = the whole map from any place."""
    order: Order = "scan"
    """How the narrow cursor moves: `scan` or `random`."""
    pool: int = 4096
    """Number of start maps that training draws from."""
    threads: int = 1
    """Threads that share the statistics and observations of a step."""
    locks: float = 0.0
    """Share of the training episodes in which 10 to 30 % of the cells must stay as they are."""

    examples: tuple[str, ...] = ()
    """Levels for the term `similarity`: a folder of them, which the recipe takes in as text, a line a row."""

    def __post_init__(self) -> None:
        for key, known in (("representation", REPRESENTATIONS), ("order", ("scan", "random"))):
            if getattr(self, key) not in known:
                hint = did_you_mean(str(getattr(self, key)), known)
                raise InputError(f'env.{key} is "{getattr(self, key)}".', hint=hint)
        for key, low, high in (("copies", 1, 2**20), ("pool", 1, 2**19), ("threads", 1, 256)):
            if not low <= getattr(self, key) <= high:
                raise InputError(f"env.{key} is {getattr(self, key)}; it goes from {low} to {high}.")
        if not 0.0 <= self.locks <= 1.0:
            raise InputError(f"env.locks is {self.locks}; it goes from 0 to 1.")
        if self.view < 0 or (self.view and self.view % 2 == 0):
            raise InputError(
                f"env.view is {self.view}; a window around a cell has an odd side.", hint="Or 0."
            )


@dataclass(frozen=True)
class Limits:
    """What an episode may do, as its request says."""

    tolerance: tuple[float, ...]
    changes: float = 1.0
    steps: int = 0

    def budget(self, representation: Representation, cells: int) -> int:
        """Steps of an episode on a map of this many cells."""
        automatic = max(SHORTEST, cells // 3) if representation in ("wide", "patch") else 2 * cells
        return self.steps or automatic


class StepInfo(dict[str, Any]):
    """`info` of a step. `final_obs` is a copy of the whole batch, so it is made when it is asked for.

    It holds also, for the rows that ended (`ended (R,)`): `ended_obs (R, *O)`, `ended_maps (R, H, W)`
    and `ended_stats (R, S)`. Like the observation, it is valid until the next step.
    """

    def __init__(self, obs: Tensor, **rest: Any) -> None:
        super().__init__(rest)
        self._obs = obs

    def __missing__(self, key: str) -> Tensor:
        if key != "final_obs":
            raise KeyError(key)
        final = self._obs
        if len(self["ended"]):
            final = final.clone()
            final[torch.from_numpy(self["ended"])] = self["ended_obs"]
        self[key] = final
        return final


class LevelEnv(VecEnv):
    """B levels of one size. Terms are the columns of `reward`; without one there are none (K = 0)."""

    def __init__(
        self,
        game: Game,
        episodes: Episodes,
        config: LevelConfig,
        reward: Stepwise | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.game, self.episodes, self.config, self.reward = game, episodes, config, reward
        self.num_envs = rows = config.copies
        width, height = episodes.size
        self.limits = limits or Limits(game.tolerance(episodes.size))
        self.tolerance = self.limits.tolerance
        self.budget = self.limits.budget(config.representation, width * height)
        self.term_names = reward.composition.names if reward else ()
        self.maps: Maps = np.zeros((rows, height, width), np.uint8)
        self.starts = np.zeros_like(self.maps)
        self.locked = np.zeros(self.maps.shape, bool)
        self.goals = np.zeros((rows, len(game.targets)), np.int64)
        self.stats = np.zeros((rows, len(game.statistics)), np.int32)
        self.taken = np.zeros(rows, np.int64)
        self.random = RowRandom(np.zeros(rows, np.int64))
        self.editor = make_editor(
            config.representation, Board(self.maps, self.locked, len(game.tiles)), config.order
        )
        self._allocate(rows, height, width)
        self._pool = ThreadPoolExecutor(config.threads) if config.threads > 1 else None
        shape = tuple(self.obs.shape[1:])
        self.observation_space = spaces.Box(-2.0, 2.0, shape, np.float32)
        self.action_space = spaces.Discrete(self.editor.actions)
        scopes = {term.scope for term in reward.composition.terms} if reward else set()
        self._alone = scopes <= {"item"}

    @property
    def weighing(self) -> Composition | None:
        """The composition whose columns `step` pays."""
        return self.reward.composition if self.reward else None

    def _allocate(self, rows: int, height: int, width: int) -> None:
        """Make the observation buffers, written in place by the kernels at every step."""
        self._planes = self.obs = torch.zeros(rows, height, width, self.game.planes)
        if self.editor.cursor is not None:
            side = self.config.view or 2 * max(height, width) - 1
            self.obs = torch.zeros(rows, side, side, self.game.planes)

    def reset(self, seed: int) -> Tensor:
        self.episodes.reset(seed, self.num_envs)
        self._begin(np.arange(self.num_envs))
        return self.obs

    def step(self, action: Tensor) -> StepResult:
        chosen = action.numpy().astype(np.int64, copy=False).reshape(self.num_envs)
        if chosen.min() < 0 or chosen.max() >= self.editor.actions:
            raise InputError(
                f"an action is outside of 0 to {self.editor.actions - 1}: {chosen.tolist()[:8]}."
            )
        self.editor.edit(chosen)
        self.taken += 1
        self._look()
        distance = self.game.distance(self.stats, self.goals, self.tolerance)
        met = distance <= 0
        spent = ~met & self._spent()
        done = met | spent
        terms = self._pay(distance, done)
        ended = np.flatnonzero(done)
        info = StepInfo(
            self.obs,
            ended=ended,
            ended_obs=self.obs[torch.from_numpy(ended)],
            ended_maps=self.maps[ended],
            ended_stats=self.stats[ended],
            ended_steps=self.taken[ended],
        )
        if ended.size:
            self._begin(ended)
        return self.obs, terms, torch.from_numpy(met), torch.from_numpy(spent), info

    def _spent(self) -> NDArray[np.bool_]:
        """Rows `(B,)` that have used up their steps or their changes."""
        spent = self.taken >= self.budget
        if self.limits.changes < 1:
            allowed = self.limits.changes * self.maps[0].size
            spent |= np.count_nonzero(self.maps != self.starts, axis=(1, 2)) >= allowed
        return spent

    def _begin(self, rows: NDArray[np.int64]) -> None:
        """Start the next episode in each of the rows."""
        beginning = self.episodes.take(rows)
        self.maps[rows] = self.starts[rows] = beginning.maps
        self.locked[rows] = beginning.locked
        self.goals[rows] = beginning.goals
        self.taken[rows] = 0
        # Only the beginning of an episode draws numbers, so that the generators are no state.
        self.random.reseed(rows, beginning.seeds)
        self.editor.begin(rows, self.random)
        self._look(None if len(rows) == self.num_envs else rows)
        if self.reward is not None:
            # A term that compares items sees the whole batch, also when few rows begin.
            scores = self._score(rows) if self._alone else self._score()[rows]
            self.reward.start(rows, scores)

    def _look(self, rows: NDArray[np.int64] | None = None) -> None:
        """Renew statistics and observations, of all rows or of the given ones."""
        if rows is not None:
            self._look_at(rows)
            return
        parts = min(self.config.threads, -(-self.num_envs // _ROWS_PER_THREAD))
        cuts = [self.num_envs * i // parts for i in range(parts + 1)]
        spans = [slice(a, b) for a, b in pairwise(cuts)]
        if self._pool is None or len(spans) == 1:
            self._look_along(slice(None))
        else:
            others = [self._pool.submit(self._look_along, span) for span in spans[1:]]
            self._look_along(spans[0])
            for other in others:
                other.result()

    def _look_along(self, span: slice) -> None:
        """Renew a contiguous span of rows in place."""
        left = (1.0 - self.taken[span] / self.budget).astype(np.float32)
        planes = self._planes.numpy()[span]
        view = View(self.maps[span], self.starts[span], self.locked[span], self.goals[span], left)
        self.game.observe(view, self.tolerance, planes, self.stats[span])
        if self.editor.cursor is not None:
            crop(planes, self.editor.cursor[span], self.obs.numpy()[span])

    def _look_at(self, rows: NDArray[np.int64]) -> None:
        """Renew scattered rows through small copies."""
        left = (1.0 - self.taken[rows] / self.budget).astype(np.float32)
        planes = np.empty((len(rows), *self._planes.shape[1:]), np.float32)
        stats = np.empty((len(rows), self.stats.shape[1]), np.int32)
        view = View(self.maps[rows], self.starts[rows], self.locked[rows], self.goals[rows], left)
        self.game.observe(view, self.tolerance, planes, stats)
        self._planes.numpy()[rows] = planes
        self.stats[rows] = stats
        if self.editor.cursor is not None:
            shown = np.empty((len(rows), *self.obs.shape[1:]), np.float32)
            crop(planes, self.editor.cursor[rows], shown)
            self.obs.numpy()[rows] = shown

    def _pay(self, distance: NDArray[np.float64], done: NDArray[np.bool_]) -> Tensor:
        if self.reward is None:
            return torch.zeros(self.num_envs, 0)
        return torch.from_numpy(self.reward.advance(self._score(distance=distance), done))

    def _score(
        self, rows: NDArray[np.int64] | slice = slice(None), distance: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Columns of the composition `(R, K)` for the maps as they are."""
        assert self.reward is not None
        edited = Edited(self.maps[rows], self.starts[rows], self.goals[rows], self.stats[rows], distance)
        return score_levels(self.game, self.reward.composition, edited, self.tolerance)

    def simulator(self) -> LevelSimulator:
        """The same problems for search to branch; in the wide representation alone."""
        if self.config.representation != "wide":
            raise InputError(
                f"search needs the wide representation, not {self.config.representation}.",
                place="env.representation",
            )
        composition = self.reward.composition if self.reward else None
        return LevelSimulator(
            self.game, self.episodes, self.tolerance, self.budget, self.config.threads, composition
        )

    def action_mask(self) -> Tensor | None:
        mask = self.editor.mask()
        return None if mask is None else torch.from_numpy(mask)

    def state_dict(self) -> State:
        return {
            "maps": self.maps.copy(),
            "starts": self.starts.copy(),
            "locked": self.locked.copy(),
            "goals": self.goals.copy(),
            "taken": self.taken.copy(),
            "editor": self.editor.state(),
            "episodes": self.episodes.state_dict(),
            "reward": self.reward.state_dict() if self.reward else {},
        }

    def load_state_dict(self, state: State) -> None:
        for name in ("maps", "starts", "locked", "goals", "taken"):
            getattr(self, name)[:] = state[name]
        self.editor.restore(state["editor"])
        self.episodes.load_state_dict(state["episodes"])
        if self.reward is not None:
            self.reward.load_state_dict(state["reward"])
        self._look()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
