"""A judge that is never optimised, beside a game with a reward: what it says of each step, and when to stop.

It looks at items of its own, which the policy as it would be kept makes from random numbers of their own: a
judge changes nothing in what is learned, until it has declined.
"""

from __future__ import annotations

import torch

from plaudit.engine.env import State
from plaudit.engine.gan.config import Judging, RewardConfig
from plaudit.engine.gan.policy import GeneratorPolicy
from plaudit.engine.guard import JudgeGuard, judgement
from plaudit.engine.learner import Metrics


class JudgeBeside:
    """Looks at what a policy makes, once a step.

    Attributes:
        guard: what was said so far, and the weights that were liked best.
    """

    def __init__(self, source: Judging, config: RewardConfig, seed: int) -> None:
        self.source, self.rows = source, config.batch_size
        self.guard = JudgeGuard(config.stop_on_decline)
        self.noise = torch.Generator().manual_seed(seed)

    def look(self, policy: GeneratorPolicy, reward: float) -> Metrics:
        """Judge fresh items of `policy`, whose reward in this step was `reward`; the row to log."""
        classes = policy.shape.classes
        noise = torch.randn(self.rows, policy.noise_size, generator=self.noise)
        labels = torch.randint(classes, (self.rows,), generator=self.noise) if classes else None
        items = policy.draw(noise, labels)
        with torch.no_grad():
            judged = judgement(self.source.judge(items, labels), self.rows)
        return self.guard.look(judged, reward, policy.tensors())

    def state_dict(self) -> State:
        return {"guard": self.guard.state_dict(), "noise": self.noise.get_state()}

    def load_state_dict(self, state: State) -> None:
        self.guard.load_state_dict(state["guard"])
        self.noise.set_state(torch.as_tensor(state["noise"]))
