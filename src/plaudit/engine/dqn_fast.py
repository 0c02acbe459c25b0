"""The update of DQN by closed-form gradients: the fast twin of `dqn_update.py` for plain MLPs on a CPU.

With small networks the time goes into dispatch, not arithmetic. Here every operation is prepared once
as a call on fixed memory (a tape): matrices through torch, the few numbers per sample through NumPy,
both on the memory of the torch parameters. The values of the next observations of a whole group of
updates come from one forward pass, for as long as the target stays the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.dqn_update import Outcome, QNetwork, Twins
from plaudit.engine.nets.mlp import MLP
from plaudit.engine.replay import Batch

Floats = NDArray[np.float32]
Tape = list[Callable[[], Any]]

_WIDEST = 1024
"""From here on the arithmetic outweighs the dispatch, and autograd is as good."""
_SMALL = 2**13
"""Below this many multiplications per output row NumPy's call is the cheaper one."""


def suits(network: QNetwork, device: torch.device) -> bool:
    """Whether the fast path can and should run: a plain MLP of moderate width on a CPU."""
    body = network.body
    narrow = isinstance(body, MLP) and 0 < len(body.config.hidden) and max(body.config.hidden) < _WIDEST
    return narrow and device.type == "cpu"


class Forward:
    """The values `(rows, A)` of a network for a fixed number of rows, on fixed memory."""

    def __init__(self, network: QNetwork, rows: int) -> None:
        body: Any = network.body
        self.encode, self.dueling = body.encode, network.dueling
        self.layers = [(layer.weight.detach(), layer.bias.detach()) for layer in body.layers]
        self.input = torch.zeros(rows, body.encode.width)
        self.hidden = [torch.zeros(rows, len(bias)) for _, bias in self.layers[:-1]]
        weight, bias = self.layers[-1]
        self.out: Floats = np.zeros((rows, len(bias)), np.float32)
        self.x: Floats = self.input.numpy()
        self._last = (self.hidden[-1].numpy(), weight.numpy().T, bias.numpy())
        activate = torch.relu_ if body.config.activation == "relu" else torch.tanh_
        self.tape: Tape = []
        x = self.input
        for (weight, bias), hidden in zip(self.layers[:-1], self.hidden, strict=True):
            self.tape += [partial(torch.addmm, bias, x, weight.t(), out=hidden), partial(activate, hidden)]
            x = hidden

    def run(self) -> Floats:
        """Return the values of what stands in `x`; the next call may overwrite them."""
        for operation in self.tape:
            operation()
        hidden, weight, bias = self._last
        np.matmul(hidden, weight, out=self.out)
        np.add(self.out, bias, out=self.out)
        if not self.dueling:
            return self.out
        advantage = self.out[:, 1:]
        q: Floats = self.out[:, :1] + advantage - advantage.mean(1, keepdims=True)
        return q

    def __call__(self, obs: NDArray[Any]) -> Floats:
        """Return the values of observations `(rows, *O)`."""
        with torch.inference_mode():
            self.x[...] = encode(self.encode, obs)
            return self.run()


def encode(encoder: Any, obs: NDArray[Any]) -> Floats:
    """Observations `(N, *O)` as float32 vectors `(N, width)`; a view where they are that already."""
    if obs.dtype == np.float32:
        return obs.reshape(len(obs), -1)
    vectors: Floats = encoder(torch.from_numpy(obs)).numpy()
    return vectors


class Backward:
    """From the gradient of the outputs of a `Forward` to that of its parameters.

    The first `rows` rows of the forward pass take part. The gradient is written into `grads`, whose
    layout is that of the flat parameters.
    """

    def __init__(self, forward: Forward, grads: Tensor, rows: int, activation: str) -> None:
        self.d_out = torch.zeros(rows, forward.out.shape[1])
        ones = torch.ones(rows)
        views = _layer_views(grads, forward.layers)
        inputs = [forward.input, *forward.hidden]
        down: Any = torch.ops.aten.threshold_backward.grad_input
        if activation == "tanh":
            down = torch.ops.aten.tanh_backward.grad_input
        self.tape: Tape = []
        d = self.d_out
        for i in reversed(range(len(forward.layers))):
            x, (d_weight, d_bias) = inputs[i][:rows], views[i]
            self.tape += [
                product(d.t(), x, d_weight),
                partial(np.matmul, ones.numpy(), d.numpy(), out=d_bias.numpy()),
            ]
            if i > 0:
                d_x = torch.zeros(rows, x.shape[1])
                self.tape.append(product(d, forward.layers[i][0], d_x))
                extra = (0,) if activation == "relu" else ()
                self.tape.append(partial(down, d_x, x, *extra, grad_input=d_x))
                d = d_x

    def run(self) -> None:
        for operation in self.tape:
            operation()


