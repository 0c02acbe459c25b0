"""Expert iteration: a beam search guided by the policy solves problems, the policy imitates it.

Anthony, Tian and Barber, 2017 ("Thinking fast and slow with deep learning and tree search"), with three
departures. The expert is a beam search with exact look-ahead (`search.py`), as solutions are short and
the simulator exact. Part of the problems begin where the policy's own episodes have led (DAgger: Ross,
Gordon and Bagnell, 2011). And as the order of edits hardly matters, the target is half the next action
of a solution, half a uniform choice among all of its remaining ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.engine import nets
from plaudit.engine.actor_critic import ActorCritic, ActorPolicy, load_tensors
from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.memory import SolutionMemory
from plaudit.engine.search import Beam, BeamConfig, Positions, Simulator, Solution, copied, pruned
from plaudit.errors import Diverged, InputError


@dataclass(frozen=True)
class ExpertConfig:
    """Settings of expert iteration."""

    beam: BeamConfig = field(default_factory=BeamConfig)
    """Width, children, depth and prices of the search."""
    exhaustive: int = 200
    """Solutions found by looking at every action, before the policy is fit to guide the search; 0 = the
    policy guides from the first step on, which takes one that is given (`inputs.init`)."""
    looks: int = 128
    """Actions that this looks at from a position, drawn by chance where there are more; 0 = all of them."""
    searches: int = 10
    """Actions that every problem is deepened by in one step."""
    updates: int = 20
    """Gradient steps in one step."""
    memory: int = 4000
    """Newest solutions that are imitated."""
    batch_size: int = 128
    """Positions per gradient step."""
    learning_rate: float = 1.5e-3
    """Step size of Adam at the start; it falls linearly to `learning_rate_end`."""
    learning_rate_end: float = 5e-5
    """Step size of Adam at the end of the budget."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    own_share: float = 0.6
    """Share of the problems that begin inside the policy's own episodes."""
    rows: int = 64
    """Own episodes kept under way."""
    temperature: float = 0.4
    """Of the policy in its own episodes."""
    horizon: int = 60
    """Actions after which an own episode starts anew."""

    def __post_init__(self) -> None:
        for name, least in (
            ("exhaustive", 0),
            ("searches", 1),
            ("memory", 1),
            ("batch_size", 1),
            ("rows", 1),
        ):
            if getattr(self, name) < least:
                raise InputError(f"is {getattr(self, name)}; {least} or more.", place=f"learner.{name}")
        if isinstance(self.beam, Mapping):  # a recipe's table
            object.__setattr__(self, "beam", BeamConfig(**self.beam))


class Searchable(Protocol):
    """An environment whose problems can be searched."""

    def simulator(self) -> Simulator: ...


