"""The update of DQN by autograd: the specification that `dqn_fast.py` is tested against.

Mnih et al., 2015, with double (van Hasselt et al., 2016) and dueling (Wang et al., 2016) as switches.
Departs from Wang et al.: value and advantage are two linear heads on the same last hidden layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from plaudit.engine.adam import Adam, clip_norm, flatten
from plaudit.engine.env import State
from plaudit.engine.replay import Batch
from plaudit.engine.returns import double_q_value, greedy_value, huber, q_target, td_error
from plaudit.errors import Diverged

if TYPE_CHECKING:
    from plaudit.engine.dqn import DQNConfig


class QNetwork(nn.Module):
    """Action values `(B, A)` from a body with A outputs, or A + 1 when dueling (the value comes first)."""

    def __init__(self, body: nn.Module, dueling: bool) -> None:
        super().__init__()
        self.body, self.dueling = body, dueling

    def forward(self, obs: Tensor) -> Tensor:
        out: Tensor = self.body(obs)
        if not self.dueling:
            return out
        advantage = out[:, 1:]
        return out[:, :1] + advantage - advantage.mean(1, keepdim=True)


class Twins:
    """The online and the target network, their flat parameters, and the optimiser."""

    def __init__(self, online: QNetwork, target: QNetwork, config: DQNConfig) -> None:
        self.online, self.target, self.config = online, target, config
        self.params, self.grads = flatten(online)
        self.target_params, _ = flatten(target)
        self.target_params.copy_(self.params)
        self.adam = Adam(self.params)
        self.updates = 0

    def follow(self) -> bool:
        """Let the target follow after an update; return whether it changed."""
        self.updates += 1
        if self.config.target_tau > 0:
            self.target_params.lerp_(self.params, self.config.target_tau)
            return True
        if self.updates % self.config.target_period:
            return False
        self.target_params.copy_(self.params)
        return True

    def apply_gradient(self, loss: float, learning_rate: float) -> float:
        """Clip the gradient and take a step; return its norm; raises `Diverged` if it is not finite."""
        norm = clip_norm(self.grads, self.config.max_grad_norm)
        if not math.isfinite(loss) or not math.isfinite(norm):
            what = "loss" if not math.isfinite(loss) else "gradient norm"
            raise Diverged(
                f"the {what} of DQN is {loss if what == 'loss' else norm} at update {self.updates}.",
                hint="Lower learning_rate, or max_grad_norm.",
            )
        self.adam.step(self.grads, learning_rate)
        return norm

    def state_dict(self) -> State:
        return {"adam": self.adam.state_dict(), "target": self.target_params.clone(), "updates": self.updates}

    def load_state_dict(self, state: State) -> None:
        self.adam.load_state_dict(state["adam"])
        self.target_params.copy_(torch.as_tensor(state["target"]))
        self.updates = int(state["updates"])


@dataclass
class Outcome:
    """What a group of updates gave: sums over the updates, and the TD errors `(N,)` of all samples."""

    loss: float
    grad_norm: float
    error: NDArray[np.float32]


class Updater(Protocol):
    """One way to run updates; the plain and the fast path have this same signature."""

    name: str

    def update(self, batch: Batch, times: int, learning_rate: float) -> Outcome:
        """Make `times` updates, each on the next equal part of `batch`."""
        ...


def dqn_loss(
    online: nn.Module, target: nn.Module, batch: dict[str, Tensor], config: DQNConfig
) -> tuple[Tensor, Tensor]:
    """Mean loss `()` and TD errors `(N,)` of one batch."""
    q = online(batch["obs"]).gather(1, batch["action"][:, None]).squeeze(1)
    mask = batch.get("next_mask")
    with torch.no_grad():
        next_q = target(batch["next_obs"])
        if config.double:
            value = double_q_value(next_q, online(batch["next_obs"]), mask)
        else:
            value = greedy_value(next_q, mask)
    error = td_error(q, q_target(batch["reward"], batch["discount"], value))
    losses = huber(error, config.huber or math.inf)
    return (losses * batch["weight"] if "weight" in batch else losses).mean(), error.detach()


class PlainUpdater:
    """Autograd, one batch after the other."""

    name = "plain"

    def __init__(self, twins: Twins, device: torch.device) -> None:
        self.twins, self.device = twins, device
        self.loss: Any = torch.compile(dqn_loss) if twins.config.compile else dqn_loss

    def update(self, batch: Batch, times: int, learning_rate: float) -> Outcome:
        columns = {k: torch.from_numpy(v).to(self.device) for k, v in vars(batch).items() if v is not None}
        size = len(batch.index) // times
        outcome = Outcome(0.0, 0.0, np.empty(len(batch.index), np.float32))
        for i in range(times):
            part = slice(i * size, (i + 1) * size)
            twins = self.twins
            twins.grads.zero_()
            loss, error = self.loss(
                twins.online, twins.target, {k: v[part] for k, v in columns.items()}, twins.config
            )
            loss.backward()
            mean = float(loss.detach())
            outcome.loss += mean
            outcome.grad_norm += twins.apply_gradient(mean, learning_rate)
            outcome.error[part] = error.cpu().numpy()
            twins.follow()
        return outcome
