"""Melodies token by token as an MDP, for the textbook methods: RL Tuner's DQN, and Q-learning over a table.

Jaques et al., 2017: the reward is the prior's log-probability plus rules. Departs from it in that the
network does not carry a state of its own: it sees the state of the frozen prior, which has read what is
written. Every step pays the change of the composition, the line so far held to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from plaudit.domains.music.conditions import FEATURES, prompts_of
from plaudit.domains.music.lines import HOLD, TOKENS
from plaudit.domains.music.request import MelodyRequest, asks_of, draw_requests, lines_from
from plaudit.engine.env import State, StepResult, VecEnv
from plaudit.engine.sequence.decode import advance, begin, write
from plaudit.engine.sequence.model import Prompts, SequenceModel
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context

BARS, METRE = 2, "4/4"
"""What is written where nothing is asked: the paper's 32 sixteenths."""
Sight = Literal["prior", "table"]


@dataclass
class View:
    """What a policy sees of lines under way: B rows, all of one length.

    Attributes:
        sight: "prior": last token, sounding token, conditions, the prior's probabilities and state;
            "table": one number, the step and the sounding token.
    """

    model: SequenceModel
    prompts: Prompts
    sight: Sight

    def __post_init__(self) -> None:
        self.draft = begin(self.model, self.prompts)
        rows = len(self.prompts.length)
        self.last = torch.full((rows,), TOKENS)
        self.sounding = self.last.clone()
        self.ahead = advance(self.model, self.draft)

    @property
    def step(self) -> int:
        return self.draft.step

    @property
    def steps(self) -> int:
        return int(self.prompts.mask.shape[1])

    def observe(self) -> Tensor:
        """Observations `(B, O)` float32, or `(B,)` int64 of a table."""
        if self.sight == "table":
            return self.step * (TOKENS + 1) + self.sounding
        at = min(self.step, self.steps - 1)
        parts = (
            one_hot(self.last, TOKENS + 1).float(),
            one_hot(self.sounding, TOKENS + 1).float(),
            self.prompts.cond[:, at],
            self.ahead.exp(),
            self.draft.state,
        )
        return torch.cat(parts, 1)

    def mask(self) -> Tensor:
        """Allowed tokens `(B, TOKENS)`."""
        return self.prompts.mask[:, min(self.step, self.steps - 1)]

    def put(self, token: Tensor) -> None:
        """Write `token (B,)`."""
        write(self.draft, token)
        self.last = token.clone()
        self.sounding = torch.where(token == HOLD, self.sounding, token)
        if self.step < self.steps:
            self.ahead = advance(self.model, self.draft)


def space_of(model: SequenceModel, sight: Sight, steps: int) -> spaces.Space[Any]:
    """The space of a view's observations of one row."""
    if sight == "table":
        return spaces.Discrete((steps + 1) * (TOKENS + 1))
    width = 2 * (TOKENS + 1) + FEATURES + TOKENS + model.config.hidden
    return spaces.Box(-64.0, 64.0, (width,), np.float32)


class MelodyEnv(VecEnv):
    """B melodies in step with each other.

    Attributes:
        weighing: the composition that the terms are columns of.
    """

    def __init__(
        self, model: SequenceModel, pays: Stepwise, given: MelodyRequest, num_envs: int, sight: Sight
    ) -> None:
        fields = {"bars": given.bars or BARS, "metre": given.metre or METRE}
        self.model, self.pays, self.sight = model, pays, sight
        self.given, self.num_envs = given.model_copy(update=fields), num_envs
        self.weighing = pays.composition
        self.term_names = self.weighing.names
        self.seed, self.episodes = 0, 0
        self._begin()
        self.observation_space = space_of(model, sight, self.view.steps)
        self.action_space = spaces.Discrete(TOKENS)

    def reset(self, seed: int) -> Tensor:
        self.seed, self.episodes = seed, 0
        return self._begin()

    def _begin(self) -> Tensor:
        self.requests = draw_requests(self.num_envs, self._number(), self.given)
        self.asks, self.shift = asks_of(self.requests)
        self.view = View(self.model, prompts_of(self.asks), self.sight)
        self.pays.start(slice(None), self._score())
        return self.view.observe()

    def _number(self) -> int:
        """Seed of the requests of these episodes."""
        return (self.seed * 1_000_003 + self.episodes) % 2**31

    def _score(self) -> NDArray[np.float64]:
        lines = lines_from(self.asks, self.view.draft.ids.numpy(), self.shift)
        return self.weighing.score(lines, Context(requests=self.requests, cache={"asks": self.asks}))

    def action_mask(self) -> Tensor:
        return self.view.mask()

    def step(self, action: Tensor) -> StepResult:
        self.view.put(action.long())
        done = np.full(self.num_envs, self.view.step == self.view.steps)
        terms = torch.from_numpy(self.pays.advance(self._score(), done))
        obs = final_obs = self.view.observe()
        final_mask = self.view.mask()
        if done.all():
            self.episodes += 1
            obs = self._begin()
        ended = torch.from_numpy(done)
        info = {"final_obs": final_obs, "final_mask": final_mask}
        return obs, terms, ended, torch.zeros_like(ended), info

    def state_dict(self) -> State:
        written = self.view.draft.ids[:, : self.view.step].clone()
        state: State = {"seed": self.seed, "episodes": self.episodes, "written": written}
        return {**state, "pays": self.pays.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.seed, self.episodes = int(state["seed"]), int(state["episodes"])
        self._begin()
        for token in torch.as_tensor(state["written"]).T:
            self.view.put(token.long())
        self.pays.load_state_dict(state["pays"])
