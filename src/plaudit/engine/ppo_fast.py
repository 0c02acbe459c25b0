"""The update of PPO by closed-form gradients: the fast twin of `ppo_update.py`.

For two plain MLPs and Discrete actions on a CPU. The networks run on fixed memory
(`nets/mlp_passes.py`); what lies between them, the masked softmax and the clipped surrogate, is a few
NumPy operations on `(M, A)` arrays. Acting needs the actor alone: values and log-probabilities of a
rollout come from one pass over all of it.

M samples in a minibatch, A actions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.actions import FORBIDDEN, CategoricalHead, Source, uniform, uniform_array
from plaudit.engine.actor_critic import ActorCritic
from plaudit.engine.adam import Adam, flatten
from plaudit.engine.learner import Metrics
from plaudit.engine.nets.mlp import MLP
from plaudit.engine.nets.mlp_passes import Floats, Passes
from plaudit.engine.ppo_update import Batch, Rates, Tally

if TYPE_CHECKING:
    from plaudit.engine.ppo import PPOConfig

_KEPT = 32
"""Forward passes kept per network, one for each number of rows seen."""

_WIDEST = 1024
"""From here on the arithmetic outweighs the dispatch, and autograd is as good."""


def suits(model: ActorCritic, device: torch.device) -> bool:
    """Whether the fast path can and should run."""
    actor = model.actor
    return (
        device.type == "cpu"
        and isinstance(model.head, CategoricalHead)
        and model.critic is not None
        and isinstance(actor, MLP)
        and max(actor.config.hidden, default=0) < _WIDEST
    )


class Net:
    """One MLP: forward passes for any number of rows, and the pair of passes of a minibatch."""

    def __init__(self, net: MLP) -> None:
        self.net = net
        self._forwards: dict[int, Passes] = {}
        self.mini = Passes(net, 0)

    def __call__(self, x: Floats) -> Floats:
        """Outputs `(N, n)` of `x (N, width)`; the next call of as many rows overwrites them."""
        rows = len(x)
        if rows not in self._forwards:
            if len(self._forwards) >= _KEPT:
                self._forwards.clear()
            self._forwards[rows] = Passes(self.net, rows)
        passes = self._forwards[rows]
        passes.x[...] = x
        return passes.forward()

    def encode(self, obs: Tensor) -> Floats:
        """Vectors `(N, width)` of `obs (N, *O)`; a view where they are that already."""
        if obs.dtype == torch.float32 and obs.dim() == 2:
            return obs.numpy()
        vectors: Floats = self.net.encode(obs).numpy()
        return vectors

    def resize(self, rows: int) -> None:
        """Make the passes of a minibatch of `rows` rows."""
        if rows != len(self.mini.x):
            self.mini = Passes(self.net, rows)
            self.mini.prepare_backward(self.net)


def shifted(logits: Floats, mask: NDArray[np.bool_] | None) -> Floats:
    """A copy `(A, M)` of `logits (M, A)` with its maxima at 0; a masked action is out of reach.

    The actions come first, so that NumPy reduces over them in long strides.
    """
    allowed = logits if mask is None else np.where(mask, logits, np.float32(FORBIDDEN))
    result: Floats = np.array(allowed.T, order="C")
    result -= result.max(0)
    return result


def log_softmax(logits: Floats, mask: NDArray[np.bool_] | None) -> Floats:
    """Log-probabilities `(A, M)` of `logits (M, A)`; a masked action's probability is 0."""
    result = shifted(logits, mask)
    result -= np.log(np.exp(result).sum(0))
    return result


class ClosedFormUpdater:
    """Closed-form gradients; same signature and result as `AutogradUpdater`."""

    name = "fast"

    def __init__(self, model: ActorCritic, config: PPOConfig) -> None:
        if not isinstance(model.actor, MLP) or not isinstance(model.critic, MLP):
            raise TypeError("the closed form needs two MLPs")
        self.config = config
        self.params, self.grads = flatten(model)
        self.adam = Adam(self.params, eps=1e-5)
        self.actor, self.critic = Net(model.actor), Net(model.critic)

    def sample(self, obs: Tensor, mask: Tensor | None, source: Source) -> Tensor:
        weight = shifted(self.actor(self.actor.encode(obs)), None if mask is None else mask.numpy())
        cumulative = np.exp(weight, out=weight).cumsum(0)
        if isinstance(source, torch.Generator):
            u = uniform(source, len(obs), 1, obs.device).numpy()[:, 0]
        else:
            u = uniform_array(source, len(obs), 1)[:, 0]
        wanted = np.minimum(u, np.float32(1.0 - 1e-6)) * cumulative[-1]
        return torch.from_numpy((cumulative <= wanted).sum(0))

    def values(self, obs: Tensor) -> Tensor:
        return torch.from_numpy(self.critic(self.critic.encode(obs))[:, 0].copy())

    def log_probs(self, batch: Batch) -> Tensor:
        mask = None if batch.mask is None else batch.mask.numpy()
        log_p = log_softmax(self.actor(self.actor.encode(batch.obs)), mask)
        return torch.from_numpy(log_p[batch.raw.numpy(), np.arange(log_p.shape[1])])

    def start(self, batch: Batch, size: int, rates: Rates) -> None:
        self.rates, self.tally = rates, Tally()
        self.x = self.actor.encode(batch.obs)
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
        actor, critic = self.actor.mini, self.critic.mini
        actor.x[...] = self.x[index]
        critic.x[...] = actor.x
        old, advantage, target, old_value = self.columns[index].T
        log_p = log_softmax(actor.forward(), None if self.mask is None else self.mask[index])
        policy = self._policy(log_p, self.action[index], old, advantage)
        if self.config.target_kl > 0 and policy[2] > 1.5 * self.config.target_kl:
            return False
        value_loss = self._value(critic.forward()[:, 0], old_value, target)
        actor.backward()
        critic.backward()
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
            advantage = advantage - advantage.sum() / size
            deviation = math.sqrt(float(advantage @ advantage) / (size - 1))
            advantage = advantage / np.float32(deviation + 1e-8)
        taken = action * size + self.rows  # places in the flat (A, M) table
        log_ratio = log_p.take(taken) - old
        ratio = np.exp(log_ratio)
        surrogate, limited = ratio * advantage, ratio.clip(1.0 - clip, 1.0 + clip) * advantage
        # Where the limit is the smaller of the two it is constant: no gradient.
        slope = np.where(surrogate <= limited, surrogate, np.float32(0.0)) * np.float32(-1.0 / size)
        p = np.exp(log_p)
        entropy = -(p * log_p).sum(0)
        d_logits = p * -slope
        d_logits.reshape(-1)[taken] += slope
        if self.rates.entropy_coef:
            d_logits += np.float32(self.rates.entropy_coef / size) * p * (log_p + entropy)
        self.actor.mini.d_out[...] = d_logits.T
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
        self.critic.mini.d_out[:, 0] = slope * np.float32(self.config.value_coef / size)
        return float(loss.sum()) / size

    def statistics(self) -> Metrics:
        return self.tally.metrics()
