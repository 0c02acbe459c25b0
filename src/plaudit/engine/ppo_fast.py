"""The update of PPO by closed-form gradients: the fast twin of `ppo_update.py`.

For two plain MLPs and Discrete actions on a CPU. The networks run as tapes of prepared calls on fixed
memory (`dqn_fast.py`); what lies between them, the masked softmax and the clipped surrogate, is a few
NumPy operations on `(M, A)` arrays. Acting needs the actor alone: values and log-probabilities of a
rollout come from one pass over all of it.

M samples in a minibatch, A actions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from plaudit.engine.actions import FORBIDDEN, CategoricalHead, Source, uniform
from plaudit.engine.actor_critic import ActorCritic
from plaudit.engine.adam import Adam, flatten
from plaudit.engine.dqn_fast import Backward, Floats, Forward, encode
from plaudit.engine.dqn_fast import suits as network_suits
from plaudit.engine.dqn_update import QNetwork
from plaudit.engine.learner import Metrics
from plaudit.engine.ppo_update import Batch, Rates, Tally

if TYPE_CHECKING:
    from plaudit.engine.ppo import PPOConfig

_KEPT = 32
"""Forward passes kept per network, one for each number of rows seen."""


def suits(model: ActorCritic, device: torch.device) -> bool:
    """Whether the fast path can and should run."""
    return (
        isinstance(model.head, CategoricalHead)
        and model.critic is not None
        and network_suits(QNetwork(model.actor, False), device)
    )


class Net:
    """One MLP: forward passes for any number of rows, and the pair of passes of a minibatch."""

    def __init__(self, net: nn.Module, grads: Tensor) -> None:
        self.network, self.grads = QNetwork(net, False), grads
        body: Any = net
        self.encoder, self.activation = body.encode, body.config.activation
        self._forwards: dict[int, Forward] = {}
        self.rows = 0

    def __call__(self, obs: NDArray[Any]) -> Floats:
        """Outputs `(N, n)` of `obs (N, *O)`; the next call of as many rows overwrites them."""
        rows = len(obs)
        if rows not in self._forwards:
            if len(self._forwards) >= _KEPT:
                self._forwards.clear()
            self._forwards[rows] = Forward(self.network, rows)
        return self._forwards[rows](obs)

    def resize(self, rows: int) -> None:
        """Make the passes of a minibatch of `rows` rows."""
        if rows != self.rows:
            self.rows = rows
            self.forward = Forward(self.network, rows)
            self.backward = Backward(self.forward, self.grads, rows, self.activation)
            self.d_out: Floats = self.backward.d_out.numpy()


def log_softmax(logits: Floats, mask: NDArray[np.bool_] | None) -> Floats:
    """Log-probabilities `(M, A)`; a masked action's probability is 0."""
    allowed = logits if mask is None else np.where(mask, logits, np.float32(FORBIDDEN))
    shifted = allowed - allowed.max(1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return result


class ClosedFormUpdater:
    """Closed-form gradients; same signature and result as `AutogradUpdater`."""

    name = "fast"

    def __init__(self, model: ActorCritic, config: PPOConfig) -> None:
        if model.critic is None:
            raise TypeError("the closed form needs a critic of its own")
        self.config = config
        self.params, self.grads = flatten(model)
        self.adam = Adam(self.params, eps=1e-5)
        middle = sum(p.numel() for p in model.actor.parameters())
        self.actor, self.critic = (
            Net(model.actor, self.grads[:middle]),
            Net(model.critic, self.grads[middle:]),
        )

    def sample(self, obs: Tensor, mask: Tensor | None, source: Source) -> Tensor:
        logits = self.actor(obs.numpy())
        p = np.exp(log_softmax(logits, None if mask is None else mask.numpy()))
        cumulative = p.cumsum(1)
        u = uniform(source, len(logits), 1, obs.device).numpy()
        reached = cumulative > np.minimum(u, np.float32(1.0 - 1e-6)) * cumulative[:, -1:]
        return torch.from_numpy(reached.argmax(1))

    def values(self, obs: Tensor) -> Tensor:
        return torch.from_numpy(self.critic(obs.numpy())[:, 0].copy())

    def log_probs(self, batch: Batch) -> Tensor:
        mask = None if batch.mask is None else batch.mask.numpy()
        log_p = log_softmax(self.actor(batch.obs.numpy()), mask)
        return torch.from_numpy(log_p[np.arange(len(log_p)), batch.raw.numpy()])

    def start(self, batch: Batch, size: int, rates: Rates) -> None:
        self.rates, self.tally = rates, Tally()
        self.obs = encode(self.actor.encoder, batch.obs.numpy())
        self.mask = None if batch.mask is None else batch.mask.numpy()
        self.action: NDArray[np.int64] = batch.raw.numpy()
        # One table of the numbers per sample, so that a minibatch is one gather.
        columns = (batch.log_prob, batch.advantage, batch.target, batch.value)
        self.columns: Floats = torch.stack(columns, 1).numpy()
        self.actor.resize(size)
        self.critic.resize(size)
        self.rows = np.arange(size)

    @torch.inference_mode()
    def update(self, index: NDArray[np.int64]) -> bool:
        actor, critic = self.actor, self.critic
        np.take(self.obs, index, 0, out=actor.forward.x)
        critic.forward.x[...] = actor.forward.x
        old, advantage, target, old_value = self.columns[index].T
        log_p = log_softmax(actor.forward.run(), None if self.mask is None else self.mask[index])
        policy = self._policy(log_p, self.action[index], old, advantage)
        if self.config.target_kl > 0 and policy[2] > 1.5 * self.config.target_kl:
            return False
        value_loss = self._value(critic.forward.run()[:, 0], old_value, target)
        actor.backward.run()
        critic.backward.run()
        self.tally.apply(self.adam, self.grads, self.config, self.rates)
        policy_loss, entropy, kl, clipped = policy
        self.tally.sums = self.tally.sums + np.array([policy_loss, value_loss, entropy, kl, clipped])
        return True

    def _policy(
        self, log_p: Floats, action: NDArray[np.int64], old: Floats, advantage: Floats
    ) -> tuple[float, float, float, float]:
        """Write the gradient of the logits; return policy loss, entropy, KL and the share clipped."""
        clip, size = self.config.clip, len(action)
        if self.config.normalise_advantage:
            advantage = (advantage - advantage.mean()) / (advantage.std(ddof=1) + np.float32(1e-8))
        log_ratio = log_p[self.rows, action] - old
        ratio = np.exp(log_ratio)
        surrogate, limited = ratio * advantage, ratio.clip(1.0 - clip, 1.0 + clip) * advantage
        # Where the limit is the smaller of the two it is constant: no gradient.
        slope = np.where(surrogate <= limited, surrogate, np.float32(0.0)) * np.float32(-1.0 / size)
        p = np.exp(log_p)
        entropy = -(p * log_p).sum(1)
        d_logits = self.actor.d_out
        np.multiply(p, -slope[:, None], out=d_logits)
        d_logits[self.rows, action] += slope
        if self.rates.entropy_coef:
            d_logits += np.float32(self.rates.entropy_coef / size) * p * (log_p + entropy[:, None])
        loss = -float(np.minimum(surrogate, limited).sum()) / size
        kl = float((np.expm1(log_ratio) - log_ratio).sum()) / size
        clipped = np.count_nonzero(np.abs(ratio - np.float32(1.0)) > clip) / size
        return loss, float(entropy.sum()) / size, kl, clipped

    def _value(self, value: Floats, old_value: Floats, target: Floats) -> float:
        """Write the gradient of the value; return its loss."""
        size, limit = len(value), self.config.value_clip
        error = value - target
        loss, slope = 0.5 * error * error, error
        if limit > 0:
            moved = value - old_value
            near = old_value + moved.clip(-limit, limit) - target
            near_loss = 0.5 * near * near
            slope = np.where(near_loss > loss, near * (np.abs(moved) <= limit), error)
            loss = np.maximum(loss, near_loss)
        self.critic.d_out[:, 0] = slope * np.float32(self.config.value_coef / size)
        return float(loss.sum()) / size

    def statistics(self) -> Metrics:
        return self.tally.metrics()