def product(a: Tensor, b: Tensor, out: Tensor) -> Callable[[], Any]:
    """Prepare `out = a @ b` through whichever library is quicker at this size."""
    if a.shape[1] * b.shape[1] < _SMALL and min(out.shape) < 32:
        return partial(np.matmul, a.numpy(), b.numpy(), out=out.numpy())
    return partial(torch.mm, a, b, out=out)


def _layer_views(flat: Tensor, layers: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    views, start = [], 0
    for weight, bias in layers:
        middle = start + weight.numel()
        end = middle + bias.numel()
        views.append((flat[start:middle].view(weight.shape), flat[middle:end]))
        start = end
    return views


class FastUpdater:
    """Closed-form gradients; same signature and result as `PlainUpdater`."""

    name = "fast"

    def __init__(self, twins: Twins, batch_size: int) -> None:
        self.twins, self.n = twins, batch_size
        body: Any = twins.online.body
        self.encoder, self.config = body.encode, twins.config
        # The chooser of double Q-learning rides along in the same forward pass, below the batch.
        self.online = Forward(twins.online, batch_size * (2 if self.config.double else 1))
        self.backward = Backward(self.online, twins.grads, batch_size, body.config.activation)
        self.d_out: Floats = self.backward.d_out.numpy()
        self.rows = np.arange(batch_size)
        self._targets: dict[int, Forward] = {}

    @torch.inference_mode()
    def update(self, batch: Batch, times: int, learning_rate: float) -> Outcome:
        obs, next_obs = encode(self.encoder, batch.obs), encode(self.encoder, batch.next_obs)
        outcome = Outcome(0.0, 0.0, np.empty(len(batch.index), np.float32))
        valued = 0
        for i in range(times):
            part = slice(i * self.n, (i + 1) * self.n)
            if i == valued:
                valued = min(times, i + self._updates_until_target_changes())
                next_q, first = self._target_values(next_obs[i * self.n : valued * self.n]), i
            value = next_q[(i - first) * self.n :][: self.n]
            self._forward(obs[part], next_obs[part])
            loss = self._loss(batch, part, value, outcome.error[part])
            self.backward.run()
            outcome.loss += loss
            outcome.grad_norm += self.twins.apply_gradient(loss, learning_rate)
            self.twins.follow()
        return outcome

    def _updates_until_target_changes(self) -> int:
        period = self.config.target_period
        return 1 if self.config.target_tau > 0 else period - self.twins.updates % period

    def _target_values(self, next_obs: Floats) -> Floats:
        rows = len(next_obs)
        if rows not in self._targets:
            self._targets[rows] = Forward(self.twins.target, rows)
        forward = self._targets[rows]
        forward.x[...] = next_obs
        return forward.run()

    def _forward(self, obs: Floats, next_obs: Floats) -> None:
        self.online.x[: self.n] = obs
        if self.config.double:
            self.online.x[self.n :] = next_obs
        self.q = self.online.run()

    def _loss(self, batch: Batch, part: slice, next_q: Floats, error: Floats) -> float:
        """Write the TD errors into `error (N,)` and the gradient into `d_out`; return the mean loss."""
        chooser = self.q[self.n :] if self.config.double else next_q
        if batch.next_mask is not None:
            chooser = np.where(batch.next_mask[part], chooser, -np.inf)
        action = batch.action[part]
        value = next_q[self.rows, chooser.argmax(1)]
        np.subtract(batch.reward[part] + batch.discount[part] * value, self.q[self.rows, action], out=error)
        # Huber's loss and its slope: the error, bent at +-delta (not at all for the squared loss).
        delta = self.config.huber
        slope = error.clip(-delta, delta) if delta > 0 else error
        loss = slope * (error - 0.5 * slope)
        if batch.weight is not None:
            slope, loss = slope * batch.weight[part], loss * batch.weight[part]
        self._spread(slope * np.float32(-1.0 / self.n), action)
        return float(loss.sum()) / self.n

    def _spread(self, d_q: Floats, action: NDArray[np.int64]) -> None:
        """From the gradient `(N,)` of the taken actions' values to that of the network's outputs."""
        if not self.twins.online.dueling:
            self.d_out[...] = 0.0
            self.d_out[self.rows, action] = d_q
            return
        self.d_out[:, 0] = d_q
        self.d_out[:, 1:] = (d_q / (1 - self.d_out.shape[1]))[:, None]
        self.d_out[self.rows, action + 1] += d_q