class ExpertIteration:
    """The learner: `searches` deepenings of the beam, then `updates` steps of imitation.

    Its unit, "searches", counts deepenings of the beam. Search follows the composed reward until a problem
    is solved. The network is one that PPO with `shared` can go on with; its value output stays as drawn.
    """

    def __init__(
        self, env: Searchable, weighing: Weighing, config: ExpertConfig, network: Any, seed: int
    ) -> None:
        self.simulator = simulator = env.simulator()
        self.weighing = weighing
        self.weights = np.asarray(weighing.weights(0.0))
        self.config, self.share = config, 0.0
        self.searches = self.updates = 0
        self.random = np.random.default_rng(seed)
        self.model = ActorCritic(simulator.observation_space, simulator.action_space, network, shared=True)
        self.model.initialise(torch.Generator().manual_seed(seed))
        self.params, self.grads = flatten(self.model)
        self.adam = Adam(self.params)
        self.own = simulator.fresh(config.rows, self.random)
        self.age = np.zeros(config.rows, np.int64)
        self.beam = Beam(simulator, self._problems, config.beam, self.random)
        self.memory = SolutionMemory(config.memory, config.beam.depth)

    def step(self) -> Metrics:
        """Search, then imitate; without solutions in memory it only searches."""
        ended, solved = self.beam.ended, self.beam.solved
        self.weights = np.asarray(self.weighing.weights(self.share))
        found: list[Solution] = []
        for _ in range(self.config.searches):
            guide = self._look if self.memory.total < self.config.exhaustive else self._guide
            new = [pruned(self.simulator, s, self.weights) for s in self.beam.step(guide, self.weights)]
            self.memory.add([s for s in new if len(s.actions)])
            found += new
        losses: list[float] = []
        # There is nothing to imitate before the first solution, however early the policy guides.
        if self.memory.total >= max(1, min(self.config.exhaustive, self.config.batch_size)):
            losses = [self._imitate() for _ in range(self.config.updates)]
        self.searches += self.config.searches
        self.updates += len(losses)
        row: Metrics = {"solutions": self.memory.total, "learning_rate": self._learning_rate()}
        if losses:
            row["loss"] = float(np.mean(losses))
        if self.beam.ended > ended:
            row["solved_share"] = (self.beam.solved - solved) / (self.beam.ended - ended)
        return row | self._paid(found)

    def _paid(self, found: list[Solution]) -> Metrics:
        """What the composition says of the solutions found: what search chose them by.

        Not their gain: part of the problems begin half-way, where less is left to gain.
        """
        if not found:
            return {}
        worth = np.concatenate([self.simulator.columns(s.end) for s in found])
        scored = ~np.isnan(worth)
        raw = np.where(scored, worth, 0.0).sum(0) / np.maximum(scored.sum(0), 1)
        weighted = np.where(self.weights != 0, raw * self.weights, 0.0)
        columns = zip(self.weighing.names, raw, self.weights, weighted, strict=True)
        return {
            "length": float(np.mean([len(s.actions) for s in found])),
            "masked": int((~scored[:, self.weights != 0]).any(1).sum()),
            "return": float(weighted.sum()),
            "terms": {
                name: {"raw": float(r), "weight": float(w), "weighted": float(x)} for name, r, w, x in columns
            },
        }

    @property
    def progress(self) -> tuple[int, str]:
        return self.searches, "searches"

    def policy(self) -> ActorPolicy:
        return ActorPolicy(self.model)

    def describe(self) -> dict[str, Any]:
        return {
            "algorithm": "expert",
            "path": "plain",
            "network": nets.describe(self.model.network),
            "parameters": self.params.numel(),
        }

    @torch.no_grad()
    def _guide(self, at: Positions) -> NDArray[np.float32]:
        logits = self.model.decide(self.simulator.observe(at))
        return np.asarray(logits.log_softmax(1).numpy())

    def _look(self, at: Positions) -> NDArray[np.float32]:
        """Guide for the time before there is a policy: what every action is worth."""
        count, actions = len(next(iter(at.values()))), self.simulator.actions
        looked = np.tile(np.arange(actions), (count, 1))
        if 0 < self.config.looks < actions:
            order, chances = self.random.random((count, actions)), self.simulator.chances(at)
            order = order if chances is None else order / chances
            looked = order.argpartition(self.config.looks, axis=1)
            looked = looked[:, : self.config.looks]
        worth = self.simulator.prospects(at, looked, self.weights)[1]
        # Many actions are worth the same: without noise the first ones of the list would be taken.
        worth += 2.0 * self.config.beam.noise * self.random.random(worth.shape)
        guide = np.full((count, actions), -np.inf, np.float32)
        np.put_along_axis(guide, looked, np.nan_to_num(worth, nan=-np.inf).astype(np.float32), axis=1)
        return guide

    def _problems(self, count: int) -> Positions:
        """New problems, a share of them from where the policy's own episodes stand."""
        fresh = self.simulator.fresh(count, self.random)
        if self.updates == 0:
            return fresh
        for _ in range(2):
            self._live()
        rows = np.flatnonzero(self.random.random(count) < self.config.own_share)[: self.config.rows]
        chosen = self.random.choice(self.config.rows, len(rows), replace=False)
        for name, array in fresh.items():
            array[rows] = self.own[name][chosen]
        return fresh

    def _live(self) -> None:
        """Take one action in each of the policy's own episodes; finished ones start anew."""
        ended = (self.age >= self.config.horizon) | (self.simulator.distance(self.own) <= 0)
        rows = np.flatnonzero(ended)
        if len(rows):
            for name, array in self.simulator.fresh(len(rows), self.random).items():
                self.own[name][rows] = array
            self.age[rows] = 0
        noise = self.random.gumbel(size=(self.config.rows, self.simulator.actions))
        likely = self._guide(self.own) / self.config.temperature + noise
        self.simulator.act(self.own, np.where(self.simulator.allowed(self.own), likely, -np.inf).argmax(1))
        self.age += 1

    def _imitate(self) -> float:
        """One gradient step of cross-entropy towards what is left of stored solutions."""
        at, weights = self.memory.draw(self.simulator, self.config.batch_size, self.random)
        at, weights = self.simulator.mirror(at, weights, self.random)
        target = torch.from_numpy(np.ascontiguousarray(weights))
        self.grads.zero_()
        logits = self.model.decide(self.simulator.observe(at))
        loss = -(target * logits.log_softmax(1)).sum(1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        norm, value = clip_norm(self.grads, self.config.max_grad_norm), float(loss.detach())
        if not np.isfinite(norm + value):
            raise Diverged(f"the imitation loss is {value}, its gradient's norm {norm}.")
        with flushed_denormals():
            self.adam.step(self.grads, self._learning_rate())
        return value

    def _learning_rate(self) -> float:
        start, end = self.config.learning_rate, self.config.learning_rate_end
        return start + (end - start) * self.share

    def state_dict(self) -> State:
        return {
            "searches": self.searches,
            "updates": self.updates,
            "random": self.random.bit_generator.state,
            "adam": self.adam.state_dict(),
            "own": copied(self.own),
            "age": self.age.copy(),
            "beam": self.beam.state_dict(),
            "memory": self.memory.state_dict(),
        }

    def load_state_dict(self, state: State, tensors: dict[str, torch.Tensor]) -> None:
        load_tensors(self.model, tensors)
        self.searches, self.updates = state["searches"], state["updates"]
        self.random.bit_generator.state = state["random"]
        self.adam.load_state_dict(state["adam"])
        self.own, self.age = copied(state["own"]), np.array(state["age"])
        self.beam.load_state_dict(state["beam"])
        self.memory.load_state_dict(state["memory"])
